import Alerts
import GRDB

/// An alert's row in `alerts`: bound for writing, and read back.
enum AlertRow {
  /// In the order in which they are bound and read.
  static let columns = [
    "number", "version", "generation", "dedup_key", "tenant", "event_type", "metric", "detector", "severity", "state",
    "condition", "resolved_how", "seen", "acknowledged_by", "acknowledged_at", "acknowledged_until", "resolved_by",
    "assignee", "snoozed_until", "silenced_by", "inhibited_by", "flapping", "opened_at", "last_seen_at", "resolved_at",
    "count", "route", "step", "steps", "round", "next_escalation_at", "exhausted", "previous", "label",
    "first_acknowledged_at", "delivered", "failed", "opening", "anomaly", "search",
  ]
  static let list = columns.joined(separator: ", ")

  /// Columns that never change during a life, so that their indexes are left alone.
  private static let fixed: Set<String> = [
    "number", "generation", "dedup_key", "tenant", "event_type", "metric", "opened_at", "previous",
    "opening",
  ]
  private static let changing = columns.filter { !fixed.contains($0) }

  static let insert =
    "INSERT INTO alerts (\(list)) VALUES (\(columns.map { _ in "?" }.joined(separator: ", ")))"
  static let update =
    "UPDATE alerts SET \(changing.map { "\($0) = ?" }.joined(separator: ", ")) WHERE number = ?"

  static func bind(_ a: AlertState, inserting: Bool, to b: inout BoundStatement) {
    // Lent, and not copied: it has some thirty texts and lists.
    withUnsafePointer(to: &a.summary) { bind(a, $0, inserting: inserting, to: &b) }
  }

  private static func bind(
    _ a: AlertState, _ summary: UnsafePointer<AlertSummary>, inserting: Bool, to b: inout BoundStatement
  ) {
    var s: AlertSummary { _read { yield summary.pointee } }
    if inserting { b.int(s.id.number) }
    b.int(s.version)
    if inserting {
      b.int(s.generation)
      b.text(s.dedupKey)
      b.text(s.anomaly.tenant)
      b.text(s.anomaly.eventType)
      b.text(s.anomaly.metric)
    }
    b.text(s.anomaly.detector)
    b.int(Int(s.severity.rawValue))
    b.text(s.state.rawValue)
    b.text(s.condition.rawValue)
    b.text(s.resolvedHow?.rawValue)
    b.bool(s.seen)
    b.text(s.acknowledgedBy)
    b.time(s.acknowledgedAt)
    b.time(s.acknowledgedUntil)
    b.text(s.resolvedBy)
    b.text(s.assignee)
    b.time(s.snoozedUntil)
    b.text(s.silencedBy.isEmpty ? nil : s.silencedBy.map(\.description).joined(separator: " "))
    b.int(s.inhibitedBy?.number)
    b.bool(s.flapping)
    if inserting { b.time(s.openedAt) }
    b.time(s.lastSeenAt)
    b.time(s.resolvedAt)
    b.int(s.count)
    b.text(s.route.json.bytes)
    b.int(s.step)
    b.int(s.steps)
    b.int(s.round)
    b.time(s.nextEscalationAt)
    b.bool(s.exhausted)
    if inserting { b.int(a.previous?.number) }
    b.text(a.label?.rawValue)
    b.time(a.firstAcknowledgedAt)
    b.int(a.delivered)
    b.int(a.failed)
    if inserting { b.text(a.opening) }
    b.text(s.anomaly.cloudEvent)
    b.text(a.search)
    if !inserting { b.int(s.id.number) }
  }

  /// What people see of the row. The columns must be ``list``, from the first on.
  static func summary(_ c: ColumnReader) throws -> AlertSummary {
    let bytes = c.bytes(38)
    // It was valid when the log took it. It is not judged again: rules may have become stricter since.
    guard var anomaly = try? Anomaly(json: JSON(parsing: bytes), now: .distantFuture),
      let severity = Severity(rawValue: UInt8(clamping: c.int64(8))),
      let state = AlertSummary.State(rawValue: c.text(9)),
      let condition = AlertSummary.Condition(rawValue: c.text(10)),
      let route = try? JSON(parsing: c.bytes(26))
    else {
      throw ProjectionError(
        .unreadable, "the row of alert A-\(c.int64(0)) can't be read",
        mend: "run `tocsin projections rebuild`")
    }
    anomaly.raw = bytes
    return AlertSummary(
      id: AlertID(c.int64(0)), version: c.int(1), generation: c.int(2), dedupKey: c.text(3), severity: severity,
      state: state, condition: condition, resolvedHow: c.textOrNil(11).flatMap { Resolved.How(rawValue: $0) },
      seen: c.bool(12), acknowledgedBy: c.textOrNil(13), acknowledgedAt: c.timeOrNil(14),
      acknowledgedUntil: c.timeOrNil(15), resolvedBy: c.textOrNil(16), assignee: c.textOrNil(17),
      snoozedUntil: c.timeOrNil(18),
      silencedBy: (c.textOrNil(19) ?? "").split(separator: " ").compactMap { Subject($0) },
      inhibitedBy: c.isNull(20) ? nil : AlertID(c.int64(20)), flapping: c.bool(21), openedAt: c.time(22),
      lastSeenAt: c.time(23), resolvedAt: c.timeOrNil(24), count: c.int(25), route: RouteTaken(json: route),
      step: c.intOrNil(27), steps: c.intOrNil(28), round: c.int(29), nextEscalationAt: c.timeOrNil(30),
      exhausted: c.bool(31), anomaly: anomaly)
  }

  static func state(_ c: ColumnReader, policy: (RouteTaken) throws -> FrozenPolicy?) throws -> AlertState {
    let s = try summary(c)
    return AlertState(
      summary: s, previous: c.isNull(32) ? nil : AlertID(c.int64(32)),
      label: c.textOrNil(33).flatMap { Labelled.Label(rawValue: $0) }, firstAcknowledgedAt: c.timeOrNil(34),
      delivered: c.int(35), failed: c.int(36), opening: c.bytes(37), search: c.text(39),
      policy: try policy(s.route))
  }
}
