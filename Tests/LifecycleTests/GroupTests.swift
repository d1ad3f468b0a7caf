import Alerts
import Lifecycle
import Testing

@Suite struct GroupTests {
  @Test func aGroupWaitsAndTellsAllAndThenKeepsItsInterval() {
    var g = Given()
    g.fires("a", .high)
    g.passes(.minutes(1))
    g.fires("b", .high)
    #expect(g.deliver() == [])
    g.passes(.minutes(4))
    #expect(g.said().last == "requested summary chat/slack ×2")
    g.deliver()
    g.fires("c", .high)
    g.passes(.minutes(29))
    #expect(g.deliver() == [])
    g.passes(.minutes(1))
    #expect(g.said().last == "requested summary chat/slack ×1")
    g.replayMatches()
  }

  @Test func endsAreOwedToAGroupOnceAndForNothingThatWasNotTold() {
    var g = Given()
    g.fires("a", .high)
    g.passes(.minutes(5))
    g.deliver()
    g.fires("b", .high)
    g.clears("b")
    g.clears("a")
    _ = g.said()
    g.passes(.minutes(31))
    #expect(g.said() == ["requested summary chat/slack ×1"])
    g.deliver()
    g.passes(.days(1))
    #expect(g.said() == ["notification_delivered"])
    #expect(g.engine.alerts.isEmpty)
    #expect(g.engine.groups.isEmpty)
    g.replayMatches()
  }

  /// Whoever heard of it hears of its end, also when a later message that told of it again could not be delivered.
  @Test func aLaterBatchThatFailsTakesNothingBack() throws {
    var g = Given()
    let a = g.fires("a", .high)
    g.passes(.minutes(5))
    #expect(g.deliver() == ["G-1 summary chat/slack"])
    g.command(.snooze(.hours(2)), a)
    g.passes(.hours(2) + .minutes(31))
    let lease = g.lease()
    let again = try #require(lease)
    #expect(again.members == [a])
    g.receipt(again, .failed)
    g.restarts()
    g.clears("a")
    g.passes(.minutes(31))
    #expect(g.deliver() == ["G-1 summary chat/slack"])
    #expect(g.engine.groups.isEmpty || g.engine.groups.values.allSatisfy { $0.told.isEmpty })
    g.replayMatches()
  }

