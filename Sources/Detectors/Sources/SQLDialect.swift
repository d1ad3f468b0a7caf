import Alerts

/// How a database behind ODBC writes what standard SQL leaves open: quoting, windows, a time that is bound.
///
/// Times are taken as the wall clock of the data's zone, as the database shows them in its session.
enum SQLDialect: String, CaseIterable, Sendable {
  /// Only what SQL-92 has: windows of a day.
  case ansi
  case sqlite, postgres, redshift, snowflake, bigquery, clickhouse, duckdb, mysql

  /// From what the driver says of its database (SQL_DBMS_NAME).
  init(database name: String) {
    let name = name.lowercased()
    let known: [(String, SQLDialect)] = [
      ("sqlite", .sqlite), ("redshift", .redshift), ("postgres", .postgres), ("snowflake", .snowflake),
      ("bigquery", .bigquery), ("clickhouse", .clickhouse), ("duckdb", .duckdb), ("mysql", .mysql),
      ("mariadb", .mysql),
    ]
    self = known.first { name.contains($0.0) }?.1 ?? .ansi
  }

  func quote(_ part: String) -> String {
    switch self {
    case .bigquery, .mysql: "`\(part)`"
    // A name in small letters alone is no name of its own in Snowflake, where unquoted names are in capitals.
    case .snowflake where part == part.lowercased(): part
    default: SQLText.quote(part)
    }
  }

  func table(_ name: String) throws(SourceError) -> String {
    try SQLText.identifierParts(name).map { quote($0) }.joined(separator: ".")
  }

  /// A bound time. As text alone where text is what compares with a column (SQLite), or where the database turns it into the column's type.
  var boundTime: (before: String, after: String) {
    switch self {
    case .sqlite, .mysql: ("", "")
    case .bigquery: ("CAST(", " AS DATETIME)")
    case .clickhouse: ("parseDateTimeBestEffort(", ")")
    default: ("CAST(", " AS TIMESTAMP)")
    }
  }

  func compares(_ column: String, _ sign: String, _ parameter: SQLTemplate.Parameter) -> [SQLTemplate.Piece] {
    // BigQuery compares no DATE or TIMESTAMP with a DATETIME.
    let column = self == .bigquery ? "CAST(\(column) AS DATETIME)" : column
    return [.text("\(column) \(sign) \(boundTime.before)"), .parameter(parameter), .text(boundTime.after)]
  }

  /// The start of a row's window.
  func window(_ column: String, _ bucket: Bucket) throws(SourceError) -> String {
    switch bucket {
    case .exact: return column
    case .day: return self == .sqlite ? "date(\(column))" : "CAST(\(column) AS DATE)"
    case .week:
      switch self {
      case .postgres, .redshift, .duckdb, .snowflake: return "DATE_TRUNC('week', \(column))"
      case .bigquery: return "DATE_TRUNC(CAST(\(column) AS DATE), ISOWEEK)"
      case .clickhouse: return "toMonday(\(column))"
      case .mysql: return "DATE_SUB(DATE(\(column)), INTERVAL WEEKDAY(\(column)) DAY)"
      case .sqlite: return "date(\(column), 'weekday 0', '-6 days')"
      case .ansi: throw unable("weeks")
      }
    case .hour:
      switch self {
      case .postgres, .redshift, .duckdb, .snowflake: return "DATE_TRUNC('hour', \(column))"
      case .bigquery: return "DATETIME_TRUNC(CAST(\(column) AS DATETIME), HOUR)"
      case .clickhouse: return "toStartOfHour(\(column))"
      case .mysql: return "DATE_FORMAT(\(column), '%Y-%m-%d %H:00:00')"
      case .sqlite: return "strftime('%Y-%m-%d %H:00:00', \(column))"
      case .ansi: throw unable("hours")
      }
    case .step(let length):
      let n = length.wholeSeconds
      switch self {
      case .postgres, .redshift:
        return "TIMESTAMP 'epoch' + FLOOR(EXTRACT(EPOCH FROM \(column)) / \(n)) * \(n) * INTERVAL '1 second'"
      case .duckdb: return "make_timestamp(CAST(floor(epoch(\(column)) / \(n)) * \(n) * 1000000 AS BIGINT))"
      case .snowflake: return "TIME_SLICE(\(column), \(n), 'SECOND')"
      case .bigquery:
        return "TIMESTAMP_SECONDS(DIV(UNIX_SECONDS(CAST(\(column) AS TIMESTAMP)), \(n)) * \(n))"
      case .clickhouse: return "toStartOfInterval(\(column), INTERVAL \(n) SECOND)"
      case .mysql: return "FROM_UNIXTIME(FLOOR(UNIX_TIMESTAMP(\(column)) / \(n)) * \(n))"
      case .sqlite: return "datetime((CAST(strftime('%s', \(column)) AS INTEGER) / \(n)) * \(n), 'unixepoch')"
      case .ansi: throw unable("windows of \(length)")
      }
    }
  }

  private func unable(_ what: String) -> SourceError {
    SourceError(
      .settings, "standard SQL can't cut \(what), and this database is not one of those known by name",
      mend: "say dialect: with one of \(SQLDialect.allCases.map(\.rawValue).joined(separator: ", ")), or write a query")
  }

  /// The one statement that a table is read with.
  func statement(_ request: SourceRequest) throws -> SQLStatement {
    let (name, dateColumn) = try request.tableParts()
    func column(_ name: String) throws -> String { quote(try SQLText.identifierParts(name).last ?? name) }
    let date = try column(dateColumn)
    let dimensions = try request.dimensions.map { try column($0) }
    let keys = [try window(date, request.calendar.bucket)] + dimensions
    let values = try request.metrics.map { try SQLText.aggregate($0, quote: quote) }
    var pieces: [SQLTemplate.Piece] = [
      .text(
        "SELECT \((keys + ["count(*)"] + values).joined(separator: ", ")) FROM \(try table(name)) WHERE ")
    ]
    pieces += compares(date, "<", .windowEnd)
    if request.from != nil {
      pieces.append(.text(" AND "))
      pieces += compares(date, ">=", .windowStart)
    }
    if let filter = request.source.filter {
      try SQLText.checkExpression(filter, "filter")
      pieces.append(.text(" AND (\(filter))"))
    }
    let keyList = keys.joined(separator: ", ")
    pieces.append(.text(" GROUP BY \(keyList) ORDER BY \(keyList)"))
    if self != .ansi { pieces.append(.text(" LIMIT \(request.rowLimit + 1)")) }
    return SQLStatement(SQLTemplate(pieces), request)
  }
}

extension SourceError {
  init(_ kind: Kind, _ message: String, mend: String) { self.init(kind, "\(message): \(mend)") }
}
