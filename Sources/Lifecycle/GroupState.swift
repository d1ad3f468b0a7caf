package import Alerts

/// Alerts that are told in batches: those of a route with the same values of its labels, or those that a storm would have told one place.
package struct GroupState: Sendable, Equatable {
  package var subject: Subject
  package var key: String
  package var configuration: Int
  /// The route's place in the configuration; nil for a storm's group.
  package var route: Int?
  /// Where a storm's group is told; nil for a route's.
  package var place: AlertState.Place?
  package var wait: Interval
  package var interval: Interval
  /// Alerts with something to tell since the last message. Those that are held stay, and are passed over until they no longer are.
  package var waiting: Set<AlertID> = []
  /// Alerts that a message told of as firing, and the places to which it went and that are owed the end: whoever was on call then hears of it, also after the
  /// hand-over. Never without a place.
  package var told: [AlertID: [Told]] = [:]
  package struct Told: Sendable, Equatable {
    package var place: AlertState.Place
    /// A message that told of it there was delivered, or may have been: a later one that fails takes nothing back.
    package var hasArrived = false
  }
  package var lastSentAt: Timestamp?
  /// When a message last told of a critical alert as firing.
  package var lastCriticalAt: Timestamp?
  package var dueAt: Timestamp?
}
