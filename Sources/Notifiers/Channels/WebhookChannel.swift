package import Alerts
import Crypto

/// A POST to an address of the user's own: a CloudEvent, or the body that Alertmanager sends, for what already understands that.
package struct WebhookChannel: Channel {
  package let name = "webhook"
  package let pace = Pace(inFlight: 16)
  private let receiverOptions: [String: [String: JSON]]
  private let templates: TemplateSet

  /// Event types are part of the interface: `tocsin.notification.firing.v1`.
  static let typePrefix = "tocsin.notification"

  package init(receiverOptions: [String: [String: JSON]], templates: TemplateSet = TemplateSet()) {
    self.receiverOptions = receiverOptions
    self.templates = templates
  }

  private func option(_ name: String, _ job: Job) -> String? {
    let text = receiverOptions[job.receiver]?[name]?.string
    return text?.isEmpty == false ? text : nil
  }

  package func missing(for job: Job) -> String? {
    option("url", job) == nil ? "receivers.\(job.receiver).webhook.url is not configured" : nil
  }

  package func render(_ job: Job, now: Timestamp) throws(RenderingError) -> RenderedMessage {
    let facts = MessageFacts(job)
    let title = templates.render(facts, .line)
    let format = option("format", job) ?? "cloudevents"
    switch format {
    case "cloudevents":
      let event = cloudEvent(job, facts, title: title)
      return RenderedMessage(form: .json, title: title, parts: [.init("cloudevent", event.bytes)])
    case "alertmanager":
      let body = AlertmanagerBody(job, facts)
      return RenderedMessage(form: .json, title: title, parts: [.init("alertmanager", body.json.bytes)])
    default:
      throw RenderingError(
        "receivers.\(job.receiver).webhook.format must be cloudevents or alertmanager, not \(format.prefix(40))")
    }
  }

  private func cloudEvent(_ job: Job, _ facts: MessageFacts, title: String) -> JSON {
    let data: JSON = .compact([
      "purpose": .string(job.purpose.rawValue), "receiver": .string(job.receiver), "title": .string(title),
      "text": .string(templates.text(job, facts)), "link": .text(facts.link),
      "runbook": .text(facts.runbook), "alert": job.alert?.json ?? .null,
      "members": job.members.isEmpty ? .null : .array(job.members.map(\.json)),
      "member_count": job.memberCount == 0 ? .null : .int(job.memberCount), "content": job.content ?? .null,
    ])
    return .compact([
      "specversion": "1.0", "id": .string(job.key), "source": "tocsin",
      "type": .string("\(WebhookChannel.typePrefix).\(job.purpose.rawValue).v1"),
      "subject": .string(job.subject.description), "time": .string(job.requestedAt.rfc3339),
      "datacontenttype": "application/json", "data": data,
    ])
  }

  package func send(
    _ message: RenderedMessage, for job: Job, over transport: any Transport, now: Timestamp
  ) async -> Verdict {
    guard let url = option("url", job), let part = message.parts.first else {
      return Verdict(.failed, missing(for: job) ?? "nothing to send")
    }
    // The same for every try, so that a receiver can drop a repeat.
    var headers = [TransferRequest.Header("Idempotency-Key", job.key)]
    var secrets = SlackChannel.secretParts(url)
    for (name, value) in receiverOptions[job.receiver]?["headers"]?.texts ?? [] {
      headers.append(.init(name, value))
      secrets.append(value)
    }
    if let token = option("token", job) {
      headers.append(.init("Authorization", "Bearer \(token)"))
      secrets.append(token)
    }
    if let secret = option("secret", job) {
      headers.append(.init("X-Tocsin-Signature", "sha256=\(WebhookChannel.signature(part.body, secret: secret))"))
      secrets.append(secret)
    }
    let type = part.action == "cloudevent" ? "application/cloudevents+json; charset=utf-8" : "application/json"
    var request = TransferRequest.post(url, contentType: type, body: part.body, headers: headers)
    request.caFile = option("ca_file", job)
    request.secrets = secrets
    switch await transport.perform(request) {
    case .failure(let failure): return Classification.failure(failure)
    case .success(let response):
      return Classification.http(
        status: response.status, words: Secrets.excerpt(response.text, without: secrets),
        retryAfter: response.header("retry-after"), now: now)
    }
  }

  /// HMAC-SHA256 of the body, in hexadecimal.
  package static func signature(_ body: [UInt8], secret: String) -> String {
    let code = HMAC<SHA256>.authenticationCode(for: body, using: SymmetricKey(data: Array(secret.utf8)))
    let hex = Array("0123456789abcdef".utf8)
    return String(decoding: code.flatMap { [hex[Int($0 >> 4)], hex[Int($0 & 15)]] }, as: UTF8.self)
  }
}
