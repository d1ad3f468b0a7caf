import Foundation
import GRDB
import Logging

/// Opening, emptying and throwing away the projections' file.
enum ProjectionFile {
  /// Bytes, of a file that is made anew; one that is there keeps its own. Rows are a few hundred bytes, and of twice the usual size fewer pages are changed by a batch.
  static let pageSize = 8192
  /// Pages in the write-ahead log after which they go into the file: 16 MiB.
  static let checkpointPages = 2000

  static func open(_ path: String, _ logger: Logger) throws -> DatabaseQueue {
    do {
      let queue = try connect(path)
      let fault = try queue.inDatabase { db in try prepare(db) }
      guard let fault else { return queue }
      try queue.close()
      logger.warning(
        "the projections' file is thrown away; it is built anew from the log",
        metadata: ["file": "\(path)", "reason": "\(fault)"])
    } catch let error as DatabaseError where isDamage(error) {
      logger.warning(
        "the projections' file is damaged and is thrown away; it is built anew from the log",
        metadata: ["file": "\(path)", "error": "\(error.message ?? error.resultCode.description)"])
    }
    try discard(path)
    let queue = try connect(path)
    if let fault = try queue.inDatabase({ db in try prepare(db) }) {
      throw ProjectionError(.unwritable, "\(path) can't be made: \(fault)")
    }
    return queue
  }

  private static func connect(_ path: String) throws -> DatabaseQueue {
    var configuration = GRDB.Configuration()
    configuration.label = "projections"
    configuration.busyMode = .timeout(5)
    configuration.prepareDatabase { db in
      // NORMAL: a power cut may take the last commits back, never leave half of one. The log has them all.
      try db.execute(
        sql: """
          PRAGMA page_size = \(pageSize); PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
          PRAGMA wal_autocheckpoint = \(checkpointPages); PRAGMA cache_size = -65536; PRAGMA journal_size_limit = 67108864
          """)
    }
    return try DatabaseQueue(path: path, configuration: configuration)
  }

  /// Makes the tables in an empty file. Returns why the file can't be used as it is, or nil.
  private static func prepare(_ db: Database) throws -> String? {
    let tableCount = try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_schema") ?? 0
    let id = try Int.fetchOne(db, sql: "PRAGMA application_id") ?? 0
    let version = try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
    if tableCount == 0 {
      try db.inTransaction(.immediate) {
        try create(db)
        return .commit
      }
      return nil
    }
    guard id == ProjectionSchema.applicationID else {
      throw ProjectionError(
        .unwritable, "there is an SQLite file of another program in the projections' place",
        mend: "point `projections:` in tocsin.yaml at a file of its own")
    }
    guard version == ProjectionSchema.version else {
      return "it has schema \(version), this Tocsin writes schema \(ProjectionSchema.version)"
    }
    guard try Int.fetchOne(db, sql: "SELECT count(*) FROM progress") == 1 else { return "it names no position" }
    return nil
  }

  private static func create(_ db: Database) throws {
    try db.execute(sql: ProjectionSchema.tables)
    try db.execute(sql: ProjectionSchema.indexes)
    try db.execute(
      sql: """
        PRAGMA application_id = \(ProjectionSchema.applicationID); PRAGMA user_version = \(ProjectionSchema.version)
        """)
  }

  /// Drops all there is and makes the empty tables again, in one transaction: readers see the old rows or the new tables.
  static func empty(_ db: Database) throws {
    try db.inTransaction(.immediate) {
      try db.execute(sql: "DROP VIEW IF EXISTS weekly_summary; DROP TABLE IF EXISTS alert_search")
      let tables = try String.fetchAll(
        db, sql: "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
      for table in tables { try db.execute(sql: "DROP TABLE \(table.quotedDatabaseIdentifier)") }
      try create(db)
      return .commit
    }
  }

  static func discard(_ path: String) throws {
    for suffix in ["", "-wal", "-shm", "-journal"] {
      let file = path + suffix
      guard FileManager.default.fileExists(atPath: file) else { continue }
      do { try FileManager.default.removeItem(atPath: file) } catch {
        throw ProjectionError(
          .unwritable, "\(file) can't be removed: \(error.localizedDescription)",
          mend: "remove it by hand, or check who owns the folder")
      }
    }
  }

  static func isDamage(_ error: DatabaseError) -> Bool {
    switch error.resultCode.primaryResultCode {
    case .SQLITE_CORRUPT, .SQLITE_NOTADB, .SQLITE_FORMAT, .SQLITE_SCHEMA: true
    // A table or column that should be there is not: somebody changed the file.
    case .SQLITE_ERROR: error.message.map { $0.contains("no such ") || $0.contains("has no column") } ?? false
    default: false
    }
  }

  static func explain(_ error: any Error, _ path: String) -> ProjectionError {
    if let known = error as? ProjectionError { return known }
    guard let e = error as? DatabaseError else {
      return ProjectionError(.unreadable, "the projections \(path) can't be used: \(error)")
    }
    let detail = "\(e.resultCode.description)\(e.message.map { ": \($0)" } ?? "")"
    switch e.resultCode.primaryResultCode {
    case .SQLITE_FULL:
      return ProjectionError(
        .unwritable, "the disk that holds the projections \(path) is full (\(detail))",
        mend: "free some space; nothing is lost, and they catch up by themselves")
    case .SQLITE_READONLY, .SQLITE_IOERR, .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_AUTH:
      return ProjectionError(
        .unwritable, "the projections \(path) can't be written (\(detail))",
        mend: "check the disk, the folder's owner and whether it is mounted read-only")
    case .SQLITE_BUSY, .SQLITE_LOCKED:
      return ProjectionError(
        .unwritable, "the projections \(path) are locked by another program (\(detail))",
        mend: "end what holds them (an open sqlite3 shell with a transaction?); they catch up by themselves")
    default: return ProjectionError(.unreadable, "the projections \(path) can't be used (\(detail))")
    }
  }
}
