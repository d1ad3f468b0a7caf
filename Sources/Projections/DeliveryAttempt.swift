package import Alerts

/// One try to deliver a message, and what came of it.
package struct DeliveryAttempt: Sendable, Equatable {
  package enum Outcome: String, Sendable {
    case delivered, again, failed
    /// No try at all: it had to wait, for what ``message`` says.
    case held
  }
  /// The position of the event that says so.
  package var position: Int64
  package var at: Timestamp
  /// From 1; of what was held, the tries before.
  package var attempt: Int
  package var outcome: Outcome
  /// The provider's status: HTTP's or SMTP's code, if there was an answer.
  package var status: Int?
  /// From taking the job up to the provider's answer.
  package var latency: Interval?
  /// Who tried: `notifier/tocsin`.
  package var worker: String
  /// The provider's words.
  package var message: String?
  /// Whether it may have arrived although no answer came.
  package var outcomeUnknown: Bool

  package var json: JSON {
    .compact([
      "attempt": .int(attempt), "at": .string(at.rfc3339), "outcome": .string(outcome.rawValue),
      "status": status.map { .int($0) } ?? .null,
      "latency_ms": latency.map { .int($0.microseconds / 1000) } ?? .null, "worker": .string(worker),
      "message": .text(message), "outcome_unknown": outcomeUnknown ? true : .null, "position": .int(position),
    ])
  }

  // MARK: - Rows

  static let columns =
    "position, at, attempt, outcome, status, latency_us, worker, message, outcome_unknown"
  static let insert =
    "INSERT OR REPLACE INTO attempts (notification, \(columns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"

  /// Nil for events that report no try.
  init?(_ row: RecordedEvent) {
    position = row.position
    at = row.recordedAt
    worker = row.actor
    outcomeUnknown = false
    switch row.event {
    case .notificationAttempted(let e):
      (attempt, outcome, status, latency) = (e.attempt, e.isUnsent ? .held : .again, e.status, e.latency)
      message = e.message
      outcomeUnknown = e.outcomeUnknown
    case .notificationDelivered(let e):
      (attempt, outcome, status, latency) = (e.attempt, .delivered, e.status, e.latency)
    case .notificationFailed(let e):
      (attempt, outcome, status, latency) = (e.attempt, .failed, e.status, e.latency)
      message = e.message
    default: return nil
    }
  }

  init?(_ c: ColumnReader) {
    guard let outcome = Outcome(rawValue: c.text(3)) else { return nil }
    position = c.int64(0)
    at = c.time(1)
    attempt = c.int(2)
    self.outcome = outcome
    status = c.intOrNil(4)
    latency = c.isNull(5) ? nil : Interval(microseconds: c.int64(5))
    worker = c.text(6)
    message = c.textOrNil(7)
    outcomeUnknown = c.bool(8)
  }

  func bind(to b: inout BoundStatement, of notification: Int64) {
    b.int(notification)
    b.int(position)
    b.time(at)
    b.int(attempt)
    b.text(outcome.rawValue)
    b.int(status)
    b.int(latency?.microseconds)
    b.text(worker)
    b.text(message)
    b.bool(outcomeUnknown)
  }
}
