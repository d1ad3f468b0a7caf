import Alerts
import Foundation
import GRDB
import Testing

@testable import EventLog

/// Reading beside the writer.
@Suite struct ReaderTests {
  @Test func aReaderSeesEachCommitWholeAsSoonAsItIsIn() throws {
    let folder = try TemporaryFolder()
    let log = try SQLiteEventLog(path: folder.log)
    let reader = try EventLogReader(path: folder.log)
    #expect(try reader.head() == 0)
    #expect(try reader.events(after: 0, limit: 10) == [])
    var pen = Pen()
    for n in 1...10 {
      try log.append(Commit(events: pen.life(Int64(n)), recordedAt: pen.now))
      #expect(try reader.head() == Int64(n * 3))
    }
    #expect(try reader.stored(after: 0, limit: .max) == log.all())
    #expect(try reader.events(after: 7, limit: 4).map(\.position) == [8, 9, 10, 11])
    #expect(try reader.events(after: 28, limit: 4).map(\.position) == [29, 30])
    #expect(try reader.events(after: 7, limit: 0) == [])
    // So many bytes, and at least one event.
    let sizes = try reader.stored(after: 7, limit: 3).map(\.data.count)
    #expect(try reader.positions(after: 7, limit: 4, bytes: 1) == [8])
    #expect(try reader.positions(after: 7, limit: 4, bytes: sizes[0] + 1) == [8, 9])
    #expect(try reader.positions(after: 7, limit: 2, bytes: sizes.reduce(0, +)) == [8, 9])
    #expect(try reader.event(at: 4)?.type == .detected)
    #expect(try reader.event(at: 31) == nil)
    #expect(try reader.life(of: Subject(.alert, 3)).map(\.type) == [.detected, .acknowledged, .resolved])
  }

  @Test func readersGoOnWhileAWriterWrites() async throws {
    let folder = try TemporaryFolder()
    let log = try SQLiteEventLog(path: folder.log)
    let path = folder.log
    let readers = (0..<4).map { _ in
      Task.detached {
        let reader = try EventLogReader(path: path)
        var position: Int64 = 0
        while position < 600 {
          let events = try reader.stored(after: position, limit: 37)
          let head = try reader.head()
          guard events.map(\.position) == Array(position + 1..<position + 1 + Int64(events.count)),
            (events.last?.position ?? 0) <= head
          else { return position }
          position += Int64(events.count)
          await Task.yield()
        }
        return position
      }
    }
    var pen = Pen()
    for _ in 0..<200 { try log.append(pen.commit(events: 3)) }
    for reader in readers { #expect(try await reader.value == 600) }
  }

  @Test func anEventThatCantBeReadCostsItselfAlone() throws {
    let folder = try TemporaryFolder()
    let log = try SQLiteEventLog(path: folder.log)
    var pen = Pen()
    var commit = pen.commit(events: 5)
    commit.events[2].data = Array("{}".utf8)
    try log.append(commit)
    let reader = try EventLogReader(path: folder.log)
    let error = logError { _ = try reader.events(after: 0, limit: 10) }
    #expect(error?.kind == .corrupt)
    #expect(error?.position == 3)
    #expect(error?.mend != nil)
    #expect(try reader.events(after: 0, limit: 2).count == 2)
    #expect(try reader.events(after: 3, limit: 10).map(\.position) == [4, 5])
  }

  @Test func theIntakeIsBoundedOnDisk() throws {
    let folder = try TemporaryFolder()
    let log = try SQLiteEventLog(path: folder.log, intakeLimit: 10)
    var pen = Pen()
    var all: [[UInt8]] = []
    for _ in 0..<25 {
      let commit = pen.commit(events: 1)
      all.append(commit.intake)
      try log.append(commit)
    }
    #expect(try log.takenIn() == all.suffix(10).reversed())
    #expect(try EventLogReader(path: folder.log).verify().problems == [])
  }

  @Test func aSmallerLimitIsReachedLittleByLittle() throws {
    let folder = try TemporaryFolder()
    var pen = Pen()
    do {
      let log = try SQLiteEventLog(path: folder.log)
      for _ in 0..<60 { try log.append(pen.commit(events: 1)) }
    }
    let log = try SQLiteEventLog(path: folder.log, intakeLimit: 5)
    var counts: [Int] = []
    for _ in 0..<5 {
      try log.append(pen.commit(events: 1))
      counts.append(try log.takenIn().count)
    }
    #expect(counts == [45, 30, 15, 5, 5])
  }
}
