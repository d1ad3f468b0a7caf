package import Alerts

extension Engine {
  /// Takes up a configuration, unless it is the one in force. Alerts that are open keep the one that they opened under.
  package mutating func adopt(_ settings: LifecycleSettings, now: Timestamp) {
    let digest = settings.digest
    if configuration > 0, self.settings.digest == digest { return }
    emit(
      .configured(Configured(digest: digest, settings: settings.json)), about: newSubject(.configuration), now: now)
  }

  /// Judges a responder's command. The reply carries the alert's new state and version.
  ///
  /// - Parameter lastValue: the value that the alert's newest stored anomaly gave; asked for only by a snooze that is to end when it changes.
  package mutating func obey(_ command: Command, now: Timestamp, lastValue: () -> Double? = { nil }) -> Reply {
    do throws(CommandError) { return Reply(.success(try carryOut(command, now: now, lastValue))) } catch {
      return Reply(.failure(error))
    }
  }

  private mutating func carryOut(
    _ command: Command, now: Timestamp, _ lastValue: () -> Double?
  ) throws(CommandError) -> JSON {
    switch command.action {
    case .silence(let matchers, let startsAt, let endsAt):
      return try addSilence(command, matchers, from: startsAt, to: endsAt, now: now)
    case .previewSilence(let matchers):
      let hits = hits(matchers)
      return [
        "hits": .int(hits.count),
        "alerts": .array(hits.prefix(Engine.previewLimit).map { .string($0.description) }),
      ]
    case .expireSilence(let s):
      guard silences[s] != nil else {
        // Ended before: a repeat of the command is answered like the first.
        guard (numbers[.silence] ?? 0) >= s.number else { throw CommandError(.invalid, "there is no silence \(s)") }
        return ["silence": .string(s.description)]
      }
      expireSilence(s, early: true, by: command.by, now: now)
      return ["silence": .string(s.description)]
    case .digest(let order): return try send(order, by: command.by, now: now)
    case .wanted(let key): return ["wanted": .bool(wants(key, now: now))]
    case .status: throw CommandError(.invalid, "the service answers for itself")
    default: break
    }
    guard let id = command.alert, let a = alerts[id] else {
      throw CommandError(.unknown_alert, "there is no alert \(command.alert?.description ?? "")")
    }
    // What is so already is answered as if it had been done now, also to somebody who saw the alert before.
    if isDone(command, a) { return ["alert": a.brief] }
    if let seen = command.version, seen < a.decisiveVersion {
      throw CommandError(
        .stale_version,
        "\(id) has changed since version \(seen): it is at version \(a.version), \(a.held ?? "open"); look again before you decide"
      )
    }
    if let seen = command.version, seen > a.version {
      throw CommandError(.stale_version, "\(id) is at version \(a.version); there is no version \(seen) of it")
    }
    try act(command, on: a, now: now, lastValue)
    return ["alert": alerts[id]?.brief ?? .null]
  }

  /// Of what a silence would hit, so many are named.
  private static let previewLimit = 50

  /// A silence that somebody asks for, within what the configuration allows.
  private mutating func addSilence(
    _ c: Command, _ matchers: [Matcher], from startsAt: Timestamp?, to endsAt: Timestamp, now: Timestamp
  ) throws(CommandError) -> JSON {
    let hits = hits(matchers)
    let known = knownSilence(matchers, from: startsAt, to: endsAt, comment: c.note, by: c.by)
    if known == nil {
      let (length, longest) = (endsAt - (startsAt ?? now), settings.longestSilence)
      guard length <= longest else {
        throw CommandError(.invalid, "a silence may last \(longest) at most, and this one would last \(length)")
      }
      if let limit = settings.confirmSilenceOver, hits.count > limit, !c.confirmed {
        throw CommandError(
          .invalid,
          "this silence would hold back \(hits.count) alerts, more than \(limit): look at them first, then say \"confirm\": true"
        )
      }
    }
    let s: Subject
    if let known {
      s = known
    } else {
      s = addSilence(matchers, from: startsAt, to: endsAt, comment: c.note, by: c.by, command: c.id, now: now)
      tellOfBeginning(s, holding: hits, now: now)
    }
    return ["silence": .string(s.description), "ends_at": .string(endsAt.rfc3339), "hits": .int(hits.count)]
  }

  /// The answer to a command that was carried out before: the state as it is now. Nothing changes.
  package func repeated(_ c: Command) -> Reply {
    var body: [JSON.Member] = [.init("repeated", true)]
    if let id = c.alert, let a = alerts[id] { body.append(.init("alert", a.brief)) }
    if c.id != nil, case .silence = c.action, let s = silences.values.first(where: { $0.command == c.id }) {
      body.append(.init("silence", .string(s.subject.description)))
      body.append(.init("ends_at", .string(s.endsAt.rfc3339)))
    }
    if case .expireSilence(let s) = c.action { body.append(.init("silence", .string(s.description))) }
    return Reply(.success(.object(body)))
  }

  private func isDone(_ c: Command, _ a: AlertState) -> Bool {
    switch c.action {
    case .acknowledge: !a.isResolved && a.acknowledgedBy == c.by
    case .resolve: a.isResolved && a.resolvedBy == c.by
    case .assign(let to): a.assignee == to
    default: false
    }
  }