  /// A message that may have arrived and then failed goes to a fallback. That takes neither the end from those who may have heard of it, nor his turn
  /// from anybody who waits.
  @Test func aFallbackTakesNothingFromTheGroupsOwnPlace() throws {
    var g = Given(.plain.with { $0.receivers[1].fallback = "boss" })
    let a = g.fires("a", .high)
    let b = g.fires("b", .high)
    g.passes(.minutes(5))
    let first = g.lease()
    g.receipt(try #require(first), .retry, unknown: true)
    g.clears("a")
    g.passes(.minutes(5))
    let c = g.fires("c", .high)
    let second = g.lease()
    g.receipt(try #require(second), .failed)
    let fallback = g.lease()
    let told = try #require(fallback)
    #expect(told.place.receiver == "boss" && told.members == [a, b])
    g.receipt(told, .delivered)
    #expect(g.engine.groups[Subject(.group, 1)]?.waiting == [a, c])
    g.restarts()
    g.passes(.minutes(31))
    let third = g.lease()
    let news = try #require(third)
    #expect(news.place.receiver == "chat" && news.members == [a, c])
    g.receipt(news, .delivered)
    #expect(g.deliver() == [])
    g.clears("b")
    g.clears("c")
    g.passes(.hours(1))
    #expect(g.deliver().sorted() == ["G-1 summary boss/pagerduty", "G-1 summary chat/slack"])
    g.passes(.days(1))
    #expect(g.deliver() == [])
    #expect(g.engine.alerts.isEmpty && g.engine.groups.isEmpty)
    g.replayMatches()
  }

  /// What is critical goes out before its group's interval is over, and takes nothing else with it to other places.
  @Test func aCriticalAlertHurriesNobodyElsesNews() throws {
    var g = Given(
      .plain.with {
        $0.receivers[1].fallback = "boss"
        $0.routes = [
          Route(matchers: [], delivery: .group(["chat"], .init(by: [], wait: .minutes(5), interval: .minutes(30))))
        ]
      })
    let a = g.fires("a", .high)
    g.passes(.minutes(5))
    let first = g.lease()
    g.receipt(try #require(first), .failed)
    #expect(g.deliver() == ["G-1 summary boss/pagerduty"])
    g.clears("a")
    g.passes(.minutes(1))
    g.burst(["c"], .critical)
    let urgent = g.lease()
    let news = try #require(urgent)
    #expect(news.place.receiver == "chat" && !news.members.contains(a))
    g.receipt(news, .delivered)
    #expect(g.deliver() == [])
    g.passes(.minutes(29))
    #expect(g.deliver() == [])
    g.restarts()
    g.passes(.minutes(2))
    #expect(g.deliver() == ["G-1 summary boss/pagerduty"])
    g.replayMatches()
  }

  /// A group without members leaves memory. An alert that still named it would then differ from what a replay says, which forgets groups at other times.
  @Test func whoeverNeitherWaitsNorIsOwedAnythingIsNoMember() throws {
    var g = Given()
    let a = g.fires("a", .high)
    #expect(g.engine.alerts[a]?.groups.count == 1)
    g.passes(.minutes(5))
    let lease = g.lease()
    let job = try #require(lease)
    #expect(g.engine.alerts[a]?.groups.count == 1)
    g.receipt(job, .failed)
    #expect(g.engine.alerts[a]?.groups == [] && g.engine.alerts[a]?.isResolved == false)
    g.passes(.hours(1))
    #expect(g.engine.groups.isEmpty)
    g.replayMatches()
  }

  /// The group's time came while nobody could be told. That time is no reason not to set another for whoever joins later.
  @Test func whoJoinsAGroupWhoseTimeCameInVainIsTold() {
    var g = Given()
    let a = g.fires("a", .high)
    g.command(.snooze(.hours(2)), a)
    g.passes(.minutes(5))
    #expect(g.deliver() == [])
    g.passes(.minutes(10))
    g.fires("b", .high)
    g.passes(.minutes(5))
    #expect(g.deliver() == ["G-1 summary chat/slack"])
    g.replayMatches()
  }

  @Test func heldAlertsComeBackToTheirGroup() {
    var g = Given()
    let a = g.fires("a", .high)
    g.command(.snooze(.hours(2)), a)
    g.passes(.hours(1))
    #expect(g.deliver() == [])
    g.restarts()
    g.passes(.hours(1) + .minutes(5))
    #expect(g.deliver() == ["G-1 summary chat/slack"])
    g.replayMatches()
  }

  @Test func theFirstCriticalIsNeverDelayedByAGroup() {
    let settings = LifecycleSettings.plain.with {
      $0.routes = [
        Route(matchers: [], delivery: .group(["chat"], .init(by: [], wait: .minutes(5), interval: .minutes(30))))
      ]
    }
    var g = Given(settings)
    g.fires("a", .high)
    g.burst(["b"], .critical)
    #expect(g.deliver() == ["G-1 summary chat/slack"])
    g.passes(.minutes(1))
    g.burst(["c"], .critical)
    #expect(g.deliver() == [])
    g.passes(.minutes(30))
    #expect(g.deliver() == ["G-1 summary chat/slack"])
  }

  @Test func aRiseOutOfAGroupIsToldOnceAndItsEndToBoth() {
    var g = Given()
    let a = g.fires("a", .high)
    g.passes(.minutes(5))
    g.deliver()
    g.fires("a", .critical)
    #expect(g.deliver() == ["\(a) firing ops/email"])
    g.clears("a")
    #expect(g.deliver() == ["\(a) resolved ops/email"])
    g.passes(.minutes(31))
    #expect(g.deliver() == ["G-1 summary chat/slack"])
    g.passes(.days(1))
    #expect(g.deliver() == [])
    #expect(g.engine.alerts.isEmpty)
    g.replayMatches()
  }

  @Test func aStormOfAThousandIsOneMessage() {
    var g = Given()
    g.burst((1...1000).map { "m\($0)" })
    g.passes(.seconds(10))
    _ = g.said()
    let sent = g.deliver()
    #expect(sent == ["G-1 summary ops/email"])
    #expect(g.engine.groups[Subject(.group, 1)]?.told.count == 1000)
    // The policies go on: the next step is one message as well.
    g.passes(.minutes(16))
    #expect(g.deliver() == ["G-2 summary chat/slack"])
    for i in 1...1000 { g.clears("m\(i)") }
    g.passes(.minutes(10))
    #expect(g.deliver().sorted() == ["G-1 summary ops/email", "G-2 summary chat/slack"])
    g.passes(.days(1))
    #expect(g.deliver() == [])
    #expect(g.engine.alerts.isEmpty)
    let t = g.engine.ledger.totals
    #expect(t.requested == t.delivered + t.failed + t.cancelled + g.engine.ledger.pending.count)
    g.replayMatches()
  }

  @Test func aFewAreToldOneByOne() {
    var g = Given()
    g.burst((1...20).map { "m\($0)" })
    #expect(g.deliver().count == 20)
  }
}
