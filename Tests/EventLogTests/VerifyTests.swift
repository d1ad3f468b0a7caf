import Alerts
import Foundation
import GRDB
import Testing

@testable import EventLog

/// `log verify` finds what was done to a log, and says where.
@Suite struct VerifyTests {
  /// Three commits: positions 1 to 3, 4 to 6, 7 to 12.
  private func make(_ folder: TemporaryFolder) throws {
    let log = try SQLiteEventLog(path: folder.log)
    var pen = Pen()
    try log.append(Commit(events: pen.life(1), recordedAt: pen.now))
    try log.append(pen.commit())
    try log.append(Commit(events: pen.life(2) + pen.life(3), recordedAt: pen.now))
  }

  /// Changes the file as somebody would who means it.
  private func tamper(_ folder: TemporaryFolder, _ sql: String) throws {
    let queue = try DatabaseQueue(path: folder.log)
    try queue.inDatabase { db in
      let triggers = try String.fetchAll(db, sql: "SELECT sql FROM sqlite_schema WHERE type = 'trigger'")
      for name in try String.fetchAll(db, sql: "SELECT name FROM sqlite_schema WHERE type = 'trigger'") {
        try db.execute(sql: "DROP TRIGGER \(name)")
      }
      try db.execute(sql: sql)
      for trigger in triggers { try db.execute(sql: trigger) }
    }
    try queue.close()
  }

  @Test func aSoundLogIsSound() throws {
    let folder = try TemporaryFolder()
    try make(folder)
    let report = try EventLogReader(path: folder.log).verify()
    #expect(report.problems == [])
    #expect(report.isSound)
    #expect((report.head, report.events, report.commits, report.subjects) == (12, 12, 3, 3))
    #expect(report.headHash == (try SQLiteEventLog(path: folder.log)).headHash)
  }

  @Test func anEmptyLogIsSound() throws {
    let folder = try TemporaryFolder()
    do { _ = try SQLiteEventLog(path: folder.log) }
    let report = try EventLogReader(path: folder.log).verify()
    #expect(report.problems == [])
    #expect(report.headHash == CommitHash.start)
  }

  @Test(arguments: [
    ("UPDATE events SET actor = 'mallory' WHERE position = 5", 4, "positions 4 to 6"),
    ("UPDATE events SET data = replace(data, 'looking', 'asleep!') WHERE position = 2", 1, "positions 1 to 3"),
    ("UPDATE events SET recorded_at = recorded_at + 1 WHERE position = 12", 7, "positions 7 to 12"),
    ("UPDATE events SET occurred_at = 0 WHERE position = 1", 1, "hash chain"),
    ("UPDATE commits SET hash = zeroblob(32) WHERE last_position = 6", 4, "hash chain"),
    ("DELETE FROM events WHERE position = 5", 5, "event 5 is missing"),
    ("DELETE FROM events WHERE position BETWEEN 7 AND 12", 7, "events 7 to 12 are missing"),
    ("DELETE FROM commits WHERE last_position = 6", 7, "does not follow the one that ends at 3"),
    ("UPDATE events SET version = 9 WHERE position = 6", 6, "is version 9 of A-1"),
    ("UPDATE events SET cause = 11 WHERE position = 2", 2, "names 11 as its cause"),
    ("UPDATE events SET cause = 0 WHERE position = 2", 2, "names 0 as its cause"),
    ("UPDATE events SET data = '{' WHERE position = 5", 5, "event 5"),
    ("UPDATE events SET data = '{}' WHERE position = 5", 5, "no usable \"text\""),
    ("UPDATE events SET type = 'teleported' WHERE position = 5", 5, "teleported"),
    ("UPDATE intake SET hashes = zeroblob(16)", 6, "took in"),
    (
      "INSERT INTO events VALUES (13, 'A-9', 1, 'commented', 0, 0, 'x', NULL, '{\"text\":\"\"}')", 13,
      "without a commit"
    ),
    (
      "INSERT OR REPLACE INTO events SELECT 5, 'A-1', 5, type, 0, 0, 'x', NULL, data FROM events WHERE position = 5", 4,
      "hash chain"
    ),
  ]) func aChangeIsFoundAndPlaced(_ sql: String, _ position: Int64, _ word: String) throws {
    let folder = try TemporaryFolder()
    try make(folder)
    try tamper(folder, sql)
    let report = try EventLogReader(path: folder.log).verify()
    #expect(!report.isSound)
    #expect(
      report.problems.contains { $0.position == position && $0.message.contains(word) }, "\(report.problems)")
  }

  @Test func oneChangeIsToldInItsOwnPlaceOnly() throws {
    let folder = try TemporaryFolder()
    try make(folder)
    try tamper(folder, "UPDATE events SET actor = 'mallory' WHERE position = 2")
    #expect(try EventLogReader(path: folder.log).verify().problems.map(\.position) == [1])
  }

  @Test func aTriggerThatIsGoneIsTold() throws {
    let folder = try TemporaryFolder()
    try make(folder)
    let queue = try DatabaseQueue(path: folder.log)
    try queue.inDatabase { try $0.execute(sql: "DROP TRIGGER commits_never_go") }
    try queue.close()
    let report = try EventLogReader(path: folder.log).verify()
    #expect(report.problems.map(\.message).contains { $0.contains("commits_never_go") })
  }

  @Test func manyProblemsAreCountedAndNotAllTold() throws {
    let folder = try TemporaryFolder()
    do {
      let log = try SQLiteEventLog(path: folder.log)
      var pen = Pen()
      for _ in 0..<150 { try log.append(pen.commit(events: 1)) }
    }
    try tamper(folder, "UPDATE events SET actor = 'mallory'")
    let report = try EventLogReader(path: folder.log).verify()
    #expect(report.problemCount == 150)
    #expect(report.problems.count == LogReport.problemLimit)
  }

  /// One byte anywhere in the file: it is found, or it stands where nothing is kept.
  @Test func rotIsFoundWhereverItTouchesWhatIsKept() throws {
    let folder = try TemporaryFolder()
    try make(folder)
    let sound = try Data(contentsOf: URL(fileURLWithPath: folder.log))
    let events = try EventLogReader(path: folder.log).stored(after: 0, limit: 100)
    var found = 0
    for offset in stride(from: 0, to: sound.count, by: 499) {
      let rotten = try TemporaryFolder()
      var bytes = sound
      bytes[offset] ^= 0x10
      try bytes.write(to: URL(fileURLWithPath: rotten.log))
      do {
        let reader = try EventLogReader(path: rotten.log)
        guard try reader.verify().isSound else {
          found += 1
          continue
        }
        #expect(try reader.stored(after: 0, limit: 100) == events, "byte \(offset) was changed, and nobody noticed")
      } catch let error as EventLogError {
        found += 1
        #expect(error.mend != nil)
      }
    }
    #expect(found > 0)
  }
}
