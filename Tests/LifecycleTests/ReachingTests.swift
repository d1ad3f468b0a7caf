import Alerts
import Lifecycle
import Testing

/// Who is reached by a step: whoever is on call then, or a fallback; at certain hours only.
@Suite struct ReachingTests {
  /// Begins on Monday 2 March 2026 at 10:00 UTC. `oncall` is whoever is on call: ana until noon, then ben, in turns of twelve hours.
  static let settings = LifecycleSettings.plain.with { s in
    var ana = Person(name: "ana", channels: ["email", "slack"])
    ana.email = "ana@x.org"
    ana.slack = "U1"
    var ben = Person(name: "ben", channels: ["sms"])
    ben.phone = "+4911"
    s.onCall.people = [ana, ben, Person(name: "ghost")]
    s.onCall.schedules = [
      OnCallSchedule(
        name: "rota", timeZone: "UTC",
        layers: [
          .init(
            Rotation(
              .every(.hours(12)), weekday: nil, minuteOfDay: 0, startDay: OnCallTests.day("2026-03-02"),
              people: ["ana", "ben"]))
        ])
    ]
    s.receivers.append(Receiver(name: "oncall", targets: [], schedule: "rota", fallback: "boss"))
    s.policies[0].steps[1].receivers = ["oncall"]
  }

