import Alerts
import Bus
import EventLog
import Foundation
import Lifecycle
import Logging
import Synchronization
import Testing

@testable import Service

/// Batches that are decided while the one before is on its way to the disk.
@Suite struct OverlapTests {
  static let peer = Peer(identity: [1])

  /// What came and what went, without sockets.
  final class Wire: GatewayPort {
    var incoming: [Incoming] = []
    var stored: [UInt64] = []
    var refused = 0
    func wait(until microseconds: Int64?) throws(BusError) {}
    func receive(limit: Int) -> [Incoming] {
      defer { incoming = [] }
      return incoming
    }
    func send(_ message: Outgoing, to peer: Peer) -> Bool {
      switch message {
      case .stored(let sequence, _): stored.append(sequence)
      case .error: refused += 1
      default: break
      }
      return true
    }
    func publish(topic: String, position: Int64, json: [UInt8]) {}
  }

  final class StillClock: ServiceClock {
    var time = Timestamp(seconds: 1_800_000_000)
    func now() -> Timestamp { time }
  }

  /// Appends when it is told to, or when somebody waits.
  final class SlowWriter: CommitWriter {
    let log: MemoryEventLog
    var begun: Commit?
    var overlapped = 0
    private var result: Result<Void, EventLogError>?
    init(_ log: MemoryEventLog) { self.log = log }

    func begin(_ commit: Commit, overlapping: Bool) {
      begun = commit
      if overlapping { overlapped += 1 } else { write() }
    }
    func write() {
      guard let commit = begun else { return }
      begun = nil
      do throws(EventLogError) {
        try log.append(commit)
        result = .success(())
      } catch { result = .failure(error) }
    }
    func outcome(waiting: Bool) -> Result<Void, EventLogError>? {
      if waiting { write() }
      defer { result = nil }
      return result
    }
  }

  struct World {
    let wire = Wire()
    let clock = StillClock()
    let log = MemoryEventLog()
    let writer: SlowWriter
    let control = ServiceControl {}
    let service: Service
    /// What followers of the log were told, in order.
    private let heads = Heads()
    var told: [Int64] { heads.values.withLock { $0 } }
    private final class Heads: Sendable { let values = Mutex<[Int64]>([]) }

