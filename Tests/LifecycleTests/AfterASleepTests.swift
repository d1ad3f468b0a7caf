import Alerts
import Testing

@testable import Lifecycle

/// Many things that are due at one instant, since the machine slept, the disk was full, or somebody edited the rules meanwhile: what keeps people from
/// hearing comes before what tells them. A simulation found each of these.
@Suite struct AfterASleepTests {
  private func silence(_ g: inout Given, from: Interval, to: Interval) {
    g.command(
      .silence(
        matchers: [Matcher(name: "event_type", value: "host")], startsAt: g.now + from, endsAt: g.now + to))
  }

  /// A host that is down explains its processor.
  private static let explained = LifecycleSettings.plain.with {
    $0.inhibitions = [
      InhibitionRule(
        name: "down", source: [Matcher(name: "metric", value: "host down")],
        target: [Matcher(name: "metric", value: "cpu")])
    ]
  }

  /// From 10:20 UTC on.
  private func window(_ name: String, _ metric: String) -> MaintenanceWindow {
    MaintenanceWindow(
      name: name, matchers: [Matcher(name: "metric", value: metric)], minuteOfDay: 620, duration: .hours(1),
      timeZone: "UTC")
  }

  @Test func aSilenceThatEndsAfterAnotherHasBegunTellsNobody() {
    var g = Given()
    silence(&g, from: .zero, to: .minutes(10))
    silence(&g, from: .minutes(20), to: .hours(2))
    let id = g.fires()
    _ = g.said()
    g.sleeps(.minutes(30))
    #expect(!g.said().contains { $0.hasPrefix("requested") })
    #expect(g.state(id).silencedBy == [Subject(.silence, 2)])
    g.replayMatches()
    g.passes(.hours(2))
    #expect(g.deliver().first == "\(id) firing ops/email")
  }

  @Test func aWindowThatBeginsComesBeforeASilenceThatEnded() {
    var g = Given(.plain.with { $0.maintenance = [window("w", "cpu")] })
    silence(&g, from: .zero, to: .minutes(10))
    g.fires()
    _ = g.said()
    g.sleeps(.minutes(30))
    #expect(!g.said().contains { $0.hasPrefix("requested") })
    g.replayMatches()
  }

  @Test func rulesThatWereTakenUpHoldBeforeStepsThatAreDue() {
    var g = Given()
    let cause = g.fires("host down")
    let id = g.fires("cpu")
    g.deliver()
    g.now = g.now + .minutes(20)
    g.engine.adopt(AfterASleepTests.explained, now: g.now)
    g.sleeps(.zero)
    #expect(g.state(id).inhibitedBy == cause)
    #expect(g.deliver() == ["\(cause) firing chat/slack"])
    #expect(!g.log.contains { $0.subject == id.subject && $0.type == .escalated })
    g.replayMatches()
  }

  @Test func rulesThatWereTakenUpHoldBeforeASilenceThatEnded() {
    var g = Given()
    let cause = g.fires("host down")
    silence(&g, from: .zero, to: .minutes(10))
    let id = g.fires("cpu")
    g.deliver()
    _ = g.said()
    g.now = g.now + .minutes(11)
    g.engine.adopt(AfterASleepTests.explained, now: g.now)
    g.sleeps(.zero)
    #expect(g.state(id).inhibitedBy == cause && g.state(id).silencedBy.isEmpty)
    #expect(!g.log.contains { $0.subject == id.subject && $0.type == .notification_requested })
    g.replayMatches()
  }

  @Test func anEditThatTakesAWindowAwayAndExplainsWhatItHeldTellsNobody() {
    var g = Given(.plain.with { $0.maintenance = [window("w", "cpu")] })
    g.passes(.minutes(25))
    let cause = g.fires("host down")
    let id = g.fires("cpu")
    #expect(g.state(id).silencedBy.count == 1)
    g.deliver()
    _ = g.said()
    g.engine.adopt(AfterASleepTests.explained, now: g.now)
    g.sleeps(.zero)
    #expect(g.state(id).inhibitedBy == cause && g.state(id).silencedBy.isEmpty)
    #expect(!g.said().contains { $0.hasPrefix("requested") })
    g.replayMatches()
  }

  /// The service goes down between the commit of an edit and its first look at what is open.
  @Test func anEditThatNobodyLookedAtBeforeACrashIsLookedAtAtTheStart() {
    var g = Given(AfterASleepTests.explained)
    let cause = g.fires("host down")
    let id = g.fires("cpu")
    #expect(g.state(id).inhibitedBy == cause)
    g.deliver()
    g.now = g.now + .minutes(1)
    g.engine.adopt(.plain, now: g.now)
    g.restarts()
    #expect(g.state(id).inhibitedBy == nil)
    #expect(g.deliver() == ["\(id) firing ops/email"])
    g.replayMatches()
  }

