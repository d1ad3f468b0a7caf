import Alerts
import Lifecycle
import Testing

/// What hurts people in tools of this kind: noise that is told, and silence that nobody knows of.
@Suite struct WhatUsersAskOfQuietTests {
  private let all = [Matcher(name: "event_type", value: "host")]

  @Test("what flaps pages all night")
  func aNightOfFlappingIsToldOnceAndCalmIsToldOnce() {
    var g = Given(.plain.with { $0.flapping = FlappingRule(changes: 4, within: .hours(1), steadyAfter: .minutes(30)) })
    let id = g.fires()
    var told = g.deliver()
    for _ in 0..<100 {
      g.clears()
      g.passes(.minutes(2))
      #expect(g.fires() == id)
      told += g.deliver()
      g.passes(.minutes(2))
      told += g.deliver()
    }
    #expect(g.state(id).isFlapping)
    // Four times it came and went before that was seen; a hundred changes follow without a word.
    #expect(told.count <= 9, "\(told)")
    #expect(g.log.count { $0.type == .flapping } == 1)
    // One more change does not end it, half an hour of calm does.
    g.passes(.minutes(27))
    #expect(g.state(id).isFlapping)
    g.passes(.minutes(2))
    #expect(!g.state(id).isFlapping)
    #expect(g.log.count { $0.type == .steady } == 1)
    g.replayMatches()
  }

  @Test("nobody is told that a silence was made, or ends")
  func aSilenceIsSaidWhenItBeginsBeforeItEndsAndWhatStillFiresAfterwards() {
    var g = Given(.plain.with { $0.notices = ["chat"] })
    let id = g.fires()
    g.deliver()
    g.command(.silence(matchers: all, startsAt: nil, endsAt: g.now + .hours(2)), by: "ana", note: "migration")
    #expect(g.deliver() == ["S-1 notice chat/slack"])
    guard case .notificationRequested(let n)? = g.log.last(where: { $0.type == .notification_requested })?.event else {
      return #expect(Bool(false))
    }
    let words = n.content?["text"]?.string ?? ""
    #expect(words.contains("by ana") && words.contains("migration") && words.contains("1 alert"), "\(words)")
    g.passes(.minutes(104))
    #expect(g.deliver() == [])
    g.passes(.minutes(2))
    #expect(g.deliver() == ["S-1 notice chat/slack"])
    g.passes(.minutes(15))
    #expect(g.deliver() == ["\(id) firing ops/email"])
  }

  @Test("a silence that was ended comes back")
  func anEndedSilenceStaysEndedWhateverRestartsAndRepeats() {
    var g = Given()
    let end = g.now + .hours(8)
    g.command(.silence(matchers: all, startsAt: nil, endsAt: end))
    g.command(.expireSilence(Subject(.silence, 1)))
    for _ in 0..<3 {
      g.restarts(after: .minutes(1))
      #expect(g.engine.silences.isEmpty)
    }
    // Ending it again is answered like the first time, and asking for it anew makes another.
    #expect(g.command(.expireSilence(Subject(.silence, 1))).code == nil)
    #expect(g.command(.silence(matchers: all, startsAt: nil, endsAt: end)).body?["silence"] == "S-2")
  }

