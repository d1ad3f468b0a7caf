package import Alerts
import CrashPoints
import Foundation
import GRDB

/// What `tocsin log archive` did.
package struct ArchiveReport: Sendable, Equatable {
  /// The new file, or nil if nothing was old enough.
  package var path: String?
  package var events: Int64 = 0
  package var subjects = 0
  /// Rows that an earlier run, interrupted, had copied and not yet taken out.
  package var finished: Int64 = 0
}

/// Moves finished lives out of the log, into a file beside it that everything still reads.
///
/// A life is finished when it has ended, nothing is owed any more, and nothing about it is as new as the date. Open alerts, configurations, and
/// silences that have not ended stay, whatever their age. In this order, so that a crash at any moment loses nothing:
/// the copy is written and synced under a passing name; it is read back and compared, byte by byte, with the log; it gets its name; the log
/// notes it; only then do the log's own rows go, some thousand at a time, so that the service beside it never waits long.
package struct LogArchiving {
  /// Rows that one transaction takes out: some ten milliseconds, for which the service may have to wait.
  static let rowsPerStep = 2000
  /// By itself, the service makes an archive of at least so many events, and one in ``pause`` at the most: readers look into each.
  package static let smallest: Int64 = 10_000
  package static let pause = Interval.days(7)

  package let path: String
  private let reader: EventLogReader

  package init(path: String) throws(EventLogError) {
    self.path = path
    reader = try EventLogReader(path: path)
  }

  /// Whether the last archive was made ``pause`` ago or longer, or a move was interrupted.
  package func isDue(now: Timestamp) throws -> Bool {
    let archives = try reader.read { try reader.shelf.archives($0.db) }
    guard let last = archives.last, archives.allSatisfy(\.isMoved) else { return true }
    let made = try? FileManager.default.attributesOfItem(atPath: reader.shelf.path(last.file))[.modificationDate]
    guard let made = made as? Date else { return false }
    return now.microseconds - Int64(made.timeIntervalSince1970 * 1_000_000) >= LogArchiving.pause.microseconds
  }

  /// - Parameter smallest: fewer events than this stay where they are.
  /// - Throws: ``EventLogError``. The log and every reader of it are as before, or the move is finished by the next run.
  package func run(before date: Timestamp, smallest: Int64 = 1) throws -> ArchiveReport {
    var report = ArchiveReport()
    // Two at a time would name the same file.
    let lock = try WriterLock(path: path + ".archive", holder: "`tocsin log archive`")
    defer { withExtendedLifetime(lock) {} }
    do {
      var configuration = GRDB.Configuration()
      configuration.label = "archiving"
      configuration.busyMode = .timeout(30)
      let queue = try DatabaseQueue(path: path, configuration: configuration)
      try queue.inDatabase { db in try db.execute(sql: "PRAGMA synchronous = FULL") }
      report.finished = try finish(queue)
      let (subjects, count) = try reader.read { try FinishedLives.find(in: $0, before: date) }
      guard !subjects.isEmpty, count >= smallest else { return report }
      report.subjects = subjects.count
      let archive = try write(subjects)
      report.path = reader.shelf.path(archive.file)
      report.events = archive.count
      try queue.inDatabase { db in
        try db.execute(
          sql: "INSERT INTO archives VALUES (?, ?, ?, ?, ?, ?, 0)",
          arguments: [
            archive.number, archive.file, archive.range.lowerBound, archive.range.upperBound, archive.count,
            Data(archive.hash),
          ])
      }
      CrashPoint.pass(.noted)
      _ = try finish(queue)
    } catch { throw error is DatabaseError ? EventLogError.explain(error, path) : error }
    return report
  }

  // MARK: - The copy

  private func write(_ subjects: Set<Subject>) throws -> ArchiveShelf.Archive {
    let number = try reader.read { log in
      (try Int64.fetchOne(log.db, sql: "SELECT max(number) FROM archives") ?? 0) + 1
    }
    let base = (path as NSString).lastPathComponent
    let file = "\((base as NSString).deletingPathExtension)-archive-\(number).sqlite"
    let target = reader.shelf.path(file)
    guard !FileManager.default.fileExists(atPath: target) || isLeftover(target) else {
      throw EventLogError(
        .unwritable, "there is a file \(target) already, and it is no archive of this log",
        mend: "move it elsewhere, and run this again")
    }
    let partial = target + ".partial"
    for leftover in [target, partial, partial + "-journal"] { try? FileManager.default.removeItem(atPath: leftover) }

    var count: Int64 = 0
    var first = Int64.max
    var last: Int64 = 0
    let queue = try DatabaseQueue(path: partial)
    try queue.inDatabase { db in
      try db.execute(sql: "PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL; PRAGMA auto_vacuum = NONE")
      try db.inTransaction(.immediate) {
        try LogSchema.createArchive(db)
        let insert = try EventInsert(db)
        var row = RowBytes()
        try reader.read { log in
          try EventRows.each(log.db, in: 1...Int64.max) { e in
            guard subjects.contains(e.subject) else { return true }
            row.set(e)
            try insert.run(row)
            count += 1
            first = min(first, e.position)
            last = e.position
            return true
          }
        }
        return .commit
      }
    }
    try queue.close()
    try WholeFile.sync(partial)
    let hash = try prove(partial, subjects, count: count)
    CrashPoint.pass(.copied)
    try WholeFile.rename(partial, target)
    CrashPoint.pass(.named)
    return ArchiveShelf.Archive(
      number: number, file: file, range: first...max(first, last), count: count, hash: hash, isMoved: false)
  }

  /// A run that ended before the log noted its file left this; nothing reads it.
  private func isLeftover(_ target: String) -> Bool { (try? ArchiveShelf.open(target)) != nil }

  /// Reads the copy back, and compares it with the log. Returns its hash.
  private func prove(_ copy: String, _ subjects: Set<Subject>, count: Int64) throws -> [UInt8] {
    let failure = EventLogError(
      .corrupt, "the archive \(copy) does not hold what was written to it; the log is as it was",
      mend: "check the disk, and run this again")
    let queue = try ArchiveShelf.open(copy)
    let (found, hash) = try queue.inDatabase { db in
      guard try String.fetchAll(db, sql: "PRAGMA integrity_check") == ["ok"] else { throw failure }
      return try ArchiveHash.of(db)
    }
    var expected = CommitHash(after: CommitHash.start, intakeHash: [])
    try reader.read { log in
      try EventRows.each(log.db, in: 1...Int64.max) { e in
        if subjects.contains(e.subject) { expected.add(e) }
        return true
      }
    }
    try queue.close()
    guard found == count, hash == expected.finish() else { throw failure }
    return hash
  }

  // MARK: - The log's own rows

  /// Takes out the rows that archives are proven to hold. Returns how many.
  private func finish(_ queue: DatabaseQueue) throws -> Int64 {
    var taken: Int64 = 0
    for archive in try queue.inDatabase({ try reader.shelf.archives($0) }) where !archive.isMoved {
      // Proven again: it may have been an earlier run that wrote it.
      let (count, hash) = try reader.shelf.read(archive) { try ArchiveHash.of($0) }
      guard count == archive.count, hash == archive.hash else {
        throw EventLogError(
          .corrupt, "the archive \(reader.shelf.path(archive.file)) was changed; the log still holds its events",
          mend: "restore that file from a backup, and run this again")
      }
      var reached: Int64 = 0
      while true {
        let positions = try reader.shelf.read(archive) { db in
          try Int64.fetchAll(
            db, sql: "SELECT position FROM events WHERE position > ? ORDER BY position LIMIT ?",
            arguments: [reached, LogArchiving.rowsPerStep])
        }
        guard let last = positions.last else { break }
        taken += try remove(positions, queue)
        CrashPoint.pass(.moved)
        reached = last
      }
      try queue.inDatabase { db in
        try db.execute(sql: "UPDATE archives SET is_moved = 1 WHERE number = ?", arguments: [archive.number])
      }
    }
    return taken
  }

  /// The trigger is lifted and put back in the same transaction: nobody else ever sees the log without it.
  private func remove(_ positions: [Int64], _ queue: DatabaseQueue) throws -> Int64 {
    guard let trigger = LogSchema.triggers.first(where: { $0.0 == LogSchema.eventsNeverGo })?.1 else { return 0 }
    return try queue.inDatabase { db in
      var taken: Int64 = 0
      try db.inTransaction(.immediate) {
        try db.execute(sql: "DROP TRIGGER \(LogSchema.eventsNeverGo)")
        let delete = try db.cachedStatement(sql: "DELETE FROM events WHERE position = ?")
        for position in positions {
          try delete.execute(arguments: [position])
          taken += Int64(db.changesCount)
        }
        try db.execute(sql: trigger)
        return .commit
      }
      return taken
    }
  }
}

