import Alerts
import EventLog
import Foundation
import Testing

@testable import Lifecycle
@testable import Service

/// A start from a snapshot is a start from the log, only sooner; and whatever is in doubt about it costs a longer start and nothing else.
@Suite struct SnapshotStartTests {
  /// The position at which the snapshot was taken; nil if it would not be used.
  private func position(_ w: World) -> Int64? { try? SnapshotFile(logPath: w.path).read(for: w.log).position }

  @Test func anOrderlyStopLeavesOneAndTheNextStartBeginsThere() throws {
    let w = try World()
    try w.fill(1100)
    try w.restarts(inGoodOrder: true)
    let taken = try #require(position(w))
    #expect(taken >= 1100)
    #expect(taken <= w.log.head)
    try w.expectAsReplayed()
    // What comes after it is replayed on top of it.
    try w.fill(1500)
    try w.restarts(inGoodOrder: false)
    #expect(position(w) == taken)
    try w.expectAsReplayed()
    #expect(w.service.engine.head == w.log.head)
  }

  @Test func oneIsTakenOnTheWayAndACrashBeginsThere() throws {
    let w = try World()
    try w.fill(1100)
    var snapshots = Snapshots(SnapshotFile(logPath: w.path))
    let (engine, now, logger) = (w.service.engine, w.clock.time, w.service.logger)
    // Too few events since the last.
    snapshots.takeIfDue(engine, w.log, now: now, logger: logger)
    snapshots.finish(Engine(), w.log, now: now, logger: logger)
    #expect(position(w) == nil, "not the state of this log's head")
    snapshots.finish(engine, w.log, now: now, logger: logger)
    let taken = try #require(position(w))
    try w.fill(1400)
    try w.restarts(inGoodOrder: false)
    #expect(position(w) == taken)
    try w.expectAsReplayed()
  }

  @Test(arguments: ["torn", "changed", "of another build", "ahead of the log", "gone", "a folder"])
  func whatIsInDoubtIsThrownAway(_ what: String) throws {
    let w = try World()
    try w.fill(1050)
    let copy = try Data(contentsOf: URL(fileURLWithPath: w.path))
    let wal = try? Data(contentsOf: URL(fileURLWithPath: w.path + "-wal"))
    try w.fill(1200)
    try w.restarts(inGoodOrder: true)
    #expect(position(w) != nil)
    let file = URL(fileURLWithPath: w.snapshot)
    var bytes = try Data(contentsOf: file)
    switch what {
    case "torn": try bytes.prefix(bytes.count / 2).write(to: file)
    case "changed":
      bytes[bytes.count / 2] ^= 1
      try bytes.write(to: file)
    case "of another build":
      let s = try SnapshotFile(logPath: w.path).read(for: w.log)
      let hash = try w.log.hash(at: s.position)
      try SnapshotFile(logPath: w.path, form: 7).write(s.state, position: s.position, hash: hash ?? [])
    case "ahead of the log":
      // The log was put back from a copy that is older.
      try w.stopped { path in
        try copy.write(to: URL(fileURLWithPath: path))
        try? FileManager.default.removeItem(atPath: path + "-shm")
        try (wal ?? Data()).write(to: URL(fileURLWithPath: path + "-wal"))
      }
    case "gone": try FileManager.default.removeItem(at: file)
    default:
      try FileManager.default.removeItem(at: file)
      try FileManager.default.createDirectory(at: file, withIntermediateDirectories: false)
    }
    if what != "ahead of the log" { try w.restarts(inGoodOrder: false) }
    #expect(position(w) == nil)
    #expect(w.service.engine.head == w.log.head)
    try w.expectAsReplayed()
    #expect(try w.publish([w.anomaly("new", "new")])["accepted"]?.int == 1)
  }

  /// Its bytes are whole and its own hash is right, and still they are no state.
  @Test func aSnapshotThatMakesNoSenseIsThrownAway() throws {
    let w = try World()
    try w.fill(1050)
    try SnapshotFile(logPath: w.path).write([1, 2, 3], position: w.log.head, hash: w.log.headHash)
    try w.restarts(inGoodOrder: false)
    try w.expectAsReplayed()
  }

  @Test func aDeadlineThatPassedMeanwhileFiresOnceAtTheStart() throws {
    let w = try World()
    try w.fill(1050)
    try w.publish([w.anomaly("late", "late")])
    let id = try #require(w.service.engine.lives[StableHash("default|host|late")]?.alert)
    try w.stop()
    w.clock.time = w.clock.time + .hours(2)
    try w.reopen()
    #expect(position(w) != nil)
    try w.service.step()
    #expect(w.service.engine.alerts[id]?.step == 1)
    let escalations = try w.log.life(of: id.subject).filter { $0.type == .escalated }
    #expect(escalations.count == 1)
  }

  /// Enough events for two threads: the same as on one.
  @Test func readingOnTwoThreadsGivesTheSame() throws {
    let w = try World()
    try w.fill(3000)
    var engine = Engine()
    let count = try LogReplay.run(w.log, after: 0, into: &engine, onTwoFrom: 1)
    #expect(count == Int(w.log.head))
    engine.recover(now: w.clock.time)
    #expect(engine.difference(from: try w.replayed()) == nil)
  }
}
