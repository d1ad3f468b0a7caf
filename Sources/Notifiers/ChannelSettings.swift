package import Alerts

/// How to reach the world: one entry for each configured channel. Holds secrets; nothing of it is ever printed or stored.
package struct NotifierSettings: Sendable, Equatable {
  package var email: EmailSettings?
  package var slack: SlackSettings?
  package var pagerduty = PagerDutySettings()
  package var sms: SMSSettings?
  /// The embedded default: every message as a file. Nil: not written.
  package var outbox: String?
  /// True where a channel that has no server configured is to be written into the outbox instead of failing.
  package var outboxStandsIn = true
  /// Receivers' own options and secrets, by receiver name: `routing_key` of PagerDuty; a webhook's `url`, `format`, `token`, `secret`,
  /// `headers`, `ca_file`; `command`, a program with its arguments.
  package var receiverOptions: [String: [String: JSON]] = [:]
  /// Signs the links by which a mail's reader acknowledges; at least ``SignedLink/keyLength`` bytes. Nil: mails carry no such link.
  package var linkSecret: String?
  package init() {}
}

package struct EmailSettings: Sendable, Equatable {
  package enum TLS: String, Sendable { case required, opportunistic, none }
  /// `smtps://host:465` or `smtp://host:587`.
  package var server: String
  package var from: String
  package var username: String?
  package var password: String?
  /// For `smtp://`: STARTTLS is required unless said otherwise.
  package var tls = TLS.required
  /// A PEM file with the certificates to trust, instead of the system's.
  package var caFile: String?
  package init(server: String, from: String) {
    self.server = server
    self.from = from
  }
}

package struct SlackSettings: Sendable, Equatable {
  package var token: String?
  package var apiURL = "https://slack.com/api"
  /// Incoming webhooks by channel name.
  package var webhooks: [String: String] = [:]
  package var caFile: String?
  package init() {}
}

package struct PagerDutySettings: Sendable, Equatable {
  package var url = "https://events.pagerduty.com"
  package var caFile: String?
  package init() {}
}

/// Twilio's, or anything that speaks its API.
package struct SMSSettings: Sendable, Equatable {
  package var url = "https://api.twilio.com"
  package var accountSID: String
  package var authToken: String
  /// A number of yours, `+4930…`, or a messaging service's id, `MG…`.
  package var from: String
  package var caFile: String?
  package init(accountSID: String, authToken: String, from: String) {
    self.accountSID = accountSID
    self.authToken = authToken
    self.from = from
  }
}