/// Which lives are over for good.
enum FinishedLives {
  private struct Life {
    var isOver = false
    var newest: Timestamp
    var owed = 0
    var events: Int64 = 0
  }

  /// Subjects of the log's own rows that may be moved, and how many rows they have there.
  static func find(in log: WholeLog, before date: Timestamp) throws -> (subjects: Set<Subject>, events: Int64) {
    var lives: [Subject: Life] = [:]
    try EventRows.scan(log.db, in: 1...Int64.max) { e in
      // What was archived before, and then commented on, is over still.
      var life = lives[e.subject] ?? Life(isOver: e.version > 1, newest: e.recordedAt)
      life.newest = max(life.newest, e.recordedAt)
      life.events += 1
      switch e.type {
      case .resolved, .silence_expired: life.isOver = true
      case .detected, .reopened, .silence_added: life.isOver = false
      case .notification_requested:
        life.owed += 1
        // A group or a digest is over when its messages are.
        if e.subject.kind == .group || e.subject.kind == .digest { life.isOver = true }
      case .notification_delivered, .notification_failed, .notification_cancelled: life.owed -= 1
      default: break
      }
      lives[e.subject] = life
      return true
    }
    var found: Set<Subject> = []
    var events: Int64 = 0
    for (subject, life) in lives
    where subject.kind != .configuration && life.isOver && life.owed <= 0 && life.newest < date {
      found.insert(subject)
      events += life.events
    }
    return (found, events)
  }
}
