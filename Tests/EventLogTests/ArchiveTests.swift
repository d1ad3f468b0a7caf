import Alerts
import Foundation
import GRDB
import Testing

@testable import EventLog

/// Finished lives in files of their own, that everything still reads.
@Suite struct ArchiveTests {
  private static let old = Timestamp(seconds: 1_750_000_000)
  private static let new = Timestamp(seconds: 1_760_000_000)
  private static let between = Timestamp(seconds: 1_755_000_000)

  private static let opened = Pen.detected(9)
  private static let ended = AlertEvent.resolved(Resolved(how: .cleared, seen: false))
  private static func requested(_ key: String) -> AlertEvent {
    .notificationRequested(
      NotificationRequested(key: key, purpose: .firing, receiver: "r", channel: "email", destination: "a@b"))
  }
  private static func delivered(_ key: String) -> AlertEvent {
    .notificationDelivered(NotificationDelivered(key: key, attempt: 1, status: 250, latency: nil, provider: nil))
  }

  /// Lives of all kinds, in several commits.
  private func write(_ log: any EventLog, _ pen: inout Pen) throws {
    pen.now = ArchiveTests.old
    let configuration = Subject(.configuration, 1)
    try log.append(
      Commit(
        events: [pen.event(.configured(Configured(digest: "d", settings: [:])), about: configuration)],
        recordedAt: pen.now))
    for n in 1...20 { try log.append(Commit(events: pen.life(Int64(n)), recordedAt: pen.now)) }
    // Open: stays.
    try log.append(Commit(events: [pen.event(Pen.detected(21), about: Subject(.alert, 21))], recordedAt: pen.now))
    try log.append(pen.commit(events: 1, about: 21))
  }

  private func subjects(_ path: String) throws -> Set<String> {
    try DatabaseQueue(path: path).inDatabase { try Set(String.fetchAll($0, sql: "SELECT alert FROM events")) }
  }

  @Test func whatHappensByItselfMakesNoFileOfLittleAndNoneTooSoon() throws {
    let folder = try TemporaryFolder()
    let log = try SQLiteEventLog(path: folder.log)
    var pen = Pen()
    try write(log, &pen)
    let archiving = try LogArchiving(path: folder.log)
    let now = Timestamp(microseconds: Int64(Date().timeIntervalSince1970 * 1_000_000))
    #expect(try archiving.isDue(now: now))
    // Sixty events of ended lives.
    #expect(try archiving.run(before: ArchiveTests.between, smallest: 61).path == nil)
    #expect(try archiving.isDue(now: now))
    #expect(try archiving.run(before: ArchiveTests.between, smallest: 60).events == 60)
    #expect(try !archiving.isDue(now: now + .days(6)))
    #expect(try archiving.isDue(now: now + .days(8)))
    #expect(try EventLogReader(path: folder.log).verify().problems == [])
  }

  @Test func finishedLivesMoveAndEverythingReadsAsBefore() throws {
    let folder = try TemporaryFolder()
    let log = try SQLiteEventLog(path: folder.log)
    var pen = Pen()
    try write(log, &pen)
    pen.now = ArchiveTests.new
    try log.append(Commit(events: pen.life(22), recordedAt: pen.now))
    let reader = try EventLogReader(path: folder.log)
    let before = try log.all()
    let lives = try (1...22).map { try reader.life(of: Subject(.alert, Int64($0))) }

    let report = try LogArchiving(path: folder.log).run(before: ArchiveTests.between)
    #expect(report.subjects == 20)
    #expect(report.events == 60)
    let archive = try #require(report.path)
    #expect(archive.hasSuffix("tocsin-archive-1.sqlite"))
    #expect(try subjects(archive) == Set((1...20).map { "A-\($0)" }))
    #expect(try subjects(folder.log) == ["C-1", "A-21", "A-22"])

    #expect(try log.all() == before)
    #expect(try log.all(after: 30) == Array(before.dropFirst(30)))
    #expect(try reader.stored(after: 0, limit: .max) == before)
    #expect(try reader.stored(after: 5, limit: 7) == Array(before[5..<12]))
    #expect(try reader.head() == log.head)
    for e in before { #expect(try log.event(at: e.position) == e) }
    #expect(try (1...22).map { try reader.life(of: Subject(.alert, Int64($0))) } == lives)
    let verified = try reader.verify()
    #expect(verified.problems == [])
    #expect((verified.archives, verified.events) == (1, Int64(before.count)))

    try log.append(pen.commit())
    #expect(try EventLogReader(path: folder.log).verify().problems == [])
    #expect(throws: DatabaseError.self) {
      try DatabaseQueue(path: archive).inDatabase { try $0.execute(sql: "DELETE FROM events") }
    }
  }

  @Test func theHeadStaysWhenItsOwnEventMoves() throws {
    let folder = try TemporaryFolder()
    var pen = Pen()
    pen.now = ArchiveTests.old
    do {
      let log = try SQLiteEventLog(path: folder.log)
      try log.append(Commit(events: pen.life(1), recordedAt: pen.now))
      _ = try LogArchiving(path: folder.log).run(before: ArchiveTests.between)
    }
    let log = try SQLiteEventLog(path: folder.log)
    #expect(log.head == 3)
    #expect(try log.all().count == 3)
    #expect(try EventLogReader(path: folder.log).head() == 3)
    pen.now = ArchiveTests.new
    try log.append(pen.commit(events: 1, about: 2))
    #expect(try log.all().map(\.position) == [1, 2, 3, 4])
  }

