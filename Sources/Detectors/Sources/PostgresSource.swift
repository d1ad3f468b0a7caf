import Alerts

/// A PostgreSQL database, over libpq. Tables are aggregated by the server: one row comes back for each window and combination of dimensions.
///
/// Every read is a transaction of its own that can't write, with the server's own statement timeout beside ours. Connections stay open between reads.
package struct PostgresSource: MetricSource, SQLDatabase {
  /// As libpq calls them: `host`, `port`, `dbname`, `user`, `password`, `sslmode`, …
  let settings: [(key: String, value: String)]
  private let secrets: [String]
  package var keepsHistory: Bool { true }

  package init(settings: [(key: String, value: String)], secrets: [String]) {
    self.settings = settings
    self.secrets = secrets
  }

  init?(_ o: inout ConnectionOptions) {
    var all: [(key: String, value: String)] = []
    var secrets: [String] = []
    if let url = o.text("url") {
      all.append(("dbname", url))
      if let password = PostgresSource.password(inURL: url) { secrets.append(password) }
    }
    for (option, key) in [
      ("host", "host"), ("port", "port"), ("database", "dbname"), ("user", "user"), ("password", "password"),
      ("sslmode", "sslmode"), ("sslrootcert", "sslrootcert"), ("service", "service"),
    ] {
      guard let value = o.text(option) else { continue }
      if option == "database", all.contains(where: { $0.key == "dbname" }) {
        o.fault("database", "says both url and database", mend: "name the database in the url")
      }
      if option == "password" { secrets.append(value) }
      all.append((key, value))
    }
    if all.isEmpty {
      o.fault(nil, "a connection of kind postgres needs url, or host, database and user", mend: "url: postgresql://…")
      return nil
    }
    all.append(("application_name", "tocsin"))
    self.init(settings: all, secrets: secrets)
  }

  private static func password(inURL url: String) -> String? {
    guard let at = url.lastIndex(of: "@"), let scheme = url.firstRange(of: "://")?.upperBound, scheme < at,
      let colon = url[scheme..<at].firstIndex(of: ":")
    else { return nil }
    return String(url[url.index(after: colon)..<at])
  }

  package func read(_ request: SourceRequest) async throws -> SourceReading {
    if request.source.query != nil {
      let statement = SQLStatement(SQLTemplate(request.source.query ?? ""), request)
      return try await run(statement, timeout: request.timeout, QueryRows(request)).result
    }
    return try await working(request.timeout) { connection in
      let zone = request.calendar.zone
      try PostgresSource.settle(connection, zone, request.timeout)
      let table = try PostgresTable(connection, request)
      var rows = WindowRows(request, microseconds: true)
      try connection.run(table.sql, [request.from ?? .epoch, request.to].map(\.rfc3339), &rows)
      return rows.result
    }
  }

  /// Days and weeks are cut, and times without a zone read, in the data's zone; the session is that zone's.
  private static func settle(_ connection: PostgresConnection, _ zone: Zone, _ timeout: Interval) throws {
    var nothing = AllRows(limit: 1)
    try connection.run(
      """
      SELECT set_config('TimeZone', $1, false), set_config('statement_timeout', $2, false),
        set_config('default_transaction_read_only', 'on', false), set_config('extra_float_digits', '3', false),
        set_config('DateStyle', 'ISO', false)
      """, [zone == .utc ? "UTC" : zone.name, String(max(1, timeout.microseconds / 1000))], &nothing)
  }

  private func working<T: Sendable>(
    _ timeout: Interval, _ body: @escaping @Sendable (PostgresConnection) throws -> T
  ) async throws -> T {
    let (settings, secrets) = (settings, secrets)
    let key = "postgres\u{1}" + settings.map { "\($0.key)=\($0.value)" }.joined(separator: "\u{1}")
    do {
      return try await BlockingWork.run("PostgreSQL", timeout: timeout) { watch in
        try KeptConnections.shared.using(key) {
          try PostgresConnection(settings, watch, timeout: timeout)
        } _: { connection in
          connection.begin(watch, timeout: timeout)
          return try body(connection)
        }
      }
    } catch let error as SourceError {
      throw error.hiding(secrets)
    }
  }

  func run<T: RowTaking>(_ statement: SQLStatement, timeout: Interval, _ taking: T) async throws -> T {
    try await working(timeout) { connection in
      try PostgresSource.settle(connection, statement.zone, timeout)
      let (sql, _) = statement.template.rendered { p, _ in p == .windowStart ? "$1" : "$2" }
      // A parameter that does not stand in the text may not be bound.
      let names = SQLTemplate.Parameter.allCases.filter { statement.template.pieces.contains(.parameter($0)) }
      let text = names == [.windowEnd] ? statement.template.rendered { _, _ in "$1" }.sql : sql
      var taking = taking
      try connection.run(text, names.map { statement.wallClock($0) }, &taking)
      return taking
    }
  }

  func compares(_ column: String, _ sign: String, _ parameter: SQLTemplate.Parameter) -> [SQLTemplate.Piece] {
    [.text("\(column)::timestamp \(sign) "), .parameter(parameter), .text("::timestamp")]
  }

  func quoted(_ name: String) throws(SourceError) -> String {
    try SQLText.identifierParts(name).map { SQLText.quote($0) }.joined(separator: ".")
  }
}

/// A table of PostgreSQL, and the one statement that reads it. `$1` and `$2` are the range's ends, RFC 3339.
struct PostgresTable {
  let sql: String

