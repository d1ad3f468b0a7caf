import Alerts
import Foundation
import Lifecycle

/// What an open alert costs in memory: the engine with many of them, all labels different.
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
    for i in 0..<alerts {
      engine.take(
        BenchAnomaly.make(source: "detector/bench-\(i % 50)", id: "\(i)", key: "listing-\(i)"), now: now)
      if i % 1000 == 0 { _ = engine.takeBatch(now: now) }
    }
    _ = engine.takeBatch(now: now)
    let each = Double(MemoryBench.resident() - before) / Double(alerts)
    table.add("resident memory per open alert", "\(Int(each)) bytes", limit: "500 bytes allowed", ratio: each / 500)
    precondition(engine.openCount == alerts)
  }

  static func resident() -> Int {
    let text = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
    return (Int(text.split(separator: " ").dropFirst().first ?? "") ?? 0) * sysconf(Int32(_SC_PAGESIZE))
  }
}
