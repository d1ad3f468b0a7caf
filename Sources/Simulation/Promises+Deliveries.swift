import Alerts
import Lifecycle

extension Promises {
  mutating func deliveries(_ e: RecordedEvent) {
    switch e.event {
    case .notificationRequested(let n): wasRequested(n, e)
    case .notificationAttempted(let t):
      if t.outcomeUnknown {
        requested[t.key]?.unknown += 1
        wasTold(t.key, e)
      }
    case .notificationDelivered(let d):
      end(d.key, "delivered", e)
      wasTold(d.key, e)
      if requested[d.key]?.arrivals == 0 { fail(5, "\(d.key) counts as delivered, and never arrived") }
    case .notificationFailed(let f):
      failures.insert(e.position)
      end(f.key, "failed", e)
      hasFailed(f.key, e)
    case .notificationCancelled(let c):
      newTellings[c.key] = nil
      end(c.key, "cancelled", e)
      if let r = requested[c.key], r.purpose == .resolved { owed[r.place] = true }
      if let group = c.into, let target = requested[c.key]?.target { stormTargets[group] = target }
    default: break
    }
  }

  private mutating func wasRequested(_ n: NotificationRequested, _ e: RecordedEvent) {
    if requested[n.key] != nil { fail(5, "two messages have the key \(n.key)") }
    let target = Receiver.Target(channel: n.channel, destination: n.destination)
    let r = Request(
      purpose: n.purpose, subject: e.subject, place: "\(e.subject) \(n.channel) \(n.destination)", target: target,
      position: e.position, requestedAt: e.recordedAt, notBefore: n.notBefore, step: n.step, round: n.round,
      members: n.members)
    requested[n.key] = r
    let id = AlertID(e.subject.number)
    switch n.purpose {
    case .firing: firingWasRequested(n, r, e, id)
    case .resolved:
      if alerts[id]?.isResolved != true { fail(4, "\(id)'s end is told although it fires") }
      if owed[r.place] == false { fail(4, "\(id)'s end is told twice to \(n.destination), at \(e.position)") }
      if owed[r.place] == nil { fail(4, "\(id)'s end is told to \(n.destination), which never heard of it") }
      owed[r.place] = false
      endsUnderWay[r.place] = n.key
      isToldByItself(r)
    case .acknowledged, .reminder:
      if alerts[id]?.isAcknowledged != true || alerts[id]?.isResolved != false {
        fail(4, "a message \(n.purpose.rawValue) of \(id) at \(e.position), and nobody holds it")
      }
    case .summary: summaryWasRequested(n, r, e)
    case .digest, .notice: break
    }
  }

  private mutating func firingWasRequested(
    _ n: NotificationRequested, _ r: Request, _ e: RecordedEvent, _ id: AlertID
  ) {
    guard let a = alerts[id] else { return fail(6, "\(n.key) is about an alert that is not in the log") }
    if a.isHeld { fail(4, "\(id) is told as firing although it is held, at \(e.position)") }
    if let s = isSilenced(a, at: e.recordedAt) { fail(4, "\(id) is told as firing although \(s) silences it") }
    if let source = explanation(of: id, a) { fail(4, "\(id) is told as firing although \(source) explains it") }
    checkOnCall(n, r, a, e)
    if let quiet = quietUntil(n.receiver, a.severity, e.recordedAt), n.notBefore != quiet {
      fail(4, "\(n.key) may go before \(quiet), when quiet hours end")
    }
    fallbacksOwed.removeAll { $0.alert == id && $0.target == r.target }
    newTellings[n.key] = Telling(target: r.target, at: e.recordedAt, position: e.position, rule: settings.storm)
  }

  /// An open alert that explains this one since before the last step, and is itself not explained.
  private func explanation(of id: AlertID, _ a: Alert) -> AlertID? {
    guard formerHead > 0 else { return nil }
    func isSource(_ key: String) -> AlertID? {
      guard let source = openByKey[key], source != id, let s = alerts[source], !s.isInhibited, !touched.contains(source)
      else { return nil }
      return source
    }
    if !settings.inhibitions.isEmpty, ["k1", "k2", "k3"].contains(a.metric), let s = isSource("default|=k0") {
      return s
    }
    return nil
  }

  private func quietUntil(_ receiver: String, _ severity: Severity, _ t: Timestamp) -> Timestamp? {
    guard receiver == "office", severity < .high else { return nil }
    let (day, minute) = (Berlin.day(t), Berlin.minute(t))
    if minute >= 22 * 60 { return Berlin.first(day: day + 1, minute: 360) }
    return minute < 360 ? Berlin.first(day: day, minute: 360) : nil
  }

  // MARK: - Groups and storms

