package import Alerts

extension Engine {
  /// How long a worker has for a job before it may be given to another.
  package static let leaseTime = Interval.seconds(60)
  /// Of what a worker says about a try, so much is kept.
  private static let messageLimit = 2000
  private static let providerLimit = 8192
  /// Of one destination's addresses, so many are remembered as reached; a mail has no more recipients.
  private static let takenLimit = 100

  // MARK: - Leasing

  /// The most urgent message on one of these channels that is due and still wanted, leased to this worker; nil if there is none.
  package mutating func lease(to worker: String, channels: [String], now: Timestamp) -> Ledger.Pending? {
    while var p = ledger.take(channels: channels, now: now) {
      if let reason = unwanted(p) {
        withdraw(p, reason: reason, cause: p.position, now: now)
        continue
      }
      if p.isUnsure {
        admit(p, now: now)
        guard let again = ledger[p.position] else { continue }
        p = again
      }
      let until = now + Engine.leaseTime
      p.lease = Ledger.Lease(worker: worker, until: until)
      ledger[p.position] = p
      deadlines.add(.delivery(p.position), at: until)
      return p
    }
    return nil
  }

  /// Says of a message that may have been on its way when the service stopped that it may have been sent. The history says where a second send is
  /// possible, and whoever may have been told that an alert fires is owed its end: also before such a message is withdrawn.
  mutating func admit(_ p: Ledger.Pending, now: Timestamp) {
    guard p.isUnsure else { return }
    emit(
      .notificationAttempted(
        NotificationAttempted(
          key: p.key, attempt: p.tries + 1, status: nil,
          message: "the service stopped before it heard what became of this; it may have been sent",
          outcomeUnknown: true, nextAt: now)), about: p.subject, now: now, cause: p.position)
  }

  /// Channels on which a message could go now, if a worker took it.
  package mutating func channelsWaiting(now: Timestamp) -> [String] { ledger.channelsWaiting(now: now) }

  /// Takes back a lease whose job never went out.
  package mutating func release(_ position: Int64) {
    guard var p = ledger[position], p.lease != nil else { return }
    p.lease = nil
    ledger[position] = p
    ledger.offer(p)
  }

  /// Why nobody wants this message any more, or nil.
  package func unwanted(_ p: Ledger.Pending) -> String? {
    guard p.subject.kind == .alert, let a = alerts[AlertID(p.subject.number)] else { return nil }
    switch p.purpose {
    case .firing: return a.held
    case .acknowledged: return a.acknowledgedBy == nil || a.isResolved ? "no longer acknowledged" : nil
    case .resolved: return a.isResolved ? nil : "fires again"
    case .reminder: return a.acknowledgedBy == nil || a.isResolved ? "no longer acknowledged" : nil
    case .summary, .digest, .notice: return nil
    }
  }

  /// A notifier asks at the moment before it sends. False once the message is settled or nobody wants it.
  package mutating func wants(_ key: String, now: Timestamp) -> Bool {
    guard let p = ledger.find(key) else { return false }
    guard let reason = unwanted(p) else { return true }
    withdraw(p, reason: reason, cause: p.position, now: now)
    return false
  }

  private mutating func withdraw(_ p: Ledger.Pending, reason: String, cause: Int64, now: Timestamp) {
    admit(p, now: now)
    let position = emit(
      .notificationCancelled(NotificationCancelled(key: p.key, reason: reason)), about: p.subject, now: now,
      cause: cause)
    if p.subject.kind == .alert { settle(AlertID(p.subject.number), cause: position, now: now) }
  }

  // MARK: - Time

  /// A message's next try is due, or its lease has run out.
  mutating func lookAtDelivery(_ position: Int64, now: Timestamp) {
    guard let p = ledger[position] else { return }
    guard let lease = p.lease else {
      if p.notBefore <= now { ledger.offer(p) }
      return
    }
    guard lease.until <= now else { return }
    endLease(p, "the worker \(lease.worker) did not say what became of it; it may have been sent", now: now)
  }

  /// Whoever has the message is gone, and will not say what became of it: it need not wait for the end of its lease.
  package mutating func workerIsGone(_ position: Int64, _ worker: String, now: Timestamp) {
    guard let p = ledger[position], p.lease?.worker == worker else { return }
    endLease(p, "the worker \(worker) is gone; it may have been sent", now: now)
  }

