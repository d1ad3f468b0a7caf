import Alerts

/// Any database with an ODBC driver, over unixODBC. Tables are aggregated by the database, in its own dialect.
package struct ODBCSource: MetricSource, SQLDatabase {
  private let text: String
  private let secrets: [String]
  /// Nil: asked of the driver.
  private let dialect: SQLDialect?
  package var keepsHistory: Bool { true }

  init(text: String, secrets: [String] = [], dialect: SQLDialect? = nil) {
    self.text = text
    self.secrets = secrets
    self.dialect = dialect
  }

  init?(_ o: inout ConnectionOptions) {
    let given = o.text("connection_string")
    let dsn = o.text("dsn")
    let user = o.text("user")
    let password = o.text("password")
    var dialect: SQLDialect?
    if let name = o.text("dialect") {
      dialect = SQLDialect(rawValue: name.lowercased())
      if dialect == nil {
        o.fault(
          "dialect", "\"\(name)\" is not a dialect",
          mend: "give one of \(SQLDialect.allCases.map(\.rawValue).joined(separator: ", "))")
      }
    }
    guard (given == nil) != (dsn == nil) else {
      o.fault(
        nil, "a connection of kind odbc needs dsn or connection_string, one of them",
        mend: "dsn: a name from /etc/odbc.ini; connection_string: \"Driver={PostgreSQL Unicode};Server=…\"")
      return nil
    }
    var parts = [given ?? dsn.map { "DSN=\(ODBCSource.braced($0))" } ?? ""]
    if let user { parts.append("UID=\(ODBCSource.braced(user))") }
    if let password { parts.append("PWD=\(ODBCSource.braced(password))") }
    let inText = (given ?? "").split(separator: ";").filter { $0.lowercased().hasPrefix("pwd=") }
      .map { String($0.dropFirst(4)) }
    self.init(text: parts.joined(separator: ";"), secrets: [password].compactMap { $0 } + inText, dialect: dialect)
  }

  /// Only what could end the attribute is put into braces: some drivers take the braces themselves for a part of the value.
  static func braced(_ value: String) -> String {
    guard value.contains(where: { "[]{}(),;?*=!@".contains($0) }) else { return value }
    return "{" + value.split(separator: "}", omittingEmptySubsequences: false).joined(separator: "}}") + "}"
  }

  package func read(_ request: SourceRequest) async throws -> SourceReading {
    if let query = request.source.query {
      return try await run(SQLStatement(SQLTemplate(query), request), timeout: request.timeout, QueryRows(request))
        .result
    }
    let dialect = dialect
    return try await working(request.timeout) { connection in
      let dialect = dialect ?? SQLDialect(database: connection.databaseName)
      var rows = WindowRows(request)
      try ODBCSource.execute(try dialect.statement(request), connection, &rows)
      return rows.result
    }
  }

  private static func execute<T: RowTaking>(
    _ statement: SQLStatement, _ connection: ODBCConnection, _ taking: inout T
  ) throws {
    let (sql, parameters) = statement.template.rendered { _, _ in "?" }
    try connection.run(sql, parameters.map { statement.wallClock($0) }, &taking)
  }

  private func working<T: Sendable>(
    _ timeout: Interval, _ body: @escaping @Sendable (ODBCConnection) throws -> T
  ) async throws -> T {
    let (text, secrets) = (text, secrets)
    do {
      return try await BlockingWork.run("the database", timeout: timeout) { watch in
        try KeptConnections.shared.using("odbc\u{1}\(text)") {
          try ODBCConnection(text, watch, timeout: timeout)
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
      var taking = taking
      try ODBCSource.execute(statement, connection, &taking)
      return taking
    }
  }

  func compares(_ column: String, _ sign: String, _ parameter: SQLTemplate.Parameter) -> [SQLTemplate.Piece] {
    (dialect ?? .ansi).compares(column, sign, parameter)
  }

  func quoted(_ name: String) throws(SourceError) -> String { try (dialect ?? .ansi).table(name) }
}
