import Alerts
import Lifecycle
import Testing

@Suite struct QuietingTests {
  private let all = [Matcher(name: "event_type", value: "host")]

  @Test func aSilenceHoldsAndItsEndLooksAgainAtWhatStillFires() {
    var g = Given()
    let a = g.fires("a")
    g.deliver()
    g.command(.silence(matchers: all, startsAt: nil, endsAt: g.now + .hours(1)))
    let b = g.fires("b")
    let c = g.fires("c")
    g.clears("c")
    #expect(g.deliver() == [])
    g.passes(.minutes(59))
    #expect(g.deliver() == [])
    g.passes(.minutes(2))
    #expect(g.deliver() == ["\(a) firing ops/email", "\(b) firing ops/email"])
    #expect(g.engine.silences.isEmpty)
    #expect(g.engine.alerts[c] == nil)
    g.replayMatches()
  }

  @Test func aSilenceInTheFutureBeginsByItselfAlsoAfterARestart() {
    var g = Given()
    let id = g.fires()
    g.command(.silence(matchers: all, startsAt: g.now + .minutes(10), endsAt: g.now + .hours(1)))
    #expect(g.state(id).silencedBy.isEmpty)
    g.restarts(after: .minutes(20))
    #expect(g.state(id).silencedBy.count == 1)
    g.restarts(after: .hours(1))
    #expect(g.state(id).silencedBy.isEmpty)
    #expect(g.deliver() == ["\(id) firing ops/email"])
  }

  @Test func aRiseOutOfASilencesMatchersIsTold() {
    var g = Given()
    let id = g.fires("cpu", .medium)
    g.command(
      .silence(matchers: [Matcher(name: "severity", value: "medium")], startsAt: nil, endsAt: g.now + .hours(1)))
    g.fires("cpu", .critical)
    #expect(g.state(id).silencedBy.isEmpty)
    #expect(g.deliver() == ["\(id) firing ops/email"])
  }

  @Test func theSameSilenceTwiceIsOneAndAPreviewIsNone() {
    var g = Given()
    g.fires()
    let preview = g.command(.previewSilence(matchers: all))
    #expect(preview.body?["hits"] == 1)
    #expect(g.engine.silences.isEmpty)
    let end = g.now + .hours(1)
    let first = g.command(.silence(matchers: all, startsAt: nil, endsAt: end))
    let second = g.command(.silence(matchers: all, startsAt: nil, endsAt: end))
    #expect(first.body?["silence"] == second.body?["silence"])
    #expect(g.command(.expireSilence(Subject(.silence, 1))).code == nil)
    #expect(g.command(.expireSilence(Subject(.silence, 1))).code == nil)
    #expect(g.command(.expireSilence(Subject(.silence, 2))).code == .invalid)
  }

  @Test func aSilenceThatEndsSoonWarnsOnceIfItHoldsAnything() {
    var g = Given(.plain.with { $0.notices = ["chat"] })
    g.fires()
    g.command(.silence(matchers: all, startsAt: nil, endsAt: g.now + .hours(1)))
    #expect(g.deliver() == ["S-1 notice chat/slack"], "that it was made")
    g.passes(.minutes(44))
    #expect(g.deliver() == [])
    g.passes(.minutes(1))
    #expect(g.deliver() == ["S-1 notice chat/slack"])
    g.restarts()
    g.passes(.minutes(10))
    #expect(g.deliver() == [])
  }

