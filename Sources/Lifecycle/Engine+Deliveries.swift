package import Alerts

extension Engine {
  /// How long a worker has for a job before it may be given to another.
  package static let leaseTime = Interval.seconds(60)

  // MARK: - State

  mutating func applyToLedger(_ e: RecordedEvent) {
    let alert = e.subject.kind == .alert ? AlertID(e.subject.number) : nil
    switch e.event {
    case .notificationRequested(let n):
      let place = AlertState.Place(
        receiver: n.receiver, target: .init(channel: n.channel, destination: n.destination))
      let severity = alert.flatMap { alerts[$0]?.severity }
      ledger.add(
        Ledger.Pending(
          position: e.position, key: n.key, subject: e.subject, purpose: n.purpose, place: place, step: n.step,
          round: n.round, members: n.members, requestedAt: e.recordedAt, urgency: severity?.rawValue ?? 0,
          notBefore: e.recordedAt))
      if n.purpose == .resolved, let alert { alerts[alert]?.told.removeAll { $0 == place } }
      if n.purpose == .digest { digests.insert(Engine.digestKey(n)) }
      if n.purpose == .summary { groupWasTold(e.subject, n.members, at: e.recordedAt) }
    case .notificationAttempted(let a):
      guard var p = ledger.find(a.key) else { return }
      p.attempts = a.attempt
      p.notBefore = a.nextAt
      p.lease = nil
      p.maybeSent = a.outcomeUnknown
      ledger[p.position] = p
      if a.outcomeUnknown { wasTold(p) }
      ledger.offer(p)
      deadlines.add(.delivery(p.position), at: a.nextAt)
    case .notificationDelivered(let d):
      guard let p = ledger.find(d.key) else { return }
      ledger.remove(p.position)
      wasTold(p)
      if let provider = d.provider { ledger.remember(provider, p.subject, p.place) }
    case .notificationFailed(let f):
      if let p = ledger.find(f.key) { ledger.remove(p.position) }
    case .notificationCancelled(let c):
      guard let p = ledger.find(c.key) else { return }
      ledger.remove(p.position)
      // Its end is owed again once it ends again.
      if p.purpose == .resolved { wasTold(p, force: true) }
    default: break
    }
  }

  private mutating func wasTold(_ p: Ledger.Pending, force: Bool = false) {
    guard p.purpose == .firing || force, p.subject.kind == .alert else { return }
    let id = AlertID(p.subject.number)
    if alerts[id]?.told.contains(p.place) == false { alerts[id]?.told.append(p.place) }
  }

  // MARK: - Leasing

