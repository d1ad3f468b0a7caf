import Alerts
import Foundation
import GRDB
import Projections
import Testing

/// The tables follow from the log alone, however it was taken in.
struct RebuildTests {
  static let start = Timestamp(seconds: 1_760_000_000)

  @Test(arguments: [1, 2, 3, 4] as [UInt64])
  func batchesOfAnySizeGiveTheSameRows(seed: UInt64) throws {
    // Given a log, and tables built from it in one go
    let events = SampleHistory.log(seed: seed, events: 3000, start: RebuildTests.start, span: .days(40))
    let whole = try TemporaryFolder()
    let wholeStore = try whole.store()
    try wholeStore.catchUp(from: SampleLog(events), batch: .max)
    let expected = try wholeStore.dumped()
    #expect(expected.filter { $0.hasPrefix("alerts|") }.count > 100)
    #expect(!expected.contains { $0.hasPrefix("problems|") })

    // When they are built in pieces of random sizes, by stores that come and go
    let pieces = try TemporaryFolder()
    var random = Seeded(seed &+ 100)
    let log = SampleLog([])
    var taken = 0
    var store = try pieces.store()
    while taken < events.count {
      let n = min(events.count - taken, Int.random(in: 1...400, using: &random))
      log.append(Array(events[taken..<(taken + n)]))
      taken += n
      if random.chance(0.3) { store = try pieces.store() }
      try store.catchUp(from: log, batch: Int.random(in: 1...120, using: &random))
    }

    // Then the rows are the same, byte for byte, and again after a rebuild
    #expect(try store.dumped() == expected)
    #expect(try store.reached() == Int64(events.count))
    try store.rebuild(from: log, batch: 777)
    #expect(try store.dumped() == expected)
  }

  @Test func aLogThatIsBuiltInBulkGivesTheSameRowsIndexesAndSearch() throws {
    let events = SampleHistory.log(seed: 9, events: 51_000, start: RebuildTests.start, span: .days(200))
    let bulk = try TemporaryFolder()
    let bulkStore = try bulk.store()
    var reports: [Int64] = []
    try bulkStore.catchUp(from: SampleLog(events), batch: 1000) { position, _ in reports.append(position) }
    #expect(reports.count > 5 && reports == reports.sorted() && reports.last == Int64(events.count))

    let slow = try TemporaryFolder()
    let log = SampleLog(Array(events.prefix(30_000)))
    let slowStore = try slow.store()
    try slowStore.catchUp(from: log)
    log.append(Array(events.dropFirst(30_000)))
    try slowStore.catchUp(from: log)
    #expect(try bulkStore.dumped() == slowStore.dumped())

    func schema(_ path: String) throws -> [String] {
      try DatabaseQueue(path: path).read { try String.fetchAll($0, sql: "SELECT name FROM sqlite_schema ORDER BY 1") }
    }
    #expect(try schema(bulk.file) == schema(slow.file))
    func found(_ path: String) throws -> Int {
      try DatabaseQueue(path: path).read {
        try Int.fetchOne($0, sql: "SELECT count(*) FROM alert_search WHERE alert_search MATCH '\"black\" *'") ?? 0
      }
    }
    #expect(try found(bulk.file) > 0)
    #expect(try found(bulk.file) == found(slow.file))
  }

  @Test func aBulkBuildThatWasCutOffIsFinishedByTheNextOne() throws {
    let events = SampleHistory.log(seed: 5, events: 50_500, start: RebuildTests.start, span: .days(90))
    let folder = try TemporaryFolder()
    // Given a build that stops in the middle, as after a crash: the file says that it is being built
    do {
      let store = try folder.store()
      try store.catchUp(from: CutLog(SampleLog(events), stopAfter: 20_000))
      Issue.record("the log should have failed")
    } catch is CutLog.Cut {}
    let reader = ProjectionReader(path: folder.file)
    #expect(try reader.standing(head: 50_500).isBuilding)

    // When another store goes on
    let store = try folder.store()
    try store.catchUp(from: SampleLog(events))

    // Then nothing shows of it
    #expect(try !reader.standing(head: 50_500).isBuilding)
    let whole = try TemporaryFolder()
    let wholeStore = try whole.store()
    try wholeStore.catchUp(from: SampleLog(Array(events.prefix(40_000))))
    try wholeStore.catchUp(from: SampleLog(events))
    #expect(try store.dumped() == wholeStore.dumped())
  }
}