  struct Case: Sendable, CustomTestStringConvertible {
    var name: String
    var subject: Subject
    /// Before the date.
    var early: [AlertEvent]
    /// After it.
    var late: [AlertEvent] = []
    var moves: Bool
    var testDescription: String { name }
  }

  private static let alert = Subject(.alert, 9)
  static let cases = [
    Case(name: "resolved", subject: alert, early: [opened, ended], moves: true),
    Case(name: "open", subject: alert, early: [opened], moves: false),
    Case(
      name: "acknowledged and open", subject: alert, early: [opened, .acknowledged(Acknowledged())], moves: false),
    Case(
      name: "reopened", subject: alert,
      early: [opened, ended, .reopened(Reopened(severity: .high, anomaly: Pen.anomaly(9)))], moves: false),
    Case(name: "resolved later", subject: alert, early: [opened], late: [ended], moves: false),
    Case(
      name: "commented later", subject: alert, early: [opened, ended], late: [.commented(Commented(text: "oh"))],
      moves: false),
    Case(name: "owes a message", subject: alert, early: [opened, requested("k"), ended], moves: false),
    Case(name: "owes nothing", subject: alert, early: [opened, requested("k"), ended, delivered("k")], moves: true),
    Case(
      name: "a configuration", subject: Subject(.configuration, 1),
      early: [.configured(Configured(digest: "d", settings: [:]))], moves: false),
    Case(
      name: "an active silence", subject: Subject(.silence, 1),
      early: [.silenceAdded(SilenceAdded(matchers: [], startsAt: old, endsAt: old))], moves: false),
    Case(
      name: "an ended silence", subject: Subject(.silence, 1),
      early: [
        .silenceAdded(SilenceAdded(matchers: [], startsAt: old, endsAt: old)),
        .silenceExpired(SilenceExpired(early: false)),
      ], moves: true),
    Case(
      name: "a digest that was sent", subject: Subject(.digest, 1), early: [requested("k"), delivered("k")], moves: true
    ),
    Case(name: "a digest on its way", subject: Subject(.digest, 1), early: [requested("k")], moves: false),
  ]

  @Test(arguments: cases) func onlyWhatIsOverMoves(_ c: Case) throws {
    let folder = try TemporaryFolder()
    let log = try SQLiteEventLog(path: folder.log)
    var pen = Pen()
    pen.now = ArchiveTests.old
    try log.append(Commit(events: c.early.map { pen.event($0, about: c.subject) }, recordedAt: pen.now))
    pen.now = ArchiveTests.new
    try log.append(
      Commit(
        events: c.late.map { pen.event($0, about: c.subject) } + [
          pen.event(Pen.detected(50), about: Subject(.alert, 50))
        ],
        recordedAt: pen.now))
    let before = try log.all()
    let report = try LogArchiving(path: folder.log).run(before: ArchiveTests.between)
    #expect((report.subjects == 1) == c.moves)
    #expect(try subjects(folder.log).contains(c.subject.description) == !c.moves)
    #expect(try log.all() == before)
    #expect(try EventLogReader(path: folder.log).verify().problems == [])
  }

  @Test func severalArchivesReadAsOneLog() throws {
    let folder = try TemporaryFolder()
    let log = try SQLiteEventLog(path: folder.log)
    var pen = Pen()
    // Lives that overlap, so that archives interleave: odd ones end in the first month, even ones in the second.
    pen.now = ArchiveTests.old
    for n in 1...10 {
      try log.append(
        Commit(events: [pen.event(Pen.detected(Int64(n)), about: Subject(.alert, Int64(n)))], recordedAt: pen.now))
    }
    for parity in [1, 0] {
      for n in 1...10 where n % 2 == parity {
        try log.append(
          Commit(events: [pen.event(ArchiveTests.ended, about: Subject(.alert, Int64(n)))], recordedAt: pen.now))
      }
      pen.now = pen.now + .days(30)
    }
    let before = try log.all()
    let first = try LogArchiving(path: folder.log).run(before: ArchiveTests.old + .days(1))
    let second = try LogArchiving(path: folder.log).run(before: ArchiveTests.old + .days(31))
    let third = try LogArchiving(path: folder.log).run(before: ArchiveTests.old + .days(31))
    #expect((first.events, second.events, third.events) == (10, 10, 0))
    #expect(third.path == nil)
    #expect(try subjects(folder.log) == [])
    #expect(try log.all() == before)
    #expect(try EventLogReader(path: folder.log).stored(after: 3, limit: 9) == Array(before[3..<12]))
    #expect(try EventLogReader(path: folder.log).verify().problems == [])
  }

