import Alerts
import Lifecycle
import Service

extension Promises {
  /// Takes up one more fact of a life.
  mutating func follow(_ e: RecordedEvent, _ id: AlertID) {
    touched.insert(id)
    switch e.event {
    case .detected(let d): opened(d, e, id)
    case .deduplicated(let d):
      count(d.last, d.count, e)
      seen(id, e)
    case .severityRaised(let r): raised(r, e, id)
    case .reopened(let r): reopened(r, e, id)
    case .cleared: lastSeen[id] = e.recordedAt
    case .resolved(let r): ended(r, e, id)
    case .flapping: alerts[id]?.isFlapping = true
    case .steady: alerts[id]?.isFlapping = false
    case .acknowledged(let k): acknowledged(k, e, id)
    case .unacknowledged(let u):
      alerts[id]?.isAcknowledged = false
      disarm(.acknowledgement, id, e, early: u.reason == .timeout)
      joinGroup(id, e)
    case .snoozed(let s): snoozed(s, e, id)
    case .unsnoozed(let u):
      alerts[id]?.isSnoozed = false
      disarm(.snooze, id, e, early: u.reason == .elapsed)
      joinGroup(id, e)
    case .silenced(let s):
      alerts[id]?.silences.insert(s.silence)
      hold(id, e)
    case .unsilenced(let s):
      alerts[id]?.silences.remove(s.silence)
      joinGroup(id, e)
    case .inhibited(let i):
      alerts[id]?.isInhibited = true
      inhibitors[id] = i.by
      hold(id, e)
    case .uninhibited:
      alerts[id]?.isInhibited = false
      inhibitors[id] = nil
      joinGroup(id, e)
    case .escalated(let s): escalated(s, e, id)
    case .exhausted:
      // Somebody may have asked for the next step, and there is none.
      disarm(.escalation, id, e, early: e.actor == "tocsin")
      alerts[id]?.isExhausted = true
    case .commented(let c): said(c.text, e)
    case .assigned(let a): said(a.note, e)
    case .labelled(let l): said(l.note, e)
    case .notificationRequested(let n): told(n, e, id)
    case .notificationAttempted, .notificationDelivered, .notificationFailed, .notificationCancelled, .configured,
      .silenceAdded, .silenceExpired:
      break
    }
  }

  /// The auditor's words are nobody's anomalies.
  private mutating func count(_ anomaly: Anomaly, _ times: Int, _ e: RecordedEvent) {
    if anomaly.source == Finding.source { auditorSays(anomaly, e) } else { firing += times }
  }

  // MARK: - The condition

  private mutating func opened(_ d: Detected, _ e: RecordedEvent, _ id: AlertID) {
    count(d.anomaly, 1, e)
    if alerts[id] != nil { fail(2, "\(id) is opened twice") }
    if let other = openByKey[d.dedupKey] { fail(2, "\(id) opens although \(other) of the same key is open") }
    if d.generation != (generations[d.dedupKey] ?? 0) + 1 {
      fail(2, "\(id) is life \(d.generation) of \(d.dedupKey), after \(generations[d.dedupKey] ?? 0)")
    }
    generations[d.dedupKey] = d.generation
    openByKey[d.dedupKey] = id
    if configurations[d.route.configuration] == nil { fail(6, "\(id) names a configuration that is not in the log") }
    var a = Alert()
    a.key = d.dedupKey
    a.metric = d.anomaly.metric
    a.service = d.anomaly.label("service") ?? ""
    a.severity = d.severity
    a.route = d.route
    alerts[id] = a
    seen(id, e)
    begin(id, e)
    joinGroup(id, e)
  }

  /// What an alert that opens must tell at once.
  private mutating func begin(_ id: AlertID, _ e: RecordedEvent) {
    guard let a = alerts[id], let settings = configurations[a.route.configuration] else { return }
    if let policy = settings.policies.first(where: { $0.name == a.route.policy }), let first = policy.steps.first {
      if first.after > .zero {
        arm(.escalation, id.subject, at: e.recordedAt + first.after)
      } else {
        let places = targets(first.receivers, settings, at: e.recordedAt)
        alerts[id]?.untold = places
      }
    } else if let i = a.route.index, case .notify(let receivers) = settings.routes[i].delivery {
      let places = targets(receivers, settings, at: e.recordedAt)
      alerts[id]?.untold = places
    }
  }