    init() throws {
      writer = SlowWriter(log)
      let heads = heads
      service = Service(
        log: log, gateway: wire, clock: clock, control: control, status: ServiceStatus(), writer: writer,
        logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }),
        onCommit: { head in heads.values.withLock { $0.append(head) } })
      try service.start(settings: LifecycleSettings())
    }

    /// One message of so many new anomalies.
    func send(_ sequence: UInt64, from first: Int, count: Int = 300) throws {
      wire.incoming.append(
        .anomalies(
          OverlapTests.peer, producer: "p", sequence: sequence,
          events: Frames(
            (first..<first + count).map { i in
              Array(
                #"{"id":"\#(i)","source":"s","time":"2027-01-15T00:00:00Z","data":{"event_type":"e","metric":"m","dimensions":{"n":"\#(i)"}}}"#
                  .utf8)
            })))
      try service.step()
    }
  }

  /// What is on its way to the disk when a stop comes is written, answered, and told to those who follow the log.
  @Test func theLastCommitIsToldBeforeTheEnd() throws {
    let world = try World()
    try world.send(1, from: 0)
    #expect(world.writer.begun != nil && world.wire.stored.isEmpty)
    world.control.stop()
    try world.service.run()
    #expect(world.wire.stored == [1])
    #expect(world.told.last == world.log.head)
  }

  @Test func aBatchIsDecidedWhileTheOneBeforeIsWritten() throws {
    let world = try World()
    try world.send(1, from: 0)
    #expect(world.wire.stored.isEmpty && world.writer.begun != nil, "not on the disk, not answered")
    let head = world.log.head
    try world.send(2, from: 300)
    #expect(world.wire.stored == [1] && world.log.head == head + 300, "the second waits for the first")
    #expect(world.service.engine.openCount == 600, "and is decided already")
    world.writer.write()
    try world.service.step()
    #expect(world.wire.stored == [1, 2] && world.log.head == head + 600 && world.writer.overlapped == 2)
  }

  @Test func aRepeatOfWhatIsOnItsWayIsNotStoredBeforeThat() throws {
    let world = try World()
    try world.send(1, from: 0)
    try world.send(2, from: 0)
    #expect(world.wire.stored.isEmpty)
    world.writer.write()
    try world.service.step()
    #expect(world.wire.stored == [1, 2])
  }

  @Test func whatFollowsARefusedCommitWaitsBehindIt() throws {
    let world = try World()
    world.log.failure = EventLogError(.unwritable, "the disk is full")
    try world.send(1, from: 0)
    try world.send(2, from: 300)
    #expect(world.service.isRefusing && world.wire.stored.isEmpty)
    try world.send(3, from: 600)
    #expect(world.wire.stored.isEmpty && world.wire.refused == 1)
    world.log.failure = nil
    world.clock.time = world.clock.time + .seconds(2)
    try world.service.step()
    #expect(world.wire.stored == [1, 2] && !world.service.isRefusing && world.service.engine.openCount == 600)
    #expect(world.log.head == world.service.engine.head)
  }

  @Test func smallBatchesAreWrittenAtOnce() throws {
    let world = try World()
    try world.send(1, from: 0, count: 10)
    #expect(world.wire.stored == [1] && world.writer.overlapped == 0)
  }

  /// The thread itself: many commits, overlapping and not, all in order.
  @Test func theLogsThreadKeepsTheOrder() throws {
    let log = MemoryEventLog()
    let writer = ThreadWriter(log) {}
    for i in 1...200 {
      let e = RecordedEvent(
        position: Int64(i), subject: Subject(.alert, 1), version: i, occurredAt: .epoch, recordedAt: .epoch,
        actor: "a", cause: nil, event: .steady(Steady()))
      writer.begin(Commit(events: [StoredEvent(e)], recordedAt: .epoch), overlapping: i % 3 != 0)
      guard case .success? = writer.outcome(waiting: true) else {
        Issue.record("commit \(i) was refused")
        return
      }
    }
    log.failure = EventLogError(.unwritable, "the disk is full")
    writer.begin(Commit(events: [], recordedAt: .epoch), overlapping: true)
    guard case .failure? = writer.outcome(waiting: true) else {
      Issue.record("a refusal was not passed on")
      return
    }
    writer.close()
    #expect(log.head == 200)
  }

  /// What is forgotten is given back, whether commits are large enough for the other thread or not.
  @Test(arguments: [true, false])
  func whatIsForgottenIsGivenBack(overlapping: Bool) throws {
    let writer = ThreadWriter(MemoryEventLog()) {}
    defer { writer.close() }
    func commit(_ n: Int) throws {
      let e = RecordedEvent(
        position: Int64(n), subject: Subject(.alert, 1), version: n, occurredAt: .epoch, recordedAt: .epoch,
        actor: "a", cause: nil, event: .steady(Steady()))
      writer.begin(Commit(facts: [e], recordedAt: .epoch), overlapping: overlapping)
      guard case .success? = writer.outcome(waiting: true) else { throw EventLogError(.unwritable, "commit \(n)") }
    }
    weak var kept: KeptAnomaly?
    do {
      let anomaly = KeptAnomaly(Anomaly(id: "1", source: "s", time: .epoch, eventType: "e", metric: "m"))
      kept = anomaly
      let detected = Detected(
        generation: 1, previous: nil, dedupKey: "k", severity: .low,
        frozen: FrozenRoute(RouteTaken(configuration: 1, index: nil, match: "")), kept: anomaly)
      let e = RecordedEvent(
        position: 1, subject: Subject(.alert, 1), version: 1, occurredAt: .epoch, recordedAt: .epoch, actor: "a",
        cause: nil, event: .detected(detected))
      writer.letGo([[e]])
    }
    try commit(1)
    try commit(2)
    // The other thread does it once nobody waits for it.
    for _ in 0..<1000 where kept != nil { usleep(1000) }
    #expect(kept == nil)
  }
}
