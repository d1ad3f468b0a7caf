package import Alerts
import GRDB

/// Figures for a dashboard.
package struct Statistics: Sendable, Equatable {
  package struct Count: Sendable, Equatable {
    package var name: String
    package var count: Int
  }
  /// Open and acknowledged ones, by severity, worst first; every severity is there.
  package var unresolvedBySeverity: [Count]
  /// Every state is there: open, acknowledged, resolved.
  package var byState: [Count]
  /// Of the unresolved ones, most first, at most 50.
  package var unresolvedByEventType: [Count]
  /// Unresolved ones that something holds back: silenced, inhibited or snoozed.
  package var held: Int
  /// Open ones whose policy has no step left.
  package var exhausted: Int
  package var pendingNotifications: Int
  /// Messages that failed for good since `since`.
  package var failedNotifications: Int
  /// Alerts that opened since `since`.
  package var opened: Int
  /// Alerts that ended since `since`.
  package var resolved: Int

  package var json: JSON {
    func object(_ counts: [Count]) -> JSON { .object(counts.map { JSON.Member($0.name, .int($0.count)) }) }
    return [
      "unresolved_by_severity": object(unresolvedBySeverity), "by_state": object(byState),
      "unresolved_by_event_type": object(unresolvedByEventType), "held": .int(held), "exhausted": .int(exhausted),
      "pending_notifications": .int(pendingNotifications), "failed_notifications": .int(failedNotifications),
      "opened": .int(opened), "resolved": .int(resolved),
    ]
  }
}

/// What happened on one day of a time zone.
package struct DayFigures: Sendable, Equatable {
  /// `2026-11-20`.
  package var date: String
  /// Alerts that opened that day, by the severity that they have reached since.
  package var opened: [Severity: Int]
  package var resolved: Int
  /// Firing anomalies taken in.
  package var anomalies: Int

  package var openedInAll: Int { opened.values.reduce(0, +) }
}

extension ProjectionReader {
  /// - Parameters:
  ///   - since: where "since" counts begin; a day ago is what a dashboard wants.
  ///   - tenants: nil for all.
  package func statistics(since: Timestamp, tenants: [String]? = nil) throws(ProjectionError) -> Statistics {
    try read { db in
      let (scope, names) = Scope.terms(tenants)
      func int(_ sql: String, _ arguments: StatementArguments = StatementArguments()) throws -> Int {
        try Int.fetchOne(db, sql: sql, arguments: names + arguments) ?? 0
      }
      func group(_ sql: String) throws -> [(String, Int)] {
        var counts: [(String, Int)] = []
        try Rows.each(db, sql, names) { c in
          counts.append((c.text(0), c.int(1)))
          return true
        }
        return counts
      }
      let severities = try group(
        "SELECT severity, count(*) FROM alerts WHERE \(scope) AND state IN ('open', 'acknowledged') GROUP BY 1")
      let states = try group("SELECT state, count(*) FROM alerts WHERE \(scope) GROUP BY 1")
      let types = try group(
        """
        SELECT event_type, count(*) FROM alerts WHERE \(scope) AND state IN ('open', 'acknowledged')
        GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 50
        """)
      let unresolved = "SELECT count(*) FROM alerts WHERE \(scope) AND state IN ('open', 'acknowledged')"
      let ofScope =
        tenants == nil ? "1" : "alert IN (SELECT number FROM alerts WHERE \(scope))"
      return Statistics(
        unresolvedBySeverity: Severity.allCases.reversed().map { s in
          .init(name: s.name, count: severities.first { $0.0 == String(s.rawValue) }?.1 ?? 0)
        },
        byState: [AlertSummary.State.open, .acknowledged, .resolved].map { s in
          .init(name: s.rawValue, count: states.first { $0.0 == s.rawValue }?.1 ?? 0)
        },
        unresolvedByEventType: types.map { .init(name: $0.0, count: $0.1) },
        held: try int(
          unresolved + " AND (silenced_by IS NOT NULL OR inhibited_by IS NOT NULL OR snoozed_until IS NOT NULL)"),
        exhausted: try int("SELECT count(*) FROM alerts WHERE \(scope) AND state = 'open' AND exhausted"),
        pendingNotifications: try int("SELECT count(*) FROM notifications WHERE \(ofScope) AND state = 'pending'"),
        failedNotifications: try int(
          "SELECT count(*) FROM notifications WHERE \(ofScope) AND finished_at >= ? AND state = 'failed'",
          [since.microseconds]),
        opened: try int("SELECT count(*) FROM alerts WHERE \(scope) AND opened_at >= ?", [since.microseconds]),
        resolved: try int("SELECT count(*) FROM alerts WHERE \(scope) AND resolved_at >= ?", [since.microseconds]))
    }
  }

  /// The last `days` days of a time zone up to and with the one of `now`, oldest first: for charts.
  ///
  /// - Parameter zone: where days begin and end.
  package func figuresPerDay(
    days: Int, zone: LocalZone, now: Timestamp, tenants: [String]? = nil
  ) throws(ProjectionError) -> [DayFigures] {
    let today = zone.local(now).day
    var figures: [DayFigures] = []
    for day in (today - Int64(min(max(1, days), 400)) + 1)...today {
      figures.append(
        try self.figures(
          of: Timestamp(seconds: day * 86_400).utcDate, from: zone.start(ofDay: day), to: zone.start(ofDay: day + 1),
          tenants: tenants))
    }
    return figures
  }

  private func figures(
    of date: String, from: Timestamp, to: Timestamp, tenants: [String]?
  ) throws(ProjectionError) -> DayFigures {
    try read { db in
      let (scope, names) = Scope.terms(tenants)
      var opened: [Severity: Int] = [:]
      let span: StatementArguments = [from.microseconds, to.microseconds]
      try Rows.each(
        db, "SELECT severity, count(*) FROM alerts WHERE \(scope) AND opened_at >= ? AND opened_at < ? GROUP BY 1",
        names + span
      ) { c in
        if let s = Severity(rawValue: UInt8(clamping: c.int64(0))) { opened[s] = c.int(1) }
        return true
      }
      let resolved =
        try Int.fetchOne(
          db, sql: "SELECT count(*) FROM alerts WHERE \(scope) AND resolved_at >= ? AND resolved_at < ?",
          arguments: names + span) ?? 0
      let ofScope = tenants == nil ? "1" : "alert IN (SELECT number FROM alerts WHERE \(scope))"
      let anomalies =
        try Int.fetchOne(
          db,
          sql: "SELECT coalesce(sum(count), 0) FROM anomaly_counts WHERE \(ofScope) AND quarter >= ? AND quarter < ?",
          arguments: names + [Quarter.from(from), Quarter.from(to)]) ?? 0
      return DayFigures(date: date, opened: opened, resolved: resolved, anomalies: anomalies)
    }
  }
}

/// A limit to tenants, as a term of SQL over `alerts`.
enum Scope {
  static func terms(_ tenants: [String]?) -> (sql: String, arguments: StatementArguments) {
    guard let tenants else { return ("1", StatementArguments()) }
    guard !tenants.isEmpty else { return ("0", StatementArguments()) }
    return ("tenant IN (\(tenants.map { _ in "?" }.joined(separator: ", ")))", StatementArguments(tenants))
  }
}
