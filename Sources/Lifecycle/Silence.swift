package import Alerts

/// A time in which alerts that match tell nobody.
package struct Silence: Sendable, Equatable {
  package var subject: Subject
  package var version: Int
  package var matchers: [Matcher]
  package var startsAt: Timestamp
  package var endsAt: Timestamp
  package var by: String
  package var comment: String?
  package var hasExpired = false

  package func isActive(_ now: Timestamp) -> Bool { !hasExpired && startsAt <= now && now < endsAt }
}

/// Alerts that are told in batches.
package struct GroupState: Sendable, Equatable {
  package var subject: Subject
  package var configuration: Int
  package var route: Int
  package var grouping: Route.Grouping
  /// Alerts with something to tell since the last message, in the order in which they came.
  package var waiting: [AlertID] = []
  /// Alerts that a message told of as firing, and whose end is owed.
  package var told: Set<AlertID> = []
  package var lastSentAt: Timestamp?
  package var dueAt: Timestamp?
}
