import Alerts
import Bus
import Foundation
import Synchronization
import Testing

@testable import Notifiers

/// Hands out what the test gives it, and keeps what comes back.
final class TestPort: JobPort {
  private struct State {
    var receipts: [Receipt] = []
    var unwanted: Set<String> = []
    var asked: [String] = []
    var heartbeats: [JSON] = []
    var channels: [String] = []
  }
  private let state = Mutex(State())
  private let stream = AsyncStream<Job>.makeStream()

  func give(_ jobs: [Job]) { for job in jobs { stream.continuation.yield(job) } }
  func end() { stream.continuation.finish() }
  func unwant(_ key: String) { state.withLock { _ = $0.unwanted.insert(key) } }
  var receipts: [Receipt] { state.withLock { $0.receipts } }
  var asked: [String] { state.withLock { $0.asked } }
  var heartbeats: [JSON] { state.withLock { $0.heartbeats } }
  var channels: [String] { state.withLock { $0.channels } }

  func receipts(_ count: Int) async throws -> [Receipt] {
    let limit = ContinuousClock.now + .seconds(20)
    while receipts.count < count {
      guard ContinuousClock.now < limit else {
        throw ServerError(description: "\(receipts.count) of \(count) receipts came")
      }
      try await Task.sleep(for: .milliseconds(5))
    }
    return receipts
  }

  func jobs(channels: [String], credit: Int) -> AsyncStream<Job> {
    state.withLock { $0.channels = channels }
    return stream.stream
  }
  func receipt(_ receipt: Receipt) async { state.withLock { $0.receipts.append(receipt) } }
  func wanted(_ key: String) async -> Bool {
    state.withLock {
      $0.asked.append(key)
      return !$0.unwanted.contains(key)
    }
  }
  func heartbeat(_ json: JSON) async { state.withLock { $0.heartbeats.append(json) } }
}

/// A channel whose sends take as long as the test says.
final class TestChannel: Channel {
  let name: String
  let pace: Pace
  private let hold: @Sendable (Job) -> Duration
  private let sent = Mutex<[String]>([])
  init(
    _ name: String = "test", pace: Pace = Pace(inFlight: 4),
    hold: @escaping @Sendable (Job) -> Duration = { _ in .zero }
  ) {
    self.name = name
    self.pace = pace
    self.hold = hold
  }
  var keys: [String] { sent.withLock { $0 } }
  func missing(for job: Job) -> String? { nil }
  func render(_ job: Job, now: Timestamp) throws(RenderingError) -> RenderedMessage {
    if job.destination == "unrenderable" { throw RenderingError("it can't be put into words") }
    return RenderedMessage(form: .json, title: job.key, parts: [.init("test", [])])
  }
  func send(_ message: RenderedMessage, for job: Job, over transport: any Transport, now: Timestamp) async -> Verdict {
    sent.withLock { $0.append(job.key) }
    try? await Task.sleep(for: hold(job))
    return Verdict(.delivered, status: 200, provider: ["ts": "1"])
  }
}

struct NoTransport: Transport {
  func perform(_ request: TransferRequest) async -> TransferResult {
    .failure(TransferFailure(code: 7, message: "none"))
  }
  func close() {}
}

@Suite struct WorkerTests {
  func job(_ key: String, to destination: String = "a", channel: String = "test", lease: Interval = .minutes(1)) -> Job
  {
    let now = NotifierWorker.wallClock()
    return Samples.job(channel, to: destination, key: key, requestedAt: now, leaseUntil: now + lease)
  }

  func run<T: Sendable>(
    _ channels: [any Channel], outbox: Notifiers.Outbox? = nil, standsIn: Bool = true, port: TestPort,
    limits: NotifierWorker.Limits = .init(), only: [String]? = nil, _ body: (NotifierWorker) async throws -> T
  ) async throws -> T {
    let worker = NotifierWorker(
      name: "w", channels: channels, only: only, outbox: outbox, outboxStandsIn: standsIn, port: port,
      transport: NoTransport(), limits: limits)
    let running = Task { await worker.run() }
    let result: T
    do { result = try await body(worker) } catch {
      await worker.stop()
      await running.value
      throw error
    }
    await worker.stop()
    await running.value
    return result
  }

