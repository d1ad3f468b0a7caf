import Alerts
import Lifecycle
import Testing

/// SplitMix64, so that a seed that failed can be run again.
struct Draw: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
    return z ^ z >> 31
  }
  mutating func below(_ n: Int) -> Int { Int(next() % UInt64(n)) }
  mutating func pick<T>(_ items: [T]) -> T { items[below(items.count)] }
}

/// Random histories: whatever happens, a replay of the log gives the state that is there.
@Suite struct RandomHistoryTests {
  static let fresh = UInt64.random(in: 1...1_000_000)

  @Test(arguments: Array(UInt64(1)...40) + [RandomHistoryTests.fresh])
  func aReplayGivesTheLiveState(_ seed: UInt64) {
    var d = Draw(state: seed)
    var g = Given(
      .plain.with {
        $0.staleAfter = .hours(6)
        $0.storm = StormRule(after: 4)
        $0.flapping = FlappingRule(changes: 2, within: .hours(1), steadyAfter: .minutes(20))
        $0.inhibitions = [
          InhibitionRule(
            name: "r", source: [Matcher(name: "metric", value: "k0")],
            target: [Matcher(name: "metric", value: "k[12]", isRegex: true)])
        ]
        $0.receivers[0].fallback = "boss"
        $0.receivers[2].quiet = QuietHours(from: 720, until: 800, timeZone: "UTC")
        if seed % 2 == 1 {
          // Whoever is on call, at times nobody; steps that wait for their hours, or are passed over.
          $0.onCall = ReachingTests.settings.onCall
          $0.onCall.schedules[0].layers[0].windows = [TimeWindow(from: 0, until: 900, timeZone: "UTC")]
          $0.receivers.append(Receiver(name: "oncall", targets: [], schedule: "rota"))
          $0.policies[0].steps[1].receivers = ["oncall"]
          $0.policies[0].steps[1].hours = StepHours(
            windows: [TimeWindow(from: 660, until: 780, timeZone: "UTC")], otherwise: seed % 4 == 1 ? .wait : .skip)
          $0.routes[2].delivery = .notify(["oncall"])
        }
        $0.routes.insert(
          Route(matchers: [Matcher(name: "metric", value: "k3")], delivery: .notify(["chat"]), continues: true), at: 0)
      })
    var leased: [Ledger.Pending] = []
    for step in 0..<300 {
      let key = "k\(d.below(8))"
      let id = AlertID(Int64(1 + d.below(12)))
      let severity = d.pick([Severity.critical, .critical, .high, .high, .medium, .low])
      switch d.below(20) {
      case 0...4: g.fires(key, severity)
      case 5, 6: g.clears(key)
      case 7: g.burst((0..<8).map { "k\($0)" }, severity)
      case 8: g.command(.acknowledge, id)
      case 9: g.command(d.pick([.unacknowledge, .resolve, .unsnooze, .comment("x"), .escalate]), id)
      case 10: g.command(.snooze(.minutes(Int64(1 + d.below(90)))), id)
      case 11:
        g.command(
          .silence(
            matchers: [Matcher(name: "metric", value: key)], startsAt: d.below(2) == 0 ? nil : g.now + .minutes(5),
            endsAt: g.now + .minutes(Int64(10 + d.below(60)))))
      case 12: g.command(.expireSilence(Subject(.silence, Int64(1 + d.below(5)))))
      case 13, 14: if let p = g.lease() { leased.append(p) }
      case 15, 16:
        if !leased.isEmpty {
          g.receipt(
            leased.remove(at: d.below(leased.count)), d.pick([.delivered, .delivered, .retry, .failed]),
            unknown: d.below(4) == 0)
        }
      case 17: if d.below(5) == 0 { g.restarts(after: .minutes(Int64(d.below(30)))) }
      default: g.passes(.seconds(Int64(d.below(1200))))
      }
      if step % 10 == 0 { g.replayMatches() }
      let t = g.engine.ledger.totals
      #expect(t.requested == t.delivered + t.failed + t.cancelled + g.engine.ledger.pending.count)
      #expect(g.engine.openCount == g.engine.alerts.values.count { !$0.isResolved })
    }
    g.replayMatches()
  }
}
