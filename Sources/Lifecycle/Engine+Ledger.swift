import Alerts

// What the facts say of messages: requested, tried, settled; and who is owed an end by that.
extension Engine {
  mutating func applyToLedger(_ e: Fact) {
    switch e.event {
    case .notificationRequested(let n): wasRequested(n, e)
    case .notificationAttempted(let a):
      guard var p = ledger.find(a.key) else { return }
      if a.isUnsent { p.unsent += 1 }
      p.attempts = a.attempt + p.unsent
      p.notBefore = a.nextAt
      p.lease = nil
      p.isUnsure = false
      p.taken += a.taken
      let isTold = a.outcomeUnknown || !a.taken.isEmpty
      if isTold { p.mayHaveArrived = true }
      ledger[p.position] = p
      if isTold { wasTold(p) }
      ledger.offer(p)
      if !isReplaying { deadlines.add(.delivery(p.position), at: a.nextAt) }
    case .notificationDelivered(let d):
      guard let p = ledger.settle(d.key, as: .delivered, near: e.subject) else { return }
      wasTold(p)
      if let provider = d.provider { ledger.remember(provider, p.subject, p.place.target) }
      wasSettled(p, at: e.recordedAt)
    case .notificationFailed(let key):
      guard let p = ledger.settle(key, as: .failed, near: e.subject) else { return }
      if p.purpose == .summary, !p.mayHaveArrived { groupWasNotTold(p.subject, p.members, by: p.place) }
      wasSettled(p, at: e.recordedAt)
    case .notificationCancelled(let key, let into):
      guard let p = ledger.settle(key, as: .cancelled, near: e.subject) else { return }
      // Its end is owed again once it ends again.
      if p.purpose == .resolved, p.subject.kind == .alert { owe(AlertID(p.subject.number), p.place) }
      if let group = into { joinStormGroup(group, p, now: e.recordedAt) }
      wasSettled(p, at: e.recordedAt)
    default: break
    }
  }

  private mutating func wasRequested(_ n: Fact.Request, _ e: Fact) {
    let alert = e.subject.kind == .alert ? AlertID(e.subject.number) : nil
    let place = n.place
    let severity = alert.map { alerts.look($0) { $0.severity } } ?? n.members.compactMap { alerts[$0]?.severity }.max()
    ledger.add(
      Ledger.Pending(
        position: e.position, key: n.key, subject: e.subject, purpose: n.purpose, place: place, step: n.step,
        round: n.round, members: n.members, requestedAt: e.recordedAt, urgency: severity?.rawValue ?? 0,
        notBefore: n.notBefore ?? e.recordedAt, occasion: n.occasion))
    if !isReplaying, let t = n.notBefore { deadlines.add(.delivery(e.position), at: t) }
    switch n.purpose {
    case .firing:
      if let rule = settings.storm { storms.note(place.target, at: e.recordedAt, rule: rule) }
    case .resolved:
      if let alert, let before = alerts.look(alert, { $0.told }) {
        let told = shared(before.filter { $0.target != place.target })
        alerts[alert]?.told = told
        leaveStormGroup(alert, place.target)
      }
    case .digest: digests.insert(Engine.digestKey(n))
    case .summary: groupWasTold(e.subject, n.members, by: place, at: e.recordedAt)
    case .acknowledged, .reminder, .notice: break
    }
  }

  private mutating func wasTold(_ p: Ledger.Pending) {
    if p.purpose == .summary { groupHasHeard(p.subject, p.members, at: p.place) }
    guard p.purpose == .firing, p.subject.kind == .alert else { return }
    let id = AlertID(p.subject.number)
    // Its end is on its way already, behind it.
    if alerts.look(id, { $0.isResolved }) == true,
      ledger.about(p.subject).contains(where: { $0.purpose == .resolved && $0.place.target == p.place.target })
    {
      return
    }
    owe(id, p.place)
    leaveStormGroup(id, p.place.target)
  }

  private mutating func owe(_ id: AlertID, _ place: AlertState.Place) {
    guard let before = alerts.look(id, { $0.told }), !before.contains(where: { $0.target == place.target }) else {
      return
    }
    let told = before.isEmpty && isLastTold(place) ? lastTold : shared(before + [place])
    alerts[id]?.told = told
  }

  private mutating func wasSettled(_ p: Ledger.Pending, at time: Timestamp) {
    if p.subject.kind == .alert { return mayLeave(AlertID(p.subject.number)) }
    // A group that was kept for this message alone.
    if !isReplaying, let g = groups[p.subject], let over = g.lastSentAt.map({ $0 + g.interval }), over <= time {
      deadlines.add(.group(p.subject), at: over)
    }
  }
}
