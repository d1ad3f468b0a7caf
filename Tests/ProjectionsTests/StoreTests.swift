import Alerts
import EventLog
import Foundation
import GRDB
import Projections
import Testing

/// What happens to the file, and to bad input.
struct StoreTests {
  static let start = Timestamp(seconds: 1_760_000_000)
  static let events = SampleHistory.log(seed: 21, events: 600, start: start, span: .days(9))

  /// The rows that a fresh file gives.
  static func expected(_ events: [RecordedEvent] = events) throws -> [String] {
    let folder = try TemporaryFolder()
    let store = try folder.store()
    try store.catchUp(from: SampleLog(events))
    return try store.dumped()
  }

  @Test(arguments: ["an older schema", "garbage", "no tables", "half a file"])
  func aFileThatCannotBeUsedIsMadeAnew(_ what: String) throws {
    // Given a file with rows, which then goes bad
    let folder = try TemporaryFolder()
    let log = SampleLog(StoreTests.events)
    do {
      let store = try folder.store()
      try store.catchUp(from: log)
    }
    switch what {
    case "an older schema":
      try DatabaseQueue(path: folder.file).write { try $0.execute(sql: "PRAGMA user_version = 0; DROP TABLE facts") }
    case "garbage":
      try? FileManager.default.removeItem(atPath: folder.file + "-wal")
      try Data(repeating: 0x5A, count: 9000).write(to: URL(fileURLWithPath: folder.file))
    case "no tables":
      try DatabaseQueue(path: folder.file).write { try $0.execute(sql: "DROP TABLE alerts") }
    default:
      try? FileManager.default.removeItem(atPath: folder.file + "-wal")
      let data = try Data(contentsOf: URL(fileURLWithPath: folder.file))
      var cut = data.prefix(data.count / 2)
      cut.replaceSubrange(4096..<8192, with: repeatElement(0xFF, count: 4096))
      try cut.write(to: URL(fileURLWithPath: folder.file))
    }

    // When a store opens it
    let store = try folder.store()
    try store.rebuildOrCatchUp(from: log)

    // Then the rows are those of a fresh one
    #expect(try store.dumped() == StoreTests.expected())
  }

  @Test func anotherProgramsFileIsLeftAlone() throws {
    let folder = try TemporaryFolder()
    try DatabaseQueue(path: folder.file).write {
      try $0.execute(sql: "CREATE TABLE precious (x); PRAGMA user_version = 1")
    }
    #expect(throws: ProjectionError.self) { try folder.store() }
    #expect(try DatabaseQueue(path: folder.file).read { try $0.tableExists("precious") })
  }

