package import Alerts

extension Engine {
  /// When ``fire(now:limit:)`` next has something to do.
  package var nextDeadline: Timestamp? { deadlines.next }

  /// Fires what is due, oldest first. Each is judged against the state of this moment: a late or doubled one does nothing.
  ///
  /// What became pointless stays until its time has come, but for no more than ``Deadlines/bound(things:)``: then only what is still wanted is armed anew.
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
    let things = alerts.count + ledger.pending.count + silences.count + groups.count
    if count < limit, deadlines.count > Deadlines.bound(things: things) { armTimers(now: now) }
    return count
  }

  /// Takes up what is due of the rules that hold back: windows that begin, and those of a configuration. Before what has come is taken in: what people do
  /// or detectors say then tells nobody what a rule holds back.
  package mutating func fireRules(now: Timestamp) {
    while let (due, what) = deadlines.popDue(now, ranks: Deadlines.rules) { fire(what, due: due, now: now) }
  }

  private mutating func fire(_ what: Deadlines.What, due: Timestamp, now: Timestamp) {
    switch what {
    case .escalation(let id):
      guard let a = alerts[id], let at = a.nextEscalationAt, at <= now, !a.isHeld else { return late() }
      let occasion = Occasion(.unacknowledged, after: now - a.freeSince)
      if a.isWaiting, let policy = policy(of: a.route) {
        take(
          step: a.step, round: a.round, of: policy, id, reason: .hours_began, occasion: occasion,
          cause: a.decisivePosition, now: now)
      } else {
        advance(id, reason: .delay, occasion: occasion, cause: a.decisivePosition, now: now)
      }
    case .acknowledgement(let id):
      guard let a = alerts[id], let until = a.acknowledgedUntil, until <= now, !a.isResolved else { return late() }
      let cause = emit(
        .unacknowledged(Unacknowledged(reason: .timeout)), about: id.subject, now: now, cause: a.decisivePosition)
      resume(id, Occasion(.acknowledgement_timed_out, by: a.acknowledgedBy), cause: cause, now: now)
    case .reminder(let id): remind(id, now: now)
    case .snooze(let id):
      guard let a = alerts[id], let until = a.snoozedUntil, until <= now else { return late() }
      let cause = emit(
        .unsnoozed(Unsnoozed(reason: .elapsed)), about: id.subject, now: now, cause: a.decisivePosition)
      resume(id, Occasion(.snooze_elapsed), cause: cause, now: now)
    case .stale(let id):
      // What came in this same batch was heard.
      closeRepeats(of: id, now: now)
      guard let a = alerts[id], let after = settings.staleAfter(of: a) else { return late() }
      // It may reopen, and would then be heard of no sooner than now.
      guard !a.isResolved else { return deadlines.add(.stale(id), at: now + after) }
      let due = a.lastSeenAt + after
      guard due <= now else { return deadlines.add(.stale(id), at: due) }
      end(id, how: .stale, note: nil, by: "tocsin", cause: a.anomalyPosition, now: now)
      deadlines.add(.stale(id), at: now + after)
    case .steady(let id):
      guard let a = alerts[id], a.isFlapping, let due = steadyAt(a) else { return late() }
      guard due <= now else { return late() }
      let cause = emit(.steady(Steady()), about: id.subject, now: now, cause: a.decisivePosition)
      settle(id, cause: cause, now: now)
      if a.isResolved { deadlines.add(.farewell(id), at: now) }
    case .farewell(let id): bidFarewell(id, now: now)
    case .delivery(let position): lookAtDelivery(position, now: now)
    case .group(let subject): flushGroup(subject, now: now)
    case .silence(let subject): turnSilence(subject, now: now)
    case .silenceWarning(let subject): warnOfEnd(subject, now: now)
    case .maintenance(let index): beginMaintenance(index, now: now)
    case .configuration: lookAgainAtAll(now: now)
    }
  }

  private mutating func late() { counters.lateTimers += 1 }

  /// A resolved alert leaves memory once it can't reopen and owes nobody a word. What it still owes keeps it: the last of that asks again.
  mutating func bidFarewell(_ id: AlertID, now: Timestamp) {
    guard let due = alerts.look(id, { $0.isFlapping ? nil : $0.leavesAt }) ?? nil else { return }
    if due > now {
      if !isReplaying { deadlines.add(.farewell(id), at: due) }
      return
    }
    if ledger.owes(id.subject) || alerts.look(id, { $0.groups.isEmpty }) == false { return }
    ledger.forget(id.subject)
    alerts[id] = nil
  }

  /// Asks for leave again, when something that kept a resolved alert is done.
  mutating func mayLeave(_ id: AlertID) {
    guard let end = alerts.look(id, { $0.groups.isEmpty ? $0.leavesAt : nil }) ?? nil, !ledger.owes(id.subject) else {
      return
    }
    deadlines.add(.farewell(id), at: end)
  }

  // MARK: - Acknowledgements

  /// When whoever acknowledged is reminded: as the policy says; otherwise a quarter of the time before it runs out, and no sooner than
  /// fifteen minutes before. Nil: never.
  func reminder(of a: borrowing AlertState) -> Timestamp? {
    guard let from = a.acknowledgedAt, let until = a.acknowledgedUntil else { return nil }
    let usual = min(.minutes(15), Interval(microseconds: (until - from).microseconds / 4))
    let before = policy(of: a.route)?.reminder ?? usual
    return before > .zero ? max(from, until - before) : nil
  }

  private mutating func remind(_ id: AlertID, now: Timestamp) {
    guard let a = alerts[id], !a.isResolved, let until = a.acknowledgedUntil, until > now, !a.handled.wasReminded,
      let due = reminder(of: a), due <= now
    else { return late() }
    // Whoever has an address of their own hears it there, and nobody else.
    if let by = a.acknowledgedBy, let person = settings.onCall.person(acting: by), !person.targets.isEmpty {
      for target in person.targets {
        request(
          .reminder, id.subject, .init(receiver: person.name, target: target), cause: a.decisivePosition, now: now)
      }
      return
    }
    let shown = a.told.filter { Engine.showsAcknowledgement.contains($0.target.channel) }
    // A thread where the acknowledgement stands is where its owner looks; otherwise the places that were told.
    for place in shown.filter({ $0.target.channel != "pagerduty" }).isEmpty ? a.told : shown
    where place.target.channel != "pagerduty" {
      request(.reminder, id.subject, place, cause: a.decisivePosition, now: now)
    }
  }

  // MARK: - Flapping

  func steadyAt(_ a: borrowing AlertState) -> Timestamp? {
    guard let last = a.reopenings.last else { return a.isFlapping ? a.lastSeenAt : nil }
    return max(last, a.resolvedAt ?? last) + (settings.flapping?.steadyAfter ?? .zero)
  }

  // MARK: - Policies

  /// On to the next step of an alert's policy, or its end.
  mutating func advance(
    _ id: AlertID, reason: Escalated.Reason, occasion: Occasion, cause: Int64, now: Timestamp, actor: String = "tocsin"
  ) {
    guard let a = alerts[id], let policy = policy(of: a.route) else { return }
    if a.isExhausted, reason == .by_hand, !policy.steps.isEmpty {
      // Whoever asks when it has no step left gets it all once more.
      return take(
        step: 0, round: a.round + 1, of: policy, id, reason: reason, occasion: occasion, cause: cause, now: now,
        actor: actor)
    }
    if a.isWaiting, reason == .by_hand {
      // Whoever asks does not wait for its hours.
      return take(
        step: a.step, round: a.round, of: policy, id, reason: reason, occasion: occasion, cause: cause, now: now,
        actor: actor)
    }
    switch Escalation.next(after: a.step, round: a.round, in: policy) {
    case .step(let step, let round):
      // A first step that had its own delay opens the policy: no event but its messages.
      let opens = a.step < 0 && round == 0 && reason == .delay
      take(
        step: step, round: round, of: policy, id, reason: opens ? nil : reason, occasion: occasion, cause: cause,
        now: now, actor: actor)
    case .exhausted:
      emit(.exhausted(Exhausted(rounds: a.round + 1)), about: id.subject, now: now, actor: actor, cause: cause)
    }
  }
}
