package import Alerts
import Foundation
import GRDB
import GRDBSQLite

/// The log in an SQLite file: WAL, `synchronous=FULL`, one writer.
package final class SQLiteEventLog: EventLog {
  package let path: String
  package private(set) var head: Int64 = 0
  package private(set) var headHash: [UInt8] = CommitHash.start
  /// So many anomalies are remembered: see ``IntakeLimit``.
  private let intakeLimit: Int64
  /// How many were ever taken in, and how many of the oldest are forgotten.
  private var seen: Int64 = 0
  private var forgotten: Int64 = 0
  /// A commit failed, and nobody knows on which side of its last step.
  private var isUncertain = false
  private let lock: WriterLock
  private let shelf: ArchiveShelf
  let queue: DatabaseQueue

  /// How long a write waits for another program that has the file locked, before it fails and is tried again later.
  static let patience: TimeInterval = 1

  /// Opens the log, or makes it.
  ///
  /// - Parameter makesRoom: for a service, which commits again and again: see ``WriteAheadRoom``.
  /// - Throws: ``EventLogError``: `locked` if another service has it, `unwritable`, `unreadable`, `corrupt`.
  package init(path: String, intakeLimit: Int64 = IntakeLimit.standard, makesRoom: Bool = false) throws(EventLogError) {
    self.path = path
    shelf = ArchiveShelf(logPath: path)
    self.intakeLimit = intakeLimit
    let folder = (path as NSString).deletingLastPathComponent
    if !folder.isEmpty {
      do { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) } catch {
        throw EventLogError(
          .unwritable, "the folder \(folder) can't be made: \(error.localizedDescription)",
          mend: "make it yourself, owned by the user that runs Tocsin, or point `log:` in tocsin.yaml elsewhere")
      }
    }
    try SQLiteEventLog.refuseSeveralNames(path)
    lock = try WriterLock(path: path)
    do {
      var configuration = GRDB.Configuration()
      configuration.label = "event log"
      configuration.busyMode = .timeout(SQLiteEventLog.patience)
      queue = try DatabaseQueue(path: path, configuration: configuration)
      try queue.inDatabase { db in
        // What is another program's is left as it is: look first, and only then set the journal's mode.
        let isLog = try LogSchema.isLog(db, path: path)
        try SQLiteEventLog.prepare(db, path: path)
        if !isLog { try LogSchema.create(db) }
      }
    } catch { throw EventLogError.explain(error, path) }
    try recall()
    if makesRoom { WriteAheadRoom.make(path + "-wal") }
  }

  /// A hard link is another name of the same file, with a lock and a write-ahead log of its own: two services would each write over the other.
  /// A symbolic link leads to the one name, and is no danger.
  private static func refuseSeveralNames(_ path: String) throws(EventLogError) {
    var status = stat()
    guard stat(path, &status) == 0, status.st_nlink > 1 else { return }
    throw EventLogError(
      .locked,
      "the log \(path) has \(status.st_nlink) names (hard links): another service could have it open under one of them",
      mend:
        "remove the other names; `find -inum \(status.st_ino)` on that file system shows them. To copy a log, use `tocsin log backup`"
    )
  }

  private static func prepare(_ db: Database, path: String) throws {
    let mode = try String.fetchOne(db, sql: "PRAGMA journal_mode = WAL")
    guard mode == "wal" else {
      throw EventLogError(
        .unwritable, "the log \(path) can't be kept with a write-ahead log here (journal_mode is \(mode ?? "unknown"))",
        mend: "put it on a local file system: a network share can't hold it")
    }
    try db.execute(sql: LogSchema.pragmas)
  }

  /// Reads where the log ends.
  private func recall() throws(EventLogError) {
    do {
      try queue.inDatabase { db in
        let last = try Row.fetchOne(
          db, sql: "SELECT last_position, hash FROM commits ORDER BY last_position DESC LIMIT 1")
        head = last?["last_position"] ?? 0
        headHash = (last?["hash"] as Data?).map { [UInt8]($0) } ?? CommitHash.start
        let newest = try Row.fetchOne(db, sql: "SELECT seen FROM intake ORDER BY last_position DESC LIMIT 1")
        let oldest = try Row.fetchOne(
          db, sql: "SELECT seen - length(hashes) / 16 AS before FROM intake ORDER BY last_position LIMIT 1")
        seen = newest?["seen"] ?? 0
        forgotten = oldest?["before"] ?? 0
      }
    } catch { throw EventLogError.explain(error, path) }
  }

  package func append(_ commit: Commit) throws(EventLogError) {
    if isUncertain {
      // The last commit failed, but it may have been its last step that did: then it is in, and is not to go in again.
      let before = head
      try recall()
      isUncertain = false
      if head > before {
        if let last = commit.lastPosition, last == head, headHash == hash(commit, after: before) { return }
        throw EventLogError(
          .conflict, "the log \(path) is at position \(head), not \(before)",
          mend: "another program has written to the log: stop it, then start the service again")
      }
    }
    try commit.checkPositions(after: head)
    do {
      try queue.inDatabase { db in
        var hash = CommitHash.start
        var seen = seen
        var forgotten = forgotten
        try db.inTransaction(.immediate) {
          hash = try insert(commit, db)
          if !commit.intake.isEmpty {
            seen += Int64(commit.intake.count / 16)
            try insert(intake: commit.intake, seen: seen, at: head + Int64(commit.count), db)
            forgotten = try forget(seen: seen, forgotten: forgotten, db)
          }
          return .commit
        }
        head += Int64(commit.count)
        headHash = hash
        self.seen = seen
        self.forgotten = forgotten
      }
    } catch {
      isUncertain = true
      throw EventLogError.explain(error, path)
    }
  }

  private func hash(_ commit: Commit, after position: Int64) -> [UInt8] {
    let before = (try? hash(at: position)) ?? nil
    return CommitHash.next(after: before ?? CommitHash.start, commit)
  }

  // MARK: - Rows

  /// Returns the chain's new hash.
  private func insert(_ commit: Commit, _ db: Database) throws -> [UInt8] {
    let intakeHash = CommitHash.intake(commit.intake)
    var hash = CommitHash(after: headHash, intakeHash: intakeHash)
    let insert = try EventInsert(db)
    try commit.eachRow { row in
      try insert.run(row)
      hash.add(row)
    }
    let result = hash.finish()
    try db.cachedStatement(
      sql: "INSERT INTO commits (last_position, first_position, recorded_at, intake_hash, hash) VALUES (?, ?, ?, ?, ?)"
    ).execute(arguments: [
      head + Int64(commit.count), head + 1, commit.recordedAt.microseconds,
      intakeHash.isEmpty ? nil : Data(intakeHash), Data(result),
    ])
    return result
  }

  private func insert(intake: [UInt8], seen: Int64, at position: Int64, _ db: Database) throws {
    let statement = try db.cachedStatement(sql: "INSERT INTO intake VALUES (?, ?, ?)")
    let s = statement.sqliteStatement
    defer {
      sqlite3_reset(s)
      sqlite3_clear_bindings(s)
    }
    sqlite3_bind_int64(s, 1, position)
    sqlite3_bind_int64(s, 2, seen)
    let code = intake.withUnsafeBytes { b in
      sqlite3_bind_blob(s, 3, b.baseAddress, Int32(b.count), nil)
      let code = sqlite3_step(s)
      sqlite3_reset(s)
      return code
    }
    guard code == SQLITE_DONE else { throw db.lastError("INSERT INTO intake") }
  }

  /// Takes out the oldest rows of the intake that are beyond the limit. Returns how many anomalies are forgotten in all.
  private func forget(seen: Int64, forgotten: Int64, _ db: Database) throws -> Int64 {
    var forgotten = forgotten
    guard seen - forgotten > intakeLimit else { return forgotten }
    let rows = try Row.fetchAll(
      db, sql: "SELECT last_position, seen FROM intake ORDER BY last_position LIMIT ?",
      arguments: [IntakeLimit.rowsPerCommit])
    for row in rows {
      let upTo: Int64 = row["seen"]
      guard seen - upTo >= intakeLimit else { break }
      try db.execute(sql: "DELETE FROM intake WHERE last_position = ?", arguments: [row["last_position"] as Int64])
      forgotten = upTo
    }
    return forgotten
  }

  // MARK: - Reading

  package func replay(after position: Int64, _ body: (StoredEvent) throws -> Bool) throws {
    try queue.inDatabase { db in
      try WholeLog(db, path: path, shelf: shelf).each(after: position, body)
    }
  }

  package func scan(after position: Int64, _ body: (EventView) throws -> Bool) throws {
    try queue.inDatabase { db in
      try WholeLog(db, path: path, shelf: shelf).scan(after: position, body)
    }
  }

  package func event(at position: Int64) throws -> StoredEvent? {
    try queue.inDatabase { db in try WholeLog(db, path: path, shelf: shelf).event(at: position) }
  }

  package func life(of subject: Subject) throws -> [StoredEvent] {
    try queue.inDatabase { db in try WholeLog(db, path: path, shelf: shelf).life(of: subject) }
  }

  package func intake(_ body: (UnsafeRawBufferPointer) -> Bool) throws {
    try queue.inDatabase { db in
      let rows = try Row.fetchCursor(db, sql: "SELECT hashes FROM intake ORDER BY last_position DESC")
      while let row = try rows.next() {
        let go = try row.withUnsafeData(atIndex: 0) { data in data.map { $0.withUnsafeBytes(body) } ?? true }
        if !go { return }
      }
    }
  }

  package func hash(at position: Int64) throws -> [UInt8]? {
    if position == 0 { return CommitHash.start }
    return try queue.inDatabase { db in
      try Data.fetchOne(db, sql: "SELECT hash FROM commits WHERE last_position = ?", arguments: [position])
        .map { [UInt8]($0) }
    }
  }
}

extension SQLiteEventLog: IntakeRecord {
  package var intakeSeen: Int64 { seen }
  package var intakeForgotten: Int64 { forgotten }

  package func intake(
    after position: Int64, _ body: (_ hashes: UnsafeRawBufferPointer, _ seen: Int64, _ position: Int64) throws -> Bool
  ) throws {
    try queue.inDatabase { db in
      let rows = try Row.fetchCursor(
        db, sql: "SELECT hashes, seen, last_position FROM intake WHERE last_position > ? ORDER BY last_position",
        arguments: [position])
      while let row = try rows.next() {
        let (total, position): (Int64, Int64) = (row["seen"], row["last_position"])
        let goesOn = try row.withUnsafeData(atIndex: 0) { data in
          try data.map { try $0.withUnsafeBytes { try body($0, total, position) } } ?? true
        }
        if !goesOn { return }
      }
    }
  }
}

extension Database {
  /// After a call of the C interface that failed.
  func lastError(_ sql: String) -> DatabaseError {
    DatabaseError(
      resultCode: ResultCode(rawValue: sqlite3_extended_errcode(sqliteConnection)), message: lastErrorMessage, sql: sql)
  }
}
