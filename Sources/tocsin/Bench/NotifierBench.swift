import Alerts
import Bus
import Foundation
import Lifecycle
import Notifiers

/// How many messages one notifier sends in a second, through everything: a lease from the service over the bus, rendering, HTTP over connections that are
/// kept alive, a receipt, and the synced commit of what became of it. And what one receiver that never answers does to the others.
struct NotifierBench {
  let folder: URL
  let messages: Int
  private static let receivers = 100
  /// The p99 runs send this many in a second, for so long.
  private static let rate = 200
  private static let seconds = 8

  func run(_ table: inout BenchTable) async throws {
    let plain = try await plainRate()
    let sent = try await throughput()
    table.add(
      "messages sent by one notifier", "\(Format.number(sent.rounded()))/s",
      limit: "\(Format.number(plain.rounded()))/s plain client", ratio: sent / plain)
    let well = try await latencies(stuck: false)
    let stuck = try await latencies(stuck: true)
    func ms(_ x: Double) -> String { String(format: "%.2f ms", x) }
    for (name, q) in [("p50", 0.5), ("p99", 0.99)] {
      let (a, b) = (LatencyBench.quantile(stuck, q), LatencyBench.quantile(well, q))
      table.add("99 receivers beside a stuck one, \(name)", ms(a), limit: "\(ms(b)) with none stuck", ratio: a / b)
    }
  }

  private func plainRate() async throws -> Double {
    let receiver = try FloodReceiver()
    defer { receiver.close() }
    // As long as the messages that the notifier sends.
    let body = [UInt8](repeating: UInt8(ascii: "x"), count: 2600)
    return await PlainClient.rate(port: receiver.port, body: body, messages: messages, connections: 16)
  }

  private func throughput() async throws -> Double {
    let bench = try await Running(folder.appendingPathComponent("notifier.sqlite").path, stuck: false)
    let start = ContinuousClock.now
    try bench.publish(0..<messages)
    let deadline = start + .seconds(120)
    while bench.receiver.count < messages, ContinuousClock.now < deadline {
      try await Task.sleep(for: .milliseconds(2))
    }
    let took = (ContinuousClock.now - start) / .seconds(1)
    let count = bench.receiver.count
    try await bench.stop()
    guard count == messages else {
      throw BusError(.timeout, "\(count) of \(messages) messages arrived within two minutes")
    }
    return Double(count) / took
  }

  /// From publishing an anomaly to its message at the receiver, in milliseconds, at a steady rate over all receivers in turn.
  private func latencies(stuck: Bool) async throws -> [Double] {
    let bench = try await Running(folder.appendingPathComponent("stuck-\(stuck).sqlite").path, stuck: stuck)
    let count = NotifierBench.rate * NotifierBench.seconds
    var published: [ContinuousClock.Instant] = []
    let start = ContinuousClock.now
    for i in 0..<count {
      let due = start + .microseconds(i * 1_000_000 / NotifierBench.rate)
      let wait = due - ContinuousClock.now
      if wait > .zero { try await Task.sleep(for: wait) }
      published.append(.now)
      try bench.publish(i..<i + 1)
    }
    try await Task.sleep(for: .seconds(2))
    var times: [Double] = []
    // The first hundred open connections.
    for i in NotifierBench.receivers..<count where i % NotifierBench.receivers != 0 {
      guard let arrived = bench.receiver.arrival(i) else {
        throw BusError(.timeout, "message \(i) did not arrive within two seconds")
      }
      times.append((arrived - published[i]) / .milliseconds(1))
    }
    try await bench.stop()
    return times
  }

  /// A service with a hundred webhook receivers, and one notifier.
  private final class Running {
    let receiver: FloodReceiver
    private let host = ServiceHost(logger: BenchLog.quiet) { _ in }
    private let port: WorkerClient
    private let transport: CurlTransport
    private let worker: NotifierWorker
    private let working: Task<Void, Never>
    private let publisher: Publisher

    init(_ log: String, stuck: Bool) async throws {
      receiver = try FloodReceiver()
      var gateway = GatewaySettings()
      gateway.gateway = "tcp://127.0.0.1:\(BenchPort.free())"
      gateway.feed = "tcp://127.0.0.1:\(BenchPort.free())"
      let places = (0..<NotifierBench.receivers).map { "r\($0)" }
      var settings = LifecycleSettings()
      settings.receivers = places.map { Receiver(name: $0, targets: [.init(channel: "webhook", destination: $0)]) }
      settings.routes = places.map { Route(matchers: [Matcher(name: "receiver", value: $0)], delivery: .notify([$0])) }
      settings.storm = nil
      try await host.start(log: log, gateway: gateway, lifecycle: settings)
      var channels = NotifierSettings()
      for (i, place) in places.enumerated() {
        let path = stuck && i == 0 ? "stuck" : "ok"
        channels.receiverOptions[place] = ["url": .string("http://127.0.0.1:\(receiver.port)/\(path)/\(place)")]
      }
      let connection = ConnectionSettings(gateway: gateway.gateway, feed: gateway.feed)
      port = try WorkerClient(connection, worker: "bench")
      transport = try CurlTransport()
      let worker = NotifierWorker(
        name: "bench", settings: channels, only: ["webhook"], port: port, transport: transport, logger: BenchLog.quiet)
      self.worker = worker
      working = Task { await worker.run() }
      publisher = try Publisher(connection, producer: "bench", outbox: MemoryOutbox())
    }

    func publish(_ numbers: Range<Int>) throws {
      _ = try publisher.publish(
        events: numbers.map { i in
          var a = BenchAnomaly.make(source: "bench", id: "seq-\(i)-", key: "\(i)", severity: .critical)
          a.dimensions.append(.init("receiver", "r\(i % NotifierBench.receivers)"))
          return a.cloudEvent
        })
    }

    func stop() async throws {
      publisher.close()
      receiver.close()
      // What the stuck receiver holds is broken off.
      transport.close()
      await worker.stop()
      await working.value
      port.close()
      host.stop()
      try await host.wait()
    }
  }
}