  /// The most urgent message on one of these channels that is due and still wanted, leased to this worker; nil if there is none.
  package mutating func lease(to worker: String, channels: [String], now: Timestamp) -> Ledger.Pending? {
    while var p = ledger.take(channels: channels, now: now) {
      if let reason = unwanted(p) {
        emit(
          .notificationCancelled(NotificationCancelled(key: p.key, reason: reason)), about: p.subject, now: now,
          cause: p.position)
        continue
      }
      if p.maybeSent, p.attempts == 0 {
        // The history says where a second send is possible.
        emit(
          .notificationAttempted(
            NotificationAttempted(
              key: p.key, attempt: 1, status: nil,
              message: "the service stopped before it heard what became of this; it may have been sent",
              outcomeUnknown: true, nextAt: now)), about: p.subject, now: now, cause: p.position)
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

  /// Why nobody wants this message any more, or nil.
  package func unwanted(_ p: Ledger.Pending) -> String? {
    guard p.subject.kind == .alert, let a = alerts[AlertID(p.subject.number)] else { return nil }
    switch p.purpose {
    case .firing: return a.held
    case .acknowledged: return a.acknowledgedBy == nil || a.isResolved ? "no longer acknowledged" : nil
    case .resolved: return a.isResolved ? nil : "fires again"
    case .reminder: return a.acknowledgedBy == nil ? "no longer acknowledged" : nil
    case .summary, .digest, .notice: return nil
    }
  }

  /// A notifier asks at the moment before it sends. False once the message is settled or nobody wants it.
  package mutating func wants(_ key: String, now: Timestamp) -> Bool {
    guard let p = ledger.find(key) else { return false }
    guard let reason = unwanted(p) else { return true }
    emit(
      .notificationCancelled(NotificationCancelled(key: key, reason: reason)), about: p.subject, now: now,
      cause: p.position)
    return false
  }

  // MARK: - Receipts

  /// Takes up what became of a job. A receipt for what is settled, or of an older try that did not deliver, does nothing.
  package mutating func receive(_ r: Receipt, from worker: String, now: Timestamp) {
    guard let p = ledger.find(r.key) else { return }
    if r.outcome != .delivered, r.attempt <= p.attempts { return }
    let attempt = max(r.attempt, p.attempts + (r.outcome == .delivered ? 0 : 1))
    switch r.outcome {
    case .delivered:
      let position = emit(
        .notificationDelivered(
          NotificationDelivered(
            key: r.key, attempt: attempt, status: r.status, latency: r.latency, provider: r.provider)),
        about: p.subject, now: now, actor: worker, cause: p.position)
      if p.subject.kind == .alert { settle(AlertID(p.subject.number), cause: position, now: now) }
    case .retry:
      let delay = Backoff.delay(attempt: attempt, key: r.key, retryAfter: r.retryAfter)
      let patience = patience(p)
      if now + delay > p.requestedAt + patience {
        fail(
          p, attempt: attempt, status: r.status, message: "not delivered within \(patience): \(r.message)",
          worker: worker, now: now)
      } else {
        let position = emit(
          .notificationAttempted(
            NotificationAttempted(
              key: r.key, attempt: attempt, status: r.status, message: r.message, outcomeUnknown: r.outcomeUnknown,
              nextAt: now + delay)), about: p.subject, now: now, actor: worker, cause: p.position)
        afterTry(p, cause: position, now: now)
      }
    case .failed: fail(p, attempt: attempt, status: r.status, message: r.message, worker: worker, now: now)
    }
  }

  func patience(_ p: Ledger.Pending) -> Interval {
    let configuration =
      p.subject.kind == .alert ? alerts[AlertID(p.subject.number)]?.route.configuration ?? configuration : configuration
    return configurations[configuration]?.receiver(p.place.receiver)?.patience ?? .hours(24)
  }

  /// A message that was on its way when its alert ended: nobody wants it tried again.
  mutating func afterTry(_ p: Ledger.Pending, cause: Int64, now: Timestamp) {
    guard let left = ledger[p.position], let reason = unwanted(left) else { return }
    emit(
      .notificationCancelled(NotificationCancelled(key: p.key, reason: reason)), about: p.subject, now: now,
      cause: cause)
    if p.subject.kind == .alert { settle(AlertID(p.subject.number), cause: cause, now: now) }
  }

  private mutating func fail(
    _ p: Ledger.Pending, attempt: Int, status: Int?, message: String, worker: String, now: Timestamp
  ) {
    let cause = emit(
      .notificationFailed(NotificationFailed(key: p.key, attempt: attempt, status: status, message: message)),
      about: p.subject, now: now, actor: worker, cause: p.position)
    guard p.subject.kind == .alert, p.purpose == .firing, let a = alerts[AlertID(p.subject.number)], a.held == nil
    else {
      return
    }
    let settings = configurations[a.route.configuration] ?? .init()
    if let fallback = settings.receiver(p.place.receiver)?.fallback {
      tell(a.id, [fallback], step: p.step, round: p.round, cause: cause, now: now)
    }
    // Somebody is told: the next step comes at once, instead of waiting out its delay. A new round waits, or a receiver that
    // refuses everything would use up the whole policy in a second.
    let steps = Routing.policy(of: a.route, in: settings)?.steps.count ?? 0
    if p.step == a.step, p.round == a.round, a.nextEscalationAt != nil, a.step + 1 < steps {
      advance(a.id, reason: .delivery_failed, cause: cause, now: now)
    }
  }

  /// The order's own key, without the channel's part behind it.
  static func digestKey(_ n: NotificationRequested) -> String {
    let part = "/\(n.channel)/\(n.destination)"
    return n.key.hasSuffix(part) ? String(n.key.dropLast(part.count)) : n.key
  }
}
