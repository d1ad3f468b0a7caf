package import Alerts

extension Engine {
  /// When ``fire(now:limit:)`` next has something to do.
  package var nextDeadline: Timestamp? { deadlines.next }

  /// Fires what is due, oldest first. Each is judged against the state of this moment: a late or doubled one does nothing.
  ///
  /// - Parameter limit: so many at most, so that a million due at once don't keep people's commands waiting.
  /// - Returns: how many came up.
  @discardableResult
  package mutating func fire(now: Timestamp, limit: Int = 10_000) -> Int {
    var count = 0
    while count < limit, let (due, what) = deadlines.popDue(now) {
      count += 1
      fire(what, due: due, now: now)
    }
    return count
  }

  private mutating func fire(_ what: Deadlines.What, due: Timestamp, now: Timestamp) {
    switch what {
    case .escalation(let id):
      guard let a = alerts[id], let at = a.nextEscalationAt, at <= now, a.held == nil else { return late() }
      advance(id, reason: .delay, cause: a.decisivePosition, now: now)
    case .acknowledgement(let id):
      guard let a = alerts[id], let until = a.acknowledgedUntil, until <= now, !a.isResolved else { return late() }
      let cause = emit(
        .unacknowledged(Unacknowledged(reason: .timeout)), about: id.subject, now: now, cause: a.decisivePosition)
      resume(id, cause: cause, now: now)
    case .snooze(let id):
      guard let a = alerts[id], let until = a.snoozedUntil, until <= now else { return late() }
      let cause = emit(
        .unsnoozed(Unsnoozed(reason: .elapsed)), about: id.subject, now: now, cause: a.decisivePosition)
      resume(id, cause: cause, now: now)
    case .stale(let id):
      guard let a = alerts[id], !a.isResolved, let after = settings.staleAfter else { return late() }
      let due = a.lastSeenAt + after
      guard due <= now else { return deadlines.add(.stale(id), at: due) }
      end(id, how: .stale, note: nil, by: "tocsin", cause: a.anomalyPosition, now: now)
    case .farewell(let id):
      guard let a = alerts[id], a.isResolved else { return late() }
      let due = (a.resolvedAt ?? now) + settings.reopenWithin
      if due > now { return deadlines.add(.farewell(id), at: due) }
      // What it still owes keeps it here a while longer.
      if !ledger.about(id.subject).isEmpty { return deadlines.add(.farewell(id), at: now + .minutes(1)) }
      ledger.forget(id.subject, places(of: settings.receivers.map(\.name), configuration: a.route.configuration))
      alerts[id] = nil
    case .delivery(let position):
      guard let p = ledger[position] else { return late() }
      if let lease = p.lease {
        guard lease.until <= now else { return }
        let cause = emit(
          .notificationAttempted(
            NotificationAttempted(
              key: p.key, attempt: p.attempts + 1, status: nil,
              message: "the worker \(lease.worker) did not say what became of it; it may have been sent",
              outcomeUnknown: true, nextAt: now)), about: p.subject, now: now, cause: p.position)
        afterTry(p, cause: cause, now: now)
      } else if p.notBefore <= now {
        ledger.offer(p)
      }
    case .group(let key): flushGroup(key, now: now)
    case .silence(let subject): turnSilence(subject, now: now)
    }
  }

  private mutating func late() { counters.lateTimers += 1 }

  /// On to the next step of an alert's policy, or its end.
  mutating func advance(
    _ id: AlertID, reason: Escalated.Reason, cause: Int64, now: Timestamp, actor: String = "tocsin"
  ) {
    guard let a = alerts[id],
      let policy = Routing.policy(of: a.route, in: configurations[a.route.configuration] ?? .init())
    else { return }
    switch Escalation.next(after: a.step, round: a.round, in: policy) {
    case .step(let step, let round):
      // A first step that had its own delay opens the policy: no event but its messages.
      let opens = a.step < 0 && round == 0 && reason == .delay
      take(
        step: step, round: round, of: policy, id, reason: opens ? nil : reason, cause: cause, now: now, actor: actor)
    case .exhausted:
      emit(.exhausted(Exhausted(rounds: a.round + 1)), about: id.subject, now: now, actor: actor, cause: cause)
    }
  }
}