  private mutating func seen(_ id: AlertID, _ e: RecordedEvent) {
    lastSeen[id] = e.recordedAt
    if alerts[id]?.isResolved == false { armStale(id, from: e.recordedAt) }
  }

  mutating func armStale(_ id: AlertID, from seen: Timestamp) {
    dues[Timer(kind: .stale, subject: id.subject)] = nil
    if let after = settings.staleAfter { arm(.stale, id.subject, at: seen + after) }
  }

  private mutating func raised(_ r: SeverityRaised, _ e: RecordedEvent, _ id: AlertID) {
    if let a = alerts[id], r.to <= a.severity { fail(4, "\(id) is said to get worse, and does not") }
    alerts[id]?.severity = r.to
    alerts[id]?.untold = []
    if let route = r.route {
      alerts[id]?.route = route
      dues[Timer(kind: .group, subject: id.subject)] = nil
    }
    alerts[id]?.isExhausted = false
    alerts[id]?.step = -1
    alerts[id]?.round = 0
    dues[Timer(kind: .escalation, subject: id.subject)] = nil
    joinGroup(id, e)
  }

  private mutating func reopened(_ r: Reopened, _ e: RecordedEvent, _ id: AlertID) {
    count(r.anomaly, 1, e)
    guard var a = alerts[id] else { return fail(6, "\(id) reopens and was never opened") }
    if !a.isResolved { fail(4, "\(id) reopens and had not ended") }
    if let other = openByKey[a.key] { fail(2, "\(id) reopens although \(other) of the same key is open") }
    openByKey[a.key] = id
    a.isResolved = false
    a.isAcknowledged = false
    a.isSnoozed = false
    a.isExhausted = false
    a.severity = r.severity
    alerts[id] = a
    seen(id, e)
    if a.isFlapping {
      // Its flapping was told: the policy waits for as long as its step does.
      if let policy = policy(of: a) { arm(.escalation, id.subject, at: e.recordedAt + delay(max(a.step, 0), policy)) }
    } else {
      alerts[id]?.step = -1
      alerts[id]?.round = 0
    }
    // Whoever heard of it in a group, and not of its end, has nothing to hear.
    if !owedInGroup.values.contains(where: { $0[id] != nil }) { joinGroup(id, e) }
  }

  private mutating func ended(_ r: Resolved, _ e: RecordedEvent, _ id: AlertID) {
    guard var a = alerts[id] else { return fail(6, "\(id) ends and was never opened") }
    if a.isResolved { fail(4, "\(id) is resolved twice") }
    if openByKey[a.key] == id { openByKey[a.key] = nil }
    if r.how == .stale, let due = dues[Timer(kind: .stale, subject: id.subject)],
      e.recordedAt < due.service - .seconds(1)
    {
      fail(3, "\(id) counts as stale at \(e.recordedAt), before \(due.service)")
    }
    a.isResolved = true
    a.wasResolved = true
    a.untold = []
    a.isSnoozed = false
    a.silences = []
    a.isInhibited = false
    a.heldAt = e.position
    alerts[id] = a
    lastSeen[id] = nil
    inhibitors[id] = nil
    for kind in [Timer.Kind.escalation, .acknowledgement, .snooze, .stale, .group] {
      dues[Timer(kind: kind, subject: id.subject)] = nil
    }
    said(r.note, e)
  }

  // MARK: - People

  private mutating func acknowledged(_ k: Acknowledged, _ e: RecordedEvent, _ id: AlertID) {
    if alerts[id]?.isResolved != false { fail(4, "\(id) is acknowledged although it is resolved") }
    alerts[id]?.isAcknowledged = true
    alerts[id]?.wasAcknowledged = true
    if let until = k.until { arm(.acknowledgement, id.subject, at: until) }
    hold(id, e)
    said(k.note, e)
  }

