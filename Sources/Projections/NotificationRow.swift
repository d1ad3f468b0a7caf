package import Alerts

/// Where one message stands: requested, and then delivered, failed or cancelled, or still pending.
package struct NotificationRow: Sendable, Equatable {
  package enum State: String, Sendable, CaseIterable { case pending, delivered, failed, cancelled }
  /// The position of the event that asked for it.
  package var position: Int64
  package var key: String
  package var subject: Subject
  package var purpose: Purpose
  package var receiver: String
  package var channel: String
  package var destination: String
  package var step: Int?
  package var round: Int?
  /// The alerts that a summary tells of.
  package var members: [AlertID]
  package var requestedAt: Timestamp
  package var state: State
  /// Tries so far, the successful one included.
  package var attempts: Int
  /// ``message`` of one that waits for the end of its receiver's quiet hours.
  package static let quietHours = "quiet hours"

  /// The provider's last status code.
  package var lastStatus: Int?
  /// The provider's last words, or why it was cancelled.
  package var message: String?
  /// Whether a try may have arrived although no answer came.
  package var outcomeUnknown: Bool
  /// When the next try is due, while it is pending.
  package var nextAt: Timestamp?
  /// It waits although no try failed: ``message`` says for what (quiet hours; a destination that takes no more for now), ``nextAt`` until when.
  package var isHeld: Bool
  /// From taking the job up to the provider's answer.
  package var latency: Interval?
  package var finishedAt: Timestamp?

  /// The columns must be ``NotificationState/columns``. Nil where the row makes no sense.
  init?(_ c: ColumnReader) {
    guard let subject = Subject(c.text(2)), let purpose = Purpose(rawValue: c.text(4)),
      let state = State(rawValue: c.text(12))
    else { return nil }
    position = c.int64(0)
    key = c.text(1)
    self.subject = subject
    self.purpose = purpose
    receiver = c.text(5)
    channel = c.text(6)
    destination = c.text(7)
    step = c.intOrNil(8)
    round = c.intOrNil(9)
    members = (c.textOrNil(10) ?? "").split(separator: " ").compactMap { AlertID($0) }
    requestedAt = c.time(11)
    self.state = state
    attempts = c.int(13)
    lastStatus = c.intOrNil(14)
    message = c.textOrNil(15)
    outcomeUnknown = c.bool(16)
    nextAt = c.timeOrNil(17)
    latency = c.isNull(18) ? nil : Interval(microseconds: c.int64(18))
    finishedAt = c.timeOrNil(19)
    isHeld = c.bool(20)
  }

  package var json: JSON {
    .compact([
      "key": .string(key), "subject": .string(subject.description), "purpose": .string(purpose.rawValue),
      "receiver": .string(receiver), "channel": .string(channel), "destination": .string(destination),
      "step": step.map { .int($0) } ?? .null, "round": round.map { .int($0) } ?? .null,
      "members": members.isEmpty ? .null : .array(members.map { .string($0.description) }),
      "requested_at": .string(requestedAt.rfc3339), "state": .string(state.rawValue), "attempts": .int(attempts),
      "status": lastStatus.map { .int($0) } ?? .null, "message": .text(message),
      "outcome_unknown": outcomeUnknown ? true : .null, "next_at": .text(nextAt?.rfc3339),
      "held": isHeld ? true : .null,
      "latency_us": latency.map { .int($0.microseconds) } ?? .null, "finished_at": .text(finishedAt?.rfc3339),
    ])
  }
}
