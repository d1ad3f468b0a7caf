package import Alerts
import GRDB

/// One line of an alert's history.
package struct TimelineEntry: Sendable, Equatable {
  package var position: Int64
  /// The alert's version after it; nil for what is told of many alerts in one message.
  package var version: Int?
  package var type: EventType
  package var occurredAt: Timestamp
  package var recordedAt: Timestamp
  package var actor: String
  /// The position of the event that led to it.
  package var cause: Int64?
  /// What happened, in plain words.
  package var sentence: String

  package var json: JSON {
    .compact([
      "position": .int(position), "version": version.map { .int($0) } ?? .null, "type": .string(type.rawValue),
      "occurred_at": .string(occurredAt.rfc3339), "recorded_at": .string(recordedAt.rfc3339),
      "actor": .string(actor), "cause": cause.map { .int($0) } ?? .null, "sentence": .string(sentence),
    ])
  }
}

/// A silence, as it stands.
package struct SilenceRow: Sendable, Equatable {
  package enum State: String, Sendable, CaseIterable { case pending, active, expired }
  package var id: Subject
  package var version: Int
  package var matchers: [Matcher]
  package var startsAt: Timestamp
  package var endsAt: Timestamp
  package var comment: String?
  package var createdBy: String
  package var createdAt: Timestamp
  package var expiredAt: Timestamp?
  package var expiredBy: String?
  /// Whether somebody ended it before its time.
  package var endedEarly: Bool

  package func state(at now: Timestamp) -> State {
    if expiredAt != nil || now >= endsAt { return .expired }
    return now < startsAt ? .pending : .active
  }

  package func json(at now: Timestamp) -> JSON {
    .compact([
      "id": .string(id.description), "version": .int(version), "state": .string(state(at: now).rawValue),
      "matchers": .array(matchers.map(\.json)), "starts_at": .string(startsAt.rfc3339),
      "ends_at": .string(endsAt.rfc3339), "comment": .text(comment), "created_by": .string(createdBy),
      "created_at": .string(createdAt.rfc3339), "expired_at": .text(expiredAt?.rfc3339),
      "expired_by": .text(expiredBy), "ended_early": endedEarly ? true : .null,
    ])
  }
}

extension ProjectionReader {
  /// An alert's history, oldest first, after the position `after`.
  package func timeline(
    _ id: AlertID, after: Int64 = 0, limit: Int = 1000
  ) throws(ProjectionError) -> [TimelineEntry] {
    try read { db in
      var entries: [TimelineEntry] = []
      try Rows.each(
        db,
        """
        SELECT position, version, type, occurred_at, recorded_at, actor, cause, sentence FROM timeline
        WHERE alert = ? AND position > ? ORDER BY position LIMIT ?
        """, [id.number, after, max(0, limit)]
      ) { c in
        if let type = EventType(rawValue: c.text(2)) {
          entries.append(
            TimelineEntry(
              position: c.int64(0), version: c.intOrNil(1), type: type, occurredAt: c.time(3), recordedAt: c.time(4),
              actor: c.text(5), cause: c.isNull(6) ? nil : c.int64(6), sentence: c.text(7)))
        }
        return true
      }
      return entries
    }
  }

  /// The messages about an alert, those that told of many included, in the order in which they were asked for.
  package func notifications(alert id: AlertID, limit: Int = 1000) throws(ProjectionError) -> [NotificationRow] {
    try notifications(
      """
      WHERE alert = ? OR position IN (SELECT notification FROM notification_members WHERE alert = ?)
      ORDER BY position LIMIT ?
      """, [id.number, id.number, max(0, limit)])
  }

  /// The newest messages, whoever they were for, newest first. Nil: in any state.
  package func notifications(
    state: NotificationRow.State? = nil, receiver: String? = nil, before position: Int64 = .max, limit: Int = 100
  ) throws(ProjectionError) -> [NotificationRow] {
    try notifications(
      """
      WHERE (?1 IS NULL OR state = ?1) AND (?2 IS NULL OR receiver = ?2) AND position < ?3
      ORDER BY position DESC LIMIT ?4
      """, [state?.rawValue, receiver, position, max(0, limit)])
  }

  /// The message with this key.
  package func notification(key: String) throws(ProjectionError) -> NotificationRow? {
    try notifications("WHERE key = ?", [key]).first
  }

  private func notifications(
    _ rest: String, _ arguments: StatementArguments
  ) throws(ProjectionError) -> [NotificationRow] {
    try read { db in
      var rows: [NotificationRow] = []
      try Rows.each(db, "SELECT \(NotificationState.columns) FROM notifications \(rest)", arguments) { c in
        if let row = NotificationRow(c) { rows.append(row) }
        return true
      }
      return rows
    }
  }

  /// Silences, newest first; without those that have ended, unless they are asked for.
  package func silences(
    includingExpired: Bool = false, at now: Timestamp, limit: Int = 1000
  ) throws(ProjectionError) -> [SilenceRow] {
    try silences(
      "WHERE ? OR (expired_at IS NULL AND ends_at > ?) ORDER BY number DESC LIMIT ?",
      [includingExpired, now.microseconds, max(0, limit)])
  }

  package func silence(_ id: Subject) throws(ProjectionError) -> SilenceRow? {
    guard id.kind == .silence else { return nil }
    return try silences("WHERE number = ?", [id.number]).first
  }

  private func silences(_ rest: String, _ arguments: StatementArguments) throws(ProjectionError) -> [SilenceRow] {
    try read { db in
      var rows: [SilenceRow] = []
      try Rows.each(
        db,
        """
        SELECT number, version, matchers, starts_at, ends_at, comment, created_by, created_at, expired_at, expired_by, early
        FROM silences \(rest)
        """, arguments
      ) { c in
        let matchers = (try? JSON(parsing: c.bytes(2)))?.array ?? []
        rows.append(
          SilenceRow(
            id: Subject(.silence, c.int64(0)), version: c.int(1), matchers: matchers.compactMap { Matcher(json: $0) },
            startsAt: c.time(3), endsAt: c.time(4), comment: c.textOrNil(5), createdBy: c.text(6),
            createdAt: c.time(7), expiredAt: c.timeOrNil(8), expiredBy: c.textOrNil(9), endedEarly: c.bool(10)))
        return true
      }
      return rows
    }
  }

  /// The settings that a configuration `C-…` held, without secrets: which an alert's route names.
  package func configuration(_ number: Int) throws(ProjectionError) -> (at: Timestamp, settings: JSON)? {
    try read { db in
      var found: (Timestamp, JSON)?
      try Rows.each(db, "SELECT at, settings FROM configurations WHERE number = ?", [number]) { c in
        if let settings = try? JSON(parsing: c.bytes(1)) { found = (c.time(0), settings) }
        return false
      }
      return found
    }
  }
}
