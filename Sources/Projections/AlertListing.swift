package import Alerts
import GRDB

extension ProjectionReader {
  /// Rows that one page reads at most while it looks for what its matchers want: a page may be short, with a cursor to go on from.
  static let scanLimit = 20_000

  /// A page of alerts.
  ///
  /// - Throws: ``ProjectionError``: `invalid` for a cursor of another order.
  package func alerts(_ query: AlertQuery) throws(ProjectionError) -> AlertPage {
    if let after = query.after, after.order != query.order {
      throw ProjectionError(.invalid, "the cursor belongs to a list in another order", mend: "begin at the first page")
    }
    let limit = min(max(1, query.limit), AlertQuery.limitLimit)
    return try read { db in
      var (sql, arguments) = AlertSQL.select(query)
      // One more than wanted tells whether there is a next page.
      sql += " LIMIT \(query.matchers.isEmpty ? limit + 1 : ProjectionReader.scanLimit + 1)"
      var alerts: [AlertSummary] = []
      var scanned = 0
      var last: AlertSummary?
      var isCut = false
      try AlertSQL.each(db, sql, arguments) { alert in
        if alerts.count == limit || scanned == ProjectionReader.scanLimit {
          isCut = true
          return false
        }
        scanned += 1
        last = alert
        if query.matchers.allSatisfy({ $0.matches(alert.matchable) }) { alerts.append(alert) }
        return true
      }
      return AlertPage(alerts: alerts, next: isCut ? last.map { AlertCursor(query.order, $0) } : nil)
    }
  }

  /// How many alerts a query finds, without regard to its page. Its matchers are left out of account.
  package func count(_ query: AlertQuery) throws(ProjectionError) -> Int {
    try read { db in
      var query = query
      query.after = nil
      let (conditions, arguments) = AlertSQL.conditions(query)
      return try Int.fetchOne(db, sql: "SELECT count(*) FROM alerts\(conditions)", arguments: arguments) ?? 0
    }
  }

  /// One alert; nil where there is none.
  package func alert(_ id: AlertID) throws(ProjectionError) -> AlertSummary? {
    try alerts(ids: [id]).first
  }

  /// Several alerts, in the order of `ids`; those that don't exist are left out.
  package func alerts(ids: [AlertID]) throws(ProjectionError) -> [AlertSummary] {
    try read { db in
      let sql = "SELECT \(AlertRow.list) FROM alerts WHERE number = ?"
      var found: [AlertSummary] = []
      for id in ids {
        try AlertSQL.each(db, sql, [id.number]) { alert in
          found.append(alert)
          return false
        }
      }
      return found
    }
  }

  /// The other lives of the same dedup key, newest first: what happened the last times.
  package func otherLives(of id: AlertID, limit: Int = 10) throws(ProjectionError) -> [AlertSummary] {
    try read { db in
      var found: [AlertSummary] = []
      try AlertSQL.each(
        db,
        """
        SELECT \(AlertRow.list) FROM alerts
        WHERE dedup_key = (SELECT dedup_key FROM alerts WHERE number = ?) AND number <> ?
        ORDER BY number DESC LIMIT ?
        """, [id.number, id.number, max(0, limit)]
      ) { alert in
        found.append(alert)
        return true
      }
      return found
    }
  }

  /// Every event type, metric, detector, tenant and assignee that there is, sorted: what a page's filters offer.
  package func filterValues() throws(ProjectionError) -> FilterValues {
    try read { db in
      func all(_ column: String) throws -> [String] {
        try String.fetchAll(
          db, sql: "SELECT DISTINCT \(column) FROM alerts WHERE \(column) IS NOT NULL ORDER BY 1 LIMIT 500")
      }
      return FilterValues(
        eventTypes: try all("event_type"), metrics: try all("metric"), detectors: try all("detector"),
        tenants: try all("tenant"), assignees: try all("assignee"))
    }
  }
}

/// At most 500 of each.
package struct FilterValues: Sendable, Equatable {
  package var eventTypes: [String]
  package var metrics: [String]
  package var detectors: [String]
  package var tenants: [String]
  package var assignees: [String]
}

extension AlertSummary {
  /// What matchers see: the alert's present severity instead of its newest anomaly's, and the rest from that.
  package func matchable(_ name: String) -> String? {
    name == "severity" ? severity.name : anomaly.label(name)
  }
}

/// Queries on `alerts`.
enum AlertSQL {
  static func each(
    _ db: Database, _ sql: String, _ arguments: StatementArguments, _ body: (AlertSummary) throws -> Bool
  ) throws {
    try Rows.each(db, sql, arguments) { c in try body(try AlertRow.summary(c)) }
  }

