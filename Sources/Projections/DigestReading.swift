package import Alerts
import GRDB

extension ProjectionReader {
  /// A digest's figures for a period.
  ///
  /// - Parameter tenant: nil for all tenants.
  package func digest(_ period: DigestPeriod, tenant: String? = nil) throws(ProjectionError) -> DigestFigures {
    try read { db in
      var fold = DigestFold(period: period, tenant: tenant)
      let (scope, names) = Scope.terms(tenant.map { [$0] })
      let before = period.previous
      var anomalies = try anomalyCounts(db, before, period)
      try lives(db, from: before.start, to: period.end, scope, names) { life in
        fold.add(life, anomalies: anomalies.removeValue(forKey: life.id.number) ?? .init())
      }
      let ofScope =
        tenant == nil
        ? "1" : "(alert IS NULL AND subject NOT GLOB 'D-*' OR alert IN (SELECT number FROM alerts WHERE \(scope)))"
      try Rows.each(
        db,
        """
        SELECT receiver, channel, state, finished_at, message FROM notifications
        WHERE \(ofScope) AND finished_at >= ? AND finished_at < ? AND state IN ('delivered', 'failed')
        ORDER BY finished_at, position
        """, names + [before.start.microseconds, period.end.microseconds]
      ) { c in
        fold.add(
          .init(
            receiver: c.text(0), channel: c.text(1), isFailed: c.text(2) == "failed", at: c.time(3),
            message: c.textOrNil(4)))
        return true
      }
      return fold.finished()
    }
  }

  /// When the first event was taken that any alert had; nil while there is none. No digest is owed for a time before it.
  package func firstOpening() throws(ProjectionError) -> Timestamp? {
    try read { db in
      try Int64.fetchOne(db, sql: "SELECT min(opened_at) FROM alerts").map { Timestamp(microseconds: $0) }
    }
  }

  /// Whether a digest was ordered under this key: its messages bear it, with their channel and destination behind it.
  package func wasDigestOrdered(key: String) throws(ProjectionError) -> Bool {
    try read { db in
      try Bool.fetchOne(
        db,
        sql: """
          SELECT EXISTS (SELECT 1 FROM notifications WHERE key >= ?1 || '/' AND key < ?1 || '0'
            AND key = ?1 || '/' || channel || '/' || destination)
          """, arguments: [key]) ?? false
    }
  }

  private func anomalyCounts(
    _ db: Database, _ before: DigestPeriod, _ period: DigestPeriod
  ) throws -> [Int64: DigestFigures.Change] {
    let (from, middle, to) = (Quarter.from(before.start), Quarter.from(period.start), Quarter.from(period.end))
    var counts: [Int64: DigestFigures.Change] = [:]
    try Rows.each(
      db,
      """
      SELECT alert, sum(CASE WHEN quarter >= ? THEN count ELSE 0 END), sum(CASE WHEN quarter < ? THEN count ELSE 0 END)
      FROM anomaly_counts WHERE quarter >= ? AND quarter < ? GROUP BY alert
      """, [middle, middle, from, to]
    ) { c in
      counts[c.int64(0)] = .init(now: c.int(1), before: c.int(2))
      return true
    }
    return counts
  }

  /// Every life that was there between two instants, or of which something was said then.
  private func lives(
    _ db: Database, from: Timestamp, to: Timestamp, _ scope: String, _ names: StatementArguments,
    _ body: (DigestFold.Life) -> Void
  ) throws {
    var life: DigestFold.Life?
    try Rows.each(
      db,
      """
      SELECT a.number, a.event_type, a.metric, a.detector, a.opening, f.at, f.type, f.number, f.word
      FROM alerts AS a JOIN facts AS f ON f.alert = a.number
      WHERE \(scope) AND a.opened_at < ? AND (a.resolved_at IS NULL OR a.resolved_at >= ?
        OR a.number IN (SELECT alert FROM facts WHERE at >= ? AND at < ?))
      ORDER BY a.number, f.position
      """, names + [to.microseconds, from.microseconds, from.microseconds, to.microseconds]
    ) { c in
      let number = c.int64(0)
      if life?.id.number != number {
        if let life { body(life) }
        let opening = (try? JSON(parsing: c.bytes(4))) ?? .null
        life = DigestFold.Life(
          id: AlertID(number), eventType: c.text(1), metric: c.text(2), detector: c.textOrNil(3),
          dimensions: opening["dimensions"]?.string ?? "", isDashboardOnly: opening["dashboard_only"]?.bool ?? false,
          headline: opening["headline"]?.string ?? "", deviation: opening["deviation"]?.double)
      }
      if let type = EventType(rawValue: c.text(6)) {
        life?.facts.append(.init(at: c.time(5), type: type, number: c.intOrNil(7), word: c.textOrNil(8)))
      }
      return true
    }
    if let life { body(life) }
  }
}
