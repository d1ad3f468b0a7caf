import Alerts
import EventLog
import Foundation
import GRDB
import Lifecycle
import Logging
import Projections
import Synchronization
import Testing

@testable import Service

/// What ended long ago leaves the log of a running service by itself, and everything still reads it.
@Suite struct ArchivistTests {
  private static let lives = 3500

  /// Thousands of lives that are over, and a few that are not.
  private func filled() throws -> World {
    let w = try World()
    for round in 0..<ArchivistTests.lives / 500 {
      try w.publish((0..<500).map { w.anomaly("\(round)/\($0)", "k\(round * 500 + $0)", .low) })
      w.clock.time = w.clock.time + .seconds(1)
      try w.publish((0..<500).map { w.anomaly("r\(round)/\($0)", "k\(round * 500 + $0)", .low, .resolved) })
    }
    try w.publish([w.anomaly("o1", "open", .critical), w.anomaly("o2", "quiet", .low)])
    try w.command(#"{"command":"acknowledge","alert":"\#(openID(w))","by":"ana"}"#)
    return w
  }

  private func openID(_ w: World) -> AlertID {
    w.service.engine.alerts.values.first { $0.labels["metric"] == "open" }?.id ?? AlertID(0)
  }

  private func tables(_ w: World, _ name: String) throws -> ProjectionStore {
    try ProjectionStore(
      path: w.folder.appendingPathComponent(name).path,
      logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
  }

  private func dumped(_ store: ProjectionStore) throws -> [String] {
    var lines: [String] = []
    try store.dump { lines.append($0) }
    return lines
  }

  private func subjectsInTheLogItself(_ w: World) throws -> Set<String> {
    try DatabaseQueue(path: w.path).inDatabase { try Set(String.fetchAll($0, sql: "SELECT alert FROM events")) }
  }

  @Test("the log grows without bound, or what is open is thrown away with what is old")
  func whatEndedLongAgoLeavesTheLogOfARunningService() throws {
    // Given a service with thousands of finished lives, an open one that is acknowledged, and one that is only open
    let w = try filled()
    let reader = try EventLogReader(path: w.path)
    let before = try reader.events(after: 0, limit: .max)
    let grown = try tables(w, "grown.sqlite")
    try grown.catchUp(from: reader)
    let open = openID(w)
    let archivist = Archivist(path: w.path) { .days(90) }
    // When it is too early, nothing moves.
    w.clock.time = w.clock.time + .days(89)
    #expect(try archivist.look(now: w.clock.time)?.path == nil)
    // When ninety days are over, the archivist looks
    w.clock.time = w.clock.time + .days(2)
    let report = try #require(try archivist.look(now: w.clock.time))
    #expect(report.subjects == ArchivistTests.lives && report.events >= Int64(ArchivistTests.lives * 2))
    // Then what is open stays, and nothing else does
    let left = try subjectsInTheLogItself(w)
    #expect(left.filter { $0.hasPrefix("A-") }.count == 2 && left.contains(open.description))
    #expect(left.contains("C-1"))
    // And the service goes on, beside it: the open alert escalates, old and new anomalies are taken
    try w.service.step()
    try w.publish([w.anomaly("after", "open", .critical), w.anomaly("0/0", "k0", .low)])
    #expect(w.service.engine.alerts[open]?.isResolved == false)
    // And everything is read as it was: each event, each life, tables that are built anew
    let after = try reader.events(after: 0, limit: .max)
    #expect(Array(after.prefix(before.count)) == before && after.count > before.count)
    #expect(try reader.life(of: Subject(.alert, 1)).map(\.type).contains(.resolved))
    #expect(try reader.verify().problems == [])
    try grown.catchUp(from: reader)
    let built = try tables(w, "built.sqlite")
    try built.rebuild(from: reader)
    #expect(try dumped(built) == dumped(grown))
    // And a comment on an archived life finds it, and a restart without a snapshot gives the same state
    try w.command(#"{"command":"comment","alert":"A-1","by":"ana","note":"what was this?"}"#)
    #expect(try reader.life(of: Subject(.alert, 1)).last?.type == .commented)
    try w.stopped { try? FileManager.default.removeItem(atPath: $0 + ".snapshot") }
    try w.expectAsReplayed()
    #expect(w.service.engine.alerts[open] != nil)
    // A repeat of what is archived is recognised
    #expect(try w.publish([w.anomaly("0/1", "k1", .low)])["duplicates"]?.int == 1)
    #expect(try archivist.look(now: w.clock.time) == nil)
  }

  @Test func itLooksAtTheStartAndOnceADayAndNeverWhereNobodyWantsIt() async throws {
    let now = Mutex(Timestamp(seconds: 1_760_000_000))
    let looked = Mutex<[Timestamp]>([])
    struct Over: Error {}
    let start = now.withLock { $0 }
    await Archivist(path: "nowhere") { nil }.run(
      now: { now.withLock { $0 } },
      sleep: { interval in
        now.withLock { $0 = $0 + interval }
        if looked.withLock({ $0.count }) == 3 { throw Over() }
      }, look: { time in looked.withLock { $0.append(time) } })
    #expect(looked.withLock { $0 }.map { ($0 - start).description } == ["10m", "1d10m", "2d10m"])
    #expect(try Archivist(path: "nowhere") { nil }.look(now: start) == nil)
  }
}
