import Alerts
import Lifecycle
import Testing

@Suite struct ConditionTests {
  @Test func aFirstAnomalyOpensAndTellsTheFirstStep() {
    var g = Given()
    let id = g.fires()
    #expect(g.said() == ["detected", "requested firing ops/email"])
    #expect(g.state(id).generation == 1)
    #expect(g.state(id).step == 0)
    #expect(g.state(id).nextEscalationAt == g.now + .minutes(15))
    #expect(g.deliver() == ["\(id) firing ops/email"])
    #expect(g.deliver() == [])
    g.replayMatches()
  }

  @Test func repeatsOfOneCommitAreOneFactAndTellNobody() {
    var g = Given()
    let id = g.fires()
    g.deliver()
    _ = g.said()
    g.burst(["cpu", "cpu", "cpu"])
    #expect(g.said() == ["deduplicated ×3"])
    #expect(g.state(id).count == 4)
    g.replayMatches()
  }

  @Test func aRepeatNeverResetsAnAcknowledgement() {
    var g = Given()
    let id = g.fires()
    g.deliver()
    g.command(.acknowledge, id)
    _ = g.said()
    for severity in [Severity.critical, .low, nil] { g.fires("cpu", severity) }
    #expect(g.said() == ["deduplicated ×1", "deduplicated ×1", "deduplicated ×1"])
    #expect(g.state(id).acknowledgedBy == "ana")
  }

  @Test func aRiseBreaksAcknowledgementAndSnoozeAndTakesTheRouteOfTheFrozenConfiguration() {
    var g = Given()
    let id = g.fires("cpu", .medium)
    g.deliver()
    // The configuration in force changes; the alert keeps its own.
    g.engine.adopt(
      LifecycleSettings.plain.with { $0.routes = [Route(matchers: [], delivery: .dashboardOnly)] }, now: g.now)
    g.command(.acknowledge, id)
    g.command(.snooze(.hours(1)), id)
    _ = g.said()
    g.fires("cpu", .critical)
    #expect(
      g.said() == [
        "deduplicated ×1", "severity_raised", "unacknowledged severity_raised", "unsnoozed severity_raised",
        "escalated 0/0 severity_raised", "requested firing ops/email",
      ])
    #expect(g.state(id).route.policy == "urgent")
    #expect(g.state(id).route.configuration == 1)
    g.replayMatches()
  }

  @Test func aRiseToARouteWithoutPolicyLeavesNoTimerBehind() {
    let settings = LifecycleSettings.plain.with {
      $0.routes = [
        Route(matchers: [Matcher(name: "severity", value: "medium")], delivery: .policy("urgent")),
        Route(matchers: [], delivery: .dashboardOnly),
      ]
    }
    var g = Given(settings)
    let id = g.fires("cpu", .medium)
    #expect(g.state(id).nextEscalationAt != nil)
    g.fires("cpu", .critical)
    #expect(g.state(id).nextEscalationAt == nil)
  }

  @Test func aClearEndsItAndEachPlaceThatWasToldHearsSoOnce() {
    var g = Given()
    let id = g.fires()
    g.deliver()
    g.passes(.minutes(15))
    g.deliver()
    _ = g.said()
    g.clears()
    #expect(
      g.said() == ["cleared", "resolved cleared", "requested resolved ops/email", "requested resolved chat/slack"])
    #expect(!g.state(id).seen)
    #expect(g.deliver() == ["\(id) resolved ops/email", "\(id) resolved chat/slack"])
    g.passes(.days(2))
    #expect(g.deliver() == [])
    g.replayMatches()
  }

  @Test func aResolvedAnomalyWithoutAnAlertIsNothing() {
    var g = Given()
    g.clears("unknown")
    #expect(g.said() == [])
    #expect(g.engine.counters.ignored == 1)
  }

  @Test func soonAfterItReopensUnacknowledgedAndLaterANewGenerationOpens() {
    var g = Given()
    let id = g.fires()
    g.command(.acknowledge, id)
    g.clears()
    g.deliver()
    g.passes(.minutes(9))
    _ = g.said()
    #expect(g.fires() == id)
    #expect(g.said() == ["reopened", "escalated 0/0 reopened", "requested firing ops/email"])
    #expect(g.state(id).acknowledgedBy == nil)
    g.deliver()
    g.clears()
    g.passes(.minutes(11))
    let next = g.fires()
    #expect(next != id)
    #expect(g.state(next).generation == 2)
    #expect(g.state(next).acknowledgedBy == nil)
    g.replayMatches()
  }

  @Test(arguments: [(Interval.zero, 1), (.seconds(599), 1), (.seconds(600), 2), (.hours(1), 2)])
  func theWindowInWhichItIsTheSameIsHalfOpen(_ after: Interval, _ generation: Int) {
    for how in ["cleared", "resolved"] {
      var g = Given()
      let id = g.fires()
      g.deliver()
      if how == "cleared" { g.clears() } else { g.command(.resolve, id) }
      g.deliver()
      g.passes(after)
      let next = g.fires()
      #expect(g.state(next).generation == generation, "\(how)")
      #expect((next == id) == (generation == 1))
    }
  }

  @Test func whatReopensWorseTakesTheRouteOfItsNewSeverity() {
    var g = Given()
    let id = g.fires("cpu", .low)
    g.clears()
    _ = g.said()
    g.fires("cpu", .critical)
    #expect(
      g.said() == ["reopened", "severity_raised", "escalated 0/0 reopened", "requested firing ops/email"])
    #expect(g.state(id).severity == .critical)
    #expect(g.state(id).route.policy == "urgent")
  }

  @Test func silenceOfADetectorEndsAsStaleAndLooksDifferent() {
    var g = Given(.plain.with { $0.staleAfter = .hours(1) })
    let id = g.fires("cpu", .medium)
    g.deliver()
    g.passes(.minutes(59))
    g.fires("cpu", .medium)
    g.passes(.minutes(59))
    #expect(!g.state(id).isResolved)
    _ = g.said()
    g.passes(.minutes(2))
    #expect(g.said().first == "resolved stale")
    #expect(g.deliver() == ["\(id) resolved ops/email"])
    #expect(g.engine.alerts[id]?.resolvedHow == .stale)
  }

  @Test func aRepeatInTheSameBatchAsTheStaleDeadlineKeepsItOpen() {
    var g = Given(.plain.with { $0.staleAfter = .hours(1) })
    let id = g.fires("cpu", .medium)
    g.now = g.now + .hours(2)
    g.burst(["cpu"], .medium)
    #expect(!g.state(id).isResolved)
  }

  @Test func flappingIsToldOnceAndEndsWithHysteresis() {
    var g = Given(.plain.with { $0.flapping = FlappingRule(changes: 3, within: .hours(1), steadyAfter: .minutes(30)) })
    let id = g.fires()
    g.deliver()
    for _ in 0..<3 {
      g.clears()
      g.passes(.minutes(1))
      g.fires()
      g.deliver()
      g.passes(.minutes(1))
    }
    #expect(g.state(id).isFlapping)
    for _ in 0..<5 {
      g.clears()
      g.passes(.minutes(1))
      g.fires()
      g.passes(.minutes(1))
      #expect(g.deliver() == [])
    }
    g.clears()
    _ = g.said()
    #expect(g.deliver() == [])
    g.passes(.minutes(29))
    #expect(g.said() == [])
    g.passes(.minutes(2))
    #expect(g.said() == ["steady", "requested resolved ops/email"])
    #expect(g.deliver() == ["\(id) resolved ops/email"])
    g.replayMatches()
  }
}
