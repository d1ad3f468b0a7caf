import Alerts

extension Engine {
  /// Channels that show who has taken an alert, and so hear of an acknowledgement.
  package static let showsAcknowledgement: Set<String> = ["pagerduty", "slack", "webhook"]

  /// Starts telling people about an alert from the first step on, unless something holds it.
  ///
  /// - Parameter reason: nil for an alert that opens: its first step needs no event of its own.
  mutating func begin(
    _ id: AlertID, reason: Escalated.Reason?, occasion: Occasion, cause: Int64, now: Timestamp
  ) {
    guard let a = alerts[id], !a.isHeld else { return }
    let route = a.route
    let settings = configurations[route.configuration] ?? .init()
    for index in route.also {
      let reach = reach(Routing.notified(by: index, in: settings), of: a, now: now)
      tell(id, reach, occasion: occasion, cause: cause, now: now)
    }
    if let policy = policy(of: route), let first = policy.steps.first {
      // A first step with a delay of its own was armed when the alert opened.
      if first.after <= .zero || reason != nil {
        take(step: 0, round: 0, of: policy, id, reason: reason, occasion: occasion, cause: cause, now: now)
      }
    } else if let index = route.index {
      let reach = reach(Routing.notified(by: index, in: settings), of: a, now: now)
      tell(id, reach, occasion: occasion, cause: cause, now: now)
      if reach.places.isEmpty { saysThatNobody(id, reach.unreached, cause: cause, now: now) }
    }
  }

  private func reach(_ receivers: [String], of a: AlertState, now: Timestamp) -> Reach {
    reach(receivers, configuration: a.route.configuration, severity: a.severity, now: now)
  }

  /// Without a policy nobody else would ever be told: that is itself a fact, and counted.
  mutating func saysThatNobody(_ id: AlertID, _ unreached: [String], cause: Int64?, now: Timestamp) {
    guard !unreached.isEmpty, let a = alerts[id], !a.isExhausted, !a.isResolved else { return }
    emit(.exhausted(Exhausted(rounds: 0, unreached: unreached)), about: id.subject, now: now, cause: cause)
  }

  /// Tells everybody on a step. Says so in an event of its own, unless it is an opening alert's first.
  ///
  /// A step that reaches nobody gives way to the next one at once. So does one that is outside its hours, where it was to stand in for a step that could not be
  /// told; otherwise it is passed over in its own time, or waits. Whoever escalates by hand means now, whatever the hours.
  mutating func take(
    step: Int, round: Int, of policy: Policy, _ id: AlertID, reason: Escalated.Reason?, occasion: Occasion,
    cause: Int64, now: Timestamp, actor: String = "tocsin"
  ) {
    guard let a = alerts[id], policy.steps.indices.contains(step) else { return }
    let hasNext = step + 1 < policy.steps.count
    var said = Escalated(step: step, round: round, reason: reason ?? .delay)
    if let hours = policy.steps[step].hours, reason != .by_hand, !hours.contains(now) {
      let isUrgent = hasNext && (reason == .delivery_failed || reason == .nobody_reached)
      said.waitsUntil = hours.otherwise == .wait && !isUrgent ? hours.next(from: now) : nil
      said.skipped = said.waitsUntil == nil
      let cause = emit(.escalated(said), about: id.subject, now: now, actor: actor, cause: cause)
      if isUrgent {
        take(step: step + 1, round: round, of: policy, id, reason: reason, occasion: occasion, cause: cause, now: now)
      }
      return
    }
    let reach = reach(policy.steps[step].receivers, of: a, now: now)
    said.unreached = reach.unreached
    var cause = cause
    if reason != nil || !reach.unreached.isEmpty || reach.places.isEmpty {
      cause = emit(.escalated(said), about: id.subject, now: now, actor: actor, cause: cause)
    }
    tell(id, reach, step: step, round: round, occasion: occasion, cause: cause, now: now)
    if reach.places.isEmpty, hasNext {
      take(
        step: step + 1, round: round, of: policy, id, reason: .nobody_reached,
        occasion: Occasion(.nobody_reached, by: reach.unreached.first), cause: cause, now: now)
    }
  }

  /// Requests a message *firing* for every place.
  mutating func tell(
    _ id: AlertID, _ reach: Reach, step: Int? = nil, round: Int? = nil, occasion: Occasion, cause: Int64,
    now: Timestamp
  ) {
    for (place, insteadOf) in reach.places {
      for older in ledger.about(id.subject)
      where older.place.target == place.target && older.purpose == .firing && older.lease == nil {
        admit(older, now: now)
        emit(
          .notificationCancelled(NotificationCancelled(key: older.key, reason: "a newer message takes its place")),
          about: id.subject, now: now, cause: cause)
      }
      let key = request(
        .firing, id.subject, place, step: step, round: round, occasion: occasion, insteadOf: insteadOf, cause: cause,
        now: now)
      joinStorm(id, place, key: key, cause: cause, now: now)
    }
  }