  @Test("a job is sent once, and its receipt says so")
  func delivers() async throws {
    let port = TestPort()
    let channel = TestChannel()
    try await run([channel], port: port) { _ in
      port.give([job("k1")])
      let receipt = try await port.receipts(1)[0]
      #expect(receipt.key == "k1" && receipt.outcome == .delivered && receipt.attempt == 1)
      #expect(receipt.provider == ["ts": "1"])
      #expect(receipt.latency != nil)
    }
    #expect(channel.keys == ["k1"])
    #expect(port.asked.isEmpty)
    #expect(port.channels == ["test"])
    #expect(port.heartbeats.last?["delivered"]?.int == 1)
  }

  @Test("one stuck receiver delays no other")
  func isolation() async throws {
    let port = TestPort()
    let channel = TestChannel(pace: Pace(inFlight: 2)) { $0.destination == "stuck" ? .seconds(3) : .zero }
    try await run([channel], port: port) { _ in
      var stuck = (0..<20).map { job("stuck\($0)", to: "stuck") }
      for i in stuck.indices { stuck[i].subject = Subject(.alert, Int64(i + 1)) }
      port.give(stuck + (0..<99).map { job("ok\($0)", to: "r\($0)") })
      let receipts = try await port.receipts(99)
      #expect(receipts.allSatisfy { $0.key.hasPrefix("ok") && $0.outcome == .delivered })
    }
    #expect(channel.keys.filter { $0.hasPrefix("stuck") }.count == 2)
  }

