import Alerts
import Foundation
import GRDB
import Testing

@testable import EventLog

/// Full disks, read-only file systems, locked files, torn write-ahead logs: a clear error, nothing half, and on again by itself.
@Suite struct FaultTests {
  @Test func aFileThatMayNotGrowIsToldAndGoesOnLater() throws {
    let folder = try TemporaryFolder()
    let log = try SQLiteEventLog(path: folder.log)
    var pen = Pen()
    try log.append(pen.commit())
    let (head, hash) = (log.head, log.headHash)
    try log.queue.inDatabase { db in
      let pages = try Int.fetchOne(db, sql: "PRAGMA page_count") ?? 0
      try db.execute(sql: "PRAGMA max_page_count = \(pages + 2)")
    }
    let large = pen.commit(events: 50, text: String(repeating: "x", count: 4000))
    for _ in 0..<3 {
      let error = logError { try log.append(large) }
      #expect(error?.kind == .unwritable)
      #expect(error?.message.contains("full") == true)
      #expect(error?.mend?.contains("free some space") == true)
      #expect(log.head == head)
      #expect(log.headHash == hash)
      #expect(try log.all().count == 3)
    }
    try log.queue.inDatabase { try $0.execute(sql: "PRAGMA max_page_count = 1000000") }
    try log.append(large)
    #expect(log.head == 53)
    #expect(try EventLogReader(path: folder.log).verify().problems == [])
  }

  @Test(.enabled(if: SmallDisk.isPossible, "needs the right to mount a small disk"))
  func aFullDiskIsToldAndGoesOnLater() throws {
    let disk = try SmallDisk(bytes: 2 << 20)
    let log = try SQLiteEventLog(path: disk.log)
    var pen = Pen()
    var stored = 0
    var stuck: Commit?
    for _ in 0..<400 {
      let commit = pen.commit(events: 10, text: String(repeating: "x", count: 2000))
      guard let error = logError({ try log.append(commit) }) else {
        stored += 10
        continue
      }
      #expect(error.kind == .unwritable)
      #expect(error.mend?.contains("free") == true)
      stuck = commit
      break
    }
    let commit = try #require(stuck)
    #expect(stored > 0)
    #expect(log.head == Int64(stored))
    #expect(try log.all().count == stored)
    #expect(logError { try log.append(commit) }?.kind == .unwritable)

    try disk.resize(16 << 20)
    try log.append(commit)
    #expect(log.head == Int64(stored + 10))
    #expect(try EventLogReader(path: disk.log).verify().problems == [])
  }

  @Test(.enabled(if: SmallDisk.isPossible, "needs the right to mount a small disk"))
  func aDiskThatIsFullAtTheStartIsTold() throws {
    let disk = try SmallDisk(bytes: 64 << 10)
    try? Data(count: 256 << 10).write(to: URL(fileURLWithPath: disk.path + "/ballast"))
    let error = logError { _ = try SQLiteEventLog(path: disk.log) }
    #expect(error?.kind == .unwritable)
    #expect(error?.mend != nil)
  }

  @Test(.enabled(if: SmallDisk.isPossible, "needs the right to mount a small disk"))
  func aReadOnlyFileSystemIsTold() throws {
    let disk = try SmallDisk(bytes: 4 << 20)
    var pen = Pen()
    do {
      let log = try SQLiteEventLog(path: disk.log)
      try log.append(pen.commit())
    }
    try disk.remount("ro")
    let error = logError { _ = try SQLiteEventLog(path: disk.log) }
    #expect(error?.kind == .unwritable)
    #expect(error?.mend?.contains("read-only") == true)
    try disk.remount("rw")
    let log = try SQLiteEventLog(path: disk.log)
    #expect(log.head == 3)
    try log.append(pen.commit())
  }

  @Test(.enabled(if: getuid() != 0, "root may write everywhere"))
  func aReadOnlyFolderIsTold() throws {
    let folder = try TemporaryFolder()
    chmod(folder.path, 0o555)
    defer { chmod(folder.path, 0o755) }
    #expect(logError { _ = try SQLiteEventLog(path: folder.log) }?.kind == .unwritable)
  }

  @Test func aLockedFileIsToldInBoundedTimeAndGoesOnLater() throws {
    let folder = try TemporaryFolder()
    let log = try SQLiteEventLog(path: folder.log)
    var pen = Pen()
    try log.append(pen.commit())
    let shell = try openShell(folder.log)
    try shell.inDatabase { try $0.execute(sql: "BEGIN IMMEDIATE") }
    let commit = pen.commit()
    let clock = ContinuousClock()
    let took = clock.measure {
      let error = logError { try log.append(commit) }
      #expect(error?.kind == .unwritable)
      #expect(error?.message.contains("locked by another program") == true)
      #expect(error?.mend != nil)
    }
    #expect(took < .seconds(SQLiteEventLog.patience * 5))
    #expect(log.head == 3)
    try shell.inDatabase { try $0.execute(sql: "ROLLBACK") }
    try log.append(commit)
    #expect(log.head == 6)
  }

