package import Alerts

/// PagerDuty's Events API v2: one incident for each life of an alert.
/// Source: https://developer.pagerduty.com/docs/events-api-v2/trigger-events/
package struct PagerDutyChannel: Channel {
  package let name = "pagerduty"
  package let pace = Pace(inFlight: 4)
  private let settings: PagerDutySettings
  private let receiverOptions: [String: [String: JSON]]
  private let templates: TemplateSet

  /// The whole event, in bytes: 512 KB, which Alertmanager takes as this many, and so do we.
  static let eventLimit = 512_000
  static let summaryLimit = 1024
  static let dedupKeyLimit = 255

  package init(
    _ settings: PagerDutySettings, receiverOptions: [String: [String: JSON]], templates: TemplateSet = TemplateSet()
  ) {
    self.settings = settings
    self.receiverOptions = receiverOptions
    self.templates = templates
  }

  private func routingKey(_ job: Job) -> String? {
    let key = receiverOptions[job.receiver]?["routing_key"]?.string
    return key?.isEmpty == false ? key : nil
  }

  package func missing(for job: Job) -> String? {
    routingKey(job) == nil ? "receivers.\(job.receiver).pagerduty.routing_key is not configured" : nil
  }

  /// The event without its routing key, which is a secret and joins it when it is sent.
  package func render(_ job: Job, now: Timestamp) throws(RenderingError) -> RenderedMessage {
    guard job.purpose != .digest else {
      throw RenderingError("PagerDuty wakes people; a digest belongs on another channel of receiver \(job.receiver)")
    }
    let facts = MessageFacts(job)
    let key = PagerDutyChannel.dedupKey(job.subject)
    let action: String
    switch job.purpose {
    case .acknowledged: action = "acknowledge"
    case .resolved: action = "resolve"
    default: action = "trigger"
    }
    var event: [JSON.Member] = [.init("event_action", .string(action)), .init("dedup_key", .string(key))]
    let title = Cut.text(templates.render(facts, .line), to: PagerDutyChannel.summaryLimit)
    if action == "trigger" {
      let fixed = event
      event += trigger(job, facts, title: title, details: PagerDutyChannel.details(job, facts))
      // Room for the routing key.
      if JSON.object(event).bytes.count > PagerDutyChannel.eventLimit - 256 {
        let note: JSON = ["cut": "the details were larger than PagerDuty takes; they are in Tocsin"]
        event = fixed + trigger(job, facts, title: title, details: note)
      }
    }
    return RenderedMessage(
      form: .json, title: title, parts: [.init("enqueue", JSON.object(event).bytes)],
      provider: ["dedup_key": .string(key)])
  }

  /// The same for one life of an alert and for no other, since an alert's id is one life's.
  static func dedupKey(_ subject: Subject) -> String { String("tocsin/\(subject)".prefix(dedupKeyLimit)) }

  private func trigger(_ job: Job, _ facts: MessageFacts, title: String, details: JSON) -> [JSON.Member] {
    let payload: JSON = .compact([
      "summary": .string(title), "source": .string(job.alert?.anomaly.source ?? "tocsin"),
      "severity": .string(PagerDutyChannel.severity(facts.severity)),
      "timestamp": .string((job.alert?.openedAt ?? job.requestedAt).rfc3339),
      "component": .text(job.alert?.anomaly.eventType), "class": .text(job.alert?.anomaly.metric),
      "group": .text(job.alert?.anomaly.tenant), "custom_details": details,
    ])
    var links: [JSON] = []
    if let link = facts.link { links.append(["href": .string(link), "text": "Open in Tocsin"]) }
    if let runbook = facts.runbook { links.append(["href": .string(runbook), "text": "Runbook"]) }
    return JSON.compact([
      "payload": payload, "links": links.isEmpty ? .null : .array(links), "client": "Tocsin",
      "client_url": .text(facts.link),
    ]).members ?? []
  }

  private static func details(_ job: Job, _ facts: MessageFacts) -> JSON {
    var members = [JSON.Member("why", .string(facts.lead))]
    members += facts.rows.map { JSON.Member($0.name.lowercased().replacing(" ", with: "_"), .string($0.value)) }
    for m in facts.members {
      members.append(.init(m.id, .string("\(m.severity): \(m.headline) (\(m.subject); \(m.state))")))
    }
    if facts.more > 0 { members.append(.init("more", .string("and \(facts.more) more"))) }
    if let alert = job.alert { members.append(.init("alert", .string(alert.id.description))) }
    return .object(members)
  }

  static func severity(_ name: String) -> String {
    switch name {
    case "critical": "critical"
    case "high": "error"
    case "medium": "warning"
    default: "info"
    }
  }

  package func send(
    _ message: RenderedMessage, for job: Job, over transport: any Transport, now: Timestamp
  ) async -> Verdict {
    guard let key = routingKey(job), let part = message.parts.first else {
      return Verdict(.failed, missing(for: job) ?? "nothing to send")
    }
    // `{"event_action":…}` becomes `{"routing_key":"…","event_action":…}`.
    let body = Array("{\"routing_key\":\(JSON.string(key).text),".utf8) + part.body.dropFirst()
    var request = TransferRequest.post(
      "\(MessageFacts.base(settings.url))/v2/enqueue", contentType: "application/json", body: body)
    request.caFile = settings.caFile
    request.secrets = [key]
    switch await transport.perform(request) {
    case .failure(let failure): return Classification.failure(failure)
    case .success(let response):
      var verdict = Classification.http(
        status: response.status, words: Secrets.excerpt(response.text, without: [key]),
        retryAfter: response.header("retry-after"), now: now)
      if verdict.outcome == .delivered { verdict.provider = message.provider }
      return verdict
    }
  }
}
