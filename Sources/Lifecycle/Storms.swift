import Alerts

/// How many messages *firing* each target was asked to carry of late.
///
/// Bounded: ``capacity`` targets; beyond, all are forgotten and counted anew.
struct Storms: Sendable, Equatable {
  static let capacity = 10_000
  var recent: [Receiver.Target: Ring] = [:]

  /// The newest times, as many as a rule counts.
  struct Ring: Sendable, Equatable {
    var times: [Timestamp] = []
    var next = 0
    mutating func add(_ t: Timestamp, keeping limit: Int) {
      // The rule was changed: the oldest first again, and no more than it counts.
      if times.count > limit || times.count < limit && next != times.count {
        let oldest = times.isEmpty ? 0 : next % times.count
        times = Array((times[oldest...] + times[..<oldest]).suffix(limit))
        next = times.count % limit
      }
      if times.count < limit {
        times.append(t)
        next = times.count % limit
      } else {
        times[next % times.count] = t
        next = (next + 1) % times.count
      }
    }
  }

  mutating func note(_ target: Receiver.Target, at t: Timestamp, rule: StormRule) {
    if recent[target] == nil, recent.count >= Storms.capacity { recent.removeAll() }
    recent[target, default: Ring()].add(t, keeping: rule.after + 1)
  }

  /// Whether more than the rule allows came within its time. What was recorded under a clock that was far ahead says nothing.
  func isStorm(_ target: Receiver.Target, now: Timestamp, rule: StormRule) -> Bool {
    guard let ring = recent[target], ring.times.count > rule.after else { return false }
    return ring.times.allSatisfy { $0 <= now && now - $0 <= rule.within }
  }
}

extension Engine {
  static func stormKey(_ target: Receiver.Target) -> String { "storm|\(target.channel)|\(target.destination)" }

  /// When so many come at once, what was asked for and is not on its way goes into one message.
  mutating func joinStorm(_ id: AlertID, _ place: AlertState.Place, key: String, cause: Int64, now: Timestamp) {
    guard let rule = settings.storm, storms.isStorm(place.target, now: now, rule: rule) else { return }
    let group = self.group(Engine.stormKey(place.target), now: now) ?? newSubject(.group)
    let reason = "told together with others: more than \(rule.after) in \(rule.within)"
    // Those before it that nobody has begun to send go with it, once: when the storm begins.
    if groups[group]?.dueAt == nil {
      for p in ledger.pending.values.filter({
        $0.purpose == .firing && $0.place.target == place.target && $0.lease == nil && !$0.mayHaveArrived
          && !$0.isUnsure
          && $0.key != key && $0.subject.kind == .alert
      }).sorted(by: { $0.position < $1.position }) {
        emit(
          .notificationCancelled(NotificationCancelled(key: p.key, reason: reason, into: group)), about: p.subject,
          now: now, cause: cause)
      }
    }
    emit(
      .notificationCancelled(NotificationCancelled(key: key, reason: reason, into: group)), about: id.subject, now: now,
      cause: cause)
  }
}