  private mutating func act(
    _ c: Command, on a: AlertState, now: Timestamp, _ lastValue: () -> Double?
  ) throws(CommandError) {
    let subject = a.id.subject
    func refuseIfResolved(_ verb: String) throws(CommandError) {
      guard !a.isResolved else {
        throw CommandError(.not_allowed_in_state, "\(a.id) is resolved; a resolved alert can't be \(verb)")
      }
    }
    func emit(_ event: AlertEvent) -> Int64 {
      self.emit(event, about: subject, now: now, actor: c.by, cause: a.decisivePosition)
    }
    switch c.action {
    case .acknowledge:
      try refuseIfResolved("acknowledged")
      if a.acknowledgedBy != nil { return }
      let timeout = policy(of: a.route)?.acknowledgeTimeout
      let cause = emit(.acknowledged(Acknowledged(note: c.note, until: timeout.map { now + $0 })))
      cancel(a.id, now: now, cause: cause, reason: "acknowledged by \(c.by)") { $0.purpose == .firing }
      for place in alerts[a.id]?.told ?? [] where Engine.showsAcknowledgement.contains(place.target.channel) {
        request(.acknowledged, subject, place, cause: cause, now: now)
      }
    case .unacknowledge:
      try refuseIfResolved("unacknowledged")
      guard a.acknowledgedBy != nil else { return }
      let cause = emit(.unacknowledged(Unacknowledged(reason: .responder, note: c.note)))
      resume(a.id, Occasion(.acknowledgement_taken_back, by: c.by), cause: cause, now: now)
    case .resolve:
      if a.isResolved { return }
      end(a.id, how: .responder, note: c.note, by: c.by, cause: a.decisivePosition, now: now)
    case .snooze(let interval, let unlessChanged):
      try refuseIfResolved("snoozed")
      var snoozed = Snoozed(until: now + interval, note: c.note, unlessChanged: unlessChanged)
      if unlessChanged != nil {
        // What came in this same batch was seen.
        let newest = repeats[a.id].map { KeptAnomaly(text: $0.last, seenAt: now).anomaly.value }
        snoozed.value = newest ?? lastValue()
      }
      let cause = emit(.snoozed(snoozed))
      cancel(a.id, now: now, cause: cause, reason: "snoozed by \(c.by)") { $0.purpose == .firing }
    case .unsnooze:
      guard a.snoozedUntil != nil else { return }
      let cause = emit(.unsnoozed(Unsnoozed(reason: .responder)))
      resume(a.id, Occasion(.snooze_ended, by: c.by), cause: cause, now: now)
    case .assign(let to):
      if a.assignee == to { return }
      _ = emit(.assigned(Assigned(to: to, note: c.note)))
    case .comment(let text): _ = emit(.commented(Commented(text: text)))
    case .label(let label): _ = emit(.labelled(Labelled(label: label, note: c.note)))
    case .escalate:
      try refuseIfResolved("escalated")
      guard policy(of: a.route) != nil else {
        throw CommandError(.not_allowed_in_state, "\(a.id) has no escalation policy: its route tells without one")
      }
      if a.acknowledgedBy == nil, a.snoozedUntil == nil, let held = a.held {
        throw CommandError(.not_allowed_in_state, "\(a.id) is \(held); end that before you escalate it")
      }
      // Whoever had taken it hands it on.
      if a.acknowledgedBy != nil { _ = emit(.unacknowledged(Unacknowledged(reason: .responder, note: c.note))) }
      if a.snoozedUntil != nil { _ = emit(.unsnoozed(Unsnoozed(reason: .responder))) }
      guard alerts[a.id]?.isHeld == false else { return }
      advance(
        a.id, reason: .by_hand, occasion: Occasion(.by_hand, by: c.by),
        cause: alerts[a.id]?.decisivePosition ?? 0, now: now, actor: c.by)
    case .silence, .previewSilence, .expireSilence, .digest, .wanted, .status: break
    }
  }

  private mutating func send(_ order: DigestOrder, by: String, now: Timestamp) throws(CommandError) -> JSON {
    let key = order.key
    if digests.contains(key) { return ["key": .string(key), "already": true] }
    let places = places(of: [order.receiver], configuration: configuration, now: now)
    guard !places.isEmpty else {
      throw CommandError(.invalid, "the receiver \"\(order.receiver)\" has no channel, so nobody would get the digest")
    }
    let subject = newSubject(.digest)
    for place in places {
      emit(
        .notificationRequested(
          NotificationRequested(
            key: "\(key)/\(place.target.channel)/\(place.target.destination)", purpose: .digest,
            receiver: place.receiver, channel: place.target.channel, destination: place.target.destination,
            content: order.content)), about: subject, now: now, actor: by)
    }
    return ["key": .string(key), "digest": .string(subject.description)]
  }
}

extension AlertState {
  /// What a reply says of an alert.
  package var brief: JSON {
    .compact([
      "id": .string(id.description), "version": .int(version), "generation": .int(generation),
      "severity": .string(severity.name), "state": .string(state.rawValue),
      "condition": isFiring ? "firing" : "cleared", "acknowledged_by": .text(acknowledgedBy),
      "acknowledged_until": .text(acknowledgedUntil?.rfc3339), "assignee": .text(assignee),
      "snoozed_until": .text(snoozedUntil?.rfc3339), "resolved_how": .text(resolvedHow?.rawValue),
      "next_escalation_at": .text(nextEscalationAt?.rfc3339), "event_type": .text(labels["event_type"]),
      "metric": .text(labels["metric"]),
    ])
  }
}
