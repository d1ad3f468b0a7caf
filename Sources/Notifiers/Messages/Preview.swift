package import Alerts

/// What a message would look like, without sending it.
package enum Preview {
  /// The job that would be made for an alert now. `purpose` nil: what fits its state.
  package static func job(
    _ alert: AlertSummary, channel: String, destination: String, receiver: String, purpose: Purpose?,
    consoleURL: String?, now: Timestamp
  ) -> Job {
    let fitting: Purpose =
      switch alert.state {
      case .open: .firing
      case .acknowledged: .acknowledged
      case .resolved: .resolved
      }
    let purpose = purpose ?? fitting
    return Job(
      key: "\(alert.id)/\(purpose.rawValue)/preview", subject: alert.id.subject, purpose: purpose, receiver: receiver,
      channel: channel, destination: destination, attempt: 1, requestedAt: now, leaseUntil: now + .minutes(1),
      alert: alert, consoleURL: consoleURL)
  }

  /// A destination that each channel takes, where the user names none.
  package static func sampleDestination(_ channel: String) -> String {
    switch channel {
    case "email": "somebody@example.org"
    case "slack": "#alerts"
    case "sms": "+15550100000"
    default: "preview"
    }
  }

  /// For people: the mail as it stands, or the JSON indented.
  package static func text(_ message: RenderedMessage) -> String {
    message.parts.map { part in
      let text = String(decoding: part.body, as: UTF8.self)
      if message.form == .mail { return text.replacing("\r\n", with: "\n") }
      let pretty = (try? JSON(parsing: part.body))?.pretty ?? text
      return message.parts.count > 1 ? "# \(part.action)\n\(pretty)\n" : "\(pretty)\n"
    }.joined()
  }
}