  /// - Returns: its key.
  @discardableResult
  mutating func request(
    _ purpose: Purpose, _ subject: Subject, _ place: AlertState.Place, step: Int? = nil, round: Int? = nil,
    members: [AlertID] = [], content: JSON? = nil, occasion: Occasion? = nil, insteadOf: String? = nil, cause: Int64?,
    now: Timestamp,
    actor: String = "tocsin"
  ) -> String {
    // What is told comes after what was heard: the version in the key is the request's own.
    if subject.kind == .alert { closeRepeats(of: AlertID(subject.number), now: now) }
    let key =
      "\(subject)/\(purpose.rawValue)/\(version(of: subject) + 1)/\(place.receiver)/\(place.target.channel)/\(place.target.destination)"
    emit(
      .notificationRequested(
        NotificationRequested(
          key: key, purpose: purpose, receiver: place.receiver, channel: place.target.channel,
          destination: place.target.destination, step: step, round: round, members: members, content: content,
          notBefore: quietUntil(purpose, subject, place, members, now: now), occasion: occasion, insteadOf: insteadOf)),
      about: subject, now: now, actor: actor, cause: cause)
    return key
  }

  /// When the receiver's quiet hours let this message through; nil if they do at once. An end is told when its beginning may be.
  private func quietUntil(
    _ purpose: Purpose, _ subject: Subject, _ place: AlertState.Place, _ members: [AlertID], now: Timestamp
  ) -> Timestamp? {
    let id = AlertID(subject.number)
    let configuration = subject.kind == .alert ? alerts[id]?.route.configuration ?? configuration : configuration
    guard let quiet = configurations[configuration]?.receiver(place.receiver)?.quiet else { return nil }
    let severity: Severity?
    switch purpose {
    case .firing, .resolved, .acknowledged: severity = alerts[id]?.severity
    case .summary: severity = members.compactMap { alerts[$0]?.severity }.max()
    case .reminder, .digest, .notice: return nil
    }
    guard let severity, severity < quiet.atLeast, let end = quiet.end(at: now), end > now else { return nil }
    return end
  }

  /// Withdraws messages that nobody has begun to send.
  mutating func cancel(
    _ id: AlertID, now: Timestamp, cause: Int64, reason: String, where isMeant: (Ledger.Pending) -> Bool
  ) {
    for p in ledger.about(id.subject) where p.lease == nil && isMeant(p) {
      admit(p, now: now)
      emit(
        .notificationCancelled(NotificationCancelled(key: p.key, reason: reason)), about: id.subject, now: now,
        cause: cause)
    }
  }

  /// Ends a life, and tells each that was told that it fired.
  mutating func end(
    _ id: AlertID, how: Resolved.How, note: String?, by actor: String, cause: Int64?, now: Timestamp
  ) {
    guard let a = alerts[id], !a.isResolved else { return }
    let explained = inhibitions.isEmpty ? [] : inhibitions.targets(of: id).map(\.id)
    let position = emit(
      .resolved(Resolved(how: how, seen: a.seen, note: note)), about: id.subject, now: now, actor: actor,
      cause: cause ?? a.decisivePosition)
    cancel(id, now: now, cause: position, reason: "resolved") { $0.purpose != .resolved }
    settle(id, cause: position, now: now)
    releaseTargets(of: id, explained, cause: position, now: now)
  }

  /// Requests *resolved* for each place that was told *firing* and has not been told the end. A flapping alert's end is told once it is steady.
  mutating func settle(_ id: AlertID, cause: Int64, now: Timestamp) {
    guard let a = alerts[id], a.isResolved, !a.isFlapping else { return }
    let settings = configurations[a.route.configuration] ?? .init()
    for place in a.told where settings.receiver(place.receiver)?.sendResolved ?? true {
      request(.resolved, id.subject, place, cause: cause, now: now)
    }
  }

  /// Looks again at an alert that something held back: what still fires starts its policy.
  mutating func resume(_ id: AlertID, _ occasion: Occasion, cause: Int64, now: Timestamp) {
    guard let a = alerts[id], !a.isHeld, a.isFiring else { return }
    begin(id, reason: .resumed, occasion: occasion, cause: cause, now: now)
  }
}