  private mutating func summaryWasRequested(_ n: NotificationRequested, _ r: Request, _ e: RecordedEvent) {
    if n.members.isEmpty { fail(4, "\(n.key) tells of nothing") }
    let isCritical = n.members.contains { alerts[$0]?.severity == .critical && alerts[$0]?.isResolved == false }
    let last = summaries.updateValue(e.recordedAt, forKey: r.place)
    if let last, e.recordedAt - last < .seconds(299), !isCritical, !failures.contains(e.cause ?? 0) {
      fail(4, "\(n.key) follows the last one of its group after \(e.recordedAt - last)")
    }
    for id in n.members {
      guard let a = alerts[id] else { continue }
      if a.isResolved {
        owesNoEnd(of: id, e.subject, r.place)
      } else {
        if owedInGroup[e.subject]?[id]?[r.place] == nil {
          owedInGroup[e.subject, default: [:]][id, default: [:]][r.place] = false
        }
        dues[Timer(kind: .group, subject: id.subject)] = nil
      }
    }
    summariesUnderWay[r.place, default: []].insert(n.key)
  }

  private mutating func owesNoEnd(of id: AlertID, _ group: Subject, _ place: String) {
    owedInGroup[group]?[id]?[place] = nil
    if owedInGroup[group]?[id]?.isEmpty == true { owedInGroup[group]?[id] = nil }
  }

  /// What never arrived anywhere owes nothing: nobody heard of it before, and no other message that says so is on its way.
  private mutating func summaryHasFailed(_ r: Request) {
    guard r.unknown == 0 else { return }
    let others = (summariesUnderWay[r.place] ?? []).compactMap { requested[$0] }
    for id in r.members where owedInGroup[r.subject]?[id]?[r.place] == false {
      if !others.contains(where: { $0.members.contains(id) }) { owesNoEnd(of: id, r.subject, r.place) }
    }
  }

  /// No more than a storm's rule allows are told one by one. What waited for a full disk is taken up in one step with what came hours later: each is
  /// judged at its own time, by the rule that was in force when it was asked for.
  mutating func settleTellings() {
    guard !newTellings.isEmpty else { return }
    for (key, new) in newTellings.sorted(by: { $0.value.position < $1.value.position }) {
      var times = tellings[new.target] ?? []
      times.append(new.at)
      if times.count > 100 { times.removeFirst(50) }
      tellings[new.target] = times
      guard let rule = new.rule else { continue }
      let count = times.count { $0 <= new.at && new.at - $0 <= rule.within }
      if count > rule.after { fail(4, "\(key) is told by itself in a storm: \(count) in \(rule.within)") }
    }
    newTellings.removeAll(keepingCapacity: true)
  }

  // MARK: - Ends

  private mutating func end(_ key: String, _ how: String, _ e: RecordedEvent) {
    guard let r = requested[key] else { return fail(5, "\(key) is \(how) without having been requested") }
    if let before = r.end { fail(5, "\(key) is \(how) after it was \(before)") }
    if r.end == nil { endedCount += 1 }
    requested[key]?.end = how
    if r.purpose == .resolved, endsUnderWay[r.place] == key { endsUnderWay[r.place] = nil }
    summariesUnderWay[r.place]?.remove(key)
  }

  private mutating func wasTold(_ key: String, _ e: RecordedEvent) {
    guard let r = requested[key] else { return }
    if r.purpose == .summary {
      for id in r.members where owedInGroup[r.subject]?[id]?[r.place] != nil {
        owedInGroup[r.subject]?[id]?[r.place] = true
      }
    }
    guard r.purpose == .firing else { return }
    // An end that is under way behind it covers it.
    if endsUnderWay[r.place] == nil { owed[r.place] = true }
    isToldByItself(r)
  }

  /// Of an alert that is told by itself somewhere the storm's group owes nothing more there.
  private mutating func isToldByItself(_ r: Request) {
    for (group, target) in stormTargets where target == r.target {
      owesNoEnd(of: AlertID(r.subject.number), group, "\(group) \(target.channel) \(target.destination)")
    }
  }

  private mutating func hasFailed(_ key: String, _ e: RecordedEvent) {
    guard let r = requested[key] else { return }
    if r.purpose == .summary { summaryHasFailed(r) }
    guard r.purpose == .firing else { return }
    let id = AlertID(r.subject.number)
    guard let a = alerts[id], !a.isHeld, let settings = configurations[a.route.configuration] else { return }
    let parts = key.split(separator: "/", maxSplits: 4)
    guard parts.count == 5, let receiver = settings.receivers.first(where: { $0.name == parts[3] }) else { return }
    if let fallback = receiver.fallback {
      for target in targets([fallback], settings, at: e.recordedAt) { fallbacksOwed.append((id, target)) }
    }
    guard let policy = settings.policies.first(where: { $0.name == a.route.policy }), r.step == a.step,
      r.round == a.round, a.step + 1 < policy.steps.count, !a.isExhausted
    else { return }
    failedSteps.append((id, a.step, a.round))
  }
}
