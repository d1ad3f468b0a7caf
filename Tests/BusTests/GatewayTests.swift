import Alerts
import Bus
import Foundation
import Testing

@Suite struct GatewayTests {
  @Test func takesEveryKindAndAnswersEveryKind() throws {
    let gateway = try Gateway.onAnyPort()
    let client = try TestClient(gateway.endpoint)
    client.send("TOCSIN1", "anomalies", "p", "1", "{\"a\":1}", "{\"b\":2}")
    client.send("TOCSIN1", "command", "r1", "{}")
    client.send("TOCSIN1", "ready", "w", "3", "[\"email\"]")
    client.send("TOCSIN1", "receipt", "w", "{}")
    client.send("TOCSIN1", "heartbeat", "w", "{}")
    let all = try gateway.receive(count: 5)
    try #require(all.count == 5)
    guard case .anomalies(let peer, "p", 1, let events) = all[0], case .command(_, "r1", _) = all[1],
      case .ready(_, "w", 3, ["email"]) = all[2], case .receipt(_, "w", _) = all[3],
      case .heartbeat(_, "w", _) = all[4]
    else {
      Issue.record("\(all)")
      return
    }
    #expect(events == [Array("{\"a\":1}".utf8), Array("{\"b\":2}".utf8)])
    #expect(peer.permissions == .all)

    gateway.send(.stored(sequence: 1, json: ["accepted": 2]), to: peer)
    gateway.send(.reply(requestID: "r1", json: ["ok": true]), to: peer)
    gateway.send(.job(["key": "k"]), to: peer)
    gateway.send(.error(code: "unavailable", message: "no"), to: peer)
    #expect(client.receive() == ["TOCSIN1", "stored", "1", "{\"accepted\":2}"])
    #expect(client.receive() == ["TOCSIN1", "reply", "r1", "{\"ok\":true}"])
    #expect(client.receive() == ["TOCSIN1", "job", "{\"key\":\"k\"}"])
    #expect(client.receive() == ["TOCSIN1", "error", "unavailable", "no"])
  }

  @Test func answersWhatItCannotReadAndTheConnectionLivesOn() throws {
    let gateway = try Gateway.onAnyPort()
    let client = try TestClient(gateway.endpoint)
    for bad in DecoderTests.bad where !bad.frames.isEmpty { client.socket.send(bad.frames) }
    client.send("TOCSIN1", "command", "last", "{}")
    let all = try gateway.receive(count: 1)
    guard case .command(_, "last", _)? = all.first, all.count == 1 else {
      Issue.record("\(all)")
      return
    }
    for bad in DecoderTests.bad where !bad.frames.isEmpty {
      let answer = try #require(client.receive())
      #expect(answer[1] == "error")
      #expect(answer[2] == bad.code.rawValue)
      #expect(answer[3].contains(bad.says))
    }
    #expect(gateway.counters.refused == DecoderTests.bad.count { !$0.frames.isEmpty })
  }

  /// Whoever asked for jobs and is gone is told of, whatever else comes and goes meanwhile.
  @Test func theEndOfAWorkersConnectionIsTold() throws {
    let gateway = try Gateway.onAnyPort()
    var worker: TestClient? = try TestClient(gateway.endpoint)
    var other: TestClient? = try TestClient(gateway.endpoint)
    worker?.send("TOCSIN1", "ready", "w", "3", "[\"email\"]")
    guard case .ready(let peer, "w", 3, _)? = try gateway.receive(count: 1).first else {
      Issue.record("nobody is ready")
      return
    }
    other?.send("TOCSIN1", "heartbeat", "x", "{}")
    _ = try gateway.receive(count: 1)
    withExtendedLifetime(other) {}
    other = nil
    withExtendedLifetime(worker) {}
    worker = nil
    // One that comes at once may be given the same descriptor.
    let next = try TestClient(gateway.endpoint)
    next.send("TOCSIN1", "ready", "w", "1", "[\"email\"]")
    var left: [Peer] = []
    var isReady = false
    for _ in 0..<100 where left.isEmpty || !isReady {
      for incoming in try gateway.receive(count: 1) {
        switch incoming {
        case .left(let gone): left.append(gone)
        case .ready(let fresh, _, _, _):
          isReady = true
          #expect(fresh != peer)
        default: Issue.record("\(incoming)")
        }
      }
    }
    #expect(left == [peer])
    next.send("TOCSIN1", "heartbeat", "w", "{}")
    #expect(try gateway.receive(count: 1).count == 1)
  }

  @Test func wakesFromAnotherThread() throws {
    let gateway = try Gateway.onAnyPort()
    let waker = gateway.waker
    let start = monotonicMicroseconds()
    Thread.detachNewThread {
      usleep(20_000)
      waker.wake()
    }
    try gateway.wait(until: 10_000_000)
    #expect(monotonicMicroseconds() - start < 5_000_000)
    // The wake is spent: the next wait lasts.
    let again = monotonicMicroseconds()
    try gateway.wait(until: 30_000)
    #expect(monotonicMicroseconds() - again >= 30_000)
  }

