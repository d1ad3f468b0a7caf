import Alerts

/// ClickHouse over its HTTP interface. Tables are aggregated by the server.
///
/// Source: ClickHouse documentation, "HTTP interface" (query parameters as `param_NAME` and `{NAME:Type}`, X-ClickHouse-User and -Key, errors as plain text)
/// and "Restrictions on query complexity" (max_execution_time, max_result_rows).
package struct ClickHouseSource: MetricSource, SQLDatabase {
  let http: HTTPOptions
  let database: String?
  package var keepsHistory: Bool { true }

  init(http: HTTPOptions, database: String? = nil) {
    self.http = http
    self.database = database
  }

  init?(_ o: inout ConnectionOptions) {
    let database = o.text("database")
    guard let http = HTTPOptions(&o) else { return nil }
    self.init(http: http, database: database)
  }

  package func read(_ request: SourceRequest) async throws -> SourceReading {
    if let query = request.source.query {
      return try await run(SQLStatement(SQLTemplate(query), request), timeout: request.timeout, QueryRows(request))
        .result
    }
    return try await run(
      try statement(request), timeout: request.timeout, WindowRows(request, microseconds: true)
    ).result
  }

  /// Windows are cut in the data's zone by the server.
  func statement(_ request: SourceRequest) throws -> SQLStatement {
    let (name, dateColumn) = try request.tableParts()
    func column(_ name: String) throws -> String { SQLText.quote(try SQLText.identifierParts(name).last ?? name) }
    let date = try column(dateColumn)
    let zone = ClickHouseSource.name(request.calendar.zone)
    let instant = "toDateTime64(\(date), 6, '\(zone)')"
    let bucket =
      switch request.calendar.bucket {
      case .exact: instant
      case .day: "toStartOfDay(\(instant))"
      case .week: "toMonday(\(instant))"
      case .hour: "toStartOfHour(\(instant))"
      case .step(let length): "toStartOfInterval(\(instant), INTERVAL \(length.wholeSeconds) SECOND)"
      }
    let dimensions = try request.dimensions.map { "toString(\(try column($0)))" }
    let values = try request.metrics.map { "toFloat64(\(try SQLText.aggregate($0)))" }
    let keys = ["toUnixTimestamp64Micro(toDateTime64(\(bucket), 6, '\(zone)'))"] + dimensions
    var pieces: [SQLTemplate.Piece] = [
      .text("SELECT \((keys + ["count()"] + values).joined(separator: ", ")) FROM \(try quoted(name)) WHERE ")
    ]
    pieces += compares(date, "<", .windowEnd)
    if request.from != nil { pieces += [.text(" AND ")] + compares(date, ">=", .windowStart) }
    if let filter = request.source.filter {
      try SQLText.checkExpression(filter, "filter")
      pieces.append(.text(" AND (\(filter))"))
    }
    let list = (1...keys.count).map(String.init).joined(separator: ", ")
    pieces.append(.text(" GROUP BY \(list) ORDER BY \(list) LIMIT \(request.rowLimit + 1)"))
    return SQLStatement(SQLTemplate(pieces), request)
  }

  func compares(_ column: String, _ sign: String, _ parameter: SQLTemplate.Parameter) -> [SQLTemplate.Piece] {
    [.text("\(column) \(sign) "), .parameter(parameter)]
  }

  func quoted(_ name: String) throws(SourceError) -> String {
    try SQLText.identifierParts(name).map { SQLText.quote($0) }.joined(separator: ".")
  }

  private static func name(_ zone: Zone) -> String { zone == .utc ? "UTC" : zone.name }

  func run<T: RowTaking>(_ statement: SQLStatement, timeout: Interval, _ taking: T) async throws -> T {
    // A parameter is an instant: the server compares it with times of any type, whatever its own zone.
    let (sql, used) = statement.template.rendered { p, _ in
      "fromUnixTimestamp64Micro({\(p.rawValue):Int64}, '\(ClickHouseSource.name(statement.zone))')"
    }
    var fields = [
      ("max_execution_time", String(max(1, timeout.wholeSeconds))), ("readonly", "2"), ("wait_end_of_query", "1"),
      ("output_format_json_quote_denormals", "0"),
    ]
    if let database { fields.append(("database", database)) }
    for p in SQLTemplate.Parameter.allCases where used.contains(p) {
      fields.append(("param_\(p.rawValue)", String(statement.instant(p).microseconds)))
    }
    var fetch = HTTPFetch(
      url: "\(http.url)/?\(HTTPFetch.form(fields))", body: Array("\(sql)\nFORMAT JSONCompactEachRowWithNames".utf8),
      timeout: timeout)
    fetch.caFile = http.caFile
    if let user = http.user { fetch.headers.append(("X-ClickHouse-User", user)) }
    if let password = http.password { fetch.headers.append(("X-ClickHouse-Key", password)) }
    if let token = http.token { fetch.headers.append(("Authorization", "Bearer \(token)")) }
    do {
      let answer = try await fetch.perform()
      guard answer.status == 200 else { throw ClickHouseSource.explain(answer, timeout) }
      var taking = taking
      try ClickHouseSource.hand(answer.body, to: &taking)
      return taking
    } catch let error as SourceError {
      throw error.hiding(http.secrets)
    }
  }

  /// The first line names the columns; each further one is a row.
  private static func hand<T: RowTaking>(_ body: [UInt8], to taking: inout T) throws {
    var isFirst = true
    for line in body.split(separator: 10) {
      guard let cells = (try? JSON(parsing: Array(line)))?.array else {
        let text = String(String(decoding: line.prefix(200), as: UTF8.self))
        throw SourceError(.query, "ClickHouse broke off its answer with \"\(text)\"")
      }
      if isFirst {
        try taking.begin(columns: cells.map { $0.string ?? $0.text })
      } else {
        try taking.take(cells.map { $0.isNull ? nil : $0.string ?? $0.text })
      }
      isFirst = false
    }
    if isFirst { throw SourceError(.query, "ClickHouse answered nothing, where at least the columns' names were due") }
  }

  /// `Code: 60. DB::Exception: Table default.x does not exist. (UNKNOWN_TABLE)`
  private static func explain(_ answer: HTTPFetch.Answer, _ timeout: Interval) -> SourceError {
    let text = answer.text
    let code = text.hasPrefix("Code: ") ? Int(text.dropFirst(6).prefix { $0.isNumber }) : nil
    switch code {
    case 159, 160: return SourceError(.timeout, "the query took longer than \(timeout)")
    case 192, 193, 194, 497, 516: return SourceError(.refused, "ClickHouse: \(text)")
    case 164: return SourceError(.settings, "the query must only read: \(text)")
    case 202, 209, 210, 241, 242, 425: return SourceError(.unreachable, "ClickHouse: \(text)")
    case .some: return SourceError(.query, "ClickHouse refused the query: \(text)")
    case nil:
      return SourceError(HTTPFetch.kind(ofStatus: answer.status), "ClickHouse answered \(answer.status): \(text)")
    }
  }
}
