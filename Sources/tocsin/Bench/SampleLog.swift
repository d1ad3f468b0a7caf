import Alerts
import EventLog
import Lifecycle

/// A log as a busy installation leaves it: alerts that opened, were told, repeated themselves, and of which three in seven ended.
struct SampleLog {
  /// Of each hundred thousand open alerts there are about a million events.
  let open: Int

  static var settings: LifecycleSettings {
    var s = LifecycleSettings()
    s.storm = nil
    s.receivers = [
      Receiver(name: "ops", targets: [.init(channel: "slack", destination: "#data-alerts")]),
      Receiver(name: "oncall", targets: [.init(channel: "pagerduty", destination: "oncall")]),
    ]
    s.policies = [
      Policy(
        name: "critical",
        steps: [.init(after: .zero, receivers: ["ops"]), .init(after: .days(30), receivers: ["ops", "oncall"])])
    ]
    s.routes = [
      Route(matchers: [Matcher(name: "severity", value: "critical")], delivery: .policy("critical")),
      Route(matchers: [], delivery: .notify(["ops"])),
    ]
    return s
  }

  /// Writes it. Returns how many events it has.
  func write(to path: String) throws -> Int64 {
    let log = try SQLiteEventLog(path: path)
    var engine = Engine()
    var now = wallClock() - .days(1)
    var intake: [UInt8] = []
    var id = 0
    func commit() throws {
      let events = engine.takeBatch(now: now)
      guard !events.isEmpty else { return }
      try log.append(Commit(events: events.map { StoredEvent($0) }, intake: intake, recordedAt: now))
      intake.removeAll(keepingCapacity: true)
      now = now + .milliseconds(20)
    }
    func take(_ key: Int, _ status: Anomaly.Status) {
      id += 1
      var a = BenchAnomaly.make(
        source: "detector/bench-\(key % 50)", id: "\(id)", key: "listing-\(key)",
        severity: key % 5 == 0 ? .critical : .medium)
      a.time = now
      a.status = status
      let hash = StableHash(source: a.source, id: a.id)
      for word in [hash.high, hash.low] { withUnsafeBytes(of: word.littleEndian) { intake.append(contentsOf: $0) } }
      engine.take(a, now: now)
    }
    func deliver() {
      while let p = engine.lease(to: "bench", channels: ["slack", "pagerduty"], now: now) {
        engine.receive(
          Receipt(
            key: p.key, attempt: 1, outcome: .delivered, status: 200, latency: .milliseconds(40),
            provider: ["ts": .string("1763.000\(p.position)"), "channel": "C1"]), from: "notifier/bench", now: now)
      }
    }
    engine.adopt(SampleLog.settings, now: now)
    try commit()
    let lives = open / 4 * 7
    for first in stride(from: 0, to: lives, by: 500) {
      let keys = first..<min(first + 500, lives)
      for key in keys { take(key, .firing) }
      try commit()
      deliver()
      try commit()
      for key in keys { take(key, .firing) }
      try commit()
      for key in keys where key % 7 < 3 { take(key, .resolved) }
      try commit()
      deliver()
      engine.fire(now: now)
      try commit()
    }
    return log.head
  }
}
