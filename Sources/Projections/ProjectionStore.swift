import CrashPoints
package import EventLog
import Foundation
import GRDB
package import Logging

/// The projections' file, as its one writer sees it: tables that follow from the event log, and the position up to which they do.
///
/// The position is committed with the rows, so a crash at any instant leaves rows that belong to it. A file of another schema, a damaged one, or one that belongs
/// to another log is thrown away and built again; the log says so. Not safe for use from several threads at once.
package final class ProjectionStore {
  package let path: String
  private let logger: Logger
  var queue: DatabaseQueue
  private var writer: ProjectionWriter?
  /// The file's identity when it was opened: a file that was deleted meanwhile is missed by nobody but this.
  private var file: FileIdentity?
  private var position: Int64 = -1
  private var isMatched = false

  /// Events in one transaction, unless the caller says otherwise or much is in memory (``ProjectionWriter/cacheBytes``): enough to pay for the commit, few enough that
  /// a reader's view is never far behind.
  package static let batchLimit = 4000
  /// As many times that while much is built at once: an alert's row that many events touch is written once for all of them.
  static let bulkBatches = 8
  /// As ``ProjectionFile/checkpointPages``, while much is built at once: 64 MiB, which ``WriteAheadTidying`` seldom lets it come to.
  static let bulkCheckpointPages = 8_000
  /// From so many events behind on, indexes and the full-text index are made at the end instead of being kept up.
  static let bulkThreshold: Int64 = 50_000

  /// Opens the file, or makes it.
  ///
  /// - Throws: ``ProjectionError`` with `unwritable` where the file can be neither used nor replaced.
  package init(path: String, logger: Logger) throws(ProjectionError) {
    self.path = path
    self.logger = logger
    let folder = (path as NSString).deletingLastPathComponent
    if !folder.isEmpty {
      do { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) } catch {
        throw ProjectionError(.unwritable, "the folder \(folder) can't be made: \(error.localizedDescription)")
      }
    }
    do { queue = try ProjectionFile.open(path, logger) } catch { throw ProjectionFile.explain(error, path) }
    file = FileIdentity(path)
  }

  // MARK: - Following the log

  /// Takes in what the log has beyond the tables, up to the head that it finds when it begins.
  ///
  /// - Parameter progress: told after each batch: the position reached, and the head.
  /// - Returns: The position reached.
  /// - Throws: ``ProjectionError`` (`unwritable`: try again later), or what the log's reader throws.
  @discardableResult
  package func catchUp(
    from log: some EventReading, batch: Int = batchLimit, progress: ((_ position: Int64, _ head: Int64) -> Void)? = nil
  ) throws -> Int64 {
    try withMending {
      let head = try log.head()
      var position = try self.match(log, head: head)
      let isBulk = try self.beginBulk(if: head - position >= ProjectionStore.bulkThreshold)
      let tidying = isBulk ? WriteAheadTidying(self.path) : nil
      defer { tidying?.end() }
      let reading = EventPrefetch(log, head: head, limit: min(batch, EventPrefetch.batchLimit))
      let room = Int64(Swift.min(batch, 1 << 32) * (isBulk ? ProjectionStore.bulkBatches : 1))
      while position < head {
        position = try self.take(from: reading, after: position, head: head, room: room, isBulk: isBulk)
        tidying?.begin()
        progress?(position, head)
      }
      if isBulk { try self.endBulk() }
      return position
    }
  }

  /// Drops all rows and builds them again from the log.
  @discardableResult
  package func rebuild(
    from log: some EventReading, batch: Int = batchLimit, progress: ((_ position: Int64, _ head: Int64) -> Void)? = nil
  ) throws -> Int64 {
    try withMending {
      self.writer = nil
      try self.queue.inDatabase { db in try ProjectionFile.empty(db) }
    }
    return try catchUp(from: log, batch: batch, progress: progress)
  }

  /// The position that the tables have reached.
  package func reached() throws -> Int64 {
    try withMending {
      try self.queue.inDatabase { db in try Int64.fetchOne(db, sql: "SELECT position FROM progress") ?? 0 }
    }
  }

  /// Every row of every table, one a line, in a fixed order: two files that hold the same give the same text.
  package func dump(_ line: (String) throws -> Void) throws {
    try queue.inDatabase { db in
      for (table, order) in ProjectionSchema.dumped {
        let rows = try Row.fetchCursor(db, sql: "SELECT * FROM \(table) ORDER BY \(order)")
        while let row = try rows.next() {
          let values = row.databaseValues.map { String(describing: $0) }
          try line("\(table)|\(values.joined(separator: "|"))")
        }
      }
    }
  }

  // MARK: - One batch

  /// Takes in at least `room` events in one transaction, if there are so many.
  private func take(
    from reading: EventPrefetch, after position: Int64, head: Int64, room: Int64, isBulk: Bool
  ) throws -> Int64 {
    var batch = try reading.next(after: position)
    guard var last = batch.last else { return head }
    var unreadable: [(position: Int64, why: String)] = []
    do {
      try queue.inDatabase { db in
        try db.inTransaction(.immediate) {
          // Another process may have taken these in, or begun anew: then what is remembered here counts for nothing.
          let stored = try Int64.fetchOne(db, sql: "SELECT position FROM progress") ?? 0
          guard stored == position else {
            writer = nil
            self.position = stored
            return .commit
          }
          let writer = try self.writer ?? ProjectionWriter(db)
          self.writer = writer
          writer.keepsSearch = !isBulk
          while true {
            try writer.apply(batch) { unreadable.append(($0, $1)) }
            reading.release(batch)
            batch = .nothing
            guard last.position - position < room, last.position < head, !writer.isFull else { break }
            batch = try reading.next(after: last.position)
            guard let next = batch.last else { break }
            last = next
          }
          try writer.flush(position: last.position, mark: last.mark)
          self.position = last.position
          return .commit
        }
      }
    } catch {
      writer = nil
      throw error
    }
    CrashPoint.pass(.projection)
    for (position, why) in unreadable {
      logger.warning("an event can't be shown", metadata: ["position": "\(position)", "error": "\(why)"])
    }
    return self.position
  }

  /// The position to go on from: 0 where the rows are those of another log.
  private func match(_ log: some EventReading, head: Int64) throws -> Int64 {
    let (position, mark) = try queue.inDatabase { db in
      let row = try Row.fetchOne(db, sql: "SELECT position, mark FROM progress")
      return (row?["position"] as Int64? ?? 0, row?["mark"] as String? ?? "")
    }
    if position != self.position { writer = nil }
    if position == 0 || (isMatched && position <= head && position == self.position) {
      self.position = position
      return position
    }
    var reason: String?
    if position > head {
      reason = "they are at position \(position), the log at \(head)"
    } else if !mark.isEmpty, let found = try EventBatch.mark(at: position, in: log), found != mark {
      reason = "position \(position) is another event in the log"
    }
    isMatched = true
    guard let reason else {
      self.position = position
      return position
    }
    logger.warning(
      "the projections belong to another log and are built anew", metadata: ["file": "\(path)", "reason": "\(reason)"])
    writer = nil
    try queue.inDatabase { db in try ProjectionFile.empty(db) }
    self.position = 0
    return 0
  }

  // MARK: - Building much at once

  /// Drops the indexes if it pays, or finds that an earlier run did so and did not come to its end.
  private func beginBulk(if pays: Bool) throws -> Bool {
    try queue.inDatabase { db in
      let isUnderWay = try Bool.fetchOne(db, sql: "SELECT building FROM progress") ?? false
      guard pays || isUnderWay else { return false }
      try db.execute(sql: "PRAGMA wal_autocheckpoint = \(ProjectionStore.bulkCheckpointPages)")
      guard !isUnderWay else { return true }
      writer = nil
      try db.inTransaction(.immediate) {
        for name in ProjectionSchema.indexNames { try db.execute(sql: "DROP INDEX IF EXISTS \(name)") }
        try db.execute(sql: "UPDATE progress SET building = 1")
        return .commit
      }
      return true
    }
  }

  private func endBulk() throws {
    writer = nil
    try queue.inDatabase { db in
      try db.execute(sql: "PRAGMA wal_autocheckpoint = \(ProjectionFile.checkpointPages)")
      try db.inTransaction(.immediate) {
        for name in ProjectionSchema.indexNames { try db.execute(sql: "DROP INDEX IF EXISTS \(name)") }
        try db.execute(sql: ProjectionSchema.indexes)
        // In pieces that seldom have to be merged.
        try db.execute(
          sql: """
            INSERT INTO alert_search (alert_search, rank) VALUES ('hashsize', 33554432);
            INSERT INTO alert_search (alert_search) VALUES ('rebuild');
            INSERT INTO alert_search (alert_search, rank) VALUES ('hashsize', 1048576)
            """)
        try db.execute(sql: "UPDATE progress SET building = 0")
        return .commit
      }
    }
  }

  // MARK: - A file that is gone or broken

  /// Runs the body; where the file turns out to be gone or damaged, makes a new one and runs it again, once.
  private func withMending<T>(_ body: () throws -> T) throws -> T {
    if file == nil || FileIdentity(path) != file {
      logger.warning("the projections' file is gone or was replaced; opening it anew", metadata: ["file": "\(path)"])
      try reopen()
    }
    do { return try body() } catch let error as DatabaseError {
      guard ProjectionFile.isDamage(error) else { throw ProjectionFile.explain(error, path) }
      logger.warning(
        "the projections' file is damaged and is thrown away; it is built anew from the log",
        metadata: ["file": "\(path)", "error": "\(error.message ?? error.resultCode.description)"])
      do {
        close()
        try ProjectionFile.discard(path)
        try reopen()
        return try body()
      } catch { throw ProjectionFile.explain(error, path) }
    }
  }

  /// Before another file takes this one's place: closing takes away the WAL that stands at the path, and must not find the new one's.
  private func close() {
    writer = nil
    try? queue.close()
    file = nil
    position = -1
    isMatched = false
  }

  private func reopen() throws {
    close()
    do {
      queue = try ProjectionFile.open(path, logger)
    } catch { throw ProjectionFile.explain(error, path) }
    file = FileIdentity(path)
  }
}

/// Which file stands at a path: its device and number.
struct FileIdentity: Equatable {
  private let device: UInt64
  private let number: UInt64
  init?(_ path: String) {
    var s = stat()
    guard stat(path, &s) == 0 else { return nil }
    device = UInt64(s.st_dev)
    number = UInt64(s.st_ino)
  }
}
