import Alerts
import Bus
import Foundation
import Lifecycle
import Notifiers
import Service

/// From publishing an anomaly to its message at the receiver: through the bus, the decision, the synced commit, the job, the notifier and HTTP.
/// One at a time, each when the delivery of the one before is on record; beside a bare fsync and a bare POST on loopback.
struct LatencyBench {
  let folder: URL
  let messages: Int
  /// Not counted: connections are opened and caches filled.
  private static let warmUp = 50

  func run(_ table: inout BenchTable) async throws {
    let receiver = try LoopbackReceiver()
    let transport = try CurlTransport()
    let fsyncs = fsyncTimes()
    let posts = await postTimes(transport, "http://127.0.0.1:\(receiver.port)/hook", receiver)
    transport.close()
    receiver.close()
    for (way, isInside) in [("publish to receiver", true), ("the same over TCP", false)] {
      let times = try await times(inside: isInside)
      for (name, q) in [("p50", 0.5), ("p99", 0.99)] {
        let mine = LatencyBench.quantile(times, q)
        let fsync = LatencyBench.quantile(fsyncs, q)
        let post = LatencyBench.quantile(posts, q)
        table.add(
          "\(way), \(name)", String(format: "%.2f ms", mine),
          limit: String(format: "%.2f fsync + %.2f POST", fsync, post), ratio: mine / (fsync + post))
      }
    }
  }

  /// Milliseconds from publishing to the receiver, of each message. `inside`: in one process, as `up` puts its parts together; else each part reaches the
  /// service over TCP. `format`: of the webhook's body.
  func times(inside: Bool, format: String = "cloudevents") async throws -> [Double] {
    let receiver = try LoopbackReceiver()
    defer { receiver.close() }
    let url = "http://127.0.0.1:\(receiver.port)/hook"
    let transport = try CurlTransport()

    var gateway = GatewaySettings()
    gateway.gateway = "tcp://127.0.0.1:\(BenchPort.free())"
    gateway.feed = "tcp://127.0.0.1:\(BenchPort.free())"
    let connection: ConnectionSettings
    if inside {
      gateway.context = try Context()
      gateway.inside = "inproc://bench"
      connection = ConnectionSettings(gateway: "inproc://bench", feed: gateway.feed, context: gateway.context)
    } else {
      connection = ConnectionSettings(gateway: gateway.gateway, feed: gateway.feed)
    }
    let host = ServiceHost(logger: BenchLog.quiet) { _ in }
    var settings = LifecycleSettings()
    settings.receivers = [Receiver(name: "hook", targets: [.init(channel: "webhook", destination: "hook")])]
    settings.routes = [Route(matchers: [], delivery: .notify(["hook"]))]
    settings.reopenWithin = .zero
    // A thousand messages to one place would be a storm.
    settings.storm = nil
    try await host.start(
      log: folder.appendingPathComponent(inside ? "latency.sqlite" : "latency-tcp.sqlite").path, gateway: gateway,
      lifecycle: settings)
    var channels = NotifierSettings()
    channels.receiverOptions["hook"] = ["url": .string(url), "format": .string(format)]
    let port = try WorkerClient(connection, worker: "bench")
    let worker = NotifierWorker(
      name: "bench", settings: channels, only: ["webhook"], port: port, transport: transport,
      logger: BenchLog.quiet)
    let working = Task { await worker.run() }
    let publisher = try Publisher(connection, producer: "bench", outbox: MemoryOutbox())

    var times: [Double] = []
    for i in 0..<messages + LatencyBench.warmUp {
      let anomaly = BenchAnomaly.make(
        source: "bench", id: "\(i)", key: "listing-\(i)", severity: .critical)
      let event = anomaly.cloudEvent
      let start = ContinuousClock.now
      _ = try publisher.publish(events: [event])
      guard receiver.next() else { throw BusError(.timeout, "a message did not arrive within ten seconds") }
      // The first ones open connections.
      if i >= LatencyBench.warmUp { times.append((ContinuousClock.now - start) / .milliseconds(1)) }
      // Its receipt is a commit too, and not to be in the way of the next.
      let until = ContinuousClock.now + .seconds(10)
      while host.status.snapshot.pendingNotifications > 0, ContinuousClock.now < until {
        try await Task.sleep(for: .microseconds(200))
      }
    }
    publisher.close()
    await worker.stop()
    await working.value
    port.close()
    host.stop()
    try await host.wait()
    transport.close()
    return times
  }

  private func fsyncTimes() -> [Double] {
    let path = folder.appendingPathComponent("fsync").path
    let file = open(path, O_RDWR | O_CREAT, 0o600)
    defer { close(file) }
    let page = [UInt8](repeating: 7, count: 4096)
    return (0..<500).map { _ in
      let start = ContinuousClock.now
      _ = write(file, page, page.count)
      fdatasync(file)
      return (ContinuousClock.now - start) / .milliseconds(1)
    }
  }

  private func postTimes(_ transport: CurlTransport, _ url: String, _ receiver: LoopbackReceiver) async -> [Double] {
    var times: [Double] = []
    for i in 0..<550 {
      let start = ContinuousClock.now
      _ = await transport.perform(
        .post(url, contentType: "application/json", body: Array(repeating: UInt8(ascii: "x"), count: 1500)))
      _ = receiver.next()
      if i >= 50 { times.append((ContinuousClock.now - start) / .milliseconds(1)) }
    }
    return times
  }

  static func quantile(_ values: [Double], _ q: Double) -> Double {
    let sorted = values.sorted()
    return sorted.isEmpty ? .nan : sorted[min(sorted.count - 1, Int(Double(sorted.count) * q))]
  }
}