  @Test func aCommitThatWentInAlthoughItSeemedToFailIsNotDoubled() throws {
    let folder = try TemporaryFolder()
    let log = try SQLiteEventLog(path: folder.log)
    var pen = Pen()
    try log.append(pen.commit())
    let commit = pen.commit()
    let shell = try openShell(folder.log)
    try shell.inDatabase { try $0.execute(sql: "BEGIN IMMEDIATE") }
    #expect(logError { try log.append(commit) }?.kind == .unwritable)
    try shell.inDatabase { try $0.execute(sql: "ROLLBACK") }
    // As when a disk says no to a sync whose bytes it has kept all the same.
    try log.queue.inDatabase { db in
      let insert = try EventInsert(db)
      try commit.eachRow { try insert.run($0) }
      let taken = CommitHash.intake(commit.intake)
      let hash = CommitHash.next(after: log.headHash, commit)
      try db.execute(
        sql: "INSERT INTO commits VALUES (6, 4, 0, ?, ?); INSERT INTO intake VALUES (6, 2, ?)",
        arguments: [Data(taken), Data(hash), Data(commit.intake)])
    }
    #expect(log.head == 3)
    try log.append(commit)
    #expect(log.head == 6)
    try log.append(pen.commit())
    #expect(try log.all().count == 9)
    #expect(try EventLogReader(path: folder.log).verify().problems == [])
  }

  @Test func aStrangersRowsAreNotTakenForOnesOwn() throws {
    let folder = try TemporaryFolder()
    let log = try SQLiteEventLog(path: folder.log)
    var pen = Pen()
    try log.append(pen.commit())
    let stranger = try DatabaseQueue(path: folder.log)
    try stranger.inDatabase {
      try $0.execute(sql: "INSERT INTO events VALUES (4, 'A-5', 1, 'commented', 0, 0, 'x', NULL, '{\"text\":\"\"}')")
    }
    let error = logError { try log.append(pen.commit()) }
    #expect(error?.kind == .conflict)
    #expect(error?.mend?.contains("another program") == true)
  }
}

/// Another program's connection, that may keep a transaction open.
private func openShell(_ path: String) throws -> DatabaseQueue {
  var configuration = Configuration()
  configuration.allowsUnsafeTransactions = true
  return try DatabaseQueue(path: path, configuration: configuration)
}

/// What is left of a write-ahead log after a crash.
@Suite struct TornLogTests {
  enum Damage: CaseIterable, Sendable {
    case none, garbageBehind, halfAFrameBehind, oldFramesBehind, noSharedMemory
  }

  /// Copies the files of a log that is open, as a crash leaves them.
  private func crash(_ folder: TemporaryFolder, to copy: TemporaryFolder) throws {
    for suffix in ["", "-wal", "-shm"] {
      try FileManager.default.copyItem(atPath: folder.log + suffix, toPath: copy.log + suffix)
    }
  }

  @Test(arguments: Damage.allCases) func whatWasSyncedSurvives(_ damage: Damage) throws {
    let folder = try TemporaryFolder()
    let copy = try TemporaryFolder()
    let log = try SQLiteEventLog(path: folder.log)
    var pen = Pen()
    let commits = (0..<20).map { _ in pen.commit() }
    for commit in commits { try log.append(commit) }
    try crash(folder, to: copy)
    let wal = copy.log + "-wal"
    var bytes = try Data(contentsOf: URL(fileURLWithPath: wal))
    switch damage {
    case .none: break
    case .garbageBehind: bytes.append(Data((0..<10_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }))
    case .halfAFrameBehind: bytes.append(bytes.suffix(4120).prefix(2000))
    case .oldFramesBehind: bytes.append(bytes.suffix(4120))
    case .noSharedMemory: try FileManager.default.removeItem(atPath: copy.log + "-shm")
    }
    try bytes.write(to: URL(fileURLWithPath: wal))

    let again = try SQLiteEventLog(path: copy.log)
    #expect(again.head == 60)
    #expect(again.headHash == log.headHash)
    #expect(try again.all() == commits.flatMap(\.events))
    try again.append(pen.commit())
    #expect(try EventLogReader(path: copy.log).verify().problems == [])
  }

  /// A commit that was not synced may be lost, but never a part of it, nor one before it.
  @Test(arguments: [1, 100, 4000, 4120, 9000, 30_000]) func aTornEndLosesWholeCommitsFromTheEnd(_ cut: Int) throws {
    let folder = try TemporaryFolder()
    let copy = try TemporaryFolder()
    let log = try SQLiteEventLog(path: folder.log)
    var pen = Pen()
    var hashes: [Int64: [UInt8]] = [0: CommitHash.start]
    for _ in 0..<20 {
      try log.append(pen.commit())
      hashes[log.head] = log.headHash
    }
    try crash(folder, to: copy)
    let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: copy.log + "-wal"))
    let size = try handle.seekToEnd()
    try handle.truncate(atOffset: size - UInt64(cut))
    try handle.close()
    try FileManager.default.removeItem(atPath: copy.log + "-shm")

    let again = try SQLiteEventLog(path: copy.log)
    #expect(again.head < 60)
    #expect(again.headHash == hashes[again.head])
    #expect(try EventLogReader(path: copy.log).verify().problems == [])
  }

  @Test(arguments: [5000, 20_000, 60_000]) func aFlippedBitLosesNoEarlierCommit(_ back: Int) throws {
    let folder = try TemporaryFolder()
    let copy = try TemporaryFolder()
    let log = try SQLiteEventLog(path: folder.log)
    var pen = Pen()
    var hashes: [Int64: [UInt8]] = [0: CommitHash.start]
    for _ in 0..<20 {
      try log.append(pen.commit())
      hashes[log.head] = log.headHash
    }
    try crash(folder, to: copy)
    var bytes = try Data(contentsOf: URL(fileURLWithPath: copy.log + "-wal"))
    bytes[bytes.count - back] ^= 1
    try bytes.write(to: URL(fileURLWithPath: copy.log + "-wal"))
    try FileManager.default.removeItem(atPath: copy.log + "-shm")

    let again = try SQLiteEventLog(path: copy.log)
    #expect(again.headHash == hashes[again.head])
    #expect(try EventLogReader(path: copy.log).verify().problems == [])
  }
}
