import Alerts
import Foundation
import Testing

@testable import EventLog

/// What every log must do, on each of them.
@Suite struct ContractTests {
  enum Kind: CaseIterable, Sendable {
    case sqlite, memory
    func make(in folder: TemporaryFolder) throws -> any EventLog {
      switch self {
      case .sqlite: try SQLiteEventLog(path: folder.log)
      case .memory: MemoryEventLog()
      }
    }
  }

  @Test(arguments: Kind.allCases) func whatIsAppendedIsReadAsItWas(_ kind: Kind) throws {
    let folder = try TemporaryFolder()
    let log = try kind.make(in: folder)
    var pen = Pen()
    let commits = [
      Commit(events: pen.life(1), recordedAt: pen.now), pen.commit(text: "quotes \" and ünïcödé \u{1F514}"),
      Commit(events: pen.life(2) + pen.life(3), recordedAt: pen.now),
    ]
    #expect(log.head == 0)
    for commit in commits { try log.append(commit) }

    let written = commits.flatMap(\.events)
    #expect(try log.all() == written)
    #expect(try log.all().map(\.position) == Array(1...Int64(written.count)))
    #expect(log.head == Int64(written.count))
    #expect(try log.all(after: 4) == Array(written.dropFirst(4)))
    #expect(try log.all(after: log.head) == [])
    #expect(try log.all(after: -5) == written)
    #expect(try log.event(at: 5) == written[4])
    #expect(try log.event(at: 0) == nil)
    #expect(try log.event(at: log.head + 1) == nil)
  }

  @Test(arguments: Kind.allCases) func replayStopsWhenItIsTold(_ kind: Kind) throws {
    let folder = try TemporaryFolder()
    let log = try kind.make(in: folder)
    var pen = Pen()
    try log.append(pen.commit(events: 10))
    var seen: [Int64] = []
    try log.replay(after: 2) { e in
      seen.append(e.position)
      return e.position < 6
    }
    #expect(seen == [3, 4, 5, 6])
    struct Enough: Error {}
    #expect(throws: Enough.self) { try log.replay(after: 0) { _ in throw Enough() } }
    try log.append(pen.commit(events: 1))
    #expect(log.head == 11)
  }

  @Test(arguments: Kind.allCases) func aLifeIsItsOwnEventsInOrder(_ kind: Kind) throws {
    let folder = try TemporaryFolder()
    let log = try kind.make(in: folder)
    var pen = Pen()
    let one = pen.life(1)
    let two = pen.life(2)
    let late = pen.comment(1)
    try log.append(Commit(events: one + two + [late], recordedAt: pen.now))
    #expect(try log.life(of: Subject(.alert, 1)) == one + [late])
    #expect(try log.life(of: Subject(.alert, 2)) == two)
    #expect(try log.life(of: Subject(.alert, 3)) == [])
    #expect(try log.life(of: Subject(.silence, 1)) == [])
  }

  enum Wrong: CaseIterable, Sendable {
    case gap, taken, backwards, nothing, versionTaken, versionTakenWithin
  }

  @Test(arguments: Kind.allCases, Wrong.allCases)
  func whatDoesNotFollowIsRefusedWhole(_ kind: Kind, _ wrong: Wrong) throws {
    let folder = try TemporaryFolder()
    let log = try kind.make(in: folder)
    var pen = Pen()
    try log.append(pen.commit(events: 3))
    let (head, hash) = (log.head, log.headHash)
    let before = pen
    var bad = pen.commit(events: 3)
    switch wrong {
    case .gap: for i in bad.events.indices { bad.events[i].position += 1 }
    case .taken: for i in bad.events.indices { bad.events[i].position -= 1 }
    case .backwards: bad.events.swapAt(0, 1)
    case .nothing: bad.events = []
    case .versionTaken: bad.events[1].version = 2
    case .versionTakenWithin: bad.events[2].version = bad.events[0].version
    }
    #expect(logError { try log.append(bad) }?.kind == .conflict)

    #expect(log.head == head)
    #expect(log.headHash == hash)
    #expect(try log.all().count == 3)
    #expect(try log.takenIn().count == 1)
    pen = before
    try log.append(pen.commit(events: 3))
    #expect(log.head == 6)
  }

  @Test(arguments: Kind.allCases) func theIntakeIsReadNewestFirst(_ kind: Kind) throws {
    let folder = try TemporaryFolder()
    let log = try kind.make(in: folder)
    var pen = Pen()
    let commits = [pen.commit(), Commit(events: [pen.comment(1)], recordedAt: pen.now), pen.commit(), pen.commit()]
    for commit in commits { try log.append(commit) }
    #expect(try log.takenIn() == [commits[3].intake, commits[2].intake, commits[0].intake])
    var first: [UInt8]?
    try log.intake { bytes in
      first = Array(bytes)
      return false
    }
    #expect(first == commits[3].intake)
  }

  @Test(arguments: Kind.allCases) func hashesTieEachCommitToThoseBefore(_ kind: Kind) throws {
    let folder = try TemporaryFolder()
    let log = try kind.make(in: folder)
    #expect(log.headHash == CommitHash.start)
    #expect(try log.hash(at: 0) == CommitHash.start)
    var pen = Pen()
    var hashes: [[UInt8]] = []
    for _ in 0..<3 {
      let commit = pen.commit()
      let before = log.headHash
      try log.append(commit)
      #expect(
        log.headHash
          == CommitHash.next(after: before, commit))
      hashes.append(log.headHash)
    }
    #expect(Set(hashes).count == 3)
    #expect(try log.hash(at: 3) == hashes[0])
    #expect(try log.hash(at: 6) == hashes[1])
    #expect(try log.hash(at: 4) == nil)
    #expect(try log.hash(at: 12) == nil)
  }

  @Test func bothMakeTheSameChain() throws {
    let folder = try TemporaryFolder()
    let logs = try Kind.allCases.map { try $0.make(in: folder) }
    for log in logs {
      var pen = Pen()
      try log.append(Commit(events: pen.life(1), recordedAt: pen.now))
      try log.append(pen.commit())
    }
    #expect(logs[0].headHash == logs[1].headHash)
  }
}
