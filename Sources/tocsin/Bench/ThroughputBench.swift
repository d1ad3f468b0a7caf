import Alerts
import Bus
import EventLog
import Foundation
import GRDB
import Lifecycle
import Logging

/// Anomalies stored per second over the bus, from producer processes; beside raw SQLite that inserts the same rows.
///
/// Each figure is the best of three runs, the limit's too: on a shared machine the others say more about the neighbours.
struct ThroughputBench {
  let folder: URL
  let anomalies: Int
  let producers: Int
  /// Of the open alerts, so many are heard of again and again.
  private static let repeatedAlerts = 1000

  func run(_ table: inout BenchTable) async throws {
    var (new, repeated, once, raw) = (0.0, 0.0, 0.0, 0.0)
    for run in 1...3 {
      let path = folder.appendingPathComponent("throughput-\(run).sqlite").path
      let figures = try await measure(path)
      new = max(new, figures.new)
      repeated = max(repeated, figures.repeated)
      once = max(once, figures.once)
      raw = max(raw, try RawSQLite(rowsOf: path, count: anomalies).insert(into: path + ".raw"))
      try? FileManager.default.removeItem(atPath: path)
      try? FileManager.default.removeItem(atPath: path + ".raw")
    }
    let perSecond = { (n: Double) in "\(Format.number(n.rounded()))/s" }
    table.add(
      "new alerts stored, over the bus", perSecond(new), limit: "\(perSecond(raw)) raw SQLite", ratio: new / raw)
    table.add(
      "repeats of \(Format.number(Double(Self.repeatedAlerts))) open alerts", perSecond(repeated),
      limit: "\(perSecond(new)) new ones", ratio: repeated / new)
    table.add("every open alert once more", perSecond(once), limit: "\(perSecond(new)) new ones", ratio: once / new)
  }

  private func measure(_ path: String) async throws -> (new: Double, repeated: Double, once: Double) {
    var gateway = GatewaySettings(gateway: "tcp://127.0.0.1:*", feed: "tcp://127.0.0.1:*")
    gateway.gateway = "tcp://127.0.0.1:\(BenchPort.free())"
    gateway.feed = "tcp://127.0.0.1:\(BenchPort.free())"
    let host = ServiceHost(logger: BenchLog.quiet) { _ in }
    var settings = LifecycleSettings()
    settings.routes = [Route(matchers: [], delivery: .dashboardOnly)]
    try await host.start(log: path, gateway: gateway, lifecycle: settings)
    let all = anomalies / producers
    let new = try await send(to: gateway.gateway, keys: all, round: 1)
    let repeated = try await send(to: gateway.gateway, keys: Self.repeatedAlerts / producers, round: 2)
    let once = try await send(to: gateway.gateway, keys: all, round: 3)
    host.stop()
    try await host.wait()
    return (new, repeated, once)
  }

  /// Anomalies per second, from the first sent to the last stored.
  func send(to endpoint: String, keys: Int, round: Int, batch: Int = Publisher.batchEvents) async throws -> Double {
    let count = anomalies / producers
    var children: [(Process, Pipe, Pipe)] = []
    for k in 0..<producers {
      let p = Process()
      p.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
      p.arguments = [
        "bench", "producer", "--gateway", endpoint, "--name", "bench-\(k)", "--count", "\(count)", "--keys", "\(keys)",
        "--round", "\(round)", "--batch", "\(batch)",
      ]
      let (input, output) = (Pipe(), Pipe())
      p.standardInput = input
      p.standardOutput = output
      try p.run()
      children.append((p, input, output))
    }
    for (_, _, output) in children { _ = output.fileHandleForReading.availableData }
    let start = ContinuousClock.now
    for (_, input, _) in children { input.fileHandleForWriting.write(Data("go\n".utf8)) }
    for (_, _, output) in children { _ = output.fileHandleForReading.availableData }
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    for (p, _, _) in children { p.waitUntilExit() }
    guard children.allSatisfy({ $0.0.terminationStatus == 0 }) else {
      throw BusError(.refused, "a producer process failed; run `tocsin bench` again")
    }
    return Double(count * producers) / seconds
  }
}

enum BenchLog {
  static var quiet: Logger {
    var logger = Logger(label: "tocsin.bench")
    logger.logLevel = .error
    return logger
  }
}

enum BenchPort {
  static func free() -> Int {
    let s = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(s) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    return withUnsafeMutablePointer(to: &address) { p in
      p.withMemoryRebound(to: sockaddr.self, capacity: 1) { a in
        bind(s, a, length)
        getsockname(s, a, &length)
      }
      return Int(UInt16(bigEndian: p.pointee.sin_port))
    }
  }
}
