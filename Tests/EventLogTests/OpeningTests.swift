import Alerts
import Foundation
import GRDB
import Testing

@testable import EventLog

/// What becomes of files that are not what they should be.
@Suite struct OpeningTests {
  @Test func whatWasCommittedIsThereAfterReopening() throws {
    let folder = try TemporaryFolder()
    var pen = Pen()
    let commits = (0..<5).map { _ in pen.commit() }
    var hash: [UInt8] = []
    do {
      let log = try SQLiteEventLog(path: folder.log)
      for commit in commits { try log.append(commit) }
      hash = log.headHash
    }
    let log = try SQLiteEventLog(path: folder.log)
    #expect(log.head == 15)
    #expect(log.headHash == hash)
    #expect(try log.all() == commits.flatMap(\.events))
    #expect(try log.takenIn().count == 5)
    try log.append(pen.commit())
    #expect(try EventLogReader(path: folder.log).verify().problems == [])
  }

  @Test func aSecondWriterIsRefusedAndToldWhoHasIt() throws {
    let folder = try TemporaryFolder()
    let first = try SQLiteEventLog(path: folder.log)
    let error = logError { _ = try SQLiteEventLog(path: folder.log) }
    #expect(error?.kind == .locked)
    #expect(error?.message.contains("process \(ProcessInfo.processInfo.processIdentifier)") == true)
    #expect(error?.mend != nil)
    withExtendedLifetime(first) {}
  }

