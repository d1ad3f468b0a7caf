package import Alerts

extension AlertState {
  /// Takes up one more fact of this life. `policy` finds the frozen policy of a route.
  package mutating func evolve(_ e: Fact, policy: (RouteTaken) -> Policy?) {
    version = e.version
    if e.type.isDecisive {
      decisiveVersion = e.version
      decisivePosition = e.position
    }
    switch e.event {
    case .detected, .commented, .labelled, .configured, .silenceAdded, .silenceExpired: break
    case .deduplicated(let d):
      count += d.count
      lastSeenAt = e.recordedAt
      anomalyPosition = e.position
    case .severityRaised(let r):
      severity = r.to
      if let route = r.route { self.route = route }
      // The policy begins anew.
      step = -1
      round = 0
      isExhausted = false
      isWaiting = false
      nextEscalationAt = nil
    case .cleared:
      isFiring = false
      lastSeenAt = e.recordedAt
    case .reopened(let r):
      reopen(r, e, policy: policy(route))
    case .resolved(let r):
      isResolved = true
      if r.how != .responder { isFiring = false }
      nextEscalationAt = nil
      forgetSnooze()
      var h = handled
      h.resolvedHow = r.how
      h.resolvedAt = e.recordedAt
      h.resolvedBy = r.how == .responder ? e.actor : nil
      h.snoozedUntil = nil
      h.acknowledgedUntil = nil
      h.silencedBy = []
      h.inhibitedBy = nil
      handled = h
    case .flapping: isFlapping = true
    case .steady:
      isFlapping = false
      handled.reopenings = []
    case .acknowledged(let a):
      seen = true
      nextEscalationAt = nil
      handled.acknowledgedBy = e.actor
      handled.acknowledgedAt = e.recordedAt
      handled.acknowledgedUntil = a.until
      handled.wasReminded = false
    case .unacknowledged:
      forgetAcknowledgement()
      handled.freeSince = e.recordedAt
    case .snoozed(let s):
      nextEscalationAt = nil
      handled.snoozedUntil = s.until
      handled.unlessChanged = s.unlessChanged
      handled.snoozedValue = s.value
    case .unsnoozed:
      forgetSnooze()
      handled.freeSince = e.recordedAt
    case .assigned(let a): handled.assignee = a.to
    case .silenced(let s):
      if !silencedBy.contains(s.silence) { handled.silencedBy.append(s.silence) }
      nextEscalationAt = nil
    case .unsilenced(let s):
      handled.silencedBy.removeAll { $0 == s.silence }
      handled.freeSince = e.recordedAt
    case .inhibited(let i):
      handled.inhibitedBy = i.by
      nextEscalationAt = nil
    case .uninhibited:
      handled.inhibitedBy = nil
      handled.freeSince = e.recordedAt
    case .escalated(let s):
      isExhausted = false
      reach(step: s.step, round: s.round, at: e.recordedAt, policy: policy(route))
      if let until = s.waitsUntil {
        isWaiting = true
        if !isHeld { nextEscalationAt = until }
      }
    case .exhausted:
      isExhausted = true
      nextEscalationAt = nil
    case .notificationRequested(let n):
      if n.purpose == .reminder { handled.wasReminded = true }
      // The first step of an alert that opens is told without an event of its own.
      if n.purpose == .firing, let s = n.step, let r = n.round, (r, s) > (step < 0 ? -1 : round, step) {
        reach(step: s, round: r, at: e.recordedAt, policy: policy(route))
      }
    case .notificationAttempted, .notificationDelivered, .notificationFailed, .notificationCancelled: break
    }
  }

  private mutating func reopen(_ r: Fact.Refiring, _ e: Fact, policy: Policy?) {
    isFiring = true
    isResolved = false
    severity = r.severity
    count += 1
    lastSeenAt = e.recordedAt
    anomalyPosition = e.position
    isExhausted = false
    forgetSnooze()
    isWaiting = false
    var h = handled
    h.freeSince = e.recordedAt
    h.acknowledgedBy = nil
    h.acknowledgedAt = nil
    h.acknowledgedUntil = nil
    h.resolvedHow = nil
    h.resolvedAt = nil
    h.resolvedBy = nil
    h.reopenings = Array(h.reopenings.suffix(Flaps.remembered - 1)) + [e.recordedAt]
    handled = h
    if isFlapping {
      // Its flapping was told. If it stays this time, the policy goes on from where it was.
      nextEscalationAt = policy.map { e.recordedAt + Escalation.delay(after: max(step, 0), in: $0) }
    } else {
      step = -1
      round = 0
      nextEscalationAt = nil
    }
  }

  private mutating func forgetAcknowledgement() {
    handled.acknowledgedBy = nil
    handled.acknowledgedAt = nil
    handled.acknowledgedUntil = nil
  }

  private mutating func forgetSnooze() {
    guard snoozedUntil != nil else { return }
    var h = handled
    h.snoozedUntil = nil
    h.unlessChanged = nil
    h.snoozedValue = nil
    handled = h
  }

  private mutating func reach(step: Int, round: Int, at time: Timestamp, policy: Policy?) {
    self.step = step
    self.round = round
    isWaiting = false
    nextEscalationAt = isHeld ? nil : policy.map { time + Escalation.delay(after: step, in: $0) }
  }
}
