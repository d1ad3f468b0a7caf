import Alerts
import Lifecycle
import Notifiers

/// Finds receivers and people whose channel is not configured: a message to them could only fail.
enum ReachCheck {
  static func run(
    _ settings: LifecycleSettings, _ notifiers: NotifierSettings, fields: [String: Field],
    people: [String: Field], reading: Reading
  ) {
    let standsIn = notifiers.outbox != nil && notifiers.outboxStandsIn
    for receiver in settings.receivers where !standsIn {
      for target in receiver.targets {
        guard let mend = missing(target, receiver.name, notifiers) else { continue }
        let field = fields[receiver.name]
        reading.faults.append(
          Fault(
            field?.keyPlace, key: field?.path ?? "receivers.\(receiver.name)",
            "is told by \(target.channel), which is not configured", mend: mend))
      }
    }
    // Whoever may be on call for somebody must have an address.
    let schedules = Set(settings.receivers.compactMap(\.schedule))
    let turns = settings.onCall.schedules.filter { schedules.contains($0.name) }.flatMap(\.people)
    for person in settings.onCall.people where turns.contains(person.name) {
      let field = people[person.name]
      func fault(_ message: String, _ mend: String) {
        reading.faults.append(
          Fault(field?.keyPlace, key: field?.path ?? "people.\(person.name)", message, mend: mend))
      }
      if person.targets.isEmpty {
        fault("is on call, and has no address to be told at", "add email:, slack: or phone:")
      } else if !standsIn {
        for target in person.targets {
          if let mend = missing(target, person.name, notifiers) {
            fault("is told by \(target.channel), which is not configured", mend)
          }
        }
      }
    }
  }

  /// The channels by which people can be reached at all: an address on another counts for nothing, unless they ask for it.
  static func personalChannels(_ notifiers: NotifierSettings) -> [String] {
    if notifiers.outbox != nil, notifiers.outboxStandsIn { return ["email", "slack", "sms"] }
    var channels: [String] = []
    if notifiers.email != nil { channels.append("email") }
    if notifiers.slack?.token != nil { channels.append("slack") }
    if notifiers.sms != nil { channels.append("sms") }
    return channels
  }

  private static func missing(_ target: Receiver.Target, _ name: String, _ notifiers: NotifierSettings) -> String? {
    switch target.channel {
    case "email" where notifiers.email == nil:
      "add channels.email with server: and from:, or channels.outbox to write messages into a folder instead"
    case "slack" where notifiers.slack?.token == nil && notifiers.slack?.webhooks[target.destination] == nil:
      "add channels.slack with token:, or webhooks: {\"\(target.destination)\": …}"
    case "pagerduty" where notifiers.receiverOptions[name]?["routing_key"] == nil:
      "add routing_key: to its pagerduty:"
    case "sms" where notifiers.sms == nil:
      "add channels.sms with account_sid:, auth_token: and from:"
    default: nil
    }
  }
}