  @Test func aStepTellsWhoeverIsOnCallAtThatMoment() {
    var g = Given(Self.settings)
    g.fires("one")
    g.passes(.minutes(15))
    #expect(
      g.said().suffix(3) == ["escalated 1/0 delay", "requested firing oncall/email", "requested firing oncall/slack"])
    g.passes(.minutes(100))
    g.fires("two")
    _ = g.said()
    g.passes(.minutes(16))
    #expect(g.said().contains("requested firing oncall/sms"))
    g.replayMatches()
  }

  @Test func whoWasToldHearsTheEndAlsoAfterTheHandOver() {
    var g = Given(Self.settings)
    let id = g.fires()
    g.passes(.minutes(15))
    _ = g.engine.lease(to: "x", channels: [], now: g.now)
    let all = ["email", "slack", "pagerduty", "sms"]
    func deliver() -> [String] {
      var sent: [String] = []
      while let p = g.lease(all) {
        sent.append("\(p.purpose.rawValue) \(p.place.target.destination)")
        g.receipt(p, .delivered)
      }
      return sent
    }
    #expect(deliver() == ["firing ops@x.org", "firing ana@x.org", "firing U1"])
    g.command(.acknowledge, id)
    _ = deliver()
    g.passes(.hours(3))
    g.clears()
    #expect(deliver() == ["resolved ops@x.org", "resolved ana@x.org", "resolved U1"])
  }

  /// An override that is written while an alert is open counts for its next step: its policy is frozen, who is on call is not.
  @Test func anOverrideCountsForWhatIsOpen() {
    var g = Given(Self.settings)
    g.fires()
    _ = g.said()
    g.engine.adopt(
      Self.settings.with {
        $0.onCall.schedules[0].overrides = [.init(person: "ben", from: g.now, until: g.now + .hours(1))]
      }, now: g.now)
    g.passes(.minutes(15))
    #expect(g.said().contains("requested firing oncall/sms"))
  }

  @Test("whoever is on call can not be reached, and nobody notices") func aStepThatReachesNobodyFallsBackAndSaysSo() {
    var g = Given(Self.settings.with { $0.onCall.schedules[0].layers = [] })
    g.fires()
    g.passes(.minutes(15))
    let news = g.news()
    #expect(news.map(\.short).suffix(2) == ["escalated 1/0 delay", "requested firing boss/pagerduty"])
    guard case .escalated(let e)? = news.dropLast().last?.event, case .notificationRequested(let n)? = news.last?.event
    else {
      Issue.record("no such events")
      return
    }
    #expect(e.unreached == ["oncall"] && n.insteadOf == "oncall")
    g.replayMatches()
  }

  /// Nobody is on call, or the person on call has no address, and there is no fallback: the next step at once, never the end of a wait.
  @Test(arguments: [[], ["ghost"]]) func aStepThatReachesNobodyGivesWayToTheNext(_ people: [String]) {
    var g = Given(
      Self.settings.with {
        $0.receivers[3].fallback = nil
        $0.onCall.schedules[0].layers = [.init(Rotation(.daily, people: people))]
      })
    let id = g.fires()
    _ = g.said()
    g.passes(.minutes(15))
    #expect(
      g.said() == ["escalated 1/0 delay", "escalated 2/0 nobody_reached", "requested firing boss/pagerduty"])
    #expect(g.state(id).step == 2)
    g.replayMatches()
  }

  @Test func aRouteWithoutPolicyThatReachesNobodyIsCountedAsExhausted() {
    var g = Given(
      Self.settings.with {
        $0.receivers[3].fallback = nil
        $0.onCall.schedules[0].layers = []
        $0.routes[1].delivery = .group(["oncall"], .init(by: ["event_type"], wait: .minutes(5), interval: .minutes(30)))
        $0.routes[2].delivery = .notify(["oncall"])
      })
    let told = g.fires("a", .medium)
    #expect(g.said() == ["detected", "exhausted"])
    let grouped = g.fires("b", .high)
    g.passes(.minutes(6))
    #expect(g.said() == ["detected", "exhausted"])
    #expect(g.state(told).isExhausted && g.state(grouped).isExhausted)
    g.replayMatches()
  }

  @Test func aFailedDeliveryToWhoeverIsOnCallFallsBackToo() {
    var g = Given(Self.settings)
    g.fires()
    g.passes(.minutes(15))
    _ = g.said()
    let p = g.lease(["slack"])!
    g.receipt(p, .failed)
    #expect(
      g.said() == [
        "notification_failed", "requested firing boss/pagerduty", "escalated 2/0 delivery_failed",
        "cancelled: a newer message takes its place", "requested firing boss/pagerduty",
      ])
  }

  // MARK: - Reminders

  @Test func theReminderGoesToTheOneWhoAcknowledged() {
    var g = Given(Self.settings)
    let id = g.fires()
    g.deliver()
    g.command(.acknowledge, id, by: "Ana")
    _ = g.said()
    g.passes(.minutes(230))
    #expect(g.said() == ["requested reminder ana/email", "requested reminder ana/slack"])
    g.passes(.minutes(20))
    #expect(g.said().contains("unacknowledged timeout"))
    g.replayMatches()
  }

  @Test func somebodyWithoutAnAddressIsRemindedWhereItWasTold() {
    var g = Given(Self.settings)
    let id = g.fires()
    g.deliver()
    g.command(.acknowledge, id, by: "ghost")
    _ = g.said()
    g.passes(.minutes(230))
    #expect(g.said() == ["requested reminder ops/email"])
  }

  // MARK: - Hours

  private static func hours(_ from: Int, _ until: Int, _ otherwise: StepHours.Otherwise) -> StepHours {
    StepHours(windows: [TimeWindow(from: from * 60, until: until * 60, timeZone: "UTC")], otherwise: otherwise)
  }

  @Test func aStepOutsideItsHoursIsPassedOverInItsTime() {
    var g = Given(.plain.with { $0.policies[0].steps[1].hours = Self.hours(18, 20, .skip) })
    let id = g.fires()
    _ = g.said()
    g.passes(.minutes(15))
    #expect(g.said() == ["escalated 1/0 delay"])
    #expect(g.state(id).nextEscalationAt == g.now + .minutes(30))
    g.passes(.minutes(30))
    #expect(g.said() == ["escalated 2/0 delay", "requested firing boss/pagerduty"])
    g.replayMatches()
  }

  @Test func aStepThatWaitsIsTakenWhenItsHoursBeginAlsoAfterARestart() {
    var g = Given(.plain.with { $0.policies[0].steps[1].hours = Self.hours(18, 20, .wait) })
    let id = g.fires()
    _ = g.said()
    g.passes(.minutes(15))
    #expect(g.said() == ["escalated 1/0 delay"])
    #expect(g.state(id).isWaiting && g.state(id).nextEscalationAt?.rfc3339 == "2026-03-02T18:00:00Z")
    g.restarts(after: .hours(1))
    g.passes(.hours(7))
    #expect(g.said() == ["escalated 1/0 hours_began", "requested firing chat/slack"])
    g.passes(.minutes(30))
    #expect(g.said() == ["escalated 2/0 delay", "requested firing boss/pagerduty"])
    g.replayMatches()
  }

  /// The service was down while the hours went by: it waits for the next ones.
  @Test func hoursThatWentByAreWaitedForAgain() {
    var g = Given(.plain.with { $0.policies[0].steps[1].hours = Self.hours(18, 20, .wait) })
    let id = g.fires()
    g.passes(.minutes(15))
    _ = g.said()
    g.restarts(after: .hours(12))
    #expect(g.said() == ["escalated 1/0 hours_began"])
    #expect(g.state(id).nextEscalationAt?.rfc3339 == "2026-03-03T18:00:00Z")
  }

  @Test func aFirstStepMayWaitToo() {
    var g = Given(.plain.with { $0.policies[0].steps[0].hours = Self.hours(11, 12, .wait) })
    g.fires()
    #expect(g.said() == ["detected", "escalated 0/0 delay"])
    g.passes(.hours(1))
    #expect(g.said() == ["escalated 0/0 hours_began", "requested firing ops/email"])
    g.passes(.minutes(15))
    #expect(g.said() == ["escalated 1/0 delay", "requested firing chat/slack"])
    g.replayMatches()
  }

  @Test func whoeverEscalatesByHandDoesNotWaitForHours() {
    for otherwise in StepHours.Otherwise.allCases {
      var g = Given(.plain.with { $0.policies[0].steps[1].hours = Self.hours(18, 20, otherwise) })
      let id = g.fires()
      _ = g.said()
      g.command(.escalate, id)
      #expect(g.said() == ["escalated 1/0 by_hand", "requested firing chat/slack"])
    }
    var g = Given(.plain.with { $0.policies[0].steps[1].hours = Self.hours(18, 20, .wait) })
    let id = g.fires()
    g.passes(.minutes(15))
    _ = g.said()
    g.command(.escalate, id)
    #expect(g.said() == ["escalated 1/0 by_hand", "requested firing chat/slack"])
    #expect(!g.state(id).isWaiting)
    g.replayMatches()
  }

  @Test func aFailedDeliveryGoesPastAStepThatIsOutsideItsHours() {
    var g = Given(.plain.with { $0.policies[0].steps[1].hours = Self.hours(18, 20, .wait) })
    g.fires()
    let p = g.lease()!
    _ = g.said()
    g.receipt(p, .failed)
    #expect(
      g.said() == [
        "notification_failed", "escalated 1/0 delivery_failed", "escalated 2/0 delivery_failed",
        "requested firing boss/pagerduty",
      ])
  }

  @Test func whatIsAcknowledgedWhileAStepWaitsTellsNobody() {
    var g = Given(.plain.with { $0.policies[0].steps[1].hours = Self.hours(18, 20, .wait) })
    let id = g.fires()
    g.deliver()
    g.passes(.minutes(15))
    g.command(.acknowledge, id)
    _ = g.said()
    g.passes(.minutes(200))
    #expect(g.said().isEmpty)
    g.replayMatches()
  }

  @Test func theSettingsOfItAllComeBackFromTheLog() {
    var settings = Self.settings.with {
      $0.policies[0].steps[1].hours = Self.hours(18, 20, .wait)
      $0.onCall.schedules[0].overrides = [.init(person: "ben", from: .epoch, until: .epoch + .hours(1))]
      $0.onCall.schedules[0].layers[0].windows = [TimeWindow(weekdays: [1, 7], from: 0, until: 60, timeZone: "UTC")]
    }
    settings.onCall.schedules.append(
      OnCallSchedule(
        name: "file", timeZone: "Asia/Tokyo",
        layers: [
          .init(
            .calendar([
              CalendarEvent(
                person: "ana", start: LocalTime(day: 20_000, minute: 5), end: LocalTime(day: 20_001, minute: 5),
                timeZone: "Europe/Berlin",
                recurrence: .init(
                  every: 2, weekdays: [1, 3], weekStart: 7, last: LocalTime(day: 20_100, minute: 5),
                  except: [LocalTime(day: 20_002, minute: 5)]))
            ])),
          .init(Rotation(.daily, weekday: nil, endDay: 30_000, people: ["ben"])),
          .init(Rotation(.weekly, people: ["ben"])), .init(Rotation(.every(.hours(5)), people: [])),
        ]))
    #expect(LifecycleSettings(json: settings.json) == settings)
  }
}
