import Alerts
import GRDB
import GRDBSQLite

/// A prepared statement whose parameters are bound one after the other, without a box for each value.
///
/// GRDB's own arguments cost more than SQLite's insert itself; a rebuild binds millions of values. Texts are laid side by side in memory that is used again for
/// each row, and SQLite reads them there: it would allocate a copy of each otherwise.
struct BoundStatement {
  private let statement: Statement
  private let s: OpaquePointer
  private let db: Database
  private var index: Int32 = 0
  /// The texts of this row, one behind the other, and where each stands.
  private var buffer: [UInt8] = []
  private var texts: [(index: Int32, start: Int, count: Int)] = []

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
    value.withUTF8 { b in keep(b) }
  }
  mutating func text(_ value: [UInt8]) {
    index += 1
    value.withUnsafeBufferPointer { b in keep(b) }
  }

  private mutating func keep(_ b: UnsafeBufferPointer<UInt8>) {
    texts.append((index, buffer.count, b.count))
    buffer.append(contentsOf: b)
  }

  /// Takes one step. The texts live until it is over; before the next every parameter is bound anew.
  private mutating func step<T>(_ body: (Int32) throws -> T) rethrows -> T {
    defer {
      sqlite3_reset(s)
      index = 0
      buffer.removeAll(keepingCapacity: true)
      texts.removeAll(keepingCapacity: true)
    }
    // One byte at least, so that an empty text has an address, and is no null.
    buffer.append(0)
    return try buffer.withUnsafeBytes { b in
      let base = b.bindMemory(to: CChar.self).baseAddress
      for t in texts { sqlite3_bind_text(s, t.index, base.map { $0 + t.start }, Int32(t.count), nil) }
      return try body(sqlite3_step(s))
    }
  }

  /// Runs it with what is bound, and makes it ready for the next row.
  mutating func run() throws {
    let code = step { $0 }
    guard code == SQLITE_DONE || code == SQLITE_ROW else {
      throw DatabaseError(
        resultCode: ResultCode(rawValue: sqlite3_extended_errcode(db.sqliteConnection)), message: db.lastErrorMessage,
        sql: statement.sql)
    }
  }

  /// Runs it for its first row, if there is one. Indexes count from 0.
  mutating func first<T>(_ read: (ColumnReader) throws -> T) throws -> T? {
    let (s, db, statement) = (s, db, statement)
    return try step { code in
      switch code {
      case SQLITE_ROW: return try read(ColumnReader(s: s))
      case SQLITE_DONE: return nil
      default:
        throw DatabaseError(
          resultCode: ResultCode(rawValue: sqlite3_extended_errcode(db.sqliteConnection)),
          message: db.lastErrorMessage, sql: statement.sql)
      }
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