  @Test func aLinkIsTheSameLog() throws {
    let folder = try TemporaryFolder()
    let first = try SQLiteEventLog(path: folder.log)
    let link = folder.file("link.sqlite")
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: folder.log)
    #expect(logError { _ = try SQLiteEventLog(path: link) }?.kind == .locked)
    withExtendedLifetime(first) {}
  }

  @Test func theLockIsGivenBack() throws {
    let folder = try TemporaryFolder()
    do { _ = try SQLiteEventLog(path: folder.log) }
    _ = try SQLiteEventLog(path: folder.log)
  }

  @Test(arguments: [
    "UPDATE events SET actor = 'mallory' WHERE position = 1", "DELETE FROM events WHERE position = 1",
    "UPDATE commits SET recorded_at = 0", "DELETE FROM commits", "DELETE FROM events",
  ])
  func nothingIsChangedOrDeletedByHand(_ sql: String) throws {
    let folder = try TemporaryFolder()
    let log = try SQLiteEventLog(path: folder.log)
    var pen = Pen()
    try log.append(pen.commit())
    let queue = try DatabaseQueue(path: folder.log)
    #expect(throws: DatabaseError.self) { try queue.inDatabase { try $0.execute(sql: sql) } }
    #expect(try log.all().count == 3)
  }

  @Test func anotherProgramsFileIsRefusedAndLeftAsItIs() throws {
    let folder = try TemporaryFolder()
    do {
      let other = try DatabaseQueue(path: folder.log)
      try other.inDatabase { try $0.execute(sql: "CREATE TABLE bookmarks (url TEXT)") }
      try other.close()
    }
    let before = try Data(contentsOf: URL(fileURLWithPath: folder.log))
    for open in [{ _ = try SQLiteEventLog(path: folder.log) }, { _ = try EventLogReader(path: folder.log) }] {
      let error = logError(open)
      #expect(error?.kind == .unreadable)
      #expect(error?.message.contains("another program's file") == true)
      #expect(error?.mend?.contains("log:") == true)
    }
    #expect(try Data(contentsOf: URL(fileURLWithPath: folder.log)) == before)
  }

  @Test func whatIsNoSQLiteFileIsRefused() throws {
    let folder = try TemporaryFolder()
    let text = Data(String(repeating: "these are holiday notes\n", count: 400).utf8)
    try text.write(to: URL(fileURLWithPath: folder.log))
    for open in [{ _ = try SQLiteEventLog(path: folder.log) }, { _ = try EventLogReader(path: folder.log) }] {
      let error = logError(open)
      #expect(error?.kind == .unreadable)
      #expect(error?.message.contains("not an SQLite file") == true)
    }
    #expect(try Data(contentsOf: URL(fileURLWithPath: folder.log)) == text)
  }

  @Test(arguments: [2, 99]) func aNewerFormatIsRefused(_ version: Int) throws {
    let folder = try TemporaryFolder()
    do { _ = try SQLiteEventLog(path: folder.log) }
    do {
      let queue = try DatabaseQueue(path: folder.log)
      try queue.inDatabase { try $0.execute(sql: "PRAGMA user_version = \(version)") }
      try queue.close()
    }
    for open in [{ _ = try SQLiteEventLog(path: folder.log) }, { _ = try EventLogReader(path: folder.log) }] {
      let error = logError(open)
      #expect(error?.kind == .unreadable)
      #expect(error?.message.contains("log format \(version)") == true)
      #expect(error?.mend?.contains("newer") == true)
    }
  }

  @Test func aMissingLogIsNotMadeByReading() throws {
    let folder = try TemporaryFolder()
    let error = logError { _ = try EventLogReader(path: folder.log) }
    #expect(error?.kind == .unreadable)
    #expect(error?.mend != nil)
    #expect(!FileManager.default.fileExists(atPath: folder.log))
  }

  @Test func anEmptyFileIsNoLogForAReader() throws {
    let folder = try TemporaryFolder()
    try Data().write(to: URL(fileURLWithPath: folder.log))
    #expect(logError { _ = try EventLogReader(path: folder.log) }?.kind == .unreadable)
    #expect(try SQLiteEventLog(path: folder.log).head == 0)
    #expect(try EventLogReader(path: folder.log).head() == 0)
  }

  @Test func foldersAreMadeAndOnesThatCantBeAreTold() throws {
    let folder = try TemporaryFolder()
    #expect(try SQLiteEventLog(path: folder.file("a/b/log.sqlite")).head == 0)
    try Data().write(to: URL(fileURLWithPath: folder.file("file")))
    for path in [folder.file("file/log.sqlite"), "/proc/tocsin/log.sqlite"] {
      let error = logError { _ = try SQLiteEventLog(path: path) }
      #expect(error?.kind == .unwritable)
      #expect(error?.mend != nil)
    }
  }

  /// Whatever leads to the file: a second writer is refused, also where its own lock would not show the first.
  @Test func aSecondWriterIsRefusedByWhateverNameItComes() throws {
    let folder = try TemporaryFolder()
    let other = try TemporaryFolder()
    let log = try SQLiteEventLog(path: folder.log)
    let files = FileManager.default
    try files.createSymbolicLink(atPath: folder.file("other.sqlite"), withDestinationPath: folder.log)
    try files.createSymbolicLink(atPath: other.file("folder"), withDestinationPath: folder.path)
    for path in [
      folder.file("other.sqlite"), other.file("folder/tocsin.sqlite"),
      folder.file("./../\((folder.path as NSString).lastPathComponent)/tocsin.sqlite"),
    ] {
      let error = logError { _ = try SQLiteEventLog(path: path) }
      #expect(error?.kind == .locked && error?.message.contains("process \(getpid())") == true, "\(path)")
    }
    try files.linkItem(atPath: folder.log, toPath: other.log)
    let error = logError { _ = try SQLiteEventLog(path: other.log) }
    #expect(
      error?.kind == .locked && error?.message.contains("2 names") == true && error?.mend?.contains("find") == true)
    try files.removeItem(atPath: other.log)
    var pen = Pen()
    try log.append(pen.commit())
    #expect(try EventLogReader(path: folder.log).verify().problems == [])
  }

  @Test func whatANewerTocsinWroteIsNamed() throws {
    let folder = try TemporaryFolder()
    let log = try SQLiteEventLog(path: folder.log)
    var pen = Pen()
    try log.append(pen.commit())
    try log.queue.inDatabase { db in
      try db.execute(sql: "INSERT INTO events VALUES (4, 'A-1', 4, 'teleported', 0, 0, 'ana', NULL, '{}')")
    }
    let error = logError { _ = try log.all() }
    #expect(error?.kind == .unreadable)
    #expect(error?.position == 4)
    #expect(error?.message.contains("teleported") == true)
  }
}
