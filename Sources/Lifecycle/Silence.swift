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
  /// The id of the command that asked for it.
  package var command: String?
  /// When it was asked for.
  package var madeAt: Timestamp
  /// Somebody was told that it ends soon.
  package var wasWarned = false

  package func isActive(_ now: Timestamp) -> Bool { startsAt <= now && now < endsAt }
}