  private mutating func snoozed(_ s: Snoozed, _ e: RecordedEvent, _ id: AlertID) {
    alerts[id]?.isSnoozed = true
    dues[Timer(kind: .snooze, subject: id.subject)] = nil
    arm(.snooze, id.subject, at: s.until)
    hold(id, e)
    said(s.note, e)
  }

  private mutating func hold(_ id: AlertID, _ e: RecordedEvent) {
    alerts[id]?.heldAt = e.position
    alerts[id]?.untold = []
    dues[Timer(kind: .escalation, subject: id.subject)] = nil
    dues[Timer(kind: .group, subject: id.subject)] = nil
  }

  mutating func said(_ note: String?, _ e: RecordedEvent) {
    guard let note else { return }
    if let before = notes[note] {
      if before.incarnation == incarnation, e.recordedAt - before.at < .minutes(10) {
        fail(2, "one command was carried out twice: \(note) at \(e.position)")
      }
      notes[note] = (before.count + 1, e.recordedAt, incarnation)
    } else {
      notes[note] = (1, e.recordedAt, incarnation)
    }
  }

  // MARK: - The policy

  private func policy(of a: Alert) -> Policy? {
    configurations[a.route.configuration]?.policies.first { $0.name == a.route.policy }
  }

  /// How long a policy waits behind one of its steps: until the next; behind the last, once more as long, or half an hour.
  private func delay(_ step: Int, _ policy: Policy) -> Interval {
    if step + 1 < policy.steps.count { return policy.steps[step + 1].after }
    guard let last = policy.steps.last?.after, last > .zero else { return .minutes(30) }
    return last
  }

  private mutating func escalated(_ s: Escalated, _ e: RecordedEvent, _ id: AlertID) {
    guard let a = alerts[id], let policy = policy(of: a) else { return fail(3, "\(id) escalates and has no policy") }
    if a.isResolved { fail(4, "\(id) escalates although it is resolved") }
    disarm(.escalation, id, e, early: s.reason == .delay)
    alerts[id]?.isExhausted = false
    reach(s.step, s.round, id, policy, e)
    if policy.steps.indices.contains(s.step), let settings = configurations[a.route.configuration] {
      let places = targets(policy.steps[s.step].receivers, settings, at: e.recordedAt)
      alerts[id]?.untold = places
    }
  }

  private mutating func reach(_ step: Int, _ round: Int, _ id: AlertID, _ policy: Policy, _ e: RecordedEvent) {
    alerts[id]?.step = step
    alerts[id]?.round = round
    dues[Timer(kind: .escalation, subject: id.subject)] = nil
    if alerts[id]?.isHeld == false { arm(.escalation, id.subject, at: e.recordedAt + delay(step, policy)) }
  }

  private mutating func told(_ n: NotificationRequested, _ e: RecordedEvent, _ id: AlertID) {
    guard let a = alerts[id], n.purpose == .firing else { return }
    alerts[id]?.untold.remove(Receiver.Target(channel: n.channel, destination: n.destination))
    guard let step = n.step, let round = n.round, let policy = policy(of: a) else { return }
    if (round, step) > (a.step < 0 ? -1 : a.round, a.step) {
      disarm(.escalation, id, e, early: true)
      reach(step, round, id, policy, e)
    }
  }

  // MARK: - Groups

  /// An alert of a group's route is told within the group's wait or interval, whichever is longer.
  mutating func joinGroup(_ id: AlertID, _ e: RecordedEvent) {
    guard let a = alerts[id], !a.isHeld, let i = a.route.index, let settings = configurations[a.route.configuration],
      case .group(_, let grouping) = settings.routes[i].delivery
    else { return }
    let timer = Timer(kind: .group, subject: id.subject)
    if dues[timer] == nil { arm(.group, id.subject, at: e.recordedAt + max(grouping.wait, grouping.interval)) }
  }
}
