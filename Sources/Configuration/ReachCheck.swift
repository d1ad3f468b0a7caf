import Alerts
import Lifecycle
import Notifiers

/// Finds receivers whose channel is not configured: a message to them could only fail.
enum ReachCheck {
  static func run(
    _ settings: LifecycleSettings, _ notifiers: NotifierSettings, fields: [String: Field], reading: Reading
  ) {
    if notifiers.outbox != nil, notifiers.outboxStandsIn { return }
    for receiver in settings.receivers {
      for target in receiver.targets {
        guard let mend = missing(target, receiver.name, notifiers) else { continue }
        let field = fields[receiver.name]
        reading.faults.append(
          Fault(
            field?.keyPlace, key: field?.path ?? "receivers.\(receiver.name)",
            "is told by \(target.channel), which is not configured", mend: mend))
      }
    }
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
