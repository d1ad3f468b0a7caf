import Alerts
import Bus
import Foundation
import Lifecycle
import Synchronization

/// The same alerts to Prometheus Alertmanager over its HTTP API and to the lifecycle service over the bus, in turn, each in a process of its own.
///
/// Alertmanager keeps them in memory; here every one is synced to disk before it is answered.
struct PeerBench {
  let folder: URL
  let alerts: Int
  let messages: Int
  private static let clients = 4
  private static let repeatedAlerts = 1000

  private struct Figures {
    var singly = 0.0
    var inHundreds = 0.0
    var repeats = 0.0
    /// Bytes for each alert.
    var memory = 0.0
    /// Milliseconds.
    var times: [Double] = []
  }

  func run(_ table: inout BenchTable) async throws {
    let own = try await tocsin()
    let rate = { (n: Double) in "\(Format.number(n.rounded()))/s" }
    for way in Way.allCases {
      let peer = try await alertmanager(way)
      for (what, a, b) in [
        ("alerts, each by itself", own.singly, peer.singly), ("alerts, in hundreds", own.inHundreds, peer.inHundreds),
        ("repeats, in hundreds", own.repeats, peer.repeats),
      ] {
        table.add(what, rate(a), limit: "\(rate(b)) \(way.rawValue)", ratio: a / b)
      }
      table.add(
        "memory per alert", "\(Int(own.memory)) bytes", limit: "\(Int(peer.memory)) \(way.rawValue)",
        ratio: own.memory / peer.memory)
    }
    let theirs = try await alertmanagerTimes()
    for (name, q) in [("p50", 0.5), ("p99", 0.99)] {
      let (a, b) = (LatencyBench.quantile(own.times, q), LatencyBench.quantile(theirs, q))
      table.add(
        "sent to receiver, \(name)", String(format: "%.2f ms", a), limit: String(format: "%.2f ms Alertmanager", b),
        ratio: a / b)
    }
  }

  // MARK: - Alertmanager

  /// How it is told to put alerts together. Nobody is told of any, here or there.
  private enum Way: String, CaseIterable {
    /// No alert waits for another: what Tocsin does unless it is asked to group.
    case apart = "Alertmanager"
    /// All in one group that is never told of: the least that it can have to do.
    case together = "in one group"

    var route: String {
      switch self {
      case .apart: "{receiver: nobody, group_by: ['...'], group_wait: 0s}"
      case .together: "{receiver: nobody, group_by: [event_type], group_wait: 1h}"
      }
    }
  }

  private func alertmanager(_ way: Way) async throws -> Figures {
    var figures = Figures()
    let server = try await Alertmanager(folder, "\(way)", route: way.route, receivers: "[{name: nobody}]")
    defer { server.stop() }
    let before = ProcessUse(of: server.pid).memory
    figures.inHundreds = try post(server.port, alerts, by: 100) { "listing-\($0)" }
    figures.memory = Double(ProcessUse(of: server.pid).memory - before) / Double(alerts)
    figures.repeats = try post(server.port, alerts, by: 100) { "listing-\($0 % PeerBench.repeatedAlerts)" }
    figures.singly = try post(server.port, alerts / 4, by: 1) { "single-\($0)" }
    return figures
  }

  private func alertmanagerTimes() async throws -> [Double] {
    var times: [Double] = []
    let receiver = try LoopbackReceiver()
    defer { receiver.close() }
    let server = try await Alertmanager(
      folder, "latency", route: "{receiver: hook, group_by: ['...'], group_wait: 0s}",
      receivers:
        "[{name: hook, webhook_configs: [{url: 'http://127.0.0.1:\(receiver.port)/hook', send_resolved: false}]}]")
    defer { server.stop() }
    let line = try HTTPLine(port: server.port)
    for i in 0..<messages + 50 {
      let request = HTTPLine.post("/api/v2/alerts", port: server.port, body([i]) { "late-\($0)" })
      let start = ContinuousClock.now
      try line.ask(request)
      guard receiver.next() else { throw BenchError("Alertmanager's message did not arrive within ten seconds") }
      if i >= 50 { times.append((ContinuousClock.now - start) / .milliseconds(1)) }
    }
    return times
  }

