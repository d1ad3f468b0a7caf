import Alerts
import Bus
import Foundation
import Synchronization
import Testing

@Suite struct ClientTests {
  // MARK: Commands

  @Test func aCommandGetsItsReply() async throws {
    let service = try TestService()
    let client = try CommandClient(service.settings)
    let command = Command(.acknowledge, alert: AlertID(7), by: "ana", version: 3)
    let reply = try await client.send(command)
    let body = try reply.result.get()
    for name in ["command", "alert", "by", "version"] { #expect(body["echo"]?[name] == command.json[name]) }
    // A try that is repeated is recognised by it.
    #expect(body["echo"]?["id"]?.string?.isEmpty == false)
    let refused = try await client.send(Command(.comment("refuse"), alert: AlertID(7), by: "ana"))
    #expect(refused.result == .failure(CommandError(.stale_version, "too old")))
    client.close()
  }

  @Test func manyCommandsAtOnceGetTheirOwnReplies() async throws {
    let service = try TestService()
    let client = try CommandClient(service.settings)
    try await withThrowingTaskGroup(of: (Int, JSON).self) { group in
      for n in 1...200 {
        group.addTask {
          (n, try await client.send(Command(.comment("c\(n)"), alert: AlertID(Int64(n)), by: "ana")).result.get())
        }
      }
      for try await (n, body) in group { #expect(body["echo"]?["note"]?.string == "c\(n)") }
    }
    client.close()
  }

  /// The first try gets no reply: the second carries the same id, so that the service answers it like the first.
  @Test func aTryWithoutAReplyIsRepeatedUnderTheSameID() async throws {
    let service = try TestService()
    service.manners.withLock { $0.ignoredCommands = 1 }
    let client = try CommandClient(service.settings)
    _ = try await client.send(Command(.resolve, alert: AlertID(1), by: "ana"))
    let ids = service.seen.withLock { $0.commands }
    #expect(ids.count == 2)
    #expect(Set(ids).count == 1)
    client.close()
  }

  @Test func aCommandOutlivesARestart() async throws {
    let service = try TestService()
    service.manners.withLock { $0.ignoredCommands = 1 }
    let client = try CommandClient(service.settings, timeout: .seconds(20))
    async let reply = client.send(Command(.resolve, alert: AlertID(1), by: "ana"))
    #expect(await eventually { service.seen.withLock { $0.commands.count } == 1 })
    service.stop()
    try service.start()
    #expect(try await reply.json["ok"]?.bool == true)
    client.close()
  }

  @Test func noReplyIsAnErrorThatSaysWhy() async throws {
    let nobody = try CommandClient(
      ConnectionSettings(gateway: "tcp://127.0.0.1:1", feed: ""), timeout: .milliseconds(200))
    var error = await #expect(throws: BusError.self) {
      try await nobody.send(Command(.resolve, alert: AlertID(1), by: "a"))
    }
    #expect(error?.kind == .timeout)
    #expect(error?.message.contains("is the service running") == true)
    nobody.close()

    let service = try TestService()
    service.manners.withLock { $0.ignoredCommands = .max }
    let ignored = try CommandClient(service.settings, timeout: .milliseconds(500))
    error = await #expect(throws: BusError.self) {
      try await ignored.send(Command(.resolve, alert: AlertID(1), by: "a"))
    }
    #expect(error?.message.contains("does not answer") == true)
    ignored.close()
    error = await #expect(throws: BusError.self) {
      try await ignored.send(Command(.resolve, alert: AlertID(1), by: "a"))
    }
    #expect(error?.kind == .closed)
  }

  @Test func aCancelledTaskWaitsNoLonger() async throws {
    let client = try CommandClient(
      ConnectionSettings(gateway: "tcp://127.0.0.1:1", feed: ""), timeout: .seconds(600))
    let task = Task { try await client.send(Command(.resolve, alert: AlertID(1), by: "a")) }
    try await Task.sleep(nanoseconds: 20_000_000)
    task.cancel()
    await #expect(throws: BusError.self) { try await task.value }
    client.close()
  }

  // MARK: Jobs

  static func job(_ key: String) -> Job {
    Job(
      key: key, subject: Subject(.alert, 1), purpose: Purpose.allCases[0], receiver: "r", channel: "email",
      destination: "a@b.example", attempt: 1, requestedAt: Timestamp(seconds: 1_700_000_000),
      leaseUntil: Timestamp(seconds: 1_700_000_060))
  }

  @Test func aWorkerTakesJobsWithinItsCreditAndGivesReceipts() async throws {
    let service = try TestService()
    service.manners.withLock { $0.jobs = (1...5).map { Self.job("k\($0)") } }
    let worker = try WorkerClient(service.settings, worker: "w")
    var keys: [String] = []
    for await job in worker.jobs(channels: ["email"], credit: 2) {
      keys.append(job.key)
      await worker.receipt(Receipt(key: job.key, attempt: 1, outcome: .delivered))
      if keys.count == 5 { break }
    }
    #expect(keys == ["k1", "k2", "k3", "k4", "k5"])
    #expect(await eventually { service.seen.withLock { $0.receipts.count } == 5 })
    let ready = service.seen.withLock { $0.ready }
    #expect(ready.first?.credit == 2)
    #expect(ready.first?.channels == ["email"])
    #expect(ready.allSatisfy { $0.credit <= 2 })
    // Having left the loop it takes no more.
    #expect(await eventually { service.seen.withLock { $0.ready.last?.credit } == 0 })
    #expect(service.seen.withLock { $0.heartbeats.first } == #"w {"holds":[]}"#)
    worker.close()
  }

  @Test func receiptsAndCreditAreSaidAgainAfterARestart() async throws {
    let service = try TestService()
    service.manners.withLock { $0.jobs = [Self.job("k1")] }
    let worker = try WorkerClient(service.settings, worker: "w")
    var jobs = worker.jobs(channels: ["email"], credit: 3).makeAsyncIterator()
    #expect(await jobs.next()?.key == "k1")
    service.stop()
    await worker.receipt(Receipt(key: "k1", attempt: 1, outcome: .delivered))
    service.manners.withLock { $0.jobs = [Self.job("k2")] }
    try service.start()
    #expect(await jobs.next()?.key == "k2")
    #expect(await eventually { service.seen.withLock { $0.receipts.count } >= 1 })
    worker.close()
    #expect(await jobs.next() == nil)
  }

  @Test func aWorkerAsksWhetherAMessageIsStillWanted() async throws {
    let service = try TestService()
    let worker = try WorkerClient(service.settings, worker: "w")
    #expect(await worker.wanted("k1"))
    #expect(await worker.wanted("cancelled") == false)
    // At least once: no answer means yes.
    service.manners.withLock { $0.ignoredCommands = .max }
    #expect(await worker.wanted("cancelled"))
    worker.close()
  }

  // MARK: The feed

  @Test func aSlowReaderSeesTheGap() async throws {
    let gateway = try Gateway.onAnyPort()
    let feed = FeedClient(ConnectionSettings(gateway: gateway.endpoint, feed: gateway.feedEndpoint))
    let stream = try feed.events()
    let positions = Mutex<[Int64]>([])
    let mayGoOn = Mutex(false)
    // Reads one message, and then nothing for a while.
    let reader = Task {
      for await message in stream {
        positions.withLock { $0.append(message.position) }
        while !mayGoOn.withLock({ $0 }), !Task.isCancelled { try? await Task.sleep(nanoseconds: 1_000_000) }
      }
    }
    var position: Int64 = 0
    func publish() {
      position += 1
      gateway.publish(topic: "t/e", position: position, json: Array("{}".utf8))
    }
    // Until the subscription stands, nothing arrives.
    let began = await eventually {
      publish()
      return positions.withLock { !$0.isEmpty }
    }
    #expect(began)
    for i in 0..<FeedClient.buffer + 2000 {
      publish()
      if i % 500 == 0 { try await Task.sleep(nanoseconds: 2_000_000) }
    }
    try await Task.sleep(nanoseconds: 500_000_000)
    let last = position
    mayGoOn.withLock { $0 = true }
    #expect(await eventually { positions.withLock { $0.last } == last })
    let read = positions.withLock { $0 }
    #expect(read == read.sorted())
    #expect(read.count <= FeedClient.buffer + 2)
    #expect(zip(read, read.dropFirst()).contains { $0 + 1 != $1 }, "the gap is seen")
    reader.cancel()
  }
}
