package import Alerts

/// What one run of one event type came to.
package struct RunReport: Sendable, Equatable {
  package enum Outcome: Sendable, Equatable {
    case checked
    /// No window has become due since the last run.
    case nothingDue
    /// Another worker has it.
    case claimed(String)
    /// The service can't be asked whose turn it is. Nothing is lost: it is due until it is done.
    case waiting(String)
    case failed(String)
  }
  package var event: String
  package var outcome: Outcome = .nothingDue
  package var windows = 0
  package var series = 0
  package var points = 0
  package var firing = 0
  package var resolved = 0
  package var bad = BadRows()
  /// The end of the newest window that was checked.
  package var newest: Timestamp?
  /// Where nothing was due: who has checked this turn of the schedule, and when. Nil where this machine's own memory says so.
  package var doneBy: String?
  package var doneAt: Timestamp?
  /// When something will be due.
  package var next: Timestamp?
  package var duration = Interval.zero
  /// The sentences of what was found, the first few.
  package var findings: [String] = []
  package static let findingLimit = 20

  package init(event: String) { self.event = event }

  package var json: JSON {
    var outcome = "checked"
    var error: String?
    switch self.outcome {
    case .checked: break
    case .nothingDue: outcome = "nothing_due"
    case .claimed: outcome = "claimed"
    case .waiting(let why):
      outcome = "waiting"
      error = why
    case .failed(let e):
      outcome = "failed"
      error = e
    }
    return .compact([
      "event_type": .string(event), "outcome": .string(outcome), "error": .text(error), "windows": .int(windows),
      "series": .int(series), "points": .int(points), "firing": .int(firing), "resolved": .int(resolved),
      "bad_rows": .int(bad.count),
      "bad_row_examples": bad.count == 0 ? .null : .array(bad.examples.map { .string($0) }),
      "done_by": .text(doneBy), "done_at": .text(doneAt?.rfc3339), "next": .text(next?.rfc3339),
      "newest": .text(newest?.rfc3339), "duration_ms": .int(duration.microseconds / 1000),
      "findings": .array(findings.map { .string($0) }),
    ])
  }
}