  /// Alerts per second, over several connections, each request prepared before the clock starts.
  private func post(_ port: Int, _ count: Int, by batch: Int, _ key: @Sendable (Int) -> String) throws -> Double {
    let share = count / PeerBench.clients
    let requests = (0..<PeerBench.clients).map { k in
      stride(from: k * share, to: (k + 1) * share, by: batch).map { from in
        HTTPLine.post(
          "/api/v2/alerts", port: port, body(Array(from..<min(from + batch, (k + 1) * share)), key))
      }
    }
    let failure = Mutex<(any Error)?>(nil)
    let lines = try (0..<PeerBench.clients).map { _ in Unshared(try HTTPLine(port: port)) }
    let start = ContinuousClock.now
    DispatchQueue.concurrentPerform(iterations: PeerBench.clients) { k in
      do { for request in requests[k] { try lines[k].value.ask(request) } } catch {
        failure.withLock { $0 = error }
      }
    }
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    if let error = failure.withLock({ $0 }) { throw error }
    return Double(share * PeerBench.clients) / seconds
  }

  /// Used by one thread only, and so may cross to it.
  private struct Unshared<Value>: @unchecked Sendable {
    let value: Value
    init(_ value: Value) { self.value = value }
  }

  /// The benchmark's anomalies, in Alertmanager's words.
  private func body(_ numbers: [Int], _ key: (Int) -> String) -> [UInt8] {
    JSON.array(
      numbers.map { n in
        let a = BenchAnomaly.make(source: "detector/bench", id: "\(n)", key: key(n))
        return [
          "labels": [
            "alertname": .string(a.metric), "tenant": .string(a.tenant), "event_type": .string(a.eventType),
            "device": "mobile", "listing": .string(key(n)), "severity": "medium", "team": "bi",
            "source": .string(a.source),
          ],
          "annotations": ["summary": .text(a.summary), "value": "245", "expected": "1850"],
        ]
      }
    ).bytes
  }

  // MARK: - Tocsin

  private func tocsin() async throws -> Figures {
    var figures = Figures()
    let path = folder.appendingPathComponent("peer.sqlite").path
    let endpoint = "tcp://127.0.0.1:\(BenchPort.free())"
    let (service, input) = try await BenchService.start(log: path, gateway: endpoint)
    defer {
      try? input.close()
      service.waitUntilExit()
    }
    let bench = ThroughputBench(folder: folder, anomalies: alerts, producers: PeerBench.clients)
    let before = ProcessUse(of: service.processIdentifier).memory
    figures.inHundreds = try await bench.send(
      to: endpoint, keys: alerts / PeerBench.clients, round: 1, batch: 100)
    figures.memory = Double(ProcessUse(of: service.processIdentifier).memory - before) / Double(alerts)
    figures.repeats = try await bench.send(
      to: endpoint, keys: PeerBench.repeatedAlerts / PeerBench.clients, round: 2, batch: 100)
    figures.singly = try await ThroughputBench(folder: folder, anomalies: alerts / 4, producers: PeerBench.clients)
      .send(
        to: endpoint, keys: alerts, round: 3, batch: 1)
    figures.times = try await LatencyBench(folder: folder, messages: messages).times(
      inside: true, format: "alertmanager")
    return figures
  }
}

/// `prometheus-alertmanager`, as Debian packages it, on a free port.
private final class Alertmanager {
  private static let program = "/usr/bin/prometheus-alertmanager"
  let port = BenchPort.free()
  private let process = Process()

  var pid: Int32 { process.processIdentifier }

  init(_ folder: URL, _ name: String, route: String, receivers: String) async throws {
    guard FileManager.default.isExecutableFile(atPath: Alertmanager.program) else {
      throw BenchError(
        "\(Alertmanager.program) is not installed; install Debian's prometheus-alertmanager, or leave out --peer")
    }
    let home = folder.appendingPathComponent("alertmanager-\(name)")
    try FileManager.default.createDirectory(at: home, withIntermediateDirectories: true)
    let file = home.appendingPathComponent("alertmanager.yml")
    try Data("global: {resolve_timeout: 1h}\nroute: \(route)\nreceivers: \(receivers)\n".utf8).write(to: file)
    let log = home.appendingPathComponent("log")
    _ = FileManager.default.createFile(atPath: log.path, contents: nil)
    process.executableURL = URL(fileURLWithPath: Alertmanager.program)
    process.arguments = [
      "--config.file=\(file.path)", "--storage.path=\(home.path)/data", "--web.listen-address=127.0.0.1:\(port)",
      "--cluster.listen-address=",
    ]
    process.standardError = try FileHandle(forWritingTo: log)
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    for _ in 0..<100 {
      if (try? HTTPLine(port: port)) != nil { return }
      guard process.isRunning else { break }
      try await Task.sleep(for: .milliseconds(100))
    }
    process.terminate()
    let why = (try? String(contentsOf: log, encoding: .utf8)) ?? ""
    throw BenchError("Alertmanager does not listen: \(why.suffix(1000))")
  }

  func stop() {
    process.terminate()
    process.waitUntilExit()
  }
}