  @Test func aCommentOnAnArchivedLifeFollowsIt() throws {
    let folder = try TemporaryFolder()
    let log = try SQLiteEventLog(path: folder.log)
    var pen = Pen()
    pen.now = ArchiveTests.old
    try log.append(Commit(events: pen.life(1), recordedAt: pen.now))
    _ = try LogArchiving(path: folder.log).run(before: ArchiveTests.between)
    try log.append(pen.commit(events: 1, about: 1))
    let life = try log.life(of: Subject(.alert, 1))
    #expect(life.map(\.version) == [1, 2, 3, 4])
    #expect(try LogArchiving(path: folder.log).run(before: ArchiveTests.between).events == 1)
    #expect(try log.life(of: Subject(.alert, 1)) == life)
    #expect(try EventLogReader(path: folder.log).verify().problems == [])
  }

  /// As after a crash between noting the archive and taking the rows out.
  @Test func whatStandsInBothIsReadOnceAndTheMoveIsFinishedLater() throws {
    let folder = try TemporaryFolder()
    let copy = try TemporaryFolder()
    var pen = Pen()
    var before: [StoredEvent] = []
    do {
      let log = try SQLiteEventLog(path: folder.log)
      try write(log, &pen)
      before = try log.all()
    }
    try FileManager.default.copyItem(atPath: folder.log, toPath: copy.log)
    let report = try LogArchiving(path: folder.log).run(before: ArchiveTests.between)
    let archive = try #require(report.path)
    let noted = try DatabaseQueue(path: folder.log).inDatabase { try Row.fetchAll($0, sql: "SELECT * FROM archives") }
    try FileManager.default.copyItem(atPath: archive, toPath: copy.file("tocsin-archive-1.sqlite"))
    try DatabaseQueue(path: copy.log).inDatabase { db in
      for row in noted {
        var values = Array(row.databaseValues)
        values[6] = 0.databaseValue
        try db.execute(sql: "INSERT INTO archives VALUES (?, ?, ?, ?, ?, ?, ?)", arguments: StatementArguments(values))
      }
    }
    let reader = try EventLogReader(path: copy.log)
    #expect(try reader.stored(after: 0, limit: .max) == before)
    #expect(try reader.verify().problems == [])
    let again = try LogArchiving(path: copy.log).run(before: ArchiveTests.between)
    #expect((again.finished, again.events) == (60, 0))
    #expect(try subjects(copy.log) == ["C-1", "A-21"])
    #expect(try reader.stored(after: 0, limit: .max) == before)
  }

  @Test func anArchiveThatIsGoneOrChangedIsTold() throws {
    let folder = try TemporaryFolder()
    let log = try SQLiteEventLog(path: folder.log)
    var pen = Pen()
    try write(log, &pen)
    let archive = try #require(try LogArchiving(path: folder.log).run(before: ArchiveTests.between).path)
    do {
      let queue = try DatabaseQueue(path: archive)
      try queue.inDatabase { db in
        try db.execute(sql: "DROP TRIGGER events_never_change; UPDATE events SET actor = 'mallory' WHERE alert = 'A-3'")
      }
      try queue.close()
    }
    let problems = try EventLogReader(path: folder.log).verify().problems.map(\.message)
    #expect(problems.contains { $0.contains("was changed after") })
    #expect(problems.contains { $0.contains("events_never_change") })
    #expect(problems.contains { $0.contains("hash chain") })

    try FileManager.default.removeItem(atPath: archive)
    let error = logError { _ = try EventLogReader(path: folder.log).stored(after: 0, limit: .max) }
    #expect(error?.kind == .unreadable)
    #expect(error?.message.contains(archive) == true)
    #expect(error?.mend?.contains("put it back") == true)
    #expect(try !EventLogReader(path: folder.log).verify().isSound)
  }

  @Test func aBackupTakesTheArchivesAlong() throws {
    let folder = try TemporaryFolder()
    let log = try SQLiteEventLog(path: folder.log)
    var pen = Pen()
    try write(log, &pen)
    _ = try LogArchiving(path: folder.log).run(before: ArchiveTests.between)
    let target = folder.file("backups/tocsin.sqlite")
    #expect(try EventLogReader(path: folder.log).backup(to: target).isSound)
    #expect(try EventLogReader(path: target).stored(after: 0, limit: .max) == log.all())
    #expect(
      try Set(FileManager.default.contentsOfDirectory(atPath: folder.file("backups")))
        == ["tocsin.sqlite", "tocsin-archive-1.sqlite"])
  }

  @Test func aStrangersFileInTheWayIsNotTouched() throws {
    let folder = try TemporaryFolder()
    let log = try SQLiteEventLog(path: folder.log)
    var pen = Pen()
    try write(log, &pen)
    let before = try log.all()
    let inTheWay = folder.file("tocsin-archive-1.sqlite")
    try Data("precious".utf8).write(to: URL(fileURLWithPath: inTheWay))
    #expect(logError { _ = try LogArchiving(path: folder.log).run(before: ArchiveTests.between) }?.kind == .unwritable)
    #expect(try Data(contentsOf: URL(fileURLWithPath: inTheWay)) == Data("precious".utf8))
    #expect(try subjects(folder.log).count == 22)
    #expect(try log.all() == before)
  }
}
