package import Alerts

/// Slack, by a bot's token (one message for each alert, updated in place, later facts as replies) or by incoming webhooks (which can't
/// thread, so that each fact is a message).
package struct SlackChannel: Channel {
  package let name = "slack"
  /// Slack lets about one message a second into a channel, and tolerates short bursts.
  /// Source: https://docs.slack.dev/apis/web-api/rate-limits
  package let pace = Pace(inFlight: 1, perSecond: 1, burst: 4)
  private let settings: SlackSettings?
  private let templates: TemplateSet

  package init(_ settings: SlackSettings?, templates: TemplateSet = TemplateSet()) {
    self.settings = settings
    self.templates = templates
  }

  package func missing(for job: Job) -> String? {
    if settings?.webhooks[job.destination] != nil { return nil }
    if let token = settings?.token, !token.isEmpty { return nil }
    return "configure channels.slack: it has neither a token nor a webhook for \(job.destination)"
  }

  private func webhook(for job: Job) -> String? { settings?.webhooks[job.destination] }

  package func render(_ job: Job, now: Timestamp) throws(RenderingError) -> RenderedMessage {
    guard !job.destination.isEmpty else { throw RenderingError("the receiver names no Slack channel") }
    let message = SlackMessage(job, templates: templates)
    func body(_ members: KeyValuePairs<String, JSON>) -> [UInt8] { JSON.compact(members).bytes }
    var parts: [RenderedMessage.Part] = []
    let metadata: JSON = ["event_type": "tocsin_message", "event_payload": ["key": .string(job.key)]]
    if webhook(for: job) != nil {
      parts = [
        .init(
          "webhook", body(["text": .string(message.text), "blocks": .array(message.blocks), "unfurl_links": false]))
      ]
    } else if job.alert != nil, let channel = job.thread?["channel"]?.string, let root = job.thread?["ts"]?.string {
      // The update first: done twice it changes nothing, so that a retry after a refused reply says nothing twice.
      parts = [
        .init(
          "chat.update",
          body([
            "channel": .string(channel), "ts": .string(root), "text": .string(message.text),
            "blocks": .array(message.blocks),
          ]), isOptional: true),
        .init(
          "chat.postMessage",
          body([
            "channel": .string(channel), "thread_ts": .string(root),
            // Whoever only watches the channel must see that it fires still.
            "reply_broadcast": job.purpose == .firing ? true : .null,
            "text": .string(SlackMessage.news(job, templates: templates)), "unfurl_links": false, "metadata": metadata,
          ])),
      ]
    } else {
      parts = [
        .init(
          "chat.postMessage",
          body([
            "channel": .string(job.destination), "text": .string(message.text), "blocks": .array(message.blocks),
            "unfurl_links": false, "unfurl_media": false, "metadata": metadata,
          ]))
      ]
    }
    if job.purpose == .firing, webhook(for: job) == nil, job.thread == nil, let picture = SlackChannel.picture(job) {
      parts.append(picture)
    }
    return RenderedMessage(form: .json, title: message.text, parts: parts, provider: standInThread(job))
  }

  /// The chart, which goes into the new message's thread. In `png` it stands in base64.
  private static func picture(_ job: Job) -> RenderedMessage.Part? {
    guard let alert = job.alert, let chart = Chart(alert), let png = chart.png() else { return nil }
    let body: JSON = [
      "filename": .string("\(alert.id).png"), "title": .string(chart.title), "alt_txt": .string(chart.alternative),
      "png": .string(Base64.encode(png)),
    ]
    return .init(SlackUpload.action, body.bytes, isOptional: true)
  }

  /// What the outbox hands on in Slack's place, so that later facts show there as Slack would take them.
  private func standInThread(_ job: Job) -> JSON? {
    guard settings?.token == nil, webhook(for: job) == nil, job.thread == nil else { return nil }
    let micros = job.requestedAt.microseconds
    let rest = String(micros % 1_000_000 + 1_000_000).dropFirst()
    return ["channel": .string(job.destination), "ts": .string("\(micros / 1_000_000).\(rest)")]
  }

  package func send(
    _ message: RenderedMessage, for job: Job, over transport: any Transport, now: Timestamp
  ) async -> Verdict {
    var last = Verdict(.failed, "nothing to send")
    var notes: [String] = []
    for part in message.parts where part.action != SlackUpload.action {
      last = await send(part, for: job, over: transport, now: now)
      switch last.outcome {
      case .delivered: continue
      case .failed where part.isOptional: notes.append("\(part.action): \(last.message)")
      default: return last
      }
    }
    guard last.outcome == .delivered else { return last }
    // The message is out. Whatever becomes of its picture is no reason to send it again.
    if let part = message.parts.first(where: { $0.action == SlackUpload.action }), let settings,
      let problem = await SlackUpload(settings: settings, transport: transport).send(part, to: last.provider, now: now)
    {
      notes.append(problem)
    }
    if !notes.isEmpty { last.message = "delivered, but not all of it: \(notes.joined(separator: "; "))" }
    last.provider = SlackChannel.thread(job, answer: last.provider)
    return last
  }

  /// `ts` stays the thread's root for ever: what answers a reply is kept beside it.
  static func thread(_ job: Job, answer: JSON?) -> JSON? {
    guard let ts = answer?["ts"], let channel = answer?["channel"] else { return job.thread }
    if let root = job.thread?["ts"], job.alert != nil { return ["channel": channel, "ts": root, "reply_ts": ts] }
    return ["channel": channel, "ts": ts]
  }

  private func send(
    _ part: RenderedMessage.Part, for job: Job, over transport: any Transport, now: Timestamp
  ) async -> Verdict {
    guard let settings else { return Verdict(.failed, "channels.slack is not configured") }
    let json = "application/json; charset=utf-8"
    var request: TransferRequest
    if part.action == "webhook" {
      guard let url = webhook(for: job) else { return Verdict(.failed, "no webhook for \(job.destination)") }
      request = .post(url, contentType: json, body: part.body)
      request.secrets = SlackChannel.secretParts(url)
    } else {
      let token = settings.token ?? ""
      request = .post(
        "\(MessageFacts.base(settings.apiURL))/\(part.action)", contentType: json, body: part.body,
        headers: [.init("Authorization", "Bearer \(token)")])
      request.secrets = [token]
    }
    request.caFile = settings.caFile
    switch await transport.perform(request) {
    case .failure(let failure): return Classification.failure(failure)
    case .success(let response):
      if part.action == "webhook" {
        return Classification.http(
          status: response.status, words: Secrets.excerpt(response.text, without: request.secrets),
          retryAfter: response.header("retry-after"), now: now)
      }
      return Classification.slack(response, secrets: request.secrets, now: now)
    }
  }

  /// A webhook's address is its secret: whole, and its path alone.
  package static func secretParts(_ url: String) -> [String] {
    var parts = [url]
    if let scheme = url.firstRange(of: "://"), let slash = url[scheme.upperBound...].firstIndex(of: "/") {
      let path = String(url[slash...])
      if path.count > 8 { parts.append(path) }
    }
    return parts
  }
}
