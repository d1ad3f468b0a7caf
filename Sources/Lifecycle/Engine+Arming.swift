import Alerts

// Timers are armed: each for what an alert, a silence, a group or a message waits for.
extension Engine {
  /// When an alert is to be looked at.
  struct Due {
    var escalation: Timestamp?
    var acknowledged: Timestamp?
    var snoozed: Timestamp?
    var leavesAt: Timestamp?
    var steadyAt: Timestamp?
    var severity: Severity
    var lastSeenAt: Timestamp
    init(_ a: borrowing AlertState, steadyAt: Timestamp?) {
      self.steadyAt = steadyAt
      escalation = a.nextEscalationAt
      acknowledged = a.acknowledgedUntil
      snoozed = a.snoozedUntil
      leavesAt = a.leavesAt
      severity = a.severity
      lastSeenAt = a.lastSeenAt
    }
  }

  func due(_ id: AlertID) -> Due? {
    alerts.look(id) { a in Due(a, steadyAt: a.isFlapping ? steadyAt(a) : nil) }
  }

  /// Adds a deadline for each due time that is new.
  mutating func arm(_ id: AlertID, _ before: Due?) {
    guard let due = due(id) else { return }
    if let t = due.escalation, t != before?.escalation { deadlines.add(.escalation(id), at: t) }
    if let t = due.acknowledged, t != before?.acknowledged {
      deadlines.add(.acknowledgement(id), at: t)
      if let t = alerts.look(id, { reminder(of: $0) }) ?? nil { deadlines.add(.reminder(id), at: t) }
    }
    if let t = due.snoozed, t != before?.snoozed { deadlines.add(.snooze(id), at: t) }
    if let t = due.leavesAt, t != before?.leavesAt { deadlines.add(.farewell(id), at: t) }
    // One for each alert in memory, that goes on by itself: also for one that may reopen.
    if before?.severity != due.severity, let stale = alerts.look(id, { settings.staleAfter(of: $0) }) ?? nil {
      deadlines.add(.stale(id), at: due.lastSeenAt + stale)
    }
    if let t = due.steadyAt, t != before?.steadyAt { deadlines.add(.steady(id), at: t) }
  }

  /// Arms every timer anew, at a start and under another configuration: what the former one asked for is gone with it.
  mutating func armAll(now: Timestamp) {
    inhibitions = InhibitionIndex(settings)
    for id in alerts.ids.sorted() {
      if !inhibitions.isEmpty, let a = alerts[id], !a.isResolved { inhibitions.add(a) }
    }
    armTimers(now: now)
  }

  /// Of a state in which nothing but a configuration's first look is due.
  mutating func armTimers(now: Timestamp) {
    deadlines = Deadlines()
    for id in alerts.ids.sorted() { arm(id, nil) }
    for s in silences.values.sorted(by: { $0.subject < $1.subject }) {
      deadlines.add(.silence(s.subject), at: s.startsAt <= now ? min(s.endsAt, now) : s.startsAt)
    }
    for g in groups.values.sorted(by: { $0.subject < $1.subject }) {
      if let due = g.dueAt ?? g.lastSentAt.map({ $0 + g.interval }) { deadlines.add(.group(g.subject), at: due) }
    }
    armMaintenance(now: now)
    // What may go at once needs no timer.
    ledger.offerAll()
    for (position, p) in ledger.pending.sorted(by: { $0.key < $1.key }) where p.lease != nil || p.notBefore > now {
      deadlines.add(.delivery(position), at: p.lease?.until ?? p.notBefore)
    }
  }
}
