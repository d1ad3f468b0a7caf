import Alerts
import Lifecycle
import Testing

@Suite struct DeliveryTests {
  @Test func aRetryWaitsAndDoublesAndHeedsRetryAfter() {
    var g = Given()
    g.fires()
    let first = g.lease()!
    g.receipt(first, .retry)
    #expect(g.lease() == nil)
    g.passes(.seconds(3))
    let second = g.lease()!
    #expect(second.attempts == 1)
    g.receipt(second, .retry, retryAfter: .minutes(7))
    g.passes(.minutes(6) + .seconds(59))
    #expect(g.lease() == nil)
    g.passes(.seconds(2))
    #expect(g.lease()?.attempts == 2)
    g.replayMatches()
  }

  /// Its destination takes no more for now: the worker gives it back unsent. That is no try, and the history says why it waits.
  @Test func whatIsGivenBackUnsentIsNoTry() {
    var g = Given()
    let id = g.fires("cpu", .critical)
    func back(_ p: Ledger.Pending, after wait: Interval) -> Receipt {
      var r = Receipt(key: p.key, attempt: p.attempts + 1, outcome: .retry, message: "#x is busy", retryAfter: wait)
      r.isUnsent = true
      return r
    }
    let first = g.lease()!
    g.engine.receive(back(first, after: .seconds(40)), from: "notifier/w", now: g.now)
    // Sent again by a worker that lost its connection: it was heard.
    g.engine.receive(back(first, after: .seconds(90)), from: "notifier/w", now: g.now)
    g.commit()
    let said = g.log.compactMap { e in if case .notificationAttempted(let a) = e.event { a } else { nil } }
    #expect(said.map(\.isUnsent) == [true] && said[0].attempt == 0 && said[0].message == "#x is busy")
    #expect(said[0].nextAt == g.now + .seconds(40) && !said[0].outcomeUnknown)
    g.passes(.seconds(39))
    #expect(g.engine.ledger.find(first.key)?.lease == nil && g.engine.ledger.find(first.key)?.tries == 0)
    g.replayMatches()
    g.restarts()
    g.passes(.seconds(1))
    guard let second = g.lease(["email", "slack"]), second.key == first.key else { return #expect(Bool(false)) }
    // Its first real try, and the wait after that is a first one's.
    g.receipt(second, .retry)
    guard case .notificationAttempted(let real)? = g.log.last?.event else { return #expect(Bool(false)) }
    #expect(real.attempt == 1 && !real.isUnsent && real.nextAt - g.now < .seconds(3))
    g.replayMatches()
    g.passes(.seconds(3))
    let third = g.lease(["email", "slack"])!
    #expect(third.key == first.key && third.tries == 1)
    g.receipt(third, .delivered)
    guard
      case .notificationDelivered(let d)? = g.log.last(where: { $0.type == .notification_delivered })?.event
    else { return #expect(Bool(false)) }
    #expect(d.attempt == 2)
    #expect(g.state(id).told.count == 1)
    g.replayMatches()
  }

  @Test func whatWaitsForItsTurnIsCancelledWhenNobodyWantsItAnyMore() {
    var g = Given()
    let id = g.fires()
    while let p = g.lease() {
      var r = Receipt(key: p.key, attempt: 1, outcome: .retry, message: "busy", retryAfter: .minutes(2))
      r.isUnsent = true
      g.engine.receive(r, from: "notifier/w", now: g.now)
      g.commit()
    }
    g.command(.acknowledge, id)
    #expect(g.engine.ledger.pending.isEmpty)
    g.passes(.minutes(3))
    #expect(g.deliver() == [])
  }

  @Test func patienceEnds() {
    var g = Given(.plain.with { $0.receivers[0].patience = .minutes(5) })
    g.fires()
    for _ in 0..<50 {
      if let p = g.lease(["email"]) { g.receipt(p, .retry) }
      g.passes(.seconds(30))
    }
    #expect(g.log.contains { $0.type == .notification_failed })
    #expect(g.engine.ledger.pending.isEmpty || g.engine.ledger.pending.values.allSatisfy { $0.place.receiver != "ops" })
  }

  @Test func aLeaseThatRunsOutIsSaidAndTheMessageGoesAgain() {
    var g = Given()
    let id = g.fires()
    _ = g.lease()!
    _ = g.said()
    g.passes(.seconds(61))
    #expect(g.said() == ["notification_attempted"])
    #expect(g.state(id).told.count == 1)
    let again = g.lease()!
    #expect(again.attempts == 1)
    // The first worker was only slow.
    g.engine.receive(Receipt(key: again.key, attempt: 1, outcome: .delivered), from: "notifier/a", now: g.now)
    g.commit()
    #expect(g.engine.ledger.find(again.key) == nil)
    _ = g.said()
    g.receipt(again, .delivered)
    #expect(g.said() == [])
  }

  /// The service stopped while a message was on its way, and its alert ends before anybody asks for it again: whoever may have been told is told the end.
  @Test func whatMayHaveBeenSentBeforeAStopIsOwedItsEnd() {
    var g = Given()
    let id = g.fires()
    _ = g.lease()!
    g.restarts(after: .seconds(1))
    _ = g.said()
    g.clears()
    #expect(
      g.said() == [
        "cleared", "resolved cleared", "notification_attempted", "cancelled: resolved", "requested resolved ops/email",
      ])
    #expect(g.deliver() == ["\(id) resolved ops/email"])
    g.replayMatches()
  }

  @Test func whatMayHaveBeenSentBeforeAStopIsOwedItsEndAlsoWhenANewerMessageTookItsPlace() {
    var g = Given(.plain.with { $0.policies[0].steps[1].receivers = ["ops"] })
    let id = g.fires()
    _ = g.lease()!
    g.restarts(after: .minutes(15))
    g.clears()
    #expect(g.deliver() == ["\(id) resolved ops/email"])
    g.replayMatches()
  }

  @Test func aLateReceiptOfAnOlderTryDoesNothing() {
    var g = Given()
    g.fires()
    let p = g.lease()!
    g.passes(.seconds(61))
    _ = g.lease()
    _ = g.said()
    g.receipt(p, .failed)
    #expect(g.said() == [])
    #expect(g.engine.ledger.find(p.key) != nil)
  }

  @Test(arguments: [Int.max, Int.min, 0, -1])
  func aWorkerThatCountsWronglyHarmsNobody(_ attempt: Int) {
    var g = Given()
    g.fires()
    let p = g.lease()!
    for outcome in [Receipt.Outcome.retry, .delivered] {
      g.engine.receive(
        Receipt(key: p.key, attempt: attempt, outcome: outcome, retryAfter: Interval(microseconds: .min)), from: "w",
        now: g.now)
    }
    g.commit()
    g.passes(.minutes(5))
    #expect(g.engine.ledger.find(p.key) == nil)
  }

  @Test func whatIsOnItsWayWhenItEndsIsFollowedByItsEndOnce() {
    var g = Given()
    let id = g.fires()
    let p = g.lease()!
    g.clears()
    #expect(g.deliver() == [])
    g.receipt(p, .delivered)
    #expect(g.deliver() == ["\(id) resolved ops/email"])
    g.passes(.days(1))
    #expect(g.deliver() == [])
  }

  @Test func whatMayHaveArrivedAndArrivesAgainIsOwedOneEnd() {
    var g = Given()
    let id = g.fires()
    g.receipt(g.lease()!, .retry, unknown: true)
    g.passes(.seconds(3))
    let second = g.lease()!
    g.clears()
    g.receipt(second, .delivered)
    #expect(g.deliver() == ["\(id) resolved ops/email"])
    #expect(g.deliver() == [])
    g.replayMatches()
  }

  @Test func nobodyHearsOfTheEndOfWhatTheyNeverHeardOf() {
    var g = Given()
    g.fires()
    let p = g.lease()!
    g.clears()
    let wanted = g.engine.wants(p.key, now: g.now)
    #expect(!wanted)
    g.commit()
    #expect(g.deliver() == [])
    #expect(g.engine.ledger.totals.requested == 1)
    #expect(g.engine.ledger.totals.cancelled == 1)
  }

  @Test func anEndThatIsStillOwedIsForgottenWhenItFiresAgain() {
    var g = Given()
    let id = g.fires()
    g.deliver()
    g.clears()
    g.fires()
    #expect(g.deliver() == ["\(id) firing ops/email"])
    g.clears()
    #expect(g.deliver() == ["\(id) resolved ops/email"])
    g.replayMatches()
  }

  @Test func aReceiverThatIsDownForHoursHearsOfTheEndWhenItIsBack() {
    var g = Given()
    let id = g.fires("cpu", .medium)
    g.deliver()
    g.clears()
    for _ in 0..<30 {
      if let p = g.lease() { g.receipt(p, .retry) }
      g.passes(.minutes(10))
    }
    #expect(g.engine.alerts[id] != nil)
    #expect(g.deliver() == ["\(id) resolved ops/email"])
    g.passes(.minutes(1))
    #expect(g.engine.alerts[id] == nil)
    g.replayMatches()
  }

  @Test func aRestartSaysWhereASecondSendIsPossible() {
    var g = Given()
    g.fires()
    g.receipt(g.lease()!, .retry)
    g.passes(.seconds(3))
    _ = g.lease()!
    g.restarts()
    _ = g.said()
    let p = g.lease()!
    #expect(g.said() == ["notification_attempted"])
    #expect(p.attempts == 2)
    g.replayMatches()
  }

  @Test func aTryThatIsNotDueYetWasWithNobodyAtARestart() {
    var g = Given()
    g.fires()
    g.receipt(g.lease()!, .retry, retryAfter: .hours(1))
    g.restarts()
    _ = g.said()
    g.passes(.hours(1))
    _ = g.said()
    _ = g.lease(["email"])
    #expect(g.said() == [])
  }

  @Test func oneTargetIsToldInOrder() {
    var g = Given()
    let id = g.fires("cpu", .medium)
    let p = g.lease()!
    g.fires("cpu", .critical)
    #expect(g.lease() == nil)
    g.receipt(p, .delivered)
    #expect(g.deliver() == ["\(id) firing ops/email"])
  }

  @Test func anAcknowledgementBehindAMessageOnItsWayIsShown() {
    var g = Given()
    let id = g.fires()
    g.deliver()
    g.passes(.minutes(15))
    let p = g.lease()!
    g.command(.acknowledge, id)
    g.receipt(p, .delivered)
    #expect(g.deliver() == ["\(id) acknowledged chat/slack"])
  }

  @Test func sendResolvedFalseIsOwedNothing() {
    var g = Given(.plain.with { $0.receivers[0].sendResolved = false })
    g.fires("cpu", .medium)
    g.deliver()
    g.clears()
    #expect(g.deliver() == [])
    g.passes(.minutes(11))
    #expect(g.engine.alerts.isEmpty)
  }
}
