import Alerts
import Detectors
import Lifecycle

/// Who can be told, and where. Secrets go apart, so that receivers can be written into the log.
struct ReceiverSection {
  var receivers: [Receiver] = []
  var options: [String: [String: JSON]] = [:]
  /// Where each was defined, for faults.
  var fields: [String: Field] = [:]

  private let timeZone: String

  init(_ field: Field?, timeZone: String) {
    self.timeZone = timeZone
    for (name, field) in field?.section()?.fields ?? [] {
      guard let section = field.section() else { continue }
      read(name, section)
      fields[name] = field
    }
  }

  private mutating func read(_ name: String, _ section: Section) {
    let (targets, secrets) = ReceiverSection.channels(section, receiver: name)
    let schedule = section.take("schedule")?.name(.schedule)
    var receiver = Receiver(name: name, targets: targets, schedule: schedule)
    receiver.fallback = section.take("fallback")?.name(.receiver)
    if receiver.fallback == name {
      section.fault("is its own fallback", mend: "name another receiver, or none")
      receiver.fallback = nil
    }
    receiver.patience = section.take("patience")?.interval(atLeast: .seconds(1)) ?? receiver.patience
    receiver.sendResolved = section.take("send_resolved")?.bool() ?? true
    receiver.quiet = QuietingSection.quietHours(section.take("quiet_hours"), timeZone: timeZone)
    section.finish()
    if !["email", "slack", "pagerduty", "webhook", "sms", "command", "schedule"].contains(where: section.has) {
      section.fault("reaches nobody", mend: "give it email:, slack:, pagerduty:, webhook:, sms:, command: or schedule:")
    }
    receivers.append(receiver)
    if !secrets.isEmpty { options[name] = secrets }
  }

  /// The channels in a mapping that may hold other keys too.
  static func channels(_ section: Section, receiver: String) -> (targets: [Receiver.Target], options: [String: JSON]) {
    var targets: [Receiver.Target] = []
    var options: [String: JSON] = [:]
    if let field = section.take("email") {
      let addresses = field.items().compactMap(address)
      if !addresses.isEmpty {
        targets.append(.init(channel: "email", destination: addresses.joined(separator: ",")))
      }
    }
    for item in section.take("slack")?.items() ?? [] {
      guard let channel = item.text("a Slack channel such as \"#data-alerts\"") else { continue }
      targets.append(.init(channel: "slack", destination: channel))
    }
    if let field = section.take("pagerduty") {
      if field.isMap, let section = field.section() {
        // Without a key the outbox stands in.
        if let key = section.take("routing_key")?.text("PagerDuty's integration key") {
          options["routing_key"] = .string(key)
        }
        section.finish()
        targets.append(.init(channel: "pagerduty", destination: receiver))
      } else if let key = field.text("PagerDuty's integration key, or {routing_key: …}") {
        options["routing_key"] = .string(key)
        targets.append(.init(channel: "pagerduty", destination: receiver))
      }
    }
    if let field = section.take("webhook") {
      if field.isMap, let section = field.section() {
        if let url = section.need("url", "where to post")?.url(["http", "https"]) {
          options["url"] = .string(url)
          for (name, option) in section.rest() { options[name] = option.value }
          targets.append(.init(channel: "webhook", destination: receiver))
        }
      } else if let url = field.url(["http", "https"]) {
        options["url"] = .string(url)
        targets.append(.init(channel: "webhook", destination: receiver))
      }
    }
    for item in section.take("sms")?.items() ?? [] {
      guard let number = item.text("a phone number such as +4930123456") else { continue }
      targets.append(.init(channel: "sms", destination: number))
    }
    if let field = section.take("command") {
      // A list is a program and its arguments; a text is a line for the shell.
      if field.isList {
        options["command"] = .array(field.texts("a program and its arguments").map { .string($0) })
      } else if let line = field.text("a program and its arguments, or a line for the shell") {
        options["command"] = .string(line)
      }
      targets.append(.init(channel: "command", destination: receiver))
    }
    return (targets, options)
  }

  /// An email address: something before one `@` and a host after it, nothing that could end a header line.
  static func address(_ field: Field) -> String? {
    guard let text = field.text("an email address") else { return nil }
    let parts = text.split(separator: "@", omittingEmptySubsequences: false)
    guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty,
      !text.contains(where: { $0.isWhitespace || $0 == "," || $0 == "<" || $0 == ">" })
    else {
      field.fault("must be an email address such as data-team@company.com")
      return nil
    }
    return text
  }
}
