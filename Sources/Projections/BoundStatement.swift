import Alerts
import GRDB
import GRDBSQLite

/// A prepared statement whose parameters are bound one after the other, without a box for each value.
///
/// GRDB's own arguments cost more than SQLite's insert itself; a rebuild binds millions of values.
struct BoundStatement {
  private let statement: Statement
  private let s: OpaquePointer
  private let db: Database
  private var index: Int32 = 0

  /// SQLite copies the bytes: the texts bound here live no longer than the call.
  private static let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

  init(_ db: Database, _ sql: String) throws {
    statement = try db.makeStatement(sql: sql)
    s = statement.sqliteStatement
    self.db = db
  }

  mutating func int(_ value: Int64?) {
    index += 1
    if let value { sqlite3_bind_int64(s, index, value) } else { sqlite3_bind_null(s, index) }
  }
  mutating func int(_ value: Int?) { int(value.map { Int64($0) }) }
  mutating func bool(_ value: Bool) { int(value ? 1 as Int64 : 0) }
  mutating func time(_ value: Timestamp?) { int(value?.microseconds) }
  mutating func double(_ value: Double?) {
    index += 1
    if let value { sqlite3_bind_double(s, index, value) } else { sqlite3_bind_null(s, index) }
  }
  mutating func text(_ value: String?) {
    index += 1
    guard var value else {
      sqlite3_bind_null(s, index)
      return
    }
    value.withUTF8 { b in bind(b) }
  }
  mutating func text(_ value: [UInt8]) {
    index += 1
    value.withUnsafeBufferPointer { b in bind(b) }
  }

  private func bind(_ b: UnsafeBufferPointer<UInt8>) {
    guard let base = b.baseAddress else {
      sqlite3_bind_text(s, index, "", 0, BoundStatement.transient)
      return
    }
    base.withMemoryRebound(to: CChar.self, capacity: b.count) { c in
      _ = sqlite3_bind_text(s, index, c, Int32(b.count), BoundStatement.transient)
    }
  }

  /// Runs it with what is bound, and makes it ready for the next row.
  mutating func run() throws {
    index = 0
    let code = sqlite3_step(s)
    sqlite3_reset(s)
    guard code == SQLITE_DONE || code == SQLITE_ROW else {
      throw DatabaseError(
        resultCode: ResultCode(rawValue: sqlite3_extended_errcode(db.sqliteConnection)), message: db.lastErrorMessage,
        sql: statement.sql)
    }
  }

  /// Runs it for its first row, if there is one. Indexes count from 0.
  mutating func first<T>(_ read: (ColumnReader) throws -> T) throws -> T? {
    index = 0
    defer { sqlite3_reset(s) }
    switch sqlite3_step(s) {
    case SQLITE_ROW: return try read(ColumnReader(s: s))
    case SQLITE_DONE: return nil
    default:
      throw DatabaseError(
        resultCode: ResultCode(rawValue: sqlite3_extended_errcode(db.sqliteConnection)), message: db.lastErrorMessage,
        sql: statement.sql)
    }
  }
}

/// The present row of a statement.
struct ColumnReader {
  let s: OpaquePointer

  func isNull(_ i: Int32) -> Bool { sqlite3_column_type(s, i) == SQLITE_NULL }
  func int64(_ i: Int32) -> Int64 { sqlite3_column_int64(s, i) }
  func int(_ i: Int32) -> Int { Int(sqlite3_column_int64(s, i)) }
  func intOrNil(_ i: Int32) -> Int? { isNull(i) ? nil : int(i) }
  func bool(_ i: Int32) -> Bool { sqlite3_column_int64(s, i) != 0 }
  func time(_ i: Int32) -> Timestamp { Timestamp(microseconds: int64(i)) }
  func timeOrNil(_ i: Int32) -> Timestamp? { isNull(i) ? nil : time(i) }
  func double(_ i: Int32) -> Double? { isNull(i) ? nil : sqlite3_column_double(s, i) }
  func bytes(_ i: Int32) -> [UInt8] {
    guard let p = sqlite3_column_text(s, i) else { return [] }
    return [UInt8](UnsafeBufferPointer(start: p, count: Int(sqlite3_column_bytes(s, i))))
  }
  func text(_ i: Int32) -> String {
    guard let p = sqlite3_column_text(s, i) else { return "" }
    return String(decoding: UnsafeBufferPointer(start: p, count: Int(sqlite3_column_bytes(s, i))), as: UTF8.self)
  }
  func textOrNil(_ i: Int32) -> String? { isNull(i) ? nil : text(i) }
}

/// Reads rows without a box for each value.
enum Rows {
  /// Runs a query; the closure returns false to stop.
  static func each(
    _ db: Database, _ sql: String, _ arguments: StatementArguments = StatementArguments(),
    _ body: (ColumnReader) throws -> Bool
  ) throws {
    let statement = try db.cachedStatement(sql: sql)
    try statement.setArguments(arguments)
    let s = statement.sqliteStatement
    defer { sqlite3_reset(s) }
    while true {
      switch sqlite3_step(s) {
      case SQLITE_ROW: if try !body(ColumnReader(s: s)) { return }
      case SQLITE_DONE: return
      default:
        throw DatabaseError(
          resultCode: ResultCode(rawValue: sqlite3_extended_errcode(db.sqliteConnection)), message: db.lastErrorMessage,
          sql: sql)
      }
    }
  }
}