  @Test func aWindowThatIsEditedWhileItHoldsGoesOnHolding() {
    var g = Given(.plain.with { $0.maintenance = [window("w", "cpu")] })
    g.passes(.minutes(25))
    let id = g.fires("cpu")
    g.deliver()
    _ = g.said()
    let longer = LifecycleSettings.plain.with {
      $0.maintenance = [window("w", "cpu")]
      $0.maintenance[0].duration = .hours(2)
    }
    g.engine.adopt(longer, now: g.now)
    g.sleeps(.zero)
    #expect(g.state(id).silencedBy == [Subject(.silence, 2)])
    #expect(!g.said().contains { $0.hasPrefix("requested") })
    g.replayMatches()
    g.passes(.hours(1))
    #expect(g.state(id).silencedBy == [Subject(.silence, 2)])
    g.passes(.hours(1))
    #expect(g.deliver() == ["\(id) firing ops/email"])
    #expect(g.engine.silences.isEmpty)
  }

  /// A group's message was due while the machine slept, and the first thing that comes then makes its alert worse: it does not begin to wait anew.
  @Test func aGroupsMessageThatIsOverdueIsNotPutOffByARise() {
    var g = Given(
      .plain.with {
        $0.routes = [
          Route(matchers: [], delivery: .group(["chat"], .init(by: [], wait: .minutes(5), interval: .minutes(30))))
        ]
      })
    g.fires("a", .low)
    g.now = g.now + .hours(1)
    g.fires("a", .medium)
    g.sleeps(.zero)
    #expect(g.deliver() == ["G-1 summary chat/slack"])
    g.replayMatches()
  }

  /// Four are fewer than the rule counts: whoever was told four things at one instant is told each, and a fifth an hour later is no storm.
  @Test func asManyAsTheRuleAllowsAreToldOneByOneAndTheRestInOne() {
    let settings = LifecycleSettings.plain.with { $0.storm = StormRule(after: 4, within: .minutes(2)) }
    for (count, expected) in [(4, 4), (5, 1), (9, 1)] {
      var g = Given(settings)
      for i in 1...count { g.fires("m\(i)") }
      g.passes(.minutes(1))
      g.deliver()
      // All their second steps fall due while the machine sleeps.
      g.sleeps(.hours(1))
      g.passes(.minutes(1))
      let told = g.deliver().filter { $0.contains("chat/slack") }
      #expect(told.count == expected, "\(count): \(told)")
      g.replayMatches()
    }
  }

  @Test func timesUnderAClockThatWasFarAheadMakeNoStorm() {
    var g = Given(.plain.with { $0.storm = StormRule(after: 4, within: .minutes(2)) })
    g.now = g.now + .days(3)
    for i in 1...5 { g.fires("m\(i)") }
    g.passes(.minutes(1))
    g.deliver()
    g.now = Given.start
    let id = g.fires("alone")
    #expect(g.deliver() == ["\(id) firing ops/email"])
  }

  /// An alert ended and came back while a message of its second step was on its way: that this one fails must not take the new life past that step.
  @Test func aMessageOfAPassThatIsOverDoesNotCarryTheNewOneOn() throws {
    var g = Given(
      .plain.with {
        $0.receivers[1].fallback = "boss"
        $0.reopenWithin = .minutes(10)
      })
    let id = g.fires()
    g.deliver()
    g.passes(.minutes(15))
    let leased = g.lease()
    let old = try #require(leased)
    #expect(old.step == 1)
    g.clears()
    g.passes(.seconds(20))
    g.fires()
    #expect(g.state(id).step == 0)
    g.receipt(old, .failed)
    #expect(g.state(id).step == 0)
    #expect(g.engine.ledger.about(id.subject).contains { $0.place.receiver == "boss" && $0.step == nil })
    g.deliver()
    g.passes(.minutes(15))
    #expect(g.deliver().contains("\(id) firing chat/slack"))
    g.replayMatches()
  }

  /// Alerts that come and go leave no heap of timers that nobody wants behind: each would wait for as long as it takes to be stale.
  @Test func timersThatNobodyWantsDoNotPileUp() {
    var g = Given(.plain.with { $0.staleAfter = .days(1) })
    for i in 1...400 {
      g.fires("k\(i)", .critical)
      g.deliver()
      g.clears("k\(i)")
      g.deliver()
      g.passes(.minutes(1))
      let things = g.engine.alerts.count + g.engine.ledger.pending.count
      #expect(g.engine.deadlines.count <= Deadlines.bound(things: things) + 16, "after \(i)")
    }
    // What is still wanted is still there.
    let id = g.fires("late")
    g.deliver()
    g.passes(.minutes(15))
    #expect(g.deliver() == ["\(id) firing chat/slack"])
    g.passes(.days(2))
    g.deliver()
    g.passes(.days(1))
    #expect(g.engine.alerts[id] == nil && g.engine.deadlines.count < 100)
  }
}
