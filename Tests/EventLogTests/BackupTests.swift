import Alerts
import Foundation
import Testing

@testable import EventLog

@Suite struct BackupTests {
  @Test func aCopyHoldsWhatTheLogHeldAndIsALog() throws {
    let folder = try TemporaryFolder()
    let log = try SQLiteEventLog(path: folder.log)
    var pen = Pen()
    for n in 1...5 { try log.append(Commit(events: pen.life(Int64(n)), recordedAt: pen.now)) }
    try log.append(pen.commit())
    let target = folder.file("backups/monday.sqlite")
    let report = try EventLogReader(path: folder.log).backup(to: target)
    #expect(report.isSound)
    #expect(report.head == log.head)
    #expect(report.headHash == log.headHash)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.file("backups")) == ["monday.sqlite"])

    let copy = try SQLiteEventLog(path: target)
    #expect(try copy.all() == log.all())
    #expect(try copy.takenIn() == log.takenIn())
    #expect(copy.headHash == log.headHash)
    try copy.append(pen.commit())
  }

  @Test func aFileThatIsThereIsNotReplacedUnlessItMayBe() throws {
    let folder = try TemporaryFolder()
    let log = try SQLiteEventLog(path: folder.log)
    var pen = Pen()
    try log.append(pen.commit())
    let target = folder.file("copy.sqlite")
    try Data("precious".utf8).write(to: URL(fileURLWithPath: target))
    let reader = try EventLogReader(path: folder.log)
    #expect(logError { _ = try reader.backup(to: target) }?.kind == .unwritable)
    #expect(try Data(contentsOf: URL(fileURLWithPath: target)) == Data("precious".utf8))
    #expect(try reader.backup(to: target, overwrites: true).isSound)
    #expect(try SQLiteEventLog(path: target).head == 3)
  }

  @Test func aCopyIsMadeWhileTheServiceWrites() async throws {
    let folder = try TemporaryFolder()
    let log = try SQLiteEventLog(path: folder.log)
    var pen = Pen()
    for _ in 0..<50 { try log.append(pen.commit(events: 20, text: String(repeating: "x", count: 1000))) }
    let path = folder.log
    let target = folder.file("copy.sqlite")
    let before = log.head
    let copying = Task.detached { try EventLogReader(path: path).backup(to: target) }
    for _ in 0..<50 { try log.append(pen.commit(events: 20)) }
    let report = try await copying.value
    #expect(report.problems == [])
    #expect((before...log.head).contains(report.head))
    let copied = try EventLogReader(path: target).stored(after: 0, limit: .max)
    #expect(copied == Array(try log.all().prefix(Int(report.head))))
  }

  @Test(.enabled(if: SmallDisk.isPossible, "needs the right to mount a small disk"))
  func aDiskThatCantHoldTheCopyIsTold() throws {
    let folder = try TemporaryFolder()
    let disk = try SmallDisk(bytes: 128 << 10)
    let log = try SQLiteEventLog(path: folder.log)
    var pen = Pen()
    try log.append(pen.commit(events: 200, text: String(repeating: "x", count: 4000)))
    let error = logError { _ = try EventLogReader(path: folder.log).backup(to: disk.log) }
    #expect(error?.kind == .unwritable)
    #expect(error?.mend?.contains("free") == true)
    #expect(!FileManager.default.fileExists(atPath: disk.log))
  }
}
