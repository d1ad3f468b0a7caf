import Foundation
import GRDB
import GRDBSQLite

/// The limit: SQLite's C interface inserting rows in batches of 1000, with the log's pragmas and table, and nothing else.
enum RawSQLite {
  private struct Row {
    var position: Int64
    var alert: String
    var version: Int64
    var type: String
    var occurred: Int64
    var recorded: Int64
    var actor: String
    var data: String
  }
  private static let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

  /// - Returns: rows per second.
  static func insert(rowsOf source: String, into path: String, count: Int) throws -> Double {
    let rows = try DatabaseQueue(path: source).read { db in
      try GRDB.Row.fetchAll(
        db, sql: "SELECT * FROM events WHERE type = 'detected' ORDER BY position LIMIT ?", arguments: [count]
      ).map {
        Row(
          position: $0["position"], alert: $0["alert"], version: $0["version"], type: $0["type"],
          occurred: $0["occurred_at"], recorded: $0["recorded_at"], actor: $0["actor"], data: $0["data"])
      }
    }
    var db: OpaquePointer?
    sqlite3_open(path, &db)
    defer { sqlite3_close(db) }
    sqlite3_exec(
      db,
      """
      PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000; PRAGMA cache_size = -65536;
      CREATE TABLE events (position INTEGER PRIMARY KEY, alert TEXT NOT NULL, version INTEGER NOT NULL, type TEXT NOT NULL,
        occurred_at INTEGER NOT NULL, recorded_at INTEGER NOT NULL, actor TEXT NOT NULL, cause INTEGER, data TEXT NOT NULL,
        UNIQUE (alert, version)) STRICT
      """, nil, nil, nil)
    var statement: OpaquePointer?
    sqlite3_prepare_v2(db, "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, NULL, ?)", -1, &statement, nil)
    defer { sqlite3_finalize(statement) }
    let start = ContinuousClock.now
    for from in stride(from: 0, to: rows.count, by: 1000) {
      sqlite3_exec(db, "BEGIN IMMEDIATE", nil, nil, nil)
      for row in rows[from..<min(from + 1000, rows.count)] {
        sqlite3_bind_int64(statement, 1, row.position)
        sqlite3_bind_text(statement, 2, row.alert, -1, transient)
        sqlite3_bind_int64(statement, 3, row.version)
        sqlite3_bind_text(statement, 4, row.type, -1, transient)
        sqlite3_bind_int64(statement, 5, row.occurred)
        sqlite3_bind_int64(statement, 6, row.recorded)
        sqlite3_bind_text(statement, 7, row.actor, -1, transient)
        sqlite3_bind_text(statement, 8, row.data, -1, transient)
        sqlite3_step(statement)
        sqlite3_reset(statement)
      }
      sqlite3_exec(db, "COMMIT", nil, nil, nil)
    }
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    return Double(rows.count) / max(seconds, 1e-9)
  }
}