  @Test func aPortInUseIsNamed() throws {
    let gateway = try Gateway.onAnyPort()
    let error = #expect(throws: BusError.self) {
      _ = try Gateway(GatewaySettings(gateway: gateway.endpoint, feed: "tcp://127.0.0.1:*"))
    }
    #expect(error?.message.contains(gateway.endpoint) == true)
    #expect(error?.message.contains("taken") == true)
  }

  @Test(arguments: [
    ("tcp://0.0.0.0:7801", false), ("tcp://*:7801", false), ("tcp://10.0.0.5:7801", false), ("tcp://[::]:7801", false),
    ("tcp://host.example:7801", false), ("tcp://127.evil.example.com:1", false), ("udp://x", false), ("tcp://:", false),
    ("tcp:", false), ("tcp://127.0.0.1:7801", true), ("tcp://127.8.9.1:*", true), ("tcp://localhost:1", true),
    ("tcp://[::1]:1", true), ("ipc:///tmp/x", true), ("inproc://x", true),
  ])
  func refusesToListenBeyondThisMachineWithoutKeys(_ endpoint: String, _ isLocal: Bool) throws {
    #expect(GatewaySettings.isLocal(endpoint) == isLocal)
    var settings = GatewaySettings(gateway: endpoint, feed: "inproc://f")
    if isLocal {
      #expect(throws: Never.self) { try settings.check() }
    } else {
      let error = #expect(throws: BusError.self) { try settings.check() }
      #expect(error?.message.contains("insecure: true") == true)
      settings.insecure = true
      #expect(throws: Never.self) { try settings.check() }
    }
  }

  @Test func aPeerThatIsGoneIsCounted() throws {
    let gateway = try Gateway.onAnyPort()
    gateway.send(.job([:]), to: Peer(identity: [0, 1, 2, 3, 4]))
    #expect(gateway.counters.unreachable == 1)
  }

  @Test func theFeedReachesSubscribersByTopic() throws {
    let gateway = try Gateway.onAnyPort()
    let subscriber = try Socket(try Context(), .subscribe)
    try subscriber.subscribe("default/")
    try subscriber.connect(gateway.feedEndpoint)
    var message: [[UInt8]]?
    for position in 1...200 where message == nil {
      gateway.publish(topic: "other/x", position: Int64(position), json: Array("{}".utf8))
      gateway.publish(topic: "default/x", position: Int64(position), json: Array("{}".utf8))
      usleep(10_000)
      message = subscriber.receiveMessage()
    }
    let frames = try #require(message).map { String(decoding: $0, as: UTF8.self) }
    #expect(frames[0] == "default/x")
    #expect(Int(frames[1]) != nil)
    #expect(frames[2] == "{}")
  }

  /// One sends five hundred messages of a thousand anomalies, the other one message; the polite one is in the first drain that began
  /// after it was sent.
  @Test func aFloodDoesNotStarveTheOthers() throws {
    let gateway = try Gateway.onAnyPort()
    let flooder = try TestClient(gateway.endpoint)
    let polite = try TestClient(gateway.endpoint)
    let head = ["TOCSIN1", "anomalies", "flood"].map { Array($0.utf8) }
    let events = Array(repeating: Array("{}".utf8), count: 1000)
    var refused = 0
    for i in 1...500 where flooder.socket.send(head + [Array(String(i).utf8)] + events) != .done { refused += 1 }
    polite.send("TOCSIN1", "anomalies", "polite", "1", "{}")
    usleep(200_000)
    var sequences: [UInt64] = []
    var drains = 0
    var politeAt: Int?
    let deadline = monotonicMicroseconds() + 5_000_000
    while sequences.count < 500 - refused, monotonicMicroseconds() < deadline {
      try gateway.wait(until: 100_000)
      let drained = gateway.receive(limit: 4000)
      drains += 1
      var weight = 0
      for case .anomalies(_, let producer, let sequence, let events) in drained {
        weight += events.count
        if producer == "polite" { politeAt = drains } else { sequences.append(sequence) }
      }
      #expect(weight < 5001)
    }
    #expect(politeAt == 1)
    #expect(sequences.count == 500 - refused)
    // In order, and none lost or doubled.
    #expect(sequences == sequences.sorted())
    #expect(Set(sequences).count == sequences.count)
  }

  @Test func aFewLargeMessagesFillADrainAsManySmallOnesDo() throws {
    let gateway = try Gateway.onAnyPort()
    let client = try TestClient(gateway.endpoint)
    let large = [UInt8](repeating: 0x20, count: 250_000)
    for sequence in 0..<20 {
      client.socket.send(["TOCSIN1", "anomalies", "p", "\(sequence)"].map { Array($0.utf8) } + [large, large, large])
    }
    var all = 0
    var drains = 0
    let deadline = monotonicMicroseconds() + 10_000_000
    while all < 20, monotonicMicroseconds() < deadline {
      try gateway.wait(until: 100_000)
      let came = gateway.receive(limit: 1024)
      // A thousand small anomalies, or a megabyte: a message of 750 kB, and one beyond.
      #expect(came.count <= 2)
      all += came.count
      if !came.isEmpty { drains += 1 }
    }
    #expect(all == 20 && drains >= 10)
  }

  @Test func anEventThatIsTooLargeForTheFeedLeavesAGapThatIsSeen() throws {
    let gateway = try Gateway.onAnyPort()
    let socket = try Socket(try Context(), .subscribe)
    try socket.subscribe("")
    try socket.connect(gateway.feedEndpoint)
    var positions: [String] = []
    for position in 1...400 where positions.count < 3 {
      let size = position % 2 == 0 ? Limits.feedEventBytes + 1 : Limits.feedEventBytes
      gateway.publish(topic: "t", position: Int64(position), json: [UInt8](repeating: 0x20, count: size))
      usleep(10_000)
      while let frames = socket.receiveMessage() { positions.append(String(decoding: frames[1], as: UTF8.self)) }
    }
    #expect(positions.count >= 3 && positions.allSatisfy { (Int($0) ?? 0) % 2 == 1 })
    #expect(gateway.counters.unpublished > 0)
  }
}
