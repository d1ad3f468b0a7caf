import EventLog
import Foundation
import GRDB
import GRDBSQLite

/// The limit: SQLite's C interface inserting the rows of a log in batches of 1000, with the log's own tables, indexes, triggers and pragmas, and nothing
/// else. What belongs to a commit in the log (its row of `commits`, its row of `intake`) belongs to each batch here, ready made: no hash is computed.
struct RawSQLite {
  private struct Event {
    var position: Int64
    var alert: [UInt8]
    var version: Int64
    var type: [UInt8]
    var occurred: Int64
    var recorded: Int64
    var actor: [UInt8]
    var cause: Int64?
    var data: [UInt8]
  }
  private static let batch = 1000
  private let schema: [String]
  private let events: [Event]
  private let hash: [UInt8]

  /// The first `count` events of the log at `path`.
  init(rowsOf path: String, count: Int) throws {
    var configuration = GRDB.Configuration()
    configuration.readonly = true
    configuration.busyMode = .timeout(10)
    (schema, events, hash) = try DatabaseQueue(path: path, configuration: configuration).read { db in
      func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }
      let schema = try String.fetchAll(
        db, sql: "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY type = 'trigger', rowid")
      var events: [Event] = []
      let rows = try Row.fetchCursor(
        db, sql: "SELECT * FROM events ORDER BY position LIMIT ?", arguments: [count])
      while let r = try rows.next() {
        events.append(
          Event(
            position: r["position"], alert: bytes(r["alert"]), version: r["version"], type: bytes(r["type"]),
            occurred: r["occurred_at"], recorded: r["recorded_at"], actor: bytes(r["actor"]), cause: r["cause"],
            data: bytes(r["data"])))
      }
      let hash = try Data.fetchOne(db, sql: "SELECT hash FROM commits LIMIT 1") ?? Data()
      return (schema, events, [UInt8](hash))
    }
  }

  /// - Returns: events per second.
  func insert(into path: String) throws -> Double {
    var db: OpaquePointer?
    sqlite3_open(path, &db)
    defer { sqlite3_close(db) }
    func run(_ sql: String) throws {
      guard sqlite3_exec(db, sql, nil, nil, nil) == SQLITE_OK else {
        throw BenchError("raw SQLite: \(String(cString: sqlite3_errmsg(db)))")
      }
    }
    try run("PRAGMA journal_mode = WAL; \(LogSchema.pragmas)")
    for sql in schema { try run(sql) }
    let event = try statement(db, "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")
    let commit = try statement(db, "INSERT INTO commits VALUES (?, ?, ?, ?, ?)")
    let intake = try statement(db, "INSERT INTO intake VALUES (?, ?, ?)")
    defer { for s in [event, commit, intake] { sqlite3_finalize(s) } }
    let hashes = (0..<RawSQLite.batch * 16).map { UInt8(truncatingIfNeeded: $0 &* 37) }

    let start = ContinuousClock.now
    for from in stride(from: 0, to: events.count, by: RawSQLite.batch) {
      let rows = events[from..<min(from + RawSQLite.batch, events.count)]
      try run("BEGIN IMMEDIATE")
      for row in rows {
        sqlite3_bind_int64(event, 1, row.position)
        sqlite3_bind_int64(event, 3, row.version)
        sqlite3_bind_int64(event, 5, row.occurred)
        sqlite3_bind_int64(event, 6, row.recorded)
        if let cause = row.cause { sqlite3_bind_int64(event, 8, cause) } else { sqlite3_bind_null(event, 8) }
        bind(event, 2, row.alert)
        bind(event, 4, row.type)
        bind(event, 7, row.actor)
        try bind(event, 9, row.data) { try step(db, event) }
      }
      let last = rows.last?.position ?? 0
      sqlite3_bind_int64(commit, 1, last)
      sqlite3_bind_int64(commit, 2, last - Int64(rows.count) + 1)
      sqlite3_bind_int64(commit, 3, 0)
      try hash.withUnsafeBytes { b in
        sqlite3_bind_blob(commit, 4, b.baseAddress, Int32(b.count), nil)
        sqlite3_bind_blob(commit, 5, b.baseAddress, Int32(b.count), nil)
        try step(db, commit)
      }
      sqlite3_bind_int64(intake, 1, last)
      sqlite3_bind_int64(intake, 2, last)
      try hashes.withUnsafeBytes { b in
        sqlite3_bind_blob(intake, 3, b.baseAddress, Int32(16 * rows.count), nil)
        try step(db, intake)
      }
      try run("COMMIT")
    }
    return Double(events.count) / max((ContinuousClock.now - start) / .seconds(1), 1e-9)
  }

  private func statement(_ db: OpaquePointer?, _ sql: String) throws -> OpaquePointer? {
    var statement: OpaquePointer?
    guard sqlite3_prepare_v2(db, sql, -1, &statement, nil) == SQLITE_OK else {
      throw BenchError("raw SQLite: \(String(cString: sqlite3_errmsg(db)))")
    }
    return statement
  }

  /// SQLite keeps a copy: these are short.
  private func bind(_ s: OpaquePointer?, _ column: Int32, _ text: [UInt8]) {
    text.withUnsafeBytes { b in
      _ = sqlite3_bind_text(
        s, column, b.bindMemory(to: CChar.self).baseAddress, Int32(b.count),
        unsafeBitCast(-1, to: sqlite3_destructor_type.self))
    }
  }

  /// No copy: the text stays where it is until `body` is over.
  private func bind(_ s: OpaquePointer?, _ column: Int32, _ text: [UInt8], _ body: () throws -> Void) rethrows {
    try text.withUnsafeBytes { b in
      sqlite3_bind_text(s, column, b.bindMemory(to: CChar.self).baseAddress, Int32(b.count), nil)
      try body()
    }
  }

  private func step(_ db: OpaquePointer?, _ s: OpaquePointer?) throws {
    guard sqlite3_step(s) == SQLITE_DONE else {
      throw BenchError("raw SQLite: \(String(cString: sqlite3_errmsg(db)))")
    }
    sqlite3_reset(s)
  }
}

struct BenchError: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}
