import Alerts
import CODBC
import Foundation

/// One connection of unixODBC's, for one read at a time, on one thread at a time.
///
/// Source: Microsoft, "ODBC Programmer's Reference", version 3.
final class ODBCConnection: KeptConnections.Keepable {
  private var environment: SQLHENV?
  private var connection: SQLHDBC?
  private var watch: BlockingWork.Watch
  private var timeout: Interval
  /// A database that is a file is let go of after each read: the file may be replaced, and DuckDB lets nobody write while it is open.
  private(set) var isFresh = true
  private var isConnected = false
  /// Texts come as UTF-16, unless the driver is one that knows bytes alone.
  private var isWide = true

  /// The longest text of one field, in UTF-16 units: what is longer is no dimension and no number.
  static let fieldLimit = 1 << 20

  init(_ text: String, _ watch: BlockingWork.Watch, timeout: Interval) throws {
    self.watch = watch
    self.timeout = timeout
    guard ODBCConnection.went(SQLAllocHandle(SQLSMALLINT(SQL_HANDLE_ENV), nil, &environment)) else {
      throw SourceError(.unreachable, "unixODBC can't be set up")
    }
    _ = tocsin_odbc_set_env(environment, SQL_ATTR_ODBC_VERSION, 3)
    guard ODBCConnection.went(SQLAllocHandle(SQLSMALLINT(SQL_HANDLE_DBC), environment, &connection)) else {
      throw SourceError(.unreachable, "unixODBC can't be set up")
    }
    // Some drivers have no such limit, and say so; the watch outside bounds them.
    _ = tocsin_odbc_set_connection(connection, SQL_ATTR_LOGIN_TIMEOUT, SQLULEN(max(1, timeout.wholeSeconds)))
    var wide = Array(text.utf16)
    let code = SQLDriverConnectW(
      connection, nil, &wide, SQLSMALLINT(clamping: wide.count), nil, 0, nil, SQLUSMALLINT(SQL_DRIVER_NOPROMPT))
    guard ODBCConnection.went(code) else {
      let (state, message) = diagnosis(SQLSMALLINT(SQL_HANDLE_DBC), connection)
      switch state {
      case "28000": throw SourceError(.refused, "the database refused the login: \(message)")
      case "IM002":
        throw SourceError(
          .settings, "unixODBC knows no such data source or driver: \(message). See odbcinst -q -d and odbcinst -q -s")
      default: throw SourceError(.unreachable, "the database can't be connected to: \(message) [\(state)]")
      }
    }
    isConnected = true
    isFresh = ![.sqlite, .duckdb].contains(SQLDialect(database: databaseName))
  }

  /// Begins a read of its own on a connection that was kept.
  func begin(_ watch: BlockingWork.Watch, timeout: Interval) {
    self.watch = watch
    self.timeout = timeout
  }

  deinit {
    if isConnected { SQLDisconnect(connection) }
    if let connection { SQLFreeHandle(SQLSMALLINT(SQL_HANDLE_DBC), connection) }
    if let environment { SQLFreeHandle(SQLSMALLINT(SQL_HANDLE_ENV), environment) }
  }

  private static func went(_ code: SQLRETURN) -> Bool { code == 0 || code == 1 }

  private func diagnosis(_ kind: SQLSMALLINT, _ handle: SQLHANDLE?) -> (state: String, message: String) {
    var state = [SQLWCHAR](repeating: 0, count: 6)
    var text = [SQLWCHAR](repeating: 0, count: 1024)
    var native: SQLINTEGER = 0
    var length: SQLSMALLINT = 0
    guard
      ODBCConnection.went(
        SQLGetDiagRecW(kind, handle, 1, &state, &native, &text, SQLSMALLINT(text.count), &length))
    else { return ("HY000", "the driver says nothing") }
    let said = String(decoding: text.prefix(Int(max(0, length))).prefix { $0 != 0 }, as: UTF16.self)
    return (String(decoding: state.prefix(5), as: UTF16.self), said.trimmed)
  }

