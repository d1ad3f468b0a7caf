import Alerts
import Foundation
import Testing

@testable import EventLog

/// A snapshot is used only where nothing is in doubt.
@Suite struct SnapshotTests {
  private let state = Array("the state of everything".utf8)

  @Test func whatWasWrittenIsReadWithItsPosition() throws {
    let folder = try TemporaryFolder()
    let log = try SQLiteEventLog(path: folder.log)
    var pen = Pen()
    try log.append(pen.commit())
    let file = SnapshotFile(logPath: folder.log, form: 3)
    try file.write(state, position: log.head, hash: log.headHash)
    try log.append(pen.commit())
    #expect(try file.read(for: log) == SnapshotFile.Snapshot(position: 3, state: state))
    try file.write([], position: log.head, hash: log.headHash)
    #expect(try file.read(for: log) == SnapshotFile.Snapshot(position: 6, state: []))
  }

  @Test func noSnapshotIsSaid() throws {
    let folder = try TemporaryFolder()
    #expect(throws: SnapshotFile.Doubt.self) {
      try SnapshotFile(logPath: folder.log, form: 1).read(for: MemoryEventLog())
    }
  }

  /// Any byte changed, and any length cut off.
  @Test func aDamagedSnapshotIsThrownAway() throws {
    let folder = try TemporaryFolder()
    let log = MemoryEventLog()
    var pen = Pen()
    try log.append(pen.commit())
    let file = SnapshotFile(logPath: folder.log, form: 1)
    try file.write(state, position: log.head, hash: log.headHash)
    let sound = try Data(contentsOf: URL(fileURLWithPath: file.path))
    for i in sound.indices {
      var bytes = sound
      bytes[i] ^= 1
      try bytes.write(to: URL(fileURLWithPath: file.path))
      #expect(throws: SnapshotFile.Doubt.self, "byte \(i)") { try file.read(for: log) }
      try sound.prefix(i).write(to: URL(fileURLWithPath: file.path))
      #expect(throws: SnapshotFile.Doubt.self, "cut at \(i)") { try file.read(for: log) }
    }
    try sound.write(to: URL(fileURLWithPath: file.path))
    #expect(try file.read(for: log).state == state)
  }

  @Test func aSnapshotOfAnotherFormOrLogIsThrownAway() throws {
    let folder = try TemporaryFolder()
    let log = MemoryEventLog()
    var pen = Pen()
    try log.append(pen.commit())
    let file = SnapshotFile(logPath: folder.log, form: 1)
    try file.write(state, position: log.head, hash: log.headHash)
    #expect(throws: SnapshotFile.Doubt.self) { try SnapshotFile(logPath: folder.log, form: 2).read(for: log) }
    // The log was restored from a backup that is older than the snapshot.
    #expect(throws: SnapshotFile.Doubt.self) { try file.read(for: MemoryEventLog()) }
    let other = MemoryEventLog()
    var otherPen = Pen()
    try other.append(otherPen.commit(text: "another history"))
    #expect(throws: SnapshotFile.Doubt.self) { try file.read(for: other) }
    // Positions in the middle of a commit are no place for a snapshot.
    try file.write(state, position: 2, hash: log.headHash)
    #expect(throws: SnapshotFile.Doubt.self) { try file.read(for: log) }
  }

  @Test func aFailedWriteLeavesTheOneBefore() throws {
    let folder = try TemporaryFolder()
    let log = MemoryEventLog()
    let file = SnapshotFile(logPath: folder.log, form: 1)
    try file.write(state, position: 0, hash: log.headHash)
    try FileManager.default.createDirectory(
      atPath: file.path + ".partial", withIntermediateDirectories: true)
    #expect(logError { try file.write([1], position: 0, hash: log.headHash) }?.kind == .unwritable)
    #expect(try file.read(for: log).state == state)
  }
}