  @Test("a slow destination hands back what it holds beyond its share")
  func slow() async throws {
    let port = TestPort()
    let channel = TestChannel(pace: Pace(inFlight: 1)) { _ in .seconds(4) }
    var limits = NotifierWorker.Limits()
    limits.slowAfter = .milliseconds(100)
    limits.slowShare = 3
    try await run([channel], port: port, limits: limits) { _ in
      port.give((0..<10).map { job("k\($0)") })
      let receipts = try await port.receipts(6)
      #expect(
        receipts.allSatisfy { $0.outcome == .retry && $0.retryAfter == .seconds(30) && $0.isUnsent }
      )
    }
    #expect(channel.keys == ["k0"])
  }

  @Test("beyond a destination's pace a message is given back with its time; a critical one goes at once")
  func paced() async throws {
    let port = TestPort()
    let channel = TestChannel(pace: Pace(inFlight: 1, perSecond: 1, burst: 2))
    func job(_ i: Int64, _ severity: Severity) -> Job {
      let now = NotifierWorker.wallClock()
      return Samples.job(
        "test", to: "#busy", alert: Samples.alert(i, severity: severity), key: "k\(i)", requestedAt: now,
        leaseUntil: now + .minutes(1))
    }
    try await run([channel], port: port) { _ in
      port.give((1...8).map { job($0, .medium) })
      _ = try await port.receipts(2)
      let start = ContinuousClock.now
      port.give([job(9, .critical)])
      while !channel.keys.contains("k9") { try await Task.sleep(for: .milliseconds(5)) }
      #expect(ContinuousClock.now - start < .seconds(1), "a critical alert waits for nobody's pace")
      let held = try await port.receipts(9).filter(\.isUnsent)
      #expect(held.count >= 2 && held.allSatisfy { $0.outcome == .retry && $0.attempt == 1 })
      #expect(held.allSatisfy { $0.message == "#busy takes one message a second, and others are before it" })
      let times = held.compactMap(\.retryAfter)
      #expect(times == times.sorted() && Set(times).count == held.count && times[0] > .seconds(1), "\(times)")
    }
    #expect((port.heartbeats.last?["held"]?.int ?? 0) >= 2)
    #expect(Set(channel.keys).count == channel.keys.count)
  }

  @Test("a pause that a provider asked for holds also when nothing else waits")
  func patience() async throws {
    let port = TestPort()
    let server = try LocalServer.http()
    var settings = NotifierSettings()
    settings.receiverOptions["r"] = ["url": .string(server.url("/after/60/x"))]
    let transport = try CurlTransport()
    let worker = NotifierWorker(name: "w", settings: settings, port: port, transport: transport)
    let running = Task { await worker.run() }
    func give(_ i: Int64) {
      let now = NotifierWorker.wallClock()
      port.give([
        Samples.job(
          "webhook", to: "r", alert: Samples.alert(i), key: "k\(i)", receiver: "r", requestedAt: now,
          leaseUntil: now + .minutes(1))
      ])
    }
    give(1)
    #expect(try await port.receipts(1)[0].status == 429)
    give(2)
    let second = try await port.receipts(2)[1]
    #expect(second.isUnsent && second.message.hasPrefix("webhook asked for patience until "))
    #expect((second.retryAfter ?? .zero) > .seconds(50))
    #expect(server.arrived.count == 1, "it was not asked again")
    await worker.stop()
    await running.value
    transport.close()
  }

  @Test("what waited is asked about, and what is not wanted any more is not sent")
  func unwanted() async throws {
    let port = TestPort()
    let channel = TestChannel(pace: Pace(inFlight: 1)) { _ in .milliseconds(500) }
    port.unwant("k2")
    try await run([channel], port: port) { _ in
      port.give([job("k1"), job("k2"), job("k3")])
      _ = try await port.receipts(3)
    }
    #expect(channel.keys == ["k1", "k3"])
    #expect(port.asked == ["k2", "k3"])
    #expect(port.heartbeats.last?["cancelled"]?.int == 1)
  }

  @Test("a job whose lease has ended is not sent, another worker may have it")
  func leaseEnded() async throws {
    let port = TestPort()
    let channel = TestChannel()
    try await run([channel], port: port) { _ in
      port.give([job("late", lease: .milliseconds(1))])
      let receipt = try await port.receipts(1)[0]
      #expect(receipt.outcome == .retry)
    }
    #expect(channel.keys.isEmpty)
  }

  @Test("what can't be rendered fails for good; an unknown channel is handed back")
  func refused() async throws {
    let port = TestPort()
    try await run([TestChannel()], port: port) { _ in
      port.give([job("k1", to: "unrenderable"), job("k2", channel: "pigeon")])
      let receipts = try await port.receipts(2).sorted { $0.key < $1.key }
      #expect(receipts.map(\.outcome) == [.failed, .retry])
      #expect(receipts[0].message == "it can't be put into words")
    }
  }

  @Test("a stop finishes what is in flight and hands back what waits")
  func stop() async throws {
    let port = TestPort()
    let channel = TestChannel(pace: Pace(inFlight: 1)) { _ in .milliseconds(700) }
    try await run([channel], port: port) { _ in
      port.give([job("k1"), job("k2")])
      while channel.keys.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
      try await Task.sleep(for: .milliseconds(50))
    }
    #expect(channel.keys == ["k1"])
    let receipts = port.receipts.sorted { $0.key < $1.key }
    #expect(receipts.map(\.outcome) == [.delivered, .retry])
    #expect(receipts[1].message.contains("stopping"))
  }

  @Test("a channel without a server writes into the outbox, or fails for good where that is not wanted")
  func standIn() async throws {
    let directory = try temporaryDirectory()
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let jobs = [job("A-1/email", to: "a@x.org", channel: "email"), job("A-1/slack", to: "#x", channel: "slack")]
    for standsIn in [true, false] {
      let port = TestPort()
      try await run(
        ChannelTable.channels(NotifierSettings()), outbox: Notifiers.Outbox(directory: directory), standsIn: standsIn,
        port: port
      ) { _ in
        port.give(jobs)
        let receipts = try await port.receipts(2)
        #expect(receipts.allSatisfy { $0.outcome == (standsIn ? .delivered : .failed) })
        if !standsIn { #expect(receipts.allSatisfy { $0.message.contains("configure") }) }
      }
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: directory).count == 2)
  }

  @Test("of its channels a worker takes those it is told to")
  func only() async throws {
    let port = TestPort()
    try await run([TestChannel("a"), TestChannel("b")], port: port, only: ["b"]) { worker in
      #expect(await worker.channelNames == ["b"])
    }
  }
}
