package import Alerts

// A start: the facts of the log, one after the other; and lives that have left memory.
extension Engine {
  /// Takes up a fact of the log, at the start.
  package mutating func replay(_ e: RecordedEvent) { replay(Fact(e)) }

  package mutating func replay(_ e: Fact) {
    isReplaying = true
    // Nothing is armed while the past passes by, but the farewells: or every alert that ever was would stand in memory at once.
    // Facts of one moment belong together: what the first of them settled may owe the next.
    if e.recordedAt > reachedAt {
      reachedAt = e.recordedAt
      while let (_, what) = deadlines.popDue(e.recordedAt) {
        if case .farewell(let id) = what { bidFarewell(id, now: e.recordedAt) }
      }
    }
    ledger.offerNothing()
    apply(e)
    switch e.event {
    case .resolved, .steady:
      let id = AlertID(e.subject.number)
      if let t = alerts.look(id, { $0.leavesAt }) ?? nil { deadlines.add(.farewell(id), at: t) }
    default: break
    }
    isReplaying = false
  }

  /// After the last replayed fact: arms every timer again, and notes which messages may have been on their way.
  package mutating func recover(now: Timestamp) {
    for id in alerts.ids.sorted() {
      if let t = alerts.look(id, { $0.leavesAt }) ?? nil, t <= now { bidFarewell(id, now: now) }
    }
    for g in groups.values.sorted(by: { $0.subject < $1.subject }) where g.dueAt == nil { prune(g, now: now) }
    for (position, p) in ledger.pending {
      // Leases are not in the log: whatever was due may have been with a worker when the service stopped.
      var p = p
      p.lease = nil
      p.isUnsure = p.notBefore <= now
      ledger[position] = p
    }
    armAll(now: now)
    // The process may have ended before it looked at what is open under it.
    if reachedAt <= configuredAt { deadlines.add(.configuration, at: now) }
  }

  /// Puts an alert that has left memory back into it, from the facts of its life, so that a command can be judged.
  package mutating func recall(_ life: [RecordedEvent]) {
    guard var state = folded(life), alerts[state.id] == nil else { return }
    state.share(route: shared(FrozenRoute(state.route)))
    state.labels.share(common: shared(labels: state.labels.common))
    alerts[state.id] = state
    deadlines.add(.farewell(state.id), at: state.leavesAt ?? state.lastSeenAt)
  }

  /// An alert's state from the facts of its life.
  package func folded(_ life: [RecordedEvent]) -> AlertState? {
    guard let first = life.first, var state = AlertState(opening: Fact(first)) else { return nil }
    for e in life.dropFirst() { state.evolve(Fact(e)) { policy(of: $0) } }
    return state
  }
}
