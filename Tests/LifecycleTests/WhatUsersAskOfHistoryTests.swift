import Alerts
import Lifecycle
import Testing

/// What hurts people in tools of this kind, each as it happened to somebody: histories that forget, messages lost or sent twice.
@Suite struct WhatUsersAskOfHistoryTests {
  @Test("there is no history of alerts")
  func everyLifeCanBeToldFromTheLogAsItWasAtAnyMoment() {
    var g = Given()
    let id = g.fires("cpu", .medium)
    g.passes(.minutes(3))
    g.command(.acknowledge, id)
    g.passes(.minutes(30))
    g.clears()
    g.passes(.days(40))
    let next = g.fires("cpu", .medium)
    #expect(g.engine.alerts[id] == nil, "it has left memory long ago")

    // A month later: what it was like a quarter of an hour after it opened, from its facts alone.
    let life = g.log.filter { $0.subject == id.subject }
    let then = Given.start + .minutes(15)
    let before = g.engine.folded(life.filter { $0.recordedAt <= then })
    #expect(before?.acknowledgedBy == "ana" && before?.isResolved == false)
    let after = g.engine.folded(life)
    #expect(after?.isResolved == true && after?.resolvedAt == Given.start + .minutes(33))
    // The lives of one problem are linked.
    guard case .detected(let d)? = g.log.last(where: { $0.type == .detected })?.event else {
      return #expect(Bool(false))
    }
    #expect(d.previous == id && d.generation == 2 && next != id)
  }

  @Test("a restart loses alerts and resets their start")
  func aRestartChangesNothingThatAnybodySees() {
    var g = Given()
    let a = g.fires("a")
    let b = g.fires("b", .medium)
    g.deliver()
    g.passes(.minutes(7))
    g.command(.acknowledge, a, note: "mine")
    g.command(.snooze(.hours(2)), b)
    let (stateA, stateB) = (g.state(a), g.state(b))
    g.restarts(after: .minutes(1))
    #expect(g.state(a) == stateA && g.state(b) == stateB)
    #expect(g.state(a).openedAt == Given.start)
    g.restarts()
    g.clears("a")
    #expect(g.deliver().contains("\(a) resolved ops/email"), "the end of what was told before is told after")
  }

  @Test("a resolved message is missing")
  func eachChannelThatWasToldIsOwedOneEndEvenIfItWasDownInBetween() {
    var g = Given()
    let id = g.fires()
    g.deliver()
    g.passes(.minutes(15))
    // The second place never answers; the alert ends; it comes back an hour later.
    let stuck = g.lease(["slack"])!
    g.receipt(stuck, .retry, unknown: true)
    g.clears()
    _ = g.deliver()
    g.restarts(after: .hours(1))
    _ = g.deliver()
    let ends = g.log.filter { e in
      if case .notificationRequested(let n) = e.event {
        n.purpose == .resolved && e.subject == id.subject
      } else {
        false
      }
    }
    #expect(ends.count == 2, "one to the place that heard it, one to the place that may have")
    #expect(g.engine.ledger.pending.isEmpty)
    g.passes(.days(2))
    #expect(g.deliver() == [])
  }

  @Test("the same message comes twice after a receiver recovers")
  func everyTryOfAMessageHasTheSameKeyAndNoTwoMessagesShareOne() {
    var g = Given(.plain.with { $0.receivers[0].patience = .hours(2) })
    g.fires()
    var keys: [String] = []
    for _ in 0..<6 {
      guard let p = g.lease(["email"]) else { break }
      keys.append(p.key)
      g.receipt(p, .retry)
      g.passes(.minutes(12))
      g.restarts()
    }
    #expect(keys.count >= 4 && Set(keys).count == 1)
    g.deliver()
    g.passes(.days(1))
    g.deliver()
    let requested = g.log.compactMap { e -> String? in
      if case .notificationRequested(let n) = e.event { n.key } else { nil }
    }
    #expect(Set(requested).count == requested.count)
    #expect(g.log.count { $0.type == .notification_delivered } == requested.count, "each arrived once")
  }

  @Test("a rate limit drops a page")
  func aBusyReceiverIsAskedAgainWhenItSaidSoAndNotBefore() {
    var g = Given()
    g.fires("cpu", .medium)
    let p = g.lease()!
    g.receipt(p, .retry, retryAfter: .minutes(3))
    g.passes(.minutes(2) + .seconds(59))
    #expect(g.lease() == nil)
    g.passes(.seconds(2))
    #expect(g.lease()?.key == p.key)
  }

