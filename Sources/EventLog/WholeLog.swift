import Alerts
import Foundation
import GRDB
import Synchronization

/// The log and its archives, read as one.
///
/// Positions are gapless, so a gap in the log's own rows says by itself what to look for in the archives. What is moved at this very
/// moment stands in both, and is read once.
struct WholeLog {
  let db: Database
  let path: String
  let shelf: ArchiveShelf

  init(_ db: Database, path: String, shelf: ArchiveShelf) {
    self.db = db
    self.path = path
    self.shelf = shelf
  }

  /// The last committed position; 0 when empty. It may stand in an archive.
  func head() throws -> Int64 { try Int64.fetchOne(db, sql: "SELECT max(last_position) FROM commits") ?? 0 }

  /// Events in order from `position` + 1 on, as they lie in memory, until the closure returns false.
  ///
  /// - Parameter missing: takes positions that are nowhere. Without it they are an error.
  /// - Parameter broken: takes rows that can't be read. Without it they are an error.
  func scan(
    after position: Int64, missing: ((ClosedRange<Int64>) throws -> Void)? = nil,
    broken: (EventLogError) throws -> Void = { throw $0 }, _ body: (EventView) throws -> Bool
  ) throws {
    guard position < Int64.max else { return }
    var expected = max(position, 0) + 1
    var goesOn = true
    func fill(upTo last: Int64) throws {
      guard last >= expected else { return }
      goesOn = try fromArchives(expected...last, missing: missing ?? missingIsAnError, broken: broken) {
        try $0.withView(body)
      }
      expected = last + 1
    }
    try EventRows.scan(
      db, in: expected...Int64.max,
      broken: { error in
        if let at = error.position {
          try fill(upTo: at - 1)
          expected = at + 1
        }
        try broken(error)
      }
    ) { e in
      if e.position > expected {
        try fill(upTo: e.position - 1)
        guard goesOn else { return false }
      }
      expected = e.position + 1
      goesOn = try body(e)
      return goesOn
    }
    if goesOn { try fill(upTo: try head()) }
  }

  /// As ``scan(after:missing:broken:_:)``, each event in memory of its own.
  func each(
    after position: Int64, missing: ((ClosedRange<Int64>) throws -> Void)? = nil,
    broken: (EventLogError) throws -> Void = { throw $0 }, _ body: (StoredEvent) throws -> Bool
  ) throws {
    var actor = ""
    try scan(after: position, missing: missing, broken: broken) { try body(StoredEvent($0, actor: &actor)) }
  }

  func event(at position: Int64) throws -> StoredEvent? {
    if let e = try EventRows.one(db, at: position) { return e }
    for archive in try shelf.archives(db) where archive.range.contains(position) {
      if let e = try shelf.read(archive, { try EventRows.one($0, at: position) }) { return e }
    }
    return nil
  }

  func life(of subject: Subject) throws -> [StoredEvent] {
    let here = try EventRows.life(db, of: subject)
    // Only beginnings are ever moved: what starts with the first version is all there is.
    if here.first?.version == 1 { return here }
    var byVersion: [Int: StoredEvent] = [:]
    for archive in try shelf.archives(db) {
      for e in try shelf.read(archive, { try EventRows.life($0, of: subject) }) { byVersion[e.version] = e }
    }
    for e in here { byVersion[e.version] = e }
    return byVersion.values.sorted { $0.version < $1.version }
  }

  // MARK: - Gaps

  /// So many positions are looked for at once.
  private static let window: Int64 = 4096