  @Test func aDeletedFileIsMadeAnewWhileTheStoreIsOpen() throws {
    let folder = try TemporaryFolder()
    let log = SampleLog(Array(StoreTests.events.prefix(300)))
    let store = try folder.store()
    try store.catchUp(from: log)
    for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: folder.file + suffix) }

    log.append(Array(StoreTests.events.dropFirst(300)))
    try store.catchUp(from: log)
    #expect(try store.dumped() == StoreTests.expected())
    #expect(try ProjectionReader(path: folder.file).position() == 600)
  }

  @Test func aLockedFileIsAnErrorThatSaysWhatToDoAndNothingIsLost() throws {
    let folder = try TemporaryFolder()
    let log = SampleLog(StoreTests.events)
    let store = try folder.store()
    let other = try DatabaseQueue(path: folder.file)
    try other.inDatabase { db in
      try db.execute(sql: "BEGIN IMMEDIATE")
      #expect { try store.catchUp(from: log) } throws: { error in
        (error as? ProjectionError)?.kind == .unwritable && "\(error)".contains("locked by another program")
      }
      try db.execute(sql: "COMMIT")
    }
    try store.catchUp(from: log)
    #expect(try store.dumped() == StoreTests.expected())
  }

  @Test func twoStoresTakeEachEventInOnce() throws {
    let folder = try TemporaryFolder()
    let log = SampleLog([])
    let a = try folder.store()
    let b = try folder.store()
    for (i, event) in StoreTests.events.enumerated() {
      log.append([event])
      if i % 3 != 1 { try a.catchUp(from: log) }
      if i % 3 != 0 { try b.catchUp(from: log) }
    }
    try a.catchUp(from: log)
    #expect(try a.dumped() == StoreTests.expected())
    #expect(try b.dumped() == StoreTests.expected())
  }

  @Test func rowsOfAnotherLogAreThrownAway() throws {
    let folder = try TemporaryFolder()
    try folder.store().catchUp(from: SampleLog(StoreTests.events))

    // A shorter log, as from a backup
    let shorter = Array(StoreTests.events.prefix(200))
    let store = try folder.store()
    try store.catchUp(from: SampleLog(shorter))
    #expect(try store.dumped() == StoreTests.expected(shorter))

    // Another one of the same length and more
    let other = SampleHistory.log(seed: 22, events: 700, start: StoreTests.start + .days(1), span: .days(9))
    let again = try folder.store()
    try again.catchUp(from: SampleLog(other))
    #expect(try again.dumped() == StoreTests.expected(other))
  }

  @Test func anEventThatCannotBeReadCostsItselfOnly() throws {
    // Given a log with three unreadable comments, one of them at its end
    var events = StoreTests.events
    let comments = events.filter { $0.type == .commented }.prefix(2).map(\.position)
    events.append(
      RecordedEvent(
        position: 601, subject: Subject(.silence, 9), version: 1, occurredAt: StoreTests.start,
        recordedAt: StoreTests.start, actor: "ben", cause: nil, event: .silenceExpired(SilenceExpired(early: true))))
    let folder = try TemporaryFolder()
    let store = try folder.store()
    try store.catchUp(from: SampleLog(events, broken: Set(comments + [601])), batch: 64)

    // Then the rest is there, and they are named
    let problems = try store.dumped().filter { $0.hasPrefix("problems|") }
    #expect(problems.count == 3)
    #expect(problems[0].contains("problems|\(comments[0])|"))
    #expect(try store.reached() == 601)
    let standing = try ProjectionReader(path: folder.file).standing(head: 601)
    #expect(standing.problems.count == 3 && standing.lag == 0)
    let timeline = try store.dumped().filter { $0.hasPrefix("timeline|") }.count
    #expect(try timeline == StoreTests.expected().filter { $0.hasPrefix("timeline|") }.count - 2)
  }

  @Test func eventsThatMakeNoSenseAreNotedAndNothingElse() throws {
    func row(_ position: Int64, _ subject: Subject, _ event: AlertEvent) -> RecordedEvent {
      RecordedEvent(
        position: position, subject: subject, version: 1, occurredAt: StoreTests.start, recordedAt: StoreTests.start,
        actor: "x", cause: nil, event: event)
    }
    let nonsense = [
      row(1, Subject(.alert, 7), .acknowledged(Acknowledged())),
      row(
        2, Subject(.alert, 7),
        .notificationDelivered(.init(key: "k", attempt: 1, status: nil, latency: nil, provider: nil))),
      row(3, Subject(.group, 7), .notificationFailed(.init(key: "k", attempt: 1, status: nil, message: "no"))),
      row(4, Subject(.configuration, 7), .steady(Steady())),
      row(5, Subject(.silence, 7), .silenceExpired(SilenceExpired(early: false))),
      row(6, Subject(.group, 7), .exhausted(Exhausted(rounds: 1))),
      row(9, Subject(.digest, 1), .steady(Steady())),
    ]
    let folder = try TemporaryFolder()
    let store = try folder.store()
    try store.catchUp(from: SampleLog(nonsense))
    let lines = try store.dumped()
    #expect(lines.allSatisfy { $0.hasPrefix("problems|") })
    // One for each, and one for the gap between 6 and 9.
    #expect(lines.count == 8)
  }

  @Test func aReaderWithoutAFileSaysSoAndFindsItLater() throws {
    let folder = try TemporaryFolder()
    let reader = ProjectionReader(path: folder.file)
    #expect { try reader.alerts(AlertQuery()) } throws: { ($0 as? ProjectionError)?.kind == .missing }
    let store = try folder.store()
    try store.catchUp(from: SampleLog(StoreTests.events))
    #expect(try !reader.alerts(AlertQuery()).alerts.isEmpty)
    try store.rebuild(from: SampleLog(Array(StoreTests.events.prefix(2))))
    #expect(try reader.position() == 2)
  }
}

extension ProjectionStore {
  /// Damage that opening does not see shows while rows are read; either way the rows come right.
  func rebuildOrCatchUp(from log: SampleLog) throws {
    try catchUp(from: log)
    if try dumpedOrNil() == nil { try rebuild(from: log) }
  }
  private func dumpedOrNil() throws -> [String]? { try? dumped() }
}
