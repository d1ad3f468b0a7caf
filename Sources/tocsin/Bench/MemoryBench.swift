import Alerts
import Foundation
import Lifecycle

/// What an open alert costs in memory: the engine with many of them, each with labels of its own; and how long a look through all of them takes.
struct MemoryBench {
  let alerts: Int

  func run(_ table: inout BenchTable) throws {
    var settings = LifecycleSettings()
    settings.routes = [Route(matchers: [], delivery: .dashboardOnly)]
    var engine = Engine()
    let now = wallClock()
    engine.adopt(settings, now: now)
    _ = engine.takeBatch(now: now)
    let before = MemoryBench.resident()
    var scanner = AnomalyScanner()
    for i in 0..<alerts {
      // By the way of the service: the text is looked through, and is not kept.
      let text = BenchAnomaly.make(source: "detector/bench-\(i % 50)", id: "\(i)", key: "listing-\(i)").cloudEvent
      guard text.withUnsafeBufferPointer({ scanner.scan($0, now: now) }) else {
        throw BenchError("an anomaly of the benchmark was not understood")
      }
      engine.take(&scanner, TextPiece(text), now: now)
      if i % 1000 == 0 { _ = engine.takeBatch(now: now) }
    }
    _ = engine.takeBatch(now: now)
    let each = Double(MemoryBench.resident() - before) / Double(alerts)
    guard engine.openCount == alerts else { throw BenchError("\(engine.openCount) alerts are open, not \(alerts)") }
    table.add(
      "memory of \(Format.number(Double(alerts))) open, each", "\(Int(each)) bytes", limit: "500 bytes allowed",
      ratio: each / 500)

    let start = ContinuousClock.now
    let hits = engine.hits([Matcher(name: "listing", value: "listing-\(alerts / 2)")])
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    guard hits.count == 1 else { throw BenchError("\(hits.count) alerts were found, not one") }
    table.add("one of them found by a label", String(format: "%.0f ms", seconds * 1000))
  }

  static func resident() -> Int {
    let text = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
    return (Int(text.split(separator: " ").dropFirst().first ?? "") ?? 0) * sysconf(Int32(_SC_PAGESIZE))
  }
}
