package import Alerts
import Crypto

/// Mail over SMTP. One thread for each alert: a root that every message about it names, and one subject.
package struct EmailChannel: Channel {
  package let name = "email"
  package let pace = Pace(inFlight: 2)
  private let settings: EmailSettings?
  private let templates: TemplateSet
  private let links: LinkMaker?

  /// A mail with more recipients is refused: RFC 5321 (4.5.3.1.8) has servers take at least 100.
  static let recipientLimit = 100
  /// A sender that stands in where none is configured and mails only go into the outbox.
  static let standInSender = "tocsin@localhost"

  package init(_ settings: EmailSettings?, templates: TemplateSet = TemplateSet(), links: LinkMaker? = nil) {
    self.settings = settings
    self.templates = templates
    self.links = links
  }

  package func missing(for job: Job) -> String? {
    settings == nil ? "channels.email.server is not configured" : nil
  }

  package func render(_ job: Job, now: Timestamp) throws(RenderingError) -> RenderedMessage {
    let mail = try mail(job, now: now)
    let provider: JSON = .compact([
      "message_id": .string(mail.messageID), "thread": .text(mail.threadRoot), "subject": .string(mail.subject),
    ])
    return RenderedMessage(
      form: .mail, title: mail.subject, parts: [.init("mail", mail.bytes)], provider: provider)
  }

  private func mail(_ job: Job, now: Timestamp) throws(RenderingError) -> Mail {
    let sender = settings?.from ?? EmailChannel.standInSender
    guard let from = MailAddress(sender) else {
      throw RenderingError("channels.email.from is not a mail address: \(sender)")
    }
    let to = try EmailChannel.recipients(job.destination)
    // One mail goes to all of them, so that its link can only say which receiver it went to, unless it is one person.
    let reader = to.count == 1 ? to[0].address : job.receiver
    let facts = MessageFacts(job, acknowledgeLink: links?.acknowledge(job, recipient: reader))
    var subject = templates.render(facts, .subject)
    var text: String
    var html: String
    var pictures: [Mail.Picture] = []
    if job.purpose == .digest, let content = job.content {
      subject = templates.render(digest: content, .subject) ?? subject
      text = templates.text(job, facts)
      html = templates.render(digest: content, .html) ?? EmailChannel.plainPage(text)
    } else {
      text = templates.render(facts, .text)
      var extra: [String: String] = [:]
      if job.purpose == .firing, let alert = job.alert, let chart = Chart(alert), let png = chart.png() {
        let id = "chart-\(Mail.digest(job.key))@\(from.domain)"
        pictures = [Mail.Picture(contentID: id, name: "\(alert.id).png", png: png)]
        extra["chart"] = EmailChannel.image(id, alternative: chart.alternative)
      }
      html = templates.render(facts, .html, extra: extra)
    }
    // Mail programs keep a thread together only under one subject: the first message's.
    if let first = job.thread?["subject"]?.string, job.alert != nil {
      subject = first.hasPrefix("Re: ") ? first : "Re: \(first)"
    }
    var mail = Mail(
      from: from, to: to, subject: Mail.cut(subject), messageID: "<\(Mail.digest(job.key))@\(from.domain)>",
      threadRoot: EmailChannel.threadRoot(job, domain: from.domain), date: now, text: text, html: html)
    mail.fields = EmailChannel.fields(job, from: from)
    mail.pictures = pictures
    return mail
  }

  private static func image(_ contentID: String, alternative: String) -> String {
    let text = HTMLText.escape(alternative)
    return """
      <img src="cid:\(contentID)" alt="\(text)" width="560" style="display:block;width:100%;max-width:560px;height:auto;\
      margin:0 0 16px;border-radius:4px">
      """
  }

  /// A root that no message carries itself, so that each can name it, whichever arrives first; one for each life of an alert.
  private static func threadRoot(_ job: Job, domain: String) -> String? {
    guard let alert = job.alert else { return nil }
    // Two installations may both have an A-1 and mail the same person: what opened it, and when, tells them apart.
    let life = Mail.digest("\(alert.dedupKey)|\(alert.generation)|\(alert.openedAt.microseconds)").prefix(16)
    return "<alert-\(alert.id)-\(life)@\(domain)>"
  }

  private static func fields(_ job: Job, from: MailAddress) -> [(name: String, value: String)] {
    var fields = [
      (name: "X-Tocsin-Key", value: job.key), (name: "X-Tocsin-Purpose", value: job.purpose.rawValue),
      (name: "X-Tocsin-Receiver", value: job.receiver),
    ]
    if let alert = job.alert {
      fields.append((name: "X-Tocsin-Alert", value: alert.id.description))
      fields.append((name: "X-Tocsin-Severity", value: alert.severity.name))
      if alert.severity == .critical, job.purpose == .firing { fields.append((name: "Importance", value: "high")) }
    }
    if job.purpose == .digest {
      let list = Mail.digest(job.receiver).prefix(8)
      fields.append((name: "List-Id", value: "Tocsin digest <digest-\(list).\(from.domain)>"))
      let address = job.content?["unsubscribe"]?.string
      let link = address.flatMap { $0.hasPrefix("https://") ? "<\($0)>, " : nil } ?? ""
      fields.append((name: "List-Unsubscribe", value: "\(link)<mailto:\(from.address)?subject=unsubscribe%20digest>"))
      // RFC 8058: one click may only be promised where a POST to a web address does it.
      if !link.isEmpty { fields.append((name: "List-Unsubscribe-Post", value: "List-Unsubscribe=One-Click")) }
    }
    return fields
  }

  static func recipients(_ destination: String) throws(RenderingError) -> [MailAddress] {
    var to: [MailAddress] = []
    for text in destination.split(separator: ",") where !text.trimming().isEmpty {
      guard let address = MailAddress(String(text)) else {
        throw RenderingError("not a mail address: \(text.trimming().prefix(100))")
      }
      if !to.contains(where: { $0.address == address.address }) { to.append(address) }
    }
    guard !to.isEmpty else { throw RenderingError("the receiver names no mail address") }
    guard to.count <= recipientLimit else {
      throw RenderingError(
        "\(to.count) recipients are more than \(recipientLimit): use a mailing list, or several receivers")
    }
    return to
  }

  private static func plainPage(_ text: String) -> String {
    let escaped = HTMLText.escape(text)
    return "<!DOCTYPE html><html><body><pre style=\"white-space:pre-wrap\">\(escaped)</pre></body></html>\n"
  }

  package func send(
    _ message: RenderedMessage, for job: Job, over transport: any Transport, now: Timestamp
  ) async -> Verdict {
    guard let settings, let part = message.parts.first else {
      return Verdict(.failed, "channels.email.server is not configured")
    }
    guard let all = try? EmailChannel.recipients(job.destination), let from = MailAddress(settings.from) else {
      return Verdict(.failed, "the sender or a recipient is not a mail address")
    }
    // Whom an earlier try reached does not get it twice.
    let to = all.map(\.address).filter { !job.taken.contains($0) }
    guard !to.isEmpty else { return Verdict(.delivered, "every recipient has it", provider: message.provider) }
    let envelope = MailEnvelope(from: from.address, to: to, tls: settings.tls)
    var request = TransferRequest(.mail(envelope), url: settings.server, body: part.body)
    request.caFile = settings.caFile
    request.username = settings.username
    request.password = settings.password
    request.timeout = .seconds(60)
    if let password = settings.password {
      // AUTH PLAIN and LOGIN write them in base64.
      let user = settings.username ?? ""
      request.secrets = [
        password, Base64.encode(Array(password.utf8)), Base64.encode(Array("\0\(user)\0\(password)".utf8)),
      ]
    }
    return EmailChannel.verdict(await transport.perform(request), recipients: to, provider: message.provider)
  }

  /// Pure: what the server's answers come to. Where some recipients took the mail and others asked to come again (RFC 5321, 4.2.1: a 4yz answer; a
  /// greylisting server gives one at first sight), it is sent again, to those alone.
  static func verdict(_ result: TransferResult, recipients: [String], provider: JSON?) -> Verdict {
    switch result {
    case .success(let response):
      var verdict = Classification.smtp(code: response.status)
      verdict.provider = provider
      let later = response.refused.filter { $0.code / 100 == 4 }
      if !later.isEmpty, verdict.outcome == .delivered {
        verdict = Verdict(
          .retry, status: later[0].code,
          "taken, but not yet for \(Classification.list(later)): sent again to those who are left")
        verdict.taken = recipients.filter { address in !response.refused.contains { $0.address == address } }
        return verdict
      }
      if !response.refused.isEmpty, verdict.outcome == .delivered {
        verdict.message = "delivered, but refused for \(Classification.list(response.refused))"
        let addresses = response.refused.map { JSON.string($0.address) }
        verdict.provider = .object((provider?.members ?? []) + [.init("refused", .array(addresses))])
      }
      return verdict
    case .failure(let failure):
      if failure.refused.count >= recipients.count { return Classification.allRefused(failure.refused) }
      if failure.outcomeUnknown || Classification.hopeless[failure.code] != nil {
        return Classification.failure(failure)
      }
      if let status = failure.status, status >= 400 { return Classification.smtp(code: status, words: failure.message) }
      return Classification.failure(failure)
    }
  }
}
