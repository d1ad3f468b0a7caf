import Alerts

// More at once than is waited for while it is written.
extension World {
  /// So many alerts that their commit is written while the next one is decided; nearly all are on the dashboard only. Soon they end as fast.
  func flood() {
    let count = 260 + draw.below(120)
    let messages = 1 + draw.below(3)
    let first = nextFlooded
    nextFlooded += messages * count
    for m in 0..<messages {
      after(.milliseconds(Int64(draw.below(900)))) { $0.flood(first + m * count, count, isFiring: true) }
    }
    after(.minutes(Int64(1 + draw.below(20)))) { world in
      for m in 0..<messages { world.flood(first + m * count, count, isFiring: false) }
    }
  }

  private func flood(_ first: Int, _ count: Int, isFiring: Bool) {
    let p = draw.below(producers.count)
    let events = (first..<first + count).map { key in
      nextAnomaly += 1
      var a = Anomaly(
        id: "\(nextAnomaly)", source: producers[p].name, time: now, eventType: "flood", metric: "f\(key)")
      a.status = isFiring ? .firing : .resolved
      a.severity = draw.once(in: 100) ? .critical : .low
      a.givenKey = "f\(key)"
      return a.cloudEvent
    }
    outcome.anomalies += count
    hand(p, Producer.Message(events: events, firing: isFiring ? count : 0, bad: 0))
  }

  /// The writer has a large commit, for a moment.
  func writeSlowly() {
    let writer = self.writer
    after(.milliseconds(Int64(draw.below(1500)))) { _ in writer?.arrive() }
  }
}
