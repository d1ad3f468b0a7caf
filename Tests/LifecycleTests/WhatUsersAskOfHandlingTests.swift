import Alerts
import Lifecycle
import Testing

/// What hurts people in tools of this kind: acknowledgements that don't hold, or hold too long, and timers that act on what was long ago.
@Suite struct WhatUsersAskOfHandlingTests {
  private func untimed() -> LifecycleSettings { .plain.with { $0.policies[0].acknowledgeTimeout = nil } }

  @Test("an acknowledgement holds for hours instead of until it is over")
  func anAcknowledgementEndsWithTheAlertAndSaysWhoWhenAndWhy() {
    var g = Given(untimed())
    let id = g.fires()
    g.deliver()
    g.passes(.minutes(2))
    g.command(.acknowledge, id, note: "known: vendor is on it")
    for _ in 0..<14 {
      g.passes(.days(1))
      g.fires()
    }
    #expect(g.deliver() == [])
    #expect(g.state(id).acknowledgedBy == "ana")
    #expect(g.state(id).acknowledgedAt == Given.start + .minutes(2))
    guard case .acknowledged(let a)? = g.log.first(where: { $0.type == .acknowledged })?.event else {
      return #expect(Bool(false))
    }
    #expect(a.note == "known: vendor is on it" && a.until == nil)
    g.clears()
    g.passes(.hours(1))
    let next = g.fires()
    #expect(g.state(next).acknowledgedBy == nil)
    #expect(g.deliver().contains("\(next) firing ops/email"))
  }

  @Test("escalation stalls after a restart")
  func whatIsDueFiresOnceWhateverStopsInBetween() {
    var told: [[String]] = []
    for restarts in [false, true] {
      var g = Given()
      g.fires()
      var all: [String] = []
      for _ in 0..<300 {
        all += g.deliver()
        g.passes(.seconds(37))
        if restarts { g.restarts() }
      }
      told.append(all)
    }
    #expect(told[0] == told[1])
    #expect(told[0].count == 6)
  }

  @Test("a step's delay is ignored")
  func stepsKeepTheirDelaysToTheSecond() {
    var g = Given()
    g.fires()
    g.deliver()
    g.passes(.minutes(14) + .seconds(59))
    #expect(g.deliver() == [])
    g.passes(.seconds(1))
    #expect(g.deliver() == ["A-1 firing chat/slack"])
    g.passes(.minutes(29) + .seconds(59))
    #expect(g.deliver() == [])
    g.passes(.seconds(1))
    #expect(g.deliver() == ["A-1 firing boss/pagerduty"])
  }

  @Test("paging goes on after somebody acknowledged")
  func nothingThatWaitsOrIsAskedAboutGoesOutAfterAnAcknowledgement() {
    var g = Given()
    let id = g.fires()
    let onItsWay = g.lease(["email"])!
    g.passes(.minutes(15))  // the second step waits for a worker
    #expect(g.engine.ledger.pending.count == 2)
    g.command(.acknowledge, id)
    let isWanted = g.engine.wants(onItsWay.key, now: g.now)
    #expect(!isWanted, "a notifier asks at the moment before it sends")
    g.commit()
    #expect(g.deliver() == [])
    // The cancellation is in the commit of the acknowledgement.
    let facts = g.log.suffix(4).map(\.short)
    #expect(facts.contains("acknowledged") && facts.contains("cancelled: acknowledged by ana"), "\(facts)")
  }

  @Test("an acknowledged alert escalates four months later")
  func aTimerOfAnotherTimeDoesNothing() {
    var g = Given(untimed())
    let id = g.fires()
    g.deliver()
    g.passes(.minutes(14))
    g.command(.acknowledge, id)
    _ = g.said()
    g.sleeps(.days(120))
    #expect(g.said() == [])
    #expect(g.engine.counters.lateTimers > 0)
    // Nor does one of a life before this one.
    g.clears()
    g.passes(.minutes(30))
    g.fires()
    g.passes(.minutes(14))
    #expect(g.log.filter { $0.type == .escalated }.isEmpty)
  }