  @Test func maintenanceWindowsComeBackInTheirOwnZone() {
    // 02:30 does not exist in Berlin on 2026-03-29: the window begins at the skip.
    let window = MaintenanceWindow(
      name: "backup", matchers: all, minuteOfDay: 150, duration: .hours(1), timeZone: "Europe/Berlin")
    let day = Timestamp(rfc3339: "2026-03-28T00:00:00Z")!
    #expect(window.next(after: day)?.start == Timestamp(rfc3339: "2026-03-28T01:30:00Z"))
    #expect(window.next(after: day + .days(1))?.start == Timestamp(rfc3339: "2026-03-29T01:00:00Z"))
    #expect(window.next(after: day + .days(2))?.start == Timestamp(rfc3339: "2026-03-30T00:30:00Z"))
    var g = Given(.plain.with { $0.maintenance = [window] })
    g.passes(.hours(16))  // 02:00 UTC, 03:00 in Berlin
    let id = g.fires()
    #expect(g.state(id).held == "silenced by S-1")
    g.restarts()
    g.passes(.minutes(31))
    #expect(g.deliver() == ["\(id) firing ops/email"])
    g.passes(.hours(24))
    #expect(g.log.count { $0.type == .silence_added } == 2)
    g.replayMatches()
  }

  @Test func aWindowThatLeavesTheConfigurationEnds() {
    let window = MaintenanceWindow(name: "w", matchers: all, minuteOfDay: 0, duration: .hours(23), timeZone: "UTC")
    var g = Given(.plain.with { $0.maintenance = [window] })
    g.passes(.seconds(1))
    let id = g.fires()
    #expect(g.state(id).held != nil)
    g.engine.adopt(.plain, now: g.now)
    g.passes(.seconds(1))
    #expect(g.state(id).held == nil)
  }

  @Test func anAlertExplainsOthersWithTheSameValues() {
    let rule = InhibitionRule(
      name: "host down", source: [Matcher(name: "metric", value: "down")],
      target: [Matcher(name: "metric", value: "down", isEqual: false)],
      equal: ["host"])
    var g = Given(.plain.with { $0.inhibitions = [rule] })
    let early = g.fires("early", labels: ["host": "a"])
    let down = g.fires("down", labels: ["host": "a"])
    let late = g.fires("late", labels: ["host": "a"])
    let other = g.fires("other", labels: ["host": "b"])
    #expect(g.state(early).inhibitedBy == down)
    #expect(g.state(late).inhibitedBy == down)
    #expect(g.deliver() == ["\(down) firing ops/email", "\(other) firing ops/email"])
    g.restarts()
    g.clears("down")
    #expect(
      Set(g.deliver()) == ["\(early) firing ops/email", "\(late) firing ops/email", "\(down) resolved ops/email"])
    #expect(g.state(early).inhibitedBy == nil)
    g.replayMatches()
  }

  @Test func parentsExplainTheirChildrenAndTheirs() {
    let rule = DependencyRule(
      label: "service",
      parents: [
        .init(child: "web", parents: ["db"]), .init(child: "db", parents: ["disk"]),
        .init(child: "disk", parents: ["web"]),
      ])
    var g = Given(.plain.with { $0.dependencies = [rule] })
    let web = g.fires("web", labels: ["service": "web"])
    let disk = g.fires("disk", labels: ["service": "disk"])
    // In a circle the older one explains the younger, and never both each other.
    #expect([g.state(web).isHeld, g.state(disk).isHeld] == [false, true])
  }

  @Test func quietHoursHoldBackWhatIsNotBadEnough() {
    let quiet = QuietHours(from: 22 * 60, until: 7 * 60, timeZone: "UTC")
    var g = Given(.plain.with { $0.receivers[0].quiet = quiet })
    g.passes(.hours(13))
    let low = g.fires("low", .medium)
    let bad = g.fires("bad", .critical)
    #expect(g.deliver() == ["\(bad) firing ops/email"])
    g.restarts(after: .hours(1))
    #expect(!g.deliver().contains("\(low) firing ops/email"))
    g.passes(.hours(7))
    #expect(g.deliver().contains("\(low) firing ops/email"))
  }

  @Test(arguments: [("2026-03-28T23:00:00Z", "2026-03-29T05:00:00Z"), ("2026-10-24T23:00:00Z", "2026-10-25T06:00:00Z")])
  func quietHoursFollowTheWallClock(_ now: String, _ end: String) {
    let quiet = QuietHours(from: 22 * 60, until: 7 * 60, timeZone: "Europe/Berlin")
    #expect(quiet.end(at: Timestamp(rfc3339: now)!) == Timestamp(rfc3339: end))
  }
}
