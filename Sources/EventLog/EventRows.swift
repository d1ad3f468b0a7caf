import Alerts
import GRDB
import GRDBSQLite

/// Reads rows of `events` without a box for each value.
enum EventRows {
  static func each(_ db: Database, after position: Int64, _ body: (StoredEvent) throws -> Bool) throws {
    let statement = try db.cachedStatement(
      sql: """
        SELECT position, alert, version, type, occurred_at, recorded_at, actor, cause, data
        FROM events WHERE position > ? ORDER BY position
        """)
    let s = statement.sqliteStatement
    sqlite3_bind_int64(s, 1, position)
    defer {
      sqlite3_reset(s)
      sqlite3_clear_bindings(s)
    }
    while true {
      switch sqlite3_step(s) {
      case SQLITE_ROW: if try !body(try read(s)) { return }
      case SQLITE_DONE: return
      default:
        throw DatabaseError(
          resultCode: ResultCode(rawValue: sqlite3_extended_errcode(db.sqliteConnection)), message: db.lastErrorMessage,
          sql: "SELECT … FROM events")
      }
    }
  }

  static func one(_ db: Database, at position: Int64) throws -> StoredEvent? {
    var found: StoredEvent?
    try each(db, after: position - 1) { e in
      found = e.position == position ? e : nil
      return false
    }
    return found
  }

  static func life(_ db: Database, of subject: Subject) throws -> [StoredEvent] {
    try Int64.fetchAll(
      db, sql: "SELECT position FROM events WHERE alert = ? ORDER BY version", arguments: [subject.description]
    ).compactMap { try one(db, at: $0) }
  }

  static func read(_ s: OpaquePointer) throws -> StoredEvent {
    let position = sqlite3_column_int64(s, 0)
    let alert = text(s, 1)
    let type = text(s, 3)
    guard let subject = Subject(alert), let type = EventType(rawValue: type) else {
      throw EventLogError(
        .unreadable, "event \(position) is of the unknown type \(type) about \(alert)",
        mend: "a newer Tocsin may have written it: use that one")
    }
    let count = Int(sqlite3_column_bytes(s, 8))
    let data = sqlite3_column_blob(s, 8).map { [UInt8](UnsafeRawBufferPointer(start: $0, count: count)) } ?? []
    return StoredEvent(
      position: position, subject: subject, version: Int(sqlite3_column_int64(s, 2)), type: type,
      occurredAt: Timestamp(microseconds: sqlite3_column_int64(s, 4)),
      recordedAt: Timestamp(microseconds: sqlite3_column_int64(s, 5)), actor: text(s, 6),
      cause: sqlite3_column_type(s, 7) == SQLITE_NULL ? nil : sqlite3_column_int64(s, 7), data: data)
  }

  private static func text(_ s: OpaquePointer, _ column: Int32) -> String {
    guard let p = sqlite3_column_text(s, column) else { return "" }
    return String(decoding: UnsafeBufferPointer(start: p, count: Int(sqlite3_column_bytes(s, column))), as: UTF8.self)
  }
}