  private struct Column {
    var name: String
    var type: Int
  }

  /// Asks the catalogue for the table, its columns and their types. Names are found in any case, since an unquoted name has none in SQL.
  init(_ connection: PostgresConnection, _ request: SourceRequest) throws {
    let (name, dateName) = try request.tableParts()
    let parts = try SQLText.identifierParts(name)
    let exact = parts.map { SQLText.quote($0) }.joined(separator: ".")
    var found = AllRows(limit: 2000)
    try connection.run(
      """
      SELECT t.name::regclass::text, a.attname, a.atttypid
      FROM (SELECT coalesce(to_regclass($1), to_regclass($2))::oid AS name) t
      JOIN pg_attribute a ON a.attrelid = t.name AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
      """, [exact, parts.map { SQLText.quote($0.lowercased()) }.joined(separator: ".")], &found)
    guard let table = found.rows.first?[0] else {
      throw SourceError(.query, "there is no table \(name), or this user may not see it: write it as SCHEMA.TABLE")
    }
    let columns = found.rows.map { Column(name: $0[1] ?? "", type: $0[2].flatMap { Int($0) } ?? 0) }
    func column(_ name: String) throws -> Column {
      let part = try SQLText.identifierParts(name).last ?? name
      if let column = columns.first(where: { $0.name == part }) { return column }
      if let column = columns.first(where: { $0.name.lowercased() == part.lowercased() }) { return column }
      let near = Nearest.name(to: part, in: columns.map(\.name)).map { "; did you mean \($0)?" } ?? ""
      throw SourceError(
        .query, "\(table) has no column \"\(name)\"\(near) (it has \(columns.map(\.name).joined(separator: ", ")))")
    }
    let date = try column(dateName)
    let quoted = SQLText.quote(date.name)
    let times = try Times(connection, table: table, column: quoted, type: date.type)
    let dimensions = try request.dimensions.map { "\(SQLText.quote(try column($0).name))::text" }
    let values = try request.metrics.map { metric in
      var metric = metric
      if SQLText.isIdentifier(metric.column) { metric.column = try column(metric.column).name }
      // A column whose name needs quotes is quoted here, since the check for a plain name would refuse it.
      return try SQLText.aggregate(metric, cast: "::float8")
    }
    var conditions = ["\(times.least) AND \(times.most)"]
    if let filter = request.source.filter {
      try SQLText.checkExpression(filter, "filter")
      conditions.append("(\(filter))")
    }
    let keys = (1...(1 + dimensions.count)).map(String.init).joined(separator: ", ")
    let window = "(extract(epoch FROM \(times.bucket(request.calendar.bucket))) * 1000000)::bigint"
    sql = """
      SELECT \(([window] + dimensions + ["count(*)"] + values).joined(separator: ", "))
      FROM \(table) WHERE \(conditions.joined(separator: " AND "))
      GROUP BY \(keys) ORDER BY \(keys) LIMIT \(request.rowLimit + 1)
      """
  }

  /// How a column of times is asked for a range, so that its index still serves, and cut into windows.
  private struct Times {
    /// Types' object ids, that never change: `pg_type.dat` of PostgreSQL's source.
    static let (date, timestamp, timestamptz) = (1082, 1114, 1184)
    static let numbers = [20, 21, 23, 700, 701, 1700]
    /// A timestamptz.
    let instant: String
    let least: String
    let most: String

    init(_ connection: PostgresConnection, table: String, column: String, type: Int) throws {
      func sides(_ column: String, _ bound: (String) -> String) -> (String, String) {
        ("\(column) >= \(bound("$1::timestamptz"))", "\(column) < \(bound("$2::timestamptz"))")
      }
      switch type {
      case Times.timestamptz:
        instant = column
        (least, most) = sides(column) { $0 }
      case Times.timestamp:
        instant = "\(column)::timestamptz"
        (least, most) = sides(column) { "\($0)::timestamp" }
      case Times.date:
        instant = "\(column)::timestamptz"
        // Rounded up to the day: a row belongs to the range if it is not before it.
        (least, most) = sides(column) { "(\($0)::timestamp + interval '1 day' - interval '1 microsecond')::date" }
      case _ where Times.numbers.contains(type):
        var sample = AllRows(limit: 1)
        try connection.run("SELECT \(column)::float8 FROM \(table) WHERE \(column) IS NOT NULL LIMIT 1", [], &sample)
        let first = sample.rows.first?[0].flatMap { Double($0) } ?? 0
        let unit = first.magnitude < 1e11 ? 1 : first.magnitude < 1e14 ? 1000 : 1_000_000
        instant = "to_timestamp(\(column) / \(unit).0)"
        (least, most) = sides(column) { "extract(epoch FROM \($0)) * \(unit)" }
      default:
        instant = "\(column)::timestamptz"
        (least, most) = sides(instant) { $0 }
      }
    }

    /// The session's zone is the data's.
    func bucket(_ bucket: Bucket) -> String {
      switch bucket {
      case .exact: instant
      case .day: "date_trunc('day', \(instant))"
      case .week: "date_trunc('week', \(instant))"
      case .hour: "date_trunc('hour', \(instant))"
      case .step(let length):
        "to_timestamp(floor(extract(epoch FROM \(instant)) / \(length.wholeSeconds)) * \(length.wholeSeconds))"
      }
    }
  }
}
