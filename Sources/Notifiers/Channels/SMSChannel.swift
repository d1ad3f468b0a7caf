package import Alerts

/// Text messages by Twilio's API. One destination is one number, so that a second try repeats nothing to others.
/// Source: https://www.twilio.com/docs/messaging/api/message-resource
package struct SMSChannel: Channel {
  package let name = "sms"
  /// Twilio sends one a second from an ordinary number and queues the rest.
  package let pace = Pace(inFlight: 1, perSecond: 1, burst: 3)
  private let settings: SMSSettings?
  private let templates: TemplateSet
  private let links: LinkMaker?

  /// Twilio refuses more (error 21617).
  static let bodyLimit = 1600
  /// What is sent: three concatenated messages of the GSM alphabet, of 153 characters each. People read no more in an SMS, and each one is paid.
  static let textLimit = 459

  package init(_ settings: SMSSettings?, templates: TemplateSet = TemplateSet(), links: LinkMaker? = nil) {
    self.settings = settings
    self.templates = templates
    self.links = links
  }

  package func missing(for job: Job) -> String? { settings == nil ? "channels.sms is not configured" : nil }

  package func render(_ job: Job, now: Timestamp) throws(RenderingError) -> RenderedMessage {
    guard job.purpose != .digest else { throw RenderingError("a digest does not fit into an SMS") }
    let number = job.destination
    guard SMSChannel.isNumber(number) else {
      throw RenderingError("not a phone number in the international form, such as +4930123456: \(number.prefix(40))")
    }
    let facts = MessageFacts(job, acknowledgeLink: links?.acknowledge(job, recipient: number))
    var tail = ""
    if let link = facts.acknowledgeLink ?? facts.link { tail = "\n\(link)" }
    if tail.utf16.count > SMSChannel.textLimit / 2 { tail = "" }
    let line = Cut.text(templates.render(facts, .line), to: SMSChannel.textLimit - tail.utf16.count)
    let fields = [("To", number), ("From", settings?.from ?? ""), ("Body", line + tail)]
    let service = settings?.from.hasPrefix("MG") == true
    let form = fields.map { name, value in
      "\(name == "From" && service ? "MessagingServiceSid" : name)=\(SMSChannel.formEncoded(value))"
    }
    return RenderedMessage(
      form: .form, title: line, parts: [.init("messages", Array(form.joined(separator: "&").utf8))])
  }

  /// E.164: a plus and 7 to 15 digits.
  static func isNumber(_ text: String) -> Bool {
    text.hasPrefix("+") && (8...16).contains(text.utf8.count)
      && text.utf8.dropFirst().allSatisfy { (48...57).contains($0) }
  }

  /// application/x-www-form-urlencoded.
  static func formEncoded(_ text: String) -> String {
    let hex = Array("0123456789ABCDEF".utf8)
    var out: [UInt8] = []
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), 48...57, UInt8(ascii: "-"),
        UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "*"):
        out.append(byte)
      case 0x20: out.append(UInt8(ascii: "+"))
      default: out += [UInt8(ascii: "%"), hex[Int(byte >> 4)], hex[Int(byte & 15)]]
      }
    }
    return String(decoding: out, as: UTF8.self)
  }

  package func send(
    _ message: RenderedMessage, for job: Job, over transport: any Transport, now: Timestamp
  ) async -> Verdict {
    guard let settings, let part = message.parts.first else {
      return Verdict(.failed, missing(for: job) ?? "nothing to send")
    }
    let url = "\(MessageFacts.base(settings.url))/2010-04-01/Accounts/\(settings.accountSID)/Messages.json"
    let account = Base64.encode(Array("\(settings.accountSID):\(settings.authToken)".utf8))
    var request = TransferRequest.post(
      url, contentType: "application/x-www-form-urlencoded", body: part.body,
      headers: [.init("Authorization", "Basic \(account)")])
    request.caFile = settings.caFile
    request.secrets = [settings.authToken, account]
    switch await transport.perform(request) {
    case .failure(let failure): return Classification.failure(failure)
    case .success(let response):
      let answer = try? JSON(parsing: response.body)
      let code = answer?["code"]?.int.map { " (Twilio's error \($0))" } ?? ""
      let words = (answer?["message"]?.string ?? (answer == nil ? response.text : "")) + code
      var verdict = Classification.http(
        status: response.status, words: Secrets.excerpt(words, without: request.secrets),
        retryAfter: response.header("retry-after"), now: now)
      if verdict.outcome == .delivered {
        verdict.message = ""
        verdict.provider = answer?["sid"].map { ["sid": $0] }
      }
      return verdict
    }
  }
}
