import Alerts

/// A message's row in `notifications` while events are folded into it.
final class NotificationState {
  let position: Int64
  let key: String
  let subject: Subject
  let purpose: Purpose
  let receiver: String
  let channel: String
  let destination: String
  let step: Int?
  let round: Int?
  let members: [AlertID]
  let requestedAt: Timestamp
  var state = NotificationRow.State.pending
  var attempts = 0
  var lastStatus: Int?
  var message: String?
  var outcomeUnknown = false
  var nextAt: Timestamp?
  var latency: Interval?
  var finishedAt: Timestamp?
  var isHeld = false

  var isChanged = true

  init(_ e: NotificationRequested, _ row: RecordedEvent) {
    position = row.position
    key = e.key
    subject = row.subject
    purpose = e.purpose
    receiver = e.receiver
    channel = e.channel
    destination = e.destination
    step = e.step
    round = e.round
    members = e.members
    requestedAt = row.recordedAt
    if let held = e.notBefore, held > row.recordedAt {
      nextAt = held
      message = NotificationRow.quietHours
      isHeld = true
    }
  }

  func apply(_ row: RecordedEvent) {
    isChanged = true
    switch row.event {
    case .notificationAttempted(let e):
      attempts = max(attempts, e.attempt)
      if !e.isUnsent { lastStatus = e.status }
      isHeld = e.isUnsent
      message = e.message
      outcomeUnknown = outcomeUnknown || e.outcomeUnknown
      nextAt = e.nextAt
    case .notificationDelivered(let e):
      attempts = max(attempts, e.attempt)
      lastStatus = e.status
      message = nil
      latency = e.latency
      finish(.delivered, row)
    case .notificationFailed(let e):
      attempts = max(attempts, e.attempt)
      lastStatus = e.status
      message = e.message
      finish(.failed, row)
    case .notificationCancelled(let e):
      message = e.reason
      finish(.cancelled, row)
    default: break
    }
  }

  private func finish(_ end: NotificationRow.State, _ row: RecordedEvent) {
    // A delivery that a late receipt reports counts, whatever was said before; nothing takes it back.
    guard state != .delivered else { return }
    state = end
    finishedAt = row.recordedAt
    nextAt = nil
    isHeld = false
  }

  static func key(of event: AlertEvent) -> String? {
    switch event {
    case .notificationAttempted(let e): e.key
    case .notificationDelivered(let e): e.key
    case .notificationFailed(let e): e.key
    case .notificationCancelled(let e): e.key
    default: nil
    }
  }

  // MARK: - Rows

  static let columns = """
    position, key, subject, alert, purpose, receiver, channel, destination, step, round, members, requested_at, state,
    attempts, last_status, message, outcome_unknown, next_at, latency_us, finished_at, held
    """
  static let select = "SELECT \(columns) FROM notifications WHERE key = ?"
  static let upsert = """
    INSERT INTO notifications (\(columns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (position) DO UPDATE SET state = excluded.state, attempts = excluded.attempts,
      last_status = excluded.last_status, message = excluded.message, outcome_unknown = excluded.outcome_unknown,
      next_at = excluded.next_at, latency_us = excluded.latency_us, finished_at = excluded.finished_at,
      held = excluded.held
    """

  /// Nil where the row makes no sense.
  init?(_ c: ColumnReader) {
    guard let row = NotificationRow(c) else { return nil }
    position = row.position
    key = row.key
    subject = row.subject
    purpose = row.purpose
    receiver = row.receiver
    channel = row.channel
    destination = row.destination
    step = row.step
    round = row.round
    members = row.members
    requestedAt = row.requestedAt
    state = row.state
    attempts = row.attempts
    lastStatus = row.lastStatus
    message = row.message
    outcomeUnknown = row.outcomeUnknown
    nextAt = row.nextAt
    latency = row.latency
    finishedAt = row.finishedAt
    isHeld = row.isHeld
    isChanged = false
  }

  func bind(to b: inout BoundStatement) {
    b.int(position)
    b.text(key)
    b.text(subject.description)
    b.int(subject.kind == .alert ? subject.number : nil)
    b.text(purpose.rawValue)
    b.text(receiver)
    b.text(channel)
    b.text(destination)
    b.int(step)
    b.int(round)
    b.text(members.isEmpty ? nil : members.map(\.description).joined(separator: " "))
    b.time(requestedAt)
    b.text(state.rawValue)
    b.int(attempts)
    b.int(lastStatus)
    b.text(message)
    b.bool(outcomeUnknown)
    b.time(nextAt)
    b.int(latency?.microseconds)
    b.time(finishedAt)
    b.bool(isHeld)
  }
}