  @Test("repeats depend on an expiring memory of what was sent")
  func theNextRepeatIsAStoredTimeThatLongSilenceDoesNotLose() {
    let weekly = LifecycleSettings.plain.with {
      $0.policies[0].steps = [
        .init(after: .zero, receivers: ["ops"]), .init(after: .days(30), receivers: ["chat"]),
      ]
    }
    var g = Given(weekly)
    let id = g.fires()
    g.deliver()
    let due = g.state(id).nextEscalationAt
    #expect(due == Given.start + .days(30))
    for _ in 0..<29 {
      g.restarts(after: .days(1))
      #expect(g.deliver() == [])
      #expect(g.state(id).nextEscalationAt == due)
    }
    g.passes(.days(1) + .seconds(1))
    #expect(g.deliver() == ["\(id) firing chat/slack"])
  }

  @Test("the result of a delivery is invisible")
  func everyTryIsAFactWithItsAnswer() {
    var g = Given()
    g.fires("cpu", .medium)
    g.receipt(g.lease()!, .retry)
    g.passes(.minutes(1))
    g.receipt(g.lease()!, .delivered)
    let tries = g.log.compactMap { e -> String? in
      switch e.event {
      case .notificationAttempted(let t): "\(t.attempt) \(t.status ?? 0) \(t.message)"
      case .notificationDelivered(let t): "\(t.attempt) \(t.status ?? 0)"
      default: nil
      }
    }
    #expect(tries == ["1 200 said", "2 200"])
  }

  @Test("states are lost where two things happen at once")
  func eventsOfOneMomentAreTakenOneAfterTheOther() {
    // Two people, a repeat and an end in one commit: each is judged on what the one before it left.
    var g = Given()
    let id = g.fires()
    g.deliver()
    _ = g.said()
    let seen = g.state(id).version
    var a = Anomaly(id: "x", source: "detector/b", time: g.now, eventType: "host", metric: "cpu")
    a.givenKey = "cpu"
    a.severity = .critical
    g.engine.take(a, now: g.now)
    let first = g.engine.obey(Command(.acknowledge, alert: id, by: "ana", version: seen), now: g.now)
    let second = g.engine.obey(Command(.resolve, alert: id, by: "ben", version: seen), now: g.now)
    g.commit()
    #expect(first.code == nil && second.code == .stale_version)
    #expect(g.said().prefix(2) == ["deduplicated ×1", "acknowledged"])
    let versions = g.log.filter { $0.subject == id.subject }.map(\.version)
    #expect(versions == Array(1...versions.count))
    g.replayMatches()
  }

  @Test("a long history evicts the acknowledgement")
  func tenThousandRepeatsAndCommentsLeaveAnAcknowledgementWhereItWas() {
    var g = Given()
    let id = g.fires()
    g.command(.acknowledge, id)
    for i in 0..<2000 {
      g.burst(["cpu", "cpu", "cpu", "cpu", "cpu"])
      if i % 100 == 0 { g.command(.comment("still on it, \(i)"), id) }
    }
    #expect(g.state(id).count == 10_001)
    g.restarts()
    #expect(g.state(id).acknowledgedBy == "ana")
    #expect(g.deliver() == [])
  }

  @Test("a message that waits gives no reason")
  func whatQuietHoursHoldBackSaysUntilWhen() {
    var g = Given(.plain.with { $0.receivers[0].quiet = QuietHours(from: 9 * 60, until: 12 * 60, timeZone: "UTC") })
    g.fires("cpu", .medium)
    guard case .notificationRequested(let n)? = g.log.last?.event else { return #expect(Bool(false)) }
    #expect(n.notBefore == Timestamp(rfc3339: "2026-03-02T12:00:00Z"))
    #expect(g.lease() == nil)
  }

  @Test("an update is a new message instead of an answer in its thread")
  func whatADeliveryReturnedIsThereForTheNextOneAlsoAfterARestart() {
    var g = Given(.plain.with { $0.routes = [Route(matchers: [], delivery: .notify(["chat"]))] })
    let id = g.fires()
    let p = g.lease()!
    g.engine.receive(
      Receipt(key: p.key, attempt: 1, outcome: .delivered, provider: ["ts": "17.1", "channel": "C1"]),
      from: "notifier/w", now: g.now)
    g.commit()
    g.restarts()
    #expect(g.engine.ledger.thread(id.subject, p.place.target)?["ts"] == "17.1")
  }
}
