import Alerts
import Bus
import Foundation
import Synchronization
import Testing

@Suite struct PublisherTests {
  static func events(_ range: Range<Int>) -> [[UInt8]] { range.map { Array("{\"n\":\($0)}".utf8) } }

  @Test func whatIsPublishedIsStoredOnce() async throws {
    let service = try TestService()
    let publisher = try Publisher(service.settings, producer: "p", outbox: MemoryOutbox())
    try publisher.publish(events: Self.events(0..<2500))
    let result = try await publisher.flush(timeout: .seconds(10))
    #expect(result == PublishResult(accepted: 2500, duplicates: 0, rejected: 0, rejections: []))
    let stored = service.seen.withLock { $0.stored["p"] ?? [:] }
    #expect(stored.keys.sorted() == [1, 2, 3])
    #expect(stored[1]?.count == Publisher.batchEvents)
    #expect(publisher.waiting == OutboxLevel())
    publisher.close()
  }

  @Test func rejectedOnesAreNamedAndDoNotBlockTheRest() async throws {
    let service = try TestService()
    let publisher = try Publisher(service.settings, producer: "p", outbox: MemoryOutbox())
    let batches = try publisher.publish(events: Self.events(0..<3) + [Array("bad".utf8)] + Self.events(4..<6))
    let result = try await publisher.flush(timeout: .seconds(10))
    #expect(batches == [PublishedBatch(sequence: 1, range: 0..<6)])
    #expect(
      result
        == PublishResult(
          accepted: 5, duplicates: 0, rejected: 1, rejections: [Rejection(sequence: 1, index: 3, error: "is bad")]))
    #expect(publisher.waiting.anomalies == 0)
    publisher.close()
  }

  /// The gateway goes and comes back, over and over, while anomalies flow. Nothing is lost, and nothing is stored under two sequences.
  @Test func aGatewayThatGoesAndComesLosesNothing() async throws {
    let service = try TestService()
    let directory = try TemporaryDirectory()
    let publisher = try Publisher(service.settings, producer: "p", outbox: directory.path)
    var published = 0
    for round in 0..<5 {
      for _ in 0..<20 {
        try publisher.publish(events: Self.events(published..<published + 50))
        published += 50
      }
      if round % 2 == 0 { service.manners.withLock { $0.answersAnomalies = false } }
      try await Task.sleep(nanoseconds: 30_000_000)
      service.stop()
      service.manners.withLock { $0.answersAnomalies = true }
      try publisher.publish(events: Self.events(published..<published + 50))
      published += 50
      try service.start()
    }
    let result = try await publisher.flush(timeout: .seconds(60))
    let seen = service.seen.withLock { $0 }
    let stored = (seen.stored["p"] ?? [:]).sorted { $0.key < $1.key }.flatMap(\.value)
    #expect(stored == Self.events(0..<published).map { String(decoding: $0, as: UTF8.self) })
    #expect(seen.conflicts == 0)
    #expect(result.accepted + result.duplicates == published)
    publisher.close()
  }

  @Test func whatWasNotStoredIsSentByTheNextRun() async throws {
    let service = try TestService()
    service.manners.withLock { $0.answersAnomalies = false }
    let directory = try TemporaryDirectory()
    do {
      let first = try Publisher(service.settings, producer: "a/b", outbox: directory.path)
      try first.publish(events: Self.events(0..<10))
      let error = await #expect(throws: BusError.self) { try await first.flush(timeout: .milliseconds(300)) }
      #expect(error?.kind == .timeout)
      #expect(error?.message.contains("10 anomalies are not yet stored") == true)
      #expect(error?.message.contains(directory.path) == true)
      first.close()
    }
    service.manners.withLock { $0.answersAnomalies = true }
    let second = try Publisher(service.settings, producer: "a/b", outbox: directory.path)
    #expect(second.waiting.anomalies == 10)
    let batches = try second.publish(events: Self.events(10..<11))
    #expect(batches.first?.sequence == 2)
    try await second.flush(timeout: .seconds(10))
    #expect(service.seen.withLock { $0.stored["a/b"]?.keys.sorted() } == [1, 2])
    second.close()
    // Sequences go on although the file is empty by now.
    let third = try Publisher(service.settings, producer: "a/b", outbox: directory.path)
    #expect(try third.publish(events: Self.events(11..<12)).first?.sequence == 3)
    third.close()
  }

  @Test func aServiceThatIsNotThereIsNamed() async throws {
    let publisher = try Publisher(
      ConnectionSettings(gateway: "tcp://127.0.0.1:1", feed: ""), producer: "p", outbox: MemoryOutbox())
    try publisher.publish(events: Self.events(0..<1))
    let error = await #expect(throws: BusError.self) { try await publisher.flush(timeout: .milliseconds(200)) }
    #expect(error?.message.contains("nothing answers at tcp://127.0.0.1:1") == true)
    publisher.close()
  }

  @Test func aSilentServiceIsAskedAgain() async throws {
    let service = try TestService()
    service.manners.withLock { $0.answersAnomalies = false }
    let publisher = try Publisher(service.settings, producer: "p", outbox: MemoryOutbox())
    try publisher.publish(events: Self.events(0..<1))
    #expect(await eventually { service.seen.withLock { $0.repeats } >= 1 })
    service.manners.withLock { $0.answersAnomalies = true }
    let result = try await publisher.flush(timeout: .seconds(20))
    #expect(result.duplicates == 1)
    publisher.close()
  }

  @Test func oneProcessPerOutbox() throws {
    let directory = try TemporaryDirectory()
    let first = try FileOutbox(directory: directory.path, producer: "p")
    let error = #expect(throws: BusError.self) { _ = try FileOutbox(directory: directory.path, producer: "p") }
    #expect(error?.kind == .inUse)
    #expect(error?.message.contains("in use by another process") == true)
    #expect(throws: Never.self) { _ = try FileOutbox(directory: directory.path, producer: "q") }
    #expect(first.waiting.messages == 0)
  }

  @Test func anOutboxThatIsNoDatabaseIsNamed() throws {
    let directory = try TemporaryDirectory()
    let path = FileOutbox.path(directory: directory.path, producer: "p")
    try Data(repeating: 0x41, count: 5000).write(to: URL(fileURLWithPath: path))
    let error = #expect(throws: BusError.self) { _ = try FileOutbox(directory: directory.path, producer: "p") }
    #expect(error?.message.contains(path) == true)
    #expect(error?.message.contains("Move the file away") == true)
  }

  @Test func aProducersNameMakesAFileName() {
    #expect(
      FileOutbox.path(directory: "/d", producer: "detector/ware house-1") == "/d/detector%2Fware%20house-1.outbox")
    #expect(FileOutbox.path(directory: "/d", producer: "../../etc") == "/d/..%2F..%2Fetc.outbox")
  }

  @Test(arguments: [false, true]) func everyOutboxKeepsItsContract(_ isFile: Bool) throws {
    let directory = try TemporaryDirectory()
    func make() throws -> any ProducerOutbox {
      isFile
        ? try FileOutbox(directory: directory.path, producer: "p", bytes: 1000) : MemoryOutbox(bytes: 1000)
    }
    let outbox = try make()
    let messages = (0..<5).map { Self.events($0 * 10..<$0 * 10 + 10) }
    #expect(try outbox.append(messages) == 1)
    #expect(outbox.waiting.messages == 5)
    #expect(outbox.waiting.anomalies == 50)
    #expect(outbox.waiting.bytes == messages.joined().reduce(0) { $0 + $1.count })
    #expect(try outbox.load(after: 0, messages: 2, bytes: .max).map(\.sequence) == [1, 2])
    #expect(try outbox.load(after: 2, messages: 10, bytes: 1).map(\.sequence) == [3])
    #expect(try outbox.load(after: 3, messages: 10, bytes: .max).map(\.events) == Array(messages[3...]))
    try outbox.remove([2, 4, 4, 99])
    #expect(try outbox.load(after: 0, messages: 10, bytes: .max).map(\.sequence) == [1, 3, 5])
    #expect(outbox.waiting.messages == 3)
    // Full: nothing of it is taken, and there is room again once something left.
    let big = [[[UInt8](repeating: 0x20, count: 900)]]
    let error = #expect(throws: BusError.self) { _ = try outbox.append(big) }
    #expect(error?.message.contains("is full") == true)
    #expect(outbox.waiting.messages == 3)
    try outbox.remove([1, 3, 5])
    #expect(outbox.waiting == OutboxLevel())
    #expect(try outbox.append(big) == 6)
  }

  @Test func anAnomalyThatNoMessageHoldsIsRefusedBeforeItIsKept() throws {
    let publisher = try Publisher(
      ConnectionSettings(gateway: "tcp://127.0.0.1:1", feed: ""), producer: "p", outbox: MemoryOutbox())
    let error = #expect(throws: BusError.self) {
      try publisher.publish(events: [[UInt8](repeating: 0x20, count: 300_000)])
    }
    #expect(error?.message.contains("300000 bytes") == true)
    #expect(publisher.waiting.messages == 0)
    publisher.close()
    #expect(throws: BusError.self) { try publisher.publish(events: Self.events(0..<1)) }
  }

  @Test func batchesKeepTheOrderAndTheBounds() async throws {
    let service = try TestService()
    let publisher = try Publisher(service.settings, producer: "p", outbox: MemoryOutbox())
    // Some of 100 KB, so that the bytes bound comes before the count's.
    let events = (0..<40).map {
      [UInt8](repeating: UInt8(ascii: "a") + UInt8($0 % 26), count: $0 % 4 == 0 ? 100_000 : 10)
    }
    let batches = try publisher.publish(events: events)
    #expect(batches.first?.range.lowerBound == 0)
    #expect(batches.last?.range.upperBound == 40)
    for (a, b) in zip(batches, batches.dropFirst()) {
      #expect(a.range.upperBound == b.range.lowerBound)
      #expect(a.sequence + 1 == b.sequence)
      #expect(events[a.range].reduce(0) { $0 + $1.count } <= Publisher.batchBytes)
    }
    try await publisher.flush(timeout: .seconds(10))
    let stored = service.seen.withLock { $0.stored["p"] ?? [:] }.sorted { $0.key < $1.key }.flatMap(\.value)
    #expect(stored == events.map { String(decoding: $0, as: UTF8.self) })
    publisher.close()
  }

  @Test func aKeyThatMayNotPublishIsToldSo() async throws {
    let server = try CurveKeyPair.generate()
    let reader = try CurveKeyPair.generate()
    let stranger = try CurveKeyPair.generate()
    let service = try TestService(
      keys: (server, [.init(name: "reader", publicKey: reader.publicKey, permissions: .read)]))
    var settings = service.settings
    settings.curve = .init(serverKey: server.publicKey, keys: reader)
    let publisher = try Publisher(settings, producer: "p", outbox: MemoryOutbox())
    try publisher.publish(events: Self.events(0..<1))
    let error = await #expect(throws: BusError.self) { try await publisher.flush(timeout: .seconds(10)) }
    #expect(error?.kind == .refused)
    #expect(error?.message.contains("permission publish") == true)
    #expect(publisher.waiting.messages == 1)
    publisher.close()

    settings.curve = .init(serverKey: server.publicKey, keys: stranger)
    let unknown = try Publisher(settings, producer: "p", outbox: MemoryOutbox())
    try unknown.publish(events: Self.events(0..<1))
    let refused = await #expect(throws: BusError.self) { try await unknown.flush(timeout: .seconds(2)) }
    #expect(refused?.message.contains("refused this client's CURVE key") == true)
    unknown.close()
  }

  @Test func aHeartbeatIsHeard() async throws {
    let service = try TestService()
    let publisher = try Publisher(service.settings, producer: "p", outbox: MemoryOutbox())
    await publisher.heartbeat(["checks": 3])
    #expect(await eventually { service.seen.withLock { $0.heartbeats } == ["p {\"checks\":3}"] })
    publisher.close()
  }
}
