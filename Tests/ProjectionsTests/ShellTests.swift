import Alerts
import EventLog
import Foundation
import GRDB
import Projections
import Synchronization
import Testing

/// The parts that run: the projector and the digests' scheduler.
struct ShellTests {
  static let events = SampleHistory.log(seed: 41, events: 400, start: Timestamp(seconds: 1_760_000_000), span: .days(9))

  @Test(.timeLimit(.minutes(1))) func theProjectorCatchesUpAtEachWakeUp() async throws {
    let folder = try TemporaryFolder()
    let log = SampleLog(Array(ShellTests.events.prefix(100)))
    let projector = Projector(path: folder.file, log: log, logger: quiet)
    let (wake, feed) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    let running = Task { await projector.run(wake: wake) }

    #expect(await projector.caughtUp(to: 100))
    log.append(Array(ShellTests.events.dropFirst(100).prefix(200)))
    feed.yield()
    #expect(await projector.caughtUp(to: 300))
    #expect(projector.position == 300 && projector.fault == nil)

    // A file that somebody deletes is made anew at the next wake-up
    for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: folder.file + suffix) }
    log.append(Array(ShellTests.events.dropFirst(300)))
    feed.yield()
    #expect(await projector.caughtUp(to: 400))
    #expect(try ProjectionReader(path: folder.file).position() == 400)

    // Who waits for what never comes is told when it ends
    let waiter = Task { await projector.caughtUp(to: 1_000_000) }
    feed.finish()
    await running.value
    #expect(await !waiter.value || waiter.isCancelled)
  }

  @Test(.timeLimit(.minutes(1))) func aLockedFileIsWaitedOut() async throws {
    let folder = try TemporaryFolder()
    do { try folder.store().catchUp(from: SampleLog([])) }
    let log = SampleLog(ShellTests.events)
    let projector = Projector(path: folder.file, log: log, logger: quiet)
    var configuration = Configuration()
    configuration.allowsUnsafeTransactions = true
    let other = try DatabaseQueue(path: folder.file, configuration: configuration)
    try other.inDatabase { try $0.execute(sql: "BEGIN IMMEDIATE") }
    let (wake, feed) = AsyncStream.makeStream(of: Void.self)
    let running = Task { await projector.run(wake: wake) }
    while projector.fault == nil { try await Task.sleep(for: .milliseconds(20)) }
    #expect(projector.fault?.contains("locked by another program") == true)
    try other.inDatabase { try $0.execute(sql: "COMMIT") }
    #expect(await projector.caughtUp(to: 400))
    feed.finish()
    await running.value
    #expect(projector.fault == nil)
  }

  @Test func aWaiterThatIsCancelledGoesOn() async throws {
    let folder = try TemporaryFolder()
    let projector = Projector(path: folder.file, log: SampleLog([]), logger: quiet)
    let waiter = Task { await projector.caughtUp(to: 5) }
    waiter.cancel()
    #expect(await !waiter.value)
  }

  /// A world whose clock jumps where the scheduler sleeps, and a service that takes each key once.
  final class World: Sendable {
    struct State {
      var now: Timestamp
      var end: Timestamp
      var orders: [DigestOrder] = []
      var repeats = 0
      var failures = 0
      var isRefusing = false
    }
    let state: Mutex<State>
    init(from now: Timestamp, to end: Timestamp) { state = Mutex(State(now: now, end: end)) }

    var surroundings: DigestScheduler.Surroundings {
      .init(
        now: { self.state.withLock { $0.now } },
        sleep: { interval in
          try self.state.withLock { s in
            s.now = s.now + interval
            if s.now > s.end { throw CancellationError() }
          }
        },
        caughtUp: {},
        send: { command in
          try self.state.withLock { s in
            guard case .digest(let order) = command.action else { throw BrokenPort() }
            if s.isRefusing { return Reply(.failure(CommandError(.invalid, "the receiver has no channel"))) }
            if s.failures > 0 {
              s.failures -= 1
              throw BrokenPort()
            }
            if s.orders.contains(where: { $0.key == order.key }) {
              s.repeats += 1
              return Reply(.success(["already": true]))
            }
            s.orders.append(order)
            return Reply(.success([:]))
          }
        })
    }
  }
  struct BrokenPort: Error {}

  func scheduler(_ world: World, _ reader: ProjectionReader) -> DigestScheduler {
    DigestScheduler(
      settings: [DigestScheduleTests.weekly], consoleURL: nil, reader: reader, surroundings: world.surroundings,
      logger: quiet)
  }

  @Test func digestsAreSentOnceAlsoAcrossRestartsAndFailures() async throws {
    let (folder, reader) = try DigestTests.reader(DigestTests.story().history.events)
    defer { _ = folder }
    // Given a service that fails twice, and a scheduler that is started again every two days
    let start = DigestScheduleTests.at("2026-11-13T00:00:00Z")
    let world = World(from: start, to: start)
    world.state.withLock { $0.failures = 2 }
    for day in stride(from: 2, through: 20, by: 2) {
      world.state.withLock { s in
        s.end = start + .days(Int64(day))
        s.now = min(s.now, s.end)
      }
      await scheduler(world, reader).run()
    }
    // Then each receiver's three weeks came once; the last word is the service's own
    let orders = world.state.withLock { $0.orders }
    #expect(Set(orders.map(\.key)).count == orders.count)
    #expect(orders.count { $0.receiver == "director-bi" } == 4)
    #expect(
      orders.filter { $0.receiver == "data-team" }.map(\.key).sorted() == [
        "digest/weekly/2026-11-09/data-team", "digest/weekly/2026-11-16/data-team",
        "digest/weekly/2026-11-23/data-team",
        "digest/weekly/2026-11-30/data-team",
      ])
    for order in orders {
      for part in ["subject", "text", "html", "markdown"] { #expect(order.content[part]?.string?.isEmpty == false) }
      #expect(order.content["slack"]?.array?.isEmpty == false)
    }
  }

  @Test func whatIsRefusedIsSaidOnceAndNotTriedAgain() async throws {
    let (folder, reader) = try DigestTests.reader(DigestTests.story().history.events)
    defer { _ = folder }
    let start = DigestScheduleTests.at("2026-11-17T00:00:00Z")
    let world = World(from: start, to: start + .days(1))
    world.state.withLock { $0.isRefusing = true }
    await scheduler(world, reader).run()
    #expect(world.state.withLock { $0.orders }.isEmpty)
  }

  @Test func aDigestThatTheLogHoldsIsNotOrderedAgain() async throws {
    var story = DigestTests.story()
    story.to("2026-11-16T07:00:00Z")
    for receiver in ["director-bi", "data-team"] {
      story.history.add(
        Subject(.digest, receiver == "data-team" ? 1 : 2),
        .notificationRequested(
          NotificationRequested(
            key: "digest/weekly/2026-11-16/\(receiver)/email/x@company.com", purpose: .digest, receiver: receiver,
            channel: "email", destination: "x@company.com", content: ["subject": "x"])))
    }
    let (folder, reader) = try DigestTests.reader(story.history.events)
    defer { _ = folder }
    #expect(try reader.wasDigestOrdered(key: "digest/weekly/2026-11-16/data-team"))
    #expect(try !reader.wasDigestOrdered(key: "digest/weekly/2026-11-16/data"))
    let world = World(
      from: DigestScheduleTests.at("2026-11-17T00:00:00Z"), to: DigestScheduleTests.at("2026-11-18T00:00:00Z"))
    await scheduler(world, reader).run()
    #expect(world.state.withLock { $0.orders }.isEmpty)
    #expect(world.state.withLock { $0.repeats } == 0)
  }
}