  private mutating func endLease(_ p: Ledger.Pending, _ message: String, now: Timestamp) {
    let cause = emit(
      .notificationAttempted(
        NotificationAttempted(
          key: p.key, attempt: p.tries + 1, status: nil, message: message, outcomeUnknown: true, nextAt: now)),
      about: p.subject, now: now, cause: p.position)
    if now > p.requestedAt + patience(p), let left = ledger[p.position] {
      return fail(
        left, attempt: left.tries, status: nil,
        message: "not delivered within \(patience(p)): no worker said what became of it", worker: "tocsin", now: now)
    }
    afterTry(p, cause: cause, now: now)
  }

  // MARK: - Receipts

  /// Takes up what became of a job. A receipt for what is settled, or of an older try that did not deliver, does nothing.
  package mutating func receive(_ r: Receipt, from worker: String, now: Timestamp) {
    guard let p = ledger.find(r.key) else { return }
    if r.outcome != .delivered, r.attempt <= p.attempts { return }
    // A worker counts no further than the service does. It counts what came back unsent too, which is no try.
    let attempt = r.outcome == .delivered ? max(min(r.attempt, p.attempts + 1) - p.unsent, 1) : p.tries + 1
    let message = String(r.message.prefix(Engine.messageLimit))
    switch r.outcome {
    case .delivered:
      let provider = r.provider.flatMap { $0.bytes.count <= Engine.providerLimit ? $0 : nil }
      let position = emit(
        .notificationDelivered(
          NotificationDelivered(key: r.key, attempt: attempt, status: r.status, latency: r.latency, provider: provider)),
        about: p.subject, now: now, actor: worker, cause: p.position)
      wasDelivered(p, cause: position, now: now)
    case .retry where r.isUnsent:
      let next = now + max(r.retryAfter ?? .zero, Backoff.first)
      if next > p.requestedAt + patience(p) {
        return fail(
          p, attempt: p.tries, status: nil, message: "not delivered within \(patience(p)): \(message)", worker: worker,
          now: now)
      }
      let position = emit(
        .notificationAttempted(
          NotificationAttempted(
            key: r.key, attempt: p.tries, status: nil, message: message, outcomeUnknown: false, nextAt: next,
            isUnsent: true)), about: p.subject, now: now, actor: worker, cause: p.position)
      afterTry(p, cause: position, now: now)
    case .retry:
      let delay = Backoff.delay(attempt: attempt, key: r.key, retryAfter: r.retryAfter)
      let patience = patience(p)
      let taken = Array(r.taken.filter { !p.taken.contains($0) }.prefix(max(0, Engine.takenLimit - p.taken.count)))
      if now + delay > p.requestedAt + patience {
        fail(
          p, attempt: attempt, status: r.status, message: "not delivered within \(patience): \(message)",
          latency: r.latency, worker: worker, now: now)
      } else {
        let position = emit(
          .notificationAttempted(
            NotificationAttempted(
              key: r.key, attempt: attempt, status: r.status, message: message, outcomeUnknown: r.outcomeUnknown,
              nextAt: now + delay, latency: r.latency, taken: taken)), about: p.subject, now: now, actor: worker,
          cause: p.position)
        afterTry(p, cause: position, now: now)
      }
    case .failed:
      fail(p, attempt: attempt, status: r.status, message: message, latency: r.latency, worker: worker, now: now)
    }
  }

  /// For how long a message is tried.
  package func patience(_ p: Ledger.Pending) -> Interval {
    let configuration =
      p.subject.kind == .alert ? alerts[AlertID(p.subject.number)]?.route.configuration ?? configuration : configuration
    return configurations[configuration]?.receiver(p.place.receiver)?.patience ?? .hours(24)
  }

  /// What happened while it was on its way is told behind it.
  private mutating func wasDelivered(_ p: Ledger.Pending, cause: Int64, now: Timestamp) {
    guard p.subject.kind == .alert, let a = alerts[AlertID(p.subject.number)] else { return }
    if a.isResolved { return settle(a.id, cause: cause, now: now) }
    if p.purpose == .firing, a.acknowledgedBy != nil, Engine.showsAcknowledgement.contains(p.place.target.channel) {
      request(.acknowledged, p.subject, p.place, cause: a.decisivePosition, now: now)
    }
  }