  static func select(_ q: AlertQuery) -> (String, StatementArguments) {
    let (conditions, arguments) = conditions(q, isInOrder: q.order != .severity)
    let order =
      switch q.order {
      case .newest: "opened_at DESC, number DESC"
      case .oldest: "opened_at, number"
      case .severity: "severity DESC, opened_at DESC, number DESC"
      }
    return ("SELECT \(AlertRow.list) FROM alerts\(conditions) ORDER BY \(order)", arguments)
  }

  /// - Parameter isInOrder: rows are wanted by their time, a page of them: they are read in that order and filtered, where SQLite would rather find all that
  ///   have a state, and sort them for each page.
  static func conditions(_ q: AlertQuery, isInOrder: Bool = false) -> (String, StatementArguments) {
    var terms: [String] = []
    var arguments = StatementArguments()
    func among(_ column: String, _ values: [any DatabaseValueConvertible]) {
      terms.append(
        values.isEmpty ? "0" : "\(column) IN (\(values.map { _ in "?" }.joined(separator: ", ")))")
      arguments += StatementArguments(values)
    }
    func equal(_ term: String, _ value: (any DatabaseValueConvertible)?) {
      guard let value else { return }
      terms.append(term)
      arguments += [value]
    }
    if !q.states.isEmpty {
      // A plus keeps the index on states out of it.
      among(isInOrder ? "+state" : "state", q.states.map(\.rawValue).sorted())
      // As the index on open alerts has it.
      if isInOrder, !q.states.contains(.resolved) { terms.append("state <> 'resolved'") }
    }
    if !q.severities.isEmpty { among("severity", q.severities.map { Int($0.rawValue) }.sorted()) }
    if !q.eventTypes.isEmpty { among("event_type", q.eventTypes) }
    if !q.metrics.isEmpty { among("metric", q.metrics) }
    if !q.detectors.isEmpty { among("detector", q.detectors) }
    if let tenants = q.tenants { among("tenant", tenants) }
    equal("assignee = ?", q.assignee)
    equal("acknowledged_by = ?", q.acknowledgedBy)
    equal("condition = ?", q.condition?.rawValue)
    equal("label = ?", q.label?.rawValue)
    equal("dedup_key = ?", q.dedupKey)
    equal("opened_at >= ?", q.openedFrom?.microseconds)
    equal("opened_at < ?", q.openedBefore?.microseconds)
    if let held = q.isHeld {
      let any = "(silenced_by IS NOT NULL OR inhibited_by IS NOT NULL OR snoozed_until IS NOT NULL)"
      terms.append(held ? any : "NOT \(any)")
    }
    if q.hasFailedNotification { terms.append("failed > 0") }
    if let text = q.text, !text.trimming().isEmpty {
      if let id = AlertID(text.trimming()), text.trimming().first?.isNumber == false {
        equal("number = ?", id.number)
      } else if let match = SearchText.match(text) {
        equal("number IN (SELECT rowid FROM alert_search WHERE alert_search MATCH ?)", match)
      } else {
        terms.append("0")
      }
    }
    if let a = q.after {
      switch q.order {
      case .newest:
        terms.append("(opened_at, number) < (?, ?)")
        arguments += [a.openedAt.microseconds, a.number]
      case .oldest:
        terms.append("(opened_at, number) > (?, ?)")
        arguments += [a.openedAt.microseconds, a.number]
      case .severity:
        terms.append("(severity, opened_at, number) < (?, ?, ?)")
        arguments += [Int(a.severity), a.openedAt.microseconds, a.number]
      }
    }
    return (terms.isEmpty ? "" : " WHERE " + terms.joined(separator: " AND "), arguments)
  }
}

/// What people type into a search field, made into an FTS5 query that can't be wrong.
enum SearchText {
  /// Words that count; further ones are passed over.
  static let wordLimit = 12

  /// Every word must occur, as the beginning of a word at least; a part in double quotes must occur as it stands. Nil where nothing
  /// searchable is left.
  static func match(_ text: String) -> String? {
    var terms: [String] = []
    for (i, part) in text.split(separator: "\"", omittingEmptySubsequences: false).enumerated() {
      if i % 2 == 1 {
        // Between quotes.
        if part.contains(where: { $0.isLetter || $0.isNumber }) { terms.append("\"\(part)\"") }
      } else {
        for word in part.split(whereSeparator: \.isWhitespace)
        where word.contains(where: { $0.isLetter || $0.isNumber }) {
          terms.append("\"\(word)\" *")
        }
      }
    }
    return terms.isEmpty ? nil : terms.prefix(wordLimit).joined(separator: " AND ")
  }
}
