import Alerts
import EventLog
import Lifecycle
import Testing

@testable import Service

/// A replay on two threads that does not come to its end comes to an end.
@Suite(.timeLimit(.minutes(1))) struct LogReplayTests {
  /// A log in memory that fails where it is told to, when it is read.
  private final class FailingLog: EventLog {
    let rows = MemoryEventLog()
    var failsAt = Int64.max
    private(set) var handedOut = 0
    var head: Int64 { rows.head }
    var headHash: [UInt8] { rows.headHash }
    func append(_ commit: Commit) throws(EventLogError) { try rows.append(commit) }
    func replay(after position: Int64, _ body: (StoredEvent) throws -> Bool) throws {
      try rows.replay(after: position) { e in
        if e.position == failsAt { throw EventLogError(.unreadable, "the disk says no", at: e.position) }
        handedOut += 1
        return try body(e)
      }
    }
    func event(at position: Int64) throws -> StoredEvent? { try rows.event(at: position) }
    func life(of subject: Subject) throws -> [StoredEvent] { try rows.life(of: subject) }
    func intake(_ body: (UnsafeRawBufferPointer) -> Bool) throws { try rows.intake(body) }
    func hash(at position: Int64) throws -> [UInt8]? { try rows.hash(at: position) }
  }

  /// Comments, but for one row whose data is nothing that its type may hold.
  private func log(_ count: Int, unreadable: Int64? = nil) throws -> FailingLog {
    let log = FailingLog()
    let rows = (1...Int64(count)).map { n in
      StoredEvent(
        position: n, subject: Subject(.alert, 1), version: Int(n), type: n == unreadable ? .acknowledged : .commented,
        occurredAt: .epoch, recordedAt: .epoch, actor: "ana", cause: nil,
        data: Array((n == unreadable ? "nonsense" : #"{"text":"x"}"#).utf8))
    }
    try log.append(Commit(events: rows, recordedAt: .epoch))
    return log
  }

  private func replay(_ log: FailingLog) throws -> Int {
    var engine = Engine()
    return try LogReplay.run(log, after: 0, into: &engine, onTwoFrom: 1)
  }

  @Test(arguments: [1, 5000, 100_000])
  func aRowThatCannotBeReadEndsIt(_ position: Int64) throws {
    let log = try log(200_000, unreadable: position)
    let error = try #require(throws: EventLogError.self) { try replay(log) }
    #expect(error.position == position)
    // What comes behind it is not read to the end.
    #expect(log.handedOut < 200_000)
  }

  @Test(arguments: [1, 2048, 5000, 60_000])
  func aLogThatFailsEndsIt(_ position: Int64) throws {
    let log = try log(60_000)
    log.failsAt = position
    let error = try #require(throws: EventLogError.self) { try replay(log) }
    #expect(error.position == position && error.kind == .unreadable)
    log.failsAt = .max
    #expect(try replay(log) == 60_000)
  }
}