  /// What the driver calls its database.
  var databaseName: String {
    var text = [SQLWCHAR](repeating: 0, count: 256)
    var bytes: SQLSMALLINT = 0
    guard
      ODBCConnection.went(
        SQLGetInfoW(connection, SQLUSMALLINT(SQL_DBMS_NAME), &text, SQLSMALLINT(text.count * 2), &bytes))
    else { return "" }
    return String(decoding: text.prefix { $0 != 0 }, as: UTF16.self)
  }

  func run<T: RowTaking>(_ sql: String, _ values: [String], _ taking: inout T) throws {
    var statement: SQLHSTMT?
    guard ODBCConnection.went(SQLAllocHandle(SQLSMALLINT(SQL_HANDLE_STMT), connection, &statement)) else {
      throw SourceError(.unreachable, "the driver gives no statement: \(diagnosis(2, connection).message)")
    }
    defer { SQLFreeHandle(SQLSMALLINT(SQL_HANDLE_STMT), statement) }
    func check(_ code: SQLRETURN) throws {
      if !ODBCConnection.went(code), code != SQLRETURN(SQL_NO_DATA) { throw explain(statement) }
    }
    _ = tocsin_odbc_set_statement(statement, SQL_ATTR_QUERY_TIMEOUT, SQLULEN(max(1, timeout.wholeSeconds)))
    var wide = Array(sql.utf16)
    try check(SQLPrepareW(statement, &wide, SQLINTEGER(wide.count)))
    // The driver reads the values while it executes: they stay where they are until then.
    let bound = values.map { value in
      let units = Array(value.utf8)
      let room = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: units.count + 1)
      _ = room.initialize(from: units + [0])
      return (text: room, length: UnsafeMutablePointer<SQLLEN>.allocate(capacity: 1))
    }
    defer {
      for b in bound {
        b.text.deallocate()
        b.length.deallocate()
      }
    }
    for (i, b) in bound.enumerated() {
      b.length.initialize(to: SQLLEN(b.text.count - 1))
      try check(
        SQLBindParameter(
          statement, SQLUSMALLINT(i + 1), SQLSMALLINT(SQL_PARAM_INPUT), SQLSMALLINT(SQL_CHAR),
          SQLSMALLINT(SQL_VARCHAR), SQLULEN(max(1, b.text.count - 1)), 0, b.text.baseAddress,
          SQLLEN(b.text.count - 1), b.length))
    }
    // A driver may ignore the timeout that it was given; then it is told to stop from outside.
    let running = Running(statement)
    try BlockingWork.guarded(watch, stop: { running.cancel() }) {
      try check(SQLExecute(statement))
      try fetch(statement, &taking, check)
    }
  }

  private func fetch<T: RowTaking>(
    _ statement: SQLHSTMT?, _ taking: inout T, _ check: (SQLRETURN) throws -> Void
  ) throws {
    var width: SQLSMALLINT = 0
    try check(SQLNumResultCols(statement, &width))
    guard width > 0 else { throw SourceError(.settings, "the query gives no rows: it must be a SELECT") }
    var names: [String] = []
    for i in 1...SQLUSMALLINT(width) {
      var text = [SQLWCHAR](repeating: 0, count: 256)
      var length: SQLSMALLINT = 0
      try check(SQLDescribeColW(statement, i, &text, 256, &length, nil, nil, nil, nil))
      names.append(String(decoding: text.prefix { $0 != 0 }, as: UTF16.self))
    }
    try taking.begin(columns: names)
    var buffer = [SQLWCHAR](repeating: 0, count: 2048)
    var code = SQLFetch(statement)
    while code != SQLRETURN(SQL_NO_DATA) {
      try check(code)
      if watch.rest() == nil { throw SourceError(.timeout, "the query took longer than \(timeout)") }
      var row: [String?] = []
      for i in 1...SQLUSMALLINT(width) { row.append(try field(statement, i, &buffer)) }
      try taking.take(row)
      code = SQLFetch(statement)
    }
  }

  private func field(_ statement: SQLHSTMT?, _ i: SQLUSMALLINT, _ buffer: inout [SQLWCHAR]) throws -> String? {
    guard isWide else { return try bytes(statement, i) }
    do { return try wide(statement, i, &buffer) } catch is Narrow {
      isWide = false
      return try bytes(statement, i)
    }
  }

  private struct Narrow: Error {}

  /// The same from a driver of single bytes, which are taken for UTF-8.
  private func bytes(_ statement: SQLHSTMT?, _ i: SQLUSMALLINT) throws -> String? {
    var buffer = [UInt8](repeating: 0, count: 4096)
    var text: [UInt8] = []
    while true {
      var length: SQLLEN = 0
      let code = SQLGetData(statement, i, SQLSMALLINT(SQL_CHAR), &buffer, SQLLEN(buffer.count), &length)
      if code == SQLRETURN(SQL_NO_DATA) { return String(decoding: text, as: UTF8.self) }
      guard ODBCConnection.went(code) else { throw explain(statement) }
      if length == SQLLEN(SQL_NULL_DATA) { return nil }
      let whole = code == 0 && length >= 0 && length < SQLLEN(buffer.count)
      text += whole ? buffer.prefix(Int(length)) : buffer.prefix(buffer.count - 1).prefix { $0 != 0 }
      if whole { return String(decoding: text, as: UTF8.self) }
      guard text.count <= ODBCConnection.fieldLimit else {
        throw SourceError(.query, "a field has more than \(ODBCConnection.fieldLimit) bytes")
      }
    }
  }

  /// One field as text, in as many pieces as the buffer needs.
  private func wide(_ statement: SQLHSTMT?, _ i: SQLUSMALLINT, _ buffer: inout [SQLWCHAR]) throws -> String? {
    var units: [SQLWCHAR] = []
    while true {
      var length: SQLLEN = 0
      let code = SQLGetData(statement, i, SQLSMALLINT(SQL_C_WCHAR), &buffer, SQLLEN(buffer.count * 2), &length)
      if code == SQLRETURN(SQL_NO_DATA) { return String(decoding: units, as: UTF16.self) }
      guard ODBCConnection.went(code) else {
        if units.isEmpty, diagnosis(SQLSMALLINT(SQL_HANDLE_STMT), statement).state == "07006" { throw Narrow() }
        throw explain(statement)
      }
      if length == SQLLEN(SQL_NULL_DATA) { return nil }
      let whole = code == 0 && length >= 0 && length <= SQLLEN((buffer.count - 1) * 2)
      units += whole ? buffer.prefix(Int(length) / 2) : buffer.prefix(buffer.count - 1).prefix { $0 != 0 }
      if whole { return String(decoding: units, as: UTF16.self) }
      guard units.count <= ODBCConnection.fieldLimit else {
        throw SourceError(.query, "a field has more than \(ODBCConnection.fieldLimit) characters")
      }
    }
  }

  private func explain(_ statement: SQLHSTMT?) -> SourceError {
    let (state, message) = diagnosis(SQLSMALLINT(SQL_HANDLE_STMT), statement)
    if watch.rest() == nil || state == "HYT00" || state == "HY008" {
      return SourceError(.timeout, "the query took longer than \(timeout)")
    }
    switch state.prefix(2) {
    case "08": return SourceError(.unreachable, "the connection broke: \(message)")
    case "28": return SourceError(.refused, message)
    default: return SourceError(.query, "the database refused the query: \(message) [\(state)]")
    }
  }

  /// A statement that runs, so that another thread may stop it.
  ///
  /// `@unchecked Sendable`: SQLCancel is the one function that ODBC allows on a handle from another thread, and the guardian calls it only while the statement runs.
  private final class Running: @unchecked Sendable {
    private let statement: SQLHSTMT?
    init(_ statement: SQLHSTMT?) { self.statement = statement }
    func cancel() { if let statement { _ = SQLCancel(statement) } }
  }
}