  /// A message that was on its way when its alert ended: nobody wants it tried again.
  private mutating func afterTry(_ p: Ledger.Pending, cause: Int64, now: Timestamp) {
    guard let left = ledger[p.position], let reason = unwanted(left) else { return }
    withdraw(left, reason: reason, cause: cause, now: now)
  }

  private mutating func fail(
    _ p: Ledger.Pending, attempt: Int, status: Int?, message: String, latency: Interval? = nil, worker: String,
    now: Timestamp
  ) {
    let cause = emit(
      .notificationFailed(
        NotificationFailed(key: p.key, attempt: attempt, status: status, message: message, latency: latency)),
      about: p.subject, now: now, actor: worker, cause: p.position)
    let alert = p.subject.kind == .alert ? alerts[AlertID(p.subject.number)] : nil
    let number = alert?.route.configuration ?? groups[p.subject]?.configuration ?? configuration
    let settings = configurations[number] ?? .init()
    let fallback = Engine.fallback(of: p.place.receiver, origins: origins(p, settings), in: settings)
    guard let a = alert else {
      if p.purpose == .summary, let fallback {
        for place in places(of: [fallback], configuration: number, now: now) {
          request(.summary, p.subject, place, members: p.members, cause: cause, now: now)
        }
      }
      return
    }
    if a.isResolved { return settle(a.id, cause: cause, now: now) }
    guard p.purpose == .firing, !a.isHeld else { return }
    let occasion = Occasion(.delivery_failed, by: p.place.receiver)
    if let fallback {
      let reach = reach([fallback], configuration: number, severity: a.severity, now: now)
      // A message of a pass through the policy that is over (the alert ended, and came back) does not carry the new one to where the old one was.
      let isOver = (p.round ?? 0, p.step ?? 0) > (a.round, max(a.step, 0))
      tell(
        a.id, reach, step: isOver ? nil : p.step, round: isOver ? nil : p.round, occasion: occasion, cause: cause,
        now: now)
    }
    // Somebody is told: the next step comes at once, instead of waiting out its delay. A new round waits, or a receiver that
    // refuses everything would use up the whole policy in a second.
    let steps = policy(of: a.route)?.steps.count ?? 0
    if p.step == a.step, p.round == a.round, a.nextEscalationAt != nil, a.step + 1 < steps {
      advance(a.id, reason: .delivery_failed, occasion: occasion, cause: cause, now: now)
    }
  }

  /// Whom the rules named for this message, before any fallback.
  private func origins(_ p: Ledger.Pending, _ settings: LifecycleSettings) -> [String] {
    if p.subject.kind == .group {
      guard let g = groups[p.subject] else { return [p.place.receiver] }
      if let place = g.place { return [place.receiver] }
      guard let i = g.route, settings.routes.indices.contains(i),
        case .group(let names, _) = settings.routes[i].delivery
      else { return [] }
      return names
    }
    guard let a = alerts[AlertID(p.subject.number)] else { return [] }
    let route = a.route
    if let s = p.step, let policy = policy(of: route), policy.steps.indices.contains(s) {
      return policy.steps[s].receivers
    }
    return ([route.index].compactMap { $0 } + route.also).flatMap { Routing.notified(by: $0, in: settings) }
  }

  /// Who is told when a delivery to `receiver` failed for good: the next in the line of fallbacks from one that the rules named. A line that comes back
  /// to where it was ends there.
  static func fallback(of receiver: String, origins: [String], in settings: LifecycleSettings) -> String? {
    for origin in origins {
      var line = [origin]
      while let next = line.last.flatMap({ settings.receiver($0)?.fallback }), !line.contains(next) {
        line.append(next)
      }
      if let i = line.firstIndex(of: receiver) { return i + 1 < line.count ? line[i + 1] : nil }
    }
    // A rule named it that no longer holds: the alert got worse meanwhile, and took another route. One that stands in for others was no rule's choice.
    if settings.receivers.contains(where: { $0.fallback == receiver }) { return nil }
    return settings.receiver(receiver)?.fallback
  }

  /// The order's own key, without the channel's part behind it.
  static func digestKey(_ n: Fact.Request) -> String {
    let part = "/\(n.place.target.channel)/\(n.place.target.destination)"
    return n.key.hasSuffix(part) ? String(n.key.dropLast(part.count)) : n.key
  }
}
