package import Alerts
import Foundation
import GRDB
import GRDBSQLite

/// The log in an SQLite file: WAL, `synchronous=FULL`, one writer.
package final class SQLiteEventLog: EventLog {
  package let path: String
  package private(set) var head: Int64 = 0
  private var lastHash: [UInt8]
  private let lock: WriterLock
  private let queue: DatabaseQueue

  /// Opens the log, or makes it.
  ///
  /// - Throws: ``EventLogError``: `locked` if another service has it, `unwritable`, `unreadable`.
  package init(path: String) throws(EventLogError) {
    self.path = path
    let folder = (path as NSString).deletingLastPathComponent
    if !folder.isEmpty {
      do { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) } catch {
        throw EventLogError(.unwritable, "the folder \(folder) can't be made: \(error.localizedDescription)")
      }
    }
    lock = try WriterLock(path: path)
    do {
      var configuration = GRDB.Configuration()
      configuration.label = "event log"
      configuration.busyMode = .timeout(5)
      configuration.prepareDatabase { db in
        // FULL: a commit is on the disk when it returns. See the promise about `stored`.
        try db.execute(
          sql: """
            PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000;
            PRAGMA cache_size = -65536; PRAGMA journal_size_limit = 67108864
            """)
      }
      queue = try DatabaseQueue(path: path, configuration: configuration)
      let (head, hash) = try queue.inDatabase { db in
        try LogSchema.prepare(db, path: path)
        let row = try Row.fetchOne(
          db, sql: "SELECT last_position, hash FROM commits ORDER BY last_position DESC LIMIT 1")
        return (row?["last_position"] as Int64? ?? 0, (row?["hash"] as Data?).map { [UInt8]($0) } ?? CommitHash.start)
      }
      self.head = head
      lastHash = hash
    } catch { throw SQLiteEventLog.explain(error, path) }
  }

  package func append(_ commit: Commit) throws(EventLogError) {
    guard !commit.events.isEmpty || !commit.intake.isEmpty else { return }
    let first = head + 1
    for (i, e) in commit.events.enumerated() where e.position != first + Int64(i) {
      throw EventLogError(.conflict, "event \(e.position) can't follow position \(first + Int64(i) - 1)")
    }
    guard let last = commit.events.last?.position else {
      // A commit of repeats alone still makes their ids known: it hangs on the next commit with an event.
      throw EventLogError(.conflict, "a commit needs at least one event")
    }
    let hash = CommitHash.next(after: lastHash, events: commit.events, intake: commit.intake)
    do {
      try queue.inDatabase { db in
        try db.inTransaction(.immediate) {
          try SQLiteEventLog.insert(commit.events, db)
          let statement = try db.cachedStatement(
            sql: "INSERT INTO commits (last_position, first_position, recorded_at, intake, hash) VALUES (?, ?, ?, ?, ?)"
          )
          try statement.execute(arguments: [
            last, first, commit.recordedAt.microseconds, commit.intake.isEmpty ? nil : Data(commit.intake), Data(hash),
          ])
          return .commit
        }
      }
    } catch { throw SQLiteEventLog.explain(error, path) }
    head = last
    lastHash = hash
  }

  /// The hot path: the C interface, without a box for each value.
  private static func insert(_ events: [StoredEvent], _ db: Database) throws {
    let statement = try db.cachedStatement(sql: "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")
    let s = statement.sqliteStatement
    // Bound bytes live until the statement is reset, within this loop: SQLite need not copy them.
    func bind(_ text: String, _ index: Int32, _ body: () throws -> Void) rethrows {
      var text = text
      try text.withUTF8 { b in
        try b.withMemoryRebound(to: CChar.self) { c in
          _ = sqlite3_bind_text(s, index, c.baseAddress, Int32(c.count), nil)
          try body()
        }
      }
    }
    defer {
      sqlite3_reset(s)
      sqlite3_clear_bindings(s)
    }
    for e in events {
      sqlite3_bind_int64(s, 1, e.position)
      sqlite3_bind_int64(s, 3, Int64(e.version))
      sqlite3_bind_int64(s, 5, e.occurredAt.microseconds)
      sqlite3_bind_int64(s, 6, e.recordedAt.microseconds)
      if let cause = e.cause { sqlite3_bind_int64(s, 8, cause) } else { sqlite3_bind_null(s, 8) }
      try bind(e.subject.description, 2) {
        try bind(e.type.rawValue, 4) {
          try bind(e.actor, 7) {
            try e.data.withUnsafeBufferPointer { b in
              try b.withMemoryRebound(to: CChar.self) { c in
                sqlite3_bind_text(s, 9, c.baseAddress, Int32(c.count), nil)
                guard sqlite3_step(s) == SQLITE_DONE else {
                  throw DatabaseError(
                    resultCode: ResultCode(rawValue: sqlite3_extended_errcode(db.sqliteConnection)),
                    message: db.lastErrorMessage, sql: "INSERT INTO events")
                }
              }
            }
          }
        }
      }
      sqlite3_reset(s)
    }
  }

  package func replay(after position: Int64, _ body: (StoredEvent) throws -> Bool) throws {
    try queue.inDatabase { db in try EventRows.each(db, after: position, body) }
  }

  package func event(at position: Int64) throws -> StoredEvent? {
    try queue.inDatabase { db in try EventRows.one(db, at: position) }
  }

  package func life(of subject: Subject) throws -> [StoredEvent] {
    try queue.inDatabase { db in try EventRows.life(db, of: subject) }
  }

  package func intake(_ body: (UnsafeRawBufferPointer) -> Bool) throws {
    try queue.inDatabase { db in
      let rows = try Row.fetchCursor(
        db, sql: "SELECT intake FROM commits WHERE intake IS NOT NULL ORDER BY last_position DESC")
      while let row = try rows.next() {
        let go = try row.withUnsafeData(atIndex: 0) { data in data.map { $0.withUnsafeBytes(body) } ?? true }
        if !go { return }
      }
    }
  }

  static func explain(_ error: any Error, _ path: String) -> EventLogError {
    if let known = error as? EventLogError { return known }
    guard let e = error as? DatabaseError else {
      return EventLogError(.unreadable, "the log \(path) can't be used: \(error)")
    }
    let detail = "\(e.resultCode.description)\(e.message.map { ": \($0)" } ?? "")"
    switch e.resultCode.primaryResultCode {
    case .SQLITE_FULL:
      return EventLogError(
        .unwritable, "the disk that holds the log \(path) is full (\(detail))",
        mend: "free some space; nothing that was answered is lost, and the service goes on by itself")
    case .SQLITE_READONLY, .SQLITE_IOERR, .SQLITE_CANTOPEN, .SQLITE_PERM:
      return EventLogError(
        .unwritable, "the log \(path) can't be written (\(detail))",
        mend: "check the disk, the folder's owner and whether it is mounted read-only")
    case .SQLITE_BUSY, .SQLITE_LOCKED:
      return EventLogError(
        .unwritable, "the log \(path) is locked by another program (\(detail))",
        mend: "end what holds it (an open sqlite3 shell with a transaction?); the service goes on by itself")
    case .SQLITE_CONSTRAINT:
      return EventLogError(.conflict, "the log \(path) refused an event (\(detail))")
    case .SQLITE_NOTADB, .SQLITE_CORRUPT:
      return EventLogError(
        .corrupt, "the log \(path) is damaged (\(detail))",
        mend: "restore it from a backup made with `tocsin log backup`")
    default: return EventLogError(.unreadable, "the log \(path) can't be used (\(detail))")
    }
  }
}
