import EventLog
import Foundation
import GRDBSQLite

/// The limit of whatever reads or writes the log's rows: SQLite's C interface, a statement and its columns, and nothing else.
enum RawRows {
  private static let columns = "position, alert, version, type, occurred_at, recorded_at, actor, cause, data"

  /// Steps over every row and looks at every column. Returns rows per second.
  static func read(_ path: String) -> Double {
    var db: OpaquePointer?
    sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, nil)
    defer { sqlite3_close(db) }
    sqlite3_exec(db, LogSchema.pragmas, nil, nil, nil)
    var statement: OpaquePointer?
    sqlite3_prepare_v2(db, "SELECT \(columns) FROM events ORDER BY position", -1, &statement, nil)
    defer { sqlite3_finalize(statement) }
    let start = ContinuousClock.now
    var rows = 0
    var sum: Int64 = 0
    while sqlite3_step(statement) == SQLITE_ROW {
      rows += 1
      for i: Int32 in [0, 2, 4, 5, 7] { sum &+= sqlite3_column_int64(statement, i) }
      for i: Int32 in [1, 3, 6, 8] {
        sum &+= sqlite3_column_text(statement, i) == nil ? 0 : Int64(sqlite3_column_bytes(statement, i))
      }
    }
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    return sum == 0 ? 0 : Double(rows) / max(seconds, 1e-9)
  }

  /// Inserts every row of the log at `source` into another file with the log's table and pragmas, in batches of 1000. Returns rows per second; the reading
  /// is not counted.
  static func insert(_ source: String, into path: String) -> Double {
    var from: OpaquePointer?
    var db: OpaquePointer?
    sqlite3_open_v2(source, &from, SQLITE_OPEN_READONLY, nil)
    sqlite3_open(path, &db)
    defer {
      sqlite3_close(from)
      sqlite3_close(db)
    }
    sqlite3_exec(
      db,
      """
      PRAGMA journal_mode = WAL; \(LogSchema.pragmas);
      CREATE TABLE events (position INTEGER PRIMARY KEY, alert TEXT NOT NULL, version INTEGER NOT NULL, type TEXT NOT NULL,
        occurred_at INTEGER NOT NULL, recorded_at INTEGER NOT NULL, actor TEXT NOT NULL, cause INTEGER, data TEXT NOT NULL,
        UNIQUE (alert, version)) STRICT
      """, nil, nil, nil)
    var select: OpaquePointer?
    var insert: OpaquePointer?
    sqlite3_prepare_v2(from, "SELECT \(columns) FROM events ORDER BY position", -1, &select, nil)
    sqlite3_prepare_v2(db, "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", -1, &insert, nil)
    defer {
      sqlite3_finalize(select)
      sqlite3_finalize(insert)
    }
    var rows = 0
    var seconds = 0.0
    var batch: [[OpaquePointer?]] = []
    func write() {
      let start = ContinuousClock.now
      sqlite3_exec(db, "BEGIN IMMEDIATE", nil, nil, nil)
      for row in batch {
        for (i, value) in row.enumerated() { sqlite3_bind_value(insert, Int32(i + 1), value) }
        sqlite3_step(insert)
        sqlite3_reset(insert)
      }
      sqlite3_exec(db, "COMMIT", nil, nil, nil)
      seconds += (ContinuousClock.now - start) / .seconds(1)
      rows += batch.count
      for row in batch { for value in row { sqlite3_value_free(value) } }
      batch.removeAll(keepingCapacity: true)
    }
    while sqlite3_step(select) == SQLITE_ROW {
      batch.append((0..<9).map { sqlite3_value_dup(sqlite3_column_value(select, Int32($0))) })
      if batch.count == 1000 { write() }
    }
    if !batch.isEmpty { write() }
    return Double(rows) / max(seconds, 1e-9)
  }
}
