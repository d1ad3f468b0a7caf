/// The kinds of fact in the log. The raw value is the log's own text, and never changes.
package enum EventType: String, CaseIterable, Sendable {
  // The condition: what detectors say.
  case detected, deduplicated, severity_raised, cleared, reopened, resolved, flapping, steady
  // The handling: what people say.
  case acknowledged, unacknowledged, snoozed, unsnoozed, commented, assigned, labelled
  // Why nobody is told.
  case silenced, unsilenced, inhibited, uninhibited
  // Telling people.
  case escalated, exhausted
  case notification_requested, notification_attempted, notification_delivered, notification_failed
  case notification_cancelled
  // About what is not an alert: a configuration taken up (subject C-…), a silence made, changed or ended (S-…).
  case configured, silence_added, silence_expired

  /// Whether this fact changes what a responder's command would mean. A command that names an older version than the last
  /// such fact is stale; deliveries, repeats and comments in between do not make it so.
  package var isDecisive: Bool {
    switch self {
    case .detected, .severity_raised, .cleared, .reopened, .resolved, .acknowledged, .unacknowledged, .snoozed,
      .unsnoozed, .assigned:
      true
    default: false
    }
  }
}
