/// Where the console listens, and who may do what there.
package struct ConsoleSettings: Sendable, Equatable {
  package var host = "127.0.0.1"
  package var port = 7800
  /// How people reach it, for links in messages; nil where only this machine does.
  package var publicURL: String?
  /// The outbox folder to show, if the embedded default is in use.
  package var outbox: String?
  /// Nobody: everything is open, and the pages say so.
  package var users: [ConsoleUser] = []
  /// Names (`localhost`, `console.internal`) that requests may come under, beside the addresses listened on and ``publicURL``'s host.
  package var hosts: [String] = []
  /// Says that an address beyond this machine without users is meant.
  package var insecure = false
  /// What may change while the console runs: see ``ConsoleDependencies/answers``.
  package var answers = Answers()
  package init() {}
}

/// How answers from Slack and PagerDuty are judged.
package struct Answers: Sendable, Equatable {
  /// Slack's signing secret: without it, clicks in Slack are refused.
  package var slackSigningSecret: String?
  /// Slack member ids, and the names that their clicks count for.
  package var slackPeople: [String: String] = [:]
  /// Names and ids that PagerDuty knows people by, and the names that their answers count for.
  package var pagerdutyPeople: [String: String] = [:]
  /// PagerDuty's webhook secrets, several while one is exchanged: without any, its webhooks are refused.
  package var pagerdutySecrets: [String] = []
  package init() {}
}

/// Somebody who may use the console or its API.
package struct ConsoleUser: Sendable, Equatable {
  package enum Role: String, Sendable, CaseIterable, Comparable {
    /// Reads.
    case viewer
    /// Acknowledges, resolves, silences, and sends anomalies.
    case responder
    /// Everything.
    case admin
    package static func < (a: Role, b: Role) -> Bool { a.rank < b.rank }
    private var rank: Int {
      switch self {
      case .viewer: 0
      case .responder: 1
      case .admin: 2
      }
    }
  }
  package var name: String
  package var role: Role
  /// Secret.
  package var token: String
  /// The tenants that they see and act on; nil: all.
  package var tenants: [String]?
  package init(name: String, role: Role, token: String, tenants: [String]? = nil) {
    self.name = name
    self.role = role
    self.token = token
    self.tenants = tenants
  }
}