  private func fromArchives(
    _ range: ClosedRange<Int64>, missing: (ClosedRange<Int64>) throws -> Void,
    broken: (EventLogError) throws -> Void, _ body: (StoredEvent) throws -> Bool
  ) throws -> Bool {
    let archives = try shelf.archives(db).filter { $0.range.overlaps(range) }
    guard !archives.isEmpty else {
      try missing(range)
      return true
    }
    var start = range.lowerBound
    while start <= range.upperBound {
      let end = min(range.upperBound, start + WholeLog.window - 1)
      var found: [StoredEvent] = []
      var unreadable: Set<Int64> = []
      for archive in archives where archive.range.overlaps(start...end) {
        try shelf.read(archive) { db in
          try EventRows.each(
            db, in: start...end,
            broken: { error in
              if let at = error.position { unreadable.insert(at) }
              try broken(error)
            }
          ) { e in
            found.append(e)
            return true
          }
        }
      }
      if archives.count > 1 { found.sort { $0.position < $1.position } }
      var expected = start
      func skip(upTo last: Int64) throws {
        while expected <= last, unreadable.contains(expected) { expected += 1 }
        if expected <= last { try missing(expected...last) }
      }
      for e in found where e.position >= expected {
        try skip(upTo: e.position - 1)
        expected = e.position + 1
        if try !body(e) { return false }
      }
      try skip(upTo: end)
      start = end + 1
    }
    return true
  }

  private func missingIsAnError(_ range: ClosedRange<Int64>) throws {
    let what =
      range.count == 1 ? "event \(range.lowerBound) is" : "events \(range.lowerBound) to \(range.upperBound) are"
    throw EventLogError(
      .corrupt, "\(what) missing from the log \(path) and from its archives",
      mend: "run `tocsin log verify` to see how much is gone, and restore the log from a backup", at: range.lowerBound)
  }
}

/// Files that finished lives were moved to, beside the log's own file. They never change, and are opened when first asked for.
final class ArchiveShelf: Sendable {
  /// So many stay open at once; beyond, all are closed and opened again as they are needed.
  static let openLimit = 16

  struct Archive: Sendable {
    var number: Int64
    /// A name without a folder: it stands beside the log.
    var file: String
    var range: ClosedRange<Int64>
    var count: Int64
    var hash: [UInt8]
    /// Whether the log's own rows are gone.
    var isMoved: Bool
  }

  let logPath: String
  private let open = Mutex<[String: DatabaseQueue]>([:])

  init(logPath: String) { self.logPath = logPath }

  func archives(_ db: Database) throws -> [Archive] {
    try Row.fetchAll(db, sql: "SELECT * FROM archives ORDER BY number").map { row in
      let first: Int64 = row["first_position"]
      let file: String = row["file"]
      guard !file.contains("/"), !file.isEmpty else {
        throw EventLogError(
          .corrupt, "the log \(logPath) names the archive \"\(file)\", which is no file's name",
          mend: "restore the log from a backup")
      }
      return Archive(
        number: row["number"], file: file, range: first...max(first, row["last_position"]), count: row["event_count"],
        hash: [UInt8](row["hash"] as Data), isMoved: row["is_moved"])
    }
  }

  func path(_ file: String) -> String {
    ((logPath as NSString).deletingLastPathComponent as NSString).appendingPathComponent(file)
  }

  func read<T>(_ archive: Archive, _ body: (Database) throws -> T) throws -> T {
    let path = path(archive.file)
    do { return try queue(archive.file, path).inDatabase(body) } catch let error as DatabaseError {
      throw EventLogError.explain(error, path)
    }
  }

  private func queue(_ file: String, _ path: String) throws -> DatabaseQueue {
    if let known = open.withLock({ $0[file] }) { return known }
    guard FileManager.default.fileExists(atPath: path) else {
      throw EventLogError(
        .unreadable, "the archive \(path) is not there, and the log \(logPath) needs it",
        mend: "put it back beside the log, from a backup if need be")
    }
    let queue = try ArchiveShelf.open(path)
    open.withLock {
      if $0.count >= ArchiveShelf.openLimit { $0.removeAll() }
      $0[file] = queue
    }
    return queue
  }

  static func open(_ path: String) throws -> DatabaseQueue {
    var configuration = GRDB.Configuration()
    configuration.readonly = true
    configuration.label = "event archive"
    configuration.busyMode = .timeout(SQLiteEventLog.patience)
    let queue = try DatabaseQueue(path: path, configuration: configuration)
    try queue.inDatabase { db in
      guard try LogSchema.isLog(db, path: path, id: LogSchema.archiveID) else {
        throw EventLogError(.unreadable, "the archive \(path) is empty", mend: "restore it from a backup")
      }
    }
    return queue
  }
}
