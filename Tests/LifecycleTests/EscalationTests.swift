import Alerts
import Lifecycle
import Testing

@Suite struct EscalationTests {
  @Test func everyStepAndRoundAndThenExhausted() {
    var g = Given()
    let id = g.fires()
    var told: [String] = []
    for _ in 0..<(24 * 60) {
      told += g.deliver()
      g.passes(.minutes(1))
    }
    #expect(
      told == [
        "\(id) firing ops/email", "\(id) firing chat/slack", "\(id) firing boss/pagerduty",
        "\(id) firing ops/email", "\(id) firing chat/slack", "\(id) firing boss/pagerduty",
      ])
    #expect(g.state(id).isExhausted)
    #expect(g.state(id).nextEscalationAt == nil)
    g.replayMatches()
  }

  @Test func aFirstStepWithADelayTellsNobodyWhoseAlertEndsBefore() {
    let settings = LifecycleSettings.plain.with { $0.policies[0].steps[0].after = .minutes(5) }
    var g = Given(settings)
    let id = g.fires()
    #expect(g.said() == ["detected"])
    g.passes(.minutes(4))
    #expect(g.said() == [])
    g.passes(.minutes(1))
    #expect(g.said() == ["requested firing ops/email"])
    #expect(g.state(id).step == 0)
    let other = g.fires("disk")
    g.passes(.minutes(2))
    g.clears("disk")
    g.passes(.minutes(10))
    #expect(!g.deliver().contains { $0.hasPrefix("\(other)") })
    g.replayMatches()
  }

  @Test func whatFellDueWhileTheServiceWasDownFiresWhenItReturns() {
    var g = Given()
    let id = g.fires()
    g.deliver()
    _ = g.said()
    g.restarts(after: .hours(1))
    #expect(g.said() == ["escalated 1/0 delay", "requested firing chat/slack"])
    #expect(g.state(id).step == 1)
    g.restarts()
    #expect(g.said() == [])
  }

  @Test func aDeliveryThatFailsForGoodMovesOnAtOnceAndFallsBack() {
    var g = Given(.plain.with { $0.receivers[0].fallback = "boss" })
    let id = g.fires()
    let p = g.lease()!
    _ = g.said()
    g.receipt(p, .failed)
    #expect(
      g.said() == [
        "notification_failed", "requested firing boss/pagerduty", "escalated 1/0 delivery_failed",
        "requested firing chat/slack",
      ])
    #expect(g.state(id).step == 1)
    // Both fail now: the step after comes once.
    let a = g.lease()!
    let b = g.lease()!
    _ = g.said()
    g.receipt(a, .failed)
    g.receipt(b, .failed)
    #expect(g.said().filter { $0.hasPrefix("escalated") } == ["escalated 2/0 delivery_failed"])
    g.replayMatches()
  }

  @Test func receiversThatFallBackToEachOtherEnd() {
    var g = Given(
      .plain.with {
        $0.receivers[0].fallback = "chat"
        $0.receivers[1].fallback = "ops"
      })
    g.fires("cpu", .medium)
    var failures = 0
    while let p = g.lease(), failures < 10 {
      g.receipt(p, .failed)
      failures += 1
    }
    #expect(failures == 2)
  }

  @Test func aStepWhoseReceiverNobodyHasGivesWayAtOnce() {
    var g = Given(.plain.with { $0.policies[0].steps[0].receivers = ["gone"] })
    let id = g.fires()
    #expect(
      g.said() == ["detected", "escalated 0/0 delay", "escalated 1/0 nobody_reached", "requested firing chat/slack"])
    g.passes(.minutes(30))
    #expect(g.said() == ["escalated 2/0 delay", "requested firing boss/pagerduty"])
    #expect(g.state(id).step == 2)
    g.replayMatches()
  }

  @Test func routesThatContinueTellTheirReceiversAndTheirGroups() {
    var g = Given(
      .plain.with {
        $0.routes.insert(Route(matchers: [], delivery: .notify(["chat"]), continues: true), at: 0)
        $0.routes.insert(
          Route(matchers: [], delivery: .group(["boss"], .init(by: [], wait: .minutes(1))), continues: true), at: 0)
      })
    let id = g.fires("cpu", .medium)
    #expect(g.deliver() == ["\(id) firing chat/slack", "\(id) firing ops/email"])
    g.passes(.minutes(1))
    #expect(g.deliver() == ["G-1 summary boss/pagerduty"])
    g.replayMatches()
  }

  @Test func anEditLeavesOpenAlertsThePolicyThatTheyOpenedUnder() {
    var g = Given()
    let id = g.fires()
    g.deliver()
    let edited = LifecycleSettings.plain.with {
      $0.policies[0].steps = [.init(after: .zero, receivers: ["boss"]), .init(after: .days(9), receivers: ["boss"])]
      $0.policies[0].acknowledgeTimeout = .minutes(1)
      $0.routes[0].delivery = .dashboardOnly
    }
    g.engine.adopt(edited, now: g.now)
    g.commit()
    g.passes(.minutes(15))
    #expect(g.deliver() == ["\(id) firing chat/slack"])
    g.restarts()
    g.command(.acknowledge, id)
    #expect(g.state(id).acknowledgedUntil == g.now + .hours(4))
    #expect(g.state(id).route.configuration == 1)
    // What opens now takes the new one.
    let other = g.fires("disk")
    #expect(g.state(other).route.dashboardOnly && g.state(other).route.configuration == 2)
    g.replayMatches()
  }

  @Test func withoutARouteItIsOnTheDashboardAlone() {
    var g = Given(.plain.with { $0.routes = [] })
    let id = g.fires()
    #expect(g.said() == ["detected"])
    #expect(g.state(id).route.dashboardOnly)
    #expect(g.command(.escalate, id).code == .not_allowed_in_state)
  }
}
