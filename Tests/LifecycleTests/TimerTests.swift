import Alerts
import Testing

@testable import Lifecycle

/// Timers fire once, are never lost, and never early: whatever the machine and its clock do.
@Suite struct TimerTests {
  @Test func aTimerCostsAnEntryOfTheHeap() {
    #expect(Deadlines.bytesPerEntry <= 32)
    var deadlines = Deadlines()
    var d = Draw(state: 11)
    let count = 20_000
    for i in 0..<count {
      deadlines.add(.escalation(AlertID(Int64(i))), at: Timestamp(microseconds: Int64(d.below(1_000_000_000))))
    }
    #expect(deadlines.count == count)
    var last = Timestamp(microseconds: -1)
    var fired: Set<Deadlines.What> = []
    while let (due, what) = deadlines.popDue(.distantFuture) {
      #expect(due >= last)
      last = due
      fired.insert(what)
    }
    #expect(fired.count == count)
    #expect(deadlines.next == nil)
  }

  /// Alerts that open at any time, on a machine that sleeps for seconds or for hours, and is started again now and then.
  @Test(arguments: UInt64(1)...12)
  func everyStepIsTakenOnceAndNotBeforeItsTime(_ seed: UInt64) throws {
    var d = Draw(state: seed)
    var g = Given(.plain.with { $0.storm = nil })
    var opened: [AlertID] = []
    for _ in 0..<120 {
      if d.below(3) == 0 { opened.append(g.fires("k\(opened.count)", .critical)) }
      switch d.below(12) {
      case 0: g.sleeps(.hours(Int64(d.below(9))))
      case 1: g.restarts(after: .minutes(Int64(d.below(120))))
      case 2: g.sleeps(.zero)
      default: g.sleeps(.seconds(Int64(d.below(400))))
      }
    }
    // Long enough for every policy to run out: two rounds of 0, 15 and 30 minutes.
    for _ in 0..<10 { g.sleeps(.hours(1)) }
    let policy = try #require(LifecycleSettings.plain.policies.first)
    for id in opened {
      let life = g.log.filter { $0.subject == id.subject }
      var last = try #require(life.first).recordedAt
      var steps: [String] = []
      for e in life {
        switch e.event {
        case .escalated(let s) where s.reason == .delay:
          let before = s.step == 0 ? policy.steps.count - 1 : s.step - 1
          #expect(e.recordedAt >= last + Escalation.delay(after: before, in: policy), "\(id) early: \(s)")
          last = e.recordedAt
          steps.append("\(s.round)/\(s.step)")
        case .exhausted: steps.append("end")
        default: break
        }
      }
      #expect(steps == ["0/1", "0/2", "1/0", "1/1", "1/2", "end"], "\(id)")
    }
  }

  /// The nights on which the clocks change: 02:30 does not exist on one, and exists twice on the other.
  @Test(arguments: ["2026-03-26T12:00:00Z", "2026-10-22T12:00:00Z"])
  func aNightlyWindowBeginsOnceEachNight(_ start: String) throws {
    var g = Given()
    g.now = try #require(Timestamp(rfc3339: start))
    g.engine.adopt(
      .plain.with {
        $0.maintenance = [
          MaintenanceWindow(
            name: "nightly", matchers: [Matcher(name: "metric", value: "x")], minuteOfDay: 150, duration: .minutes(45),
            timeZone: "Europe/Berlin")
        ]
      }, now: g.now)
    _ = g.news()
    g.passes(.days(6))
    let begun = g.news().filter { $0.type == .silence_added }
    #expect(begun.count == 6)
    for (a, b) in zip(begun, begun.dropFirst()) {
      #expect((.hours(23) ... .hours(25)).contains(b.recordedAt - a.recordedAt))
    }
    // The same on a machine that looks only every few hours: none is lost, none comes twice.
    var sleepy = Given()
    sleepy.now = try #require(Timestamp(rfc3339: start))
    sleepy.engine.adopt(try #require(g.engine.configurations[g.engine.configuration]), now: sleepy.now)
    _ = sleepy.news()
    for _ in 0..<(6 * 48) { sleepy.sleeps(.minutes(30)) }
    #expect(sleepy.news().filter { $0.type == .silence_added }.count == 6)
  }

  /// An acknowledgement of four hours, a snooze of one: their ends wait for a machine that sleeps, and come once.
  @Test func whatEndedWhileTheMachineSleptEndsOnceWhenItWakes() {
    var g = Given()
    let a = g.fires("a")
    g.command(.acknowledge, a)
    let b = g.fires("b")
    g.command(.snooze(.hours(1)), b)
    _ = g.said()
    g.sleeps(.hours(30))
    let said = g.said()
    #expect(said.filter { $0 == "unacknowledged timeout" }.count == 1)
    #expect(said.filter { $0 == "unsnoozed elapsed" }.count == 1)
    g.sleeps(.zero)
    #expect(g.said().allSatisfy { !$0.hasPrefix("un") })
  }
}