  @Test("an acknowledgement that races an end opens the alert again")
  func whatIsOverStaysOverAndSaysSo() {
    var g = Given()
    let id = g.fires()
    let seen = g.state(id).version
    g.clears()
    let reply = g.command(.acknowledge, id, version: seen)
    #expect(reply.code == .stale_version)
    #expect(g.command(.acknowledge, id).code == .not_allowed_in_state)
    if case .failure(let e) = reply.result { #expect(e.message.contains("resolved"), "\(e.message)") }
    #expect(g.state(id).isResolved)
    g.replayMatches()
  }

  @Test(
    "reminders of an acknowledgement come in too coarse steps",
    arguments: [(nil, 225), (Interval.minutes(1), 239), (.minutes(100), 140), (.zero, nil)] as [(Interval?, Int?)])
  func theReminderComesWhenThePolicySays(_ before: Interval?, _ minute: Int?) {
    var g = Given(.plain.with { $0.policies[0].reminder = before })
    let id = g.fires()
    g.passes(.minutes(15))
    g.deliver()
    g.command(.acknowledge, id)
    g.deliver()
    var came: Int?
    for m in 1...239 {
      g.passes(.minutes(1))
      if g.deliver().contains("\(id) reminder chat/slack") { came = m }
    }
    #expect(came == minute)
    g.passes(.minutes(1))
    #expect(g.deliver() == ["\(id) firing ops/email"], "then people are told again")
  }

  @Test("a channel gets no end, or one that can't be told from a time-out")
  func eachReceiverSaysWhetherItHearsOfEndsAndStaleLooksDifferent() {
    var g = Given(
      .plain.with {
        $0.receivers[1].sendResolved = false
        $0.routes = [Route(matchers: [], delivery: .notify(["ops", "chat"]))]
        $0.staleAfter = .hours(6)
        $0.staleRules = [
          StaleRule(matchers: [Matcher(name: "metric", value: "fast")], after: .minutes(10)),
          StaleRule(matchers: [Matcher(name: "metric", value: "daily")], after: nil),
        ]
      })
    let (fast, usual, daily) = (g.fires("fast"), g.fires("usual"), g.fires("daily"))
    g.deliver()
    g.passes(.minutes(10))
    #expect(g.state(fast).resolvedHow == .stale)
    #expect(g.deliver() == ["\(fast) resolved ops/email"])
    g.passes(.hours(6))
    #expect(g.engine.alerts[usual]?.resolvedHow == .stale)
    g.passes(.days(30))
    #expect(!g.state(daily).isResolved, "some sources speak once a quarter")
    g.clears("daily")
    #expect(g.engine.alerts[daily]?.resolvedHow == .cleared)
  }

  @Test("the next event overwrites what a person said")
  func whatDetectorsSayAndWhatPeopleSayNeverOverwriteEachOther() {
    var g = Given()
    let id = g.fires("cpu", .medium)
    let opened = g.state(id).openedAt
    g.command(.acknowledge, id)
    g.command(.assign(to: "ben"), id)
    g.command(.label(.true_positive), id)
    g.passes(.minutes(5))
    for severity in [Severity.low, .medium, nil] { g.fires("cpu", severity) }
    let a = g.state(id)
    #expect(a.acknowledgedBy == "ana" && a.assignee == "ben" && a.openedAt == opened && a.severity == .medium)
    #expect(a.isFiring && a.lastSeenAt == g.now)
    // And the other way: a person's word does not change what the detector sees.
    g.command(.resolve, id)
    #expect(g.state(id).isFiring && g.state(id).isResolved)
  }

  @Test("a duplicate resets the acknowledgement")
  func aDuplicateCountsAndNothingElseUnlessItIsWorse() {
    var g = Given()
    let id = g.fires("cpu", .medium)
    g.command(.acknowledge, id)
    g.fires("cpu", .medium, source: "another detector")
    #expect(g.state(id).count == 2 && g.state(id).acknowledgedBy == "ana")
    _ = g.said()
    g.fires("cpu", .critical)
    #expect(g.state(id).acknowledgedBy == nil)
    #expect(g.said().contains("unacknowledged severity_raised"), "and says so")
  }

  @Test("after an acknowledgement it never fires again, or acknowledgements don't survive a restart")
  func eachLifeIsAcknowledgedForItself() {
    var g = Given(untimed())
    var ids: Set<AlertID> = []
    for generation in 1...5 {
      let id = g.fires()
      ids.insert(id)
      #expect(g.state(id).generation == generation && g.state(id).acknowledgedBy == nil)
      #expect(g.deliver().contains("\(id) firing ops/email"))
      g.command(.acknowledge, id)
      g.restarts(after: .hours(1))
      #expect(g.state(id).acknowledgedBy == "ana")
      g.clears()
      g.deliver()
      g.restarts(after: .minutes(11))
    }
    #expect(ids.count == 5)
  }

  @Test("a message does not say why it comes")
  func everyMessageCarriesItsTrueReason() {
    func reason(_ g: Given, _ place: String) -> Occasion? {
      g.engine.ledger.pending.values.first { $0.purpose == .firing && $0.place.receiver == place }?.occasion
    }
    var g = Given(.plain.with { $0.receivers[0].fallback = "boss" })
    let id = g.fires()
    #expect(reason(g, "ops") == Occasion(.opened))
    g.deliver()
    g.passes(.minutes(15))
    #expect(reason(g, "chat") == Occasion(.unacknowledged, after: .minutes(15)))
    g.deliver()
    g.command(.escalate, id, by: "zoe")
    #expect(reason(g, "boss") == Occasion(.by_hand, by: "zoe"))
    g.deliver()
    g.command(.acknowledge, id, by: "ben")
    g.deliver()
    g.passes(.hours(4))
    #expect(reason(g, "ops") == Occasion(.acknowledgement_timed_out, by: "ben"))
    g.receipt(g.lease(["email"])!, .failed)
    #expect(reason(g, "boss") == Occasion(.delivery_failed, by: "ops"))
    #expect(reason(g, "chat") == Occasion(.delivery_failed, by: "ops"))
    g.deliver()
    // Somebody had acknowledged in between: the time counts from when that ended.
    g.restarts()
    g.passes(.minutes(30))
    #expect(reason(g, "boss") == Occasion(.unacknowledged, after: .minutes(30)))
    g.deliver()
    g.command(.silence(matchers: [Matcher(name: "metric", value: "cpu")], startsAt: nil, endsAt: g.now + .minutes(5)))
    g.passes(.minutes(5))
    #expect(reason(g, "ops") == Occasion(.silence_ended, by: "S-1"))
    g.clears()
    g.fires()
    #expect(reason(g, "ops") == Occasion(.reopened))
    g.command(.snooze(.minutes(5)), id)
    g.command(.unsnooze, id, by: "ben")
    #expect(reason(g, "ops") == Occasion(.snooze_ended, by: "ben"))
    g.command(.acknowledge, id, by: "ana")
    g.command(.unacknowledge, id, by: "ben")
    #expect(reason(g, "ops") == Occasion(.acknowledgement_taken_back, by: "ben"))
    for kind in Occasion.Kind.allCases {
      let o = Occasion(kind, by: "x", after: .minutes(2))
      #expect(Occasion(json: o.json) == o && !o.sentence.isEmpty)
    }
  }
}