  @Test("a silence is too broad")
  func aBroadSilenceNeedsASecondLookAndNoneLastsForEver() {
    var g = Given(
      .plain.with {
        $0.confirmSilenceOver = 3
        $0.longestSilence = .days(7)
      })
    for i in 0..<4 { g.fires("k\(i)") }
    let end = g.now + .hours(1)
    let refused = g.command(.silence(matchers: all, startsAt: nil, endsAt: end))
    #expect(refused.code == .invalid)
    if case .failure(let e) = refused.result { #expect(e.message.contains("4 alerts, more than 3"), "\(e.message)") }
    #expect(g.engine.silences.isEmpty)
    #expect(g.command(.previewSilence(matchers: all)).body?["hits"] == 4)
    let meant = g.engine.obey(
      Command(.silence(matchers: all, startsAt: nil, endsAt: end), by: "ana", confirmed: true), now: g.now)
    #expect(meant.code == nil)
    let narrow = [Matcher(name: "metric", value: "k1")]
    #expect(g.command(.silence(matchers: narrow, startsAt: nil, endsAt: g.now + .days(8))).code == .invalid)
    #expect(g.command(.silence(matchers: narrow, startsAt: nil, endsAt: g.now + .days(7))).code == nil)
  }

  /// What a window at 02:30 for two hours covers on the days on which clocks change, and on those around.
  @Test(
    "mute times are wrong in other zones and when clocks change",
    arguments: [
      ("Europe/Berlin", "2026-03-28", "2026-03-28T01:30:00Z"), ("Europe/Berlin", "2026-03-29", "2026-03-29T01:00:00Z"),
      ("Europe/Berlin", "2026-03-30", "2026-03-30T00:30:00Z"), ("Europe/Berlin", "2026-10-25", "2026-10-25T00:30:00Z"),
      ("Europe/Berlin", "2026-10-26", "2026-10-26T01:30:00Z"),
      ("America/New_York", "2026-03-08", "2026-03-08T07:00:00Z"),
      ("America/New_York", "2026-11-01", "2026-11-01T07:30:00Z"),
      ("Asia/Kolkata", "2026-03-29", "2026-03-28T21:00:00Z"),
      ("Australia/Lord_Howe", "2026-04-05", "2026-04-04T16:00:00Z"), ("UTC", "2026-03-29", "2026-03-29T02:30:00Z"),
    ])
  func aWindowKeepsToTheWallClockOfItsOwnZone(_ zone: String, _ day: String, _ start: String) throws {
    let window = MaintenanceWindow(
      name: "w", matchers: all, minuteOfDay: 150, duration: .hours(2), timeZone: zone)
    let begin = try #require(Timestamp(rfc3339: start))
    let next = try #require(window.next(after: begin - .minutes(1)))
    #expect(next.start == begin, "\(day): \(next.start)")
    #expect(next.end == begin + .hours(2))
    #expect(window.begins(at: begin) && !window.begins(at: begin + .minutes(1)))
    // An occurrence a day, none twice, none left out.
    let after = try #require(window.next(after: next.end))
    #expect(after.start - next.start >= .hours(23) && after.start - next.start <= .hours(25))
  }

  @Test(
    "a monthly window can't be said",
    arguments: [
      ([7], [1], "2026-03-01", "2026-04-05"), ([7], [-1], "2026-03-29", "2026-04-26"),
      ([1], [5], "2026-03-30", "2026-06-29"), ([2], [2], "2026-03-10", "2026-04-14"),
      ([6, 7], [-1], "2026-03-28", "2026-03-29"),
    ])
  func theFirstOrLastSundayOfAMonth(_ days: [Int], _ weeks: [Int], _ first: String, _ second: String) throws {
    let window = MaintenanceWindow(
      name: "patches", matchers: all, weekdays: days, weeks: weeks, minuteOfDay: 0, duration: .hours(1), timeZone: "UTC"
    )
    let begin = try #require(window.next(after: Timestamp(rfc3339: "2026-03-01T00:00:00Z")!))
    #expect(begin.start.utcDate == first)
    #expect(window.next(after: begin.end)?.start.utcDate == second)
  }

  @Test("a maintenance window silences for ever, or lets escalation go on, or forgets what fires at its end")
  func aWindowHoldsItsTimeAndNoLonger() {
    let window = MaintenanceWindow(
      name: "load", matchers: all, minuteOfDay: 11 * 60, duration: .hours(1), timeZone: "UTC")
    var g = Given(.plain.with { $0.maintenance = [window] })
    let before = g.fires("before")
    g.deliver()
    g.passes(.minutes(61))  // 11:01
    let during = g.fires("during")
    let gone = g.fires("gone")
    #expect([g.state(before).held, g.state(during).held] == ["silenced by S-1", "silenced by S-1"])
    #expect(g.state(before).nextEscalationAt == nil, "its policy stands still")
    g.deliver()
    g.clears("gone")
    g.passes(.minutes(30))
    g.restarts()
    #expect(g.deliver() == [], "nobody is told while it holds")
    g.passes(.minutes(30))  // 12:01
    #expect(g.deliver() == ["\(before) firing ops/email", "\(during) firing ops/email"])
    #expect(g.engine.alerts[gone]?.isResolved != false)
    #expect(g.engine.silences.isEmpty)
    // The policy starts from its first step, at the end of the window.
    #expect(g.state(during).step == 0)
    g.replayMatches()
  }

  @Test("an edit of a window that holds counts at once")
  func anEditedWindowIsTakenUpWhileItHolds() throws {
    func window(_ key: String, _ length: Interval) -> MaintenanceWindow {
      MaintenanceWindow(
        name: "load", matchers: [Matcher(name: "metric", value: key)], minuteOfDay: 10 * 60, duration: length,
        timeZone: "UTC")
    }
    var g = Given(.plain.with { $0.maintenance = [window("a", .hours(1))] })
    g.passes(.minutes(1))
    let (a, b) = (g.fires("a"), g.fires("b"))
    #expect([g.state(a).isHeld, g.state(b).isHeld] == [true, false])
    g.engine.adopt(.plain.with { $0.maintenance = [window("b", .hours(1))] }, now: g.now)
    g.passes(.seconds(1))
    #expect([g.state(a).isHeld, g.state(b).isHeld] == [false, true])
    // What somebody ended by hand stays ended, until its next time.
    let held = try #require(g.state(b).silencedBy.first)
    g.command(.expireSilence(held))
    g.restarts(after: .minutes(5))
    g.passes(.minutes(5))
    #expect(!g.state(b).isHeld)
    g.passes(.hours(24))
    #expect(g.log.count { $0.type == .silence_added } == 3)
    g.replayMatches()
  }

  @Test("a rule between alerts that was taken away goes on silencing")
  func anEditOfTheRulesIsTakenUpForAlertsThatAreOpen() {
    let rule = InhibitionRule(
      name: "down", source: [Matcher(name: "metric", value: "down")],
      target: [Matcher(name: "metric", value: "cpu")])
    var g = Given()
    let down = g.fires("down")
    let cpu = g.fires("cpu")
    g.deliver()
    g.engine.adopt(.plain.with { $0.inhibitions = [rule] }, now: g.now)
    g.passes(.seconds(1))
    #expect(g.state(cpu).inhibitedBy == down)
    g.engine.adopt(.plain, now: g.now)
    g.passes(.seconds(1))
    #expect(g.state(cpu).inhibitedBy == nil)
    #expect(g.deliver() == ["\(cpu) firing ops/email"])
  }

  @Test("a known failing check can't be kept quiet until it changes")
  func aSnoozeLastsUntilTheValueChanges() {
    var g = Given()
    func see(_ value: Double?) { g.observe("rows", .firing, .critical, value: value) }
    see(17)
    let id = AlertID(1)
    g.deliver()
    g.command(.snooze(Command.longest, unlessChanged: 0), id)
    _ = g.said()
    for _ in 0..<20 {
      g.passes(.hours(1))
      see(17)
    }
    g.restarts()
    see(17)
    #expect(g.deliver() == [])
    see(18)
    #expect(g.said().suffix(3) == ["unsnoozed value_changed", "escalated 0/0 resumed", "requested firing ops/email"])
    #expect(g.engine.ledger.pending.values.first?.occasion == Occasion(.value_changed))
    g.replayMatches()
  }

  @Test(
    "a snooze until a change ends at every flicker",
    arguments: [(0.1, 108.0, true), (0.1, 111.0, false), (0.1, 89.0, false), (0.0, 100.0, true)])
  func aSnoozeMayAskForAChangeOfSomeSize(_ fraction: Double, _ value: Double, _ holds: Bool) {
    var g = Given()
    g.observe("rows", .firing, .critical, value: 100)
    g.command(.snooze(.hours(5), unlessChanged: fraction), AlertID(1))
    g.observe("rows", .firing, .critical, value: value)
    #expect((g.state(AlertID(1)).snoozedUntil != nil) == holds)
    // And its time ends it anyway.
    g.passes(.hours(5))
    #expect(g.state(AlertID(1)).snoozedUntil == nil)
  }
}
