package import Alerts

extension Engine {
  /// What an anomaly came to.
  package enum Taken: Sendable, Equatable {
    case opened(AlertID)
    case repeated(AlertID)
    case raised(AlertID)
    case reopened(AlertID)
    case cleared(AlertID)
    /// Nothing to do, and why.
    case ignored(String)
  }

  /// The severity of an anomaly whose detector gave none.
  package static let defaultSeverity = Severity.medium

  /// Judges one anomaly that was not seen before.
  @discardableResult
  package mutating func take(_ anomaly: Anomaly, now: Timestamp) -> Taken {
    let key = StableHash(anomaly.dedupKey)
    let life = lives[key]
    let known = life.flatMap { alerts[$0.alert] }
    switch anomaly.status {
    case .firing:
      let severity = anomaly.severity ?? Engine.defaultSeverity
      if let known, !known.isResolved { return again(known, anomaly, severity, now: now) }
      if let known, let ended = known.resolvedAt, known.isFlapping || now - ended < settings.reopenWithin {
        return reopen(known, anomaly, severity, now: now)
      }
      return open(anomaly, key, severity, after: life, now: now)
    case .resolved:
      guard let known, !known.isResolved else {
        counters.ignored += 1
        return .ignored(Engine.nothingToClear)
      }
      return clear(known, anomaly, now: now)
    }
  }

  private mutating func open(
    _ anomaly: Anomaly, _ key: StableHash, _ severity: Severity, after life: Life?, now: Timestamp
  ) -> Taken {
    let route = route({ $0 == "severity" ? severity.name : anomaly.label($0) }, configuration, now: now)
    return open(
      KeptAnomaly(anomaly), anomaly.dedupKey, from: anomaly.source, at: anomaly.time, severity, route, after: life,
      now: now)
  }

  mutating func open(
    _ kept: KeptAnomaly, _ dedupKey: String, from source: String, at time: Timestamp, _ severity: Severity,
    _ route: FrozenRoute, after life: Life?, now: Timestamp
  ) -> Taken {
    let subject = newSubject(.alert)
    let id = AlertID(subject.number)
    let position = emit(
      .detected(
        Detected(
          generation: (life?.generation ?? 0) + 1, previous: life?.alert, dedupKey: dedupKey, severity: severity,
          frozen: route, kept: kept)),
      about: subject, now: now, occurredAt: time, actor: source)
    counters.opened += 1
    if !silences.isEmpty { holdIfSilenced(id, now: now) }
    holdIfInhibited(id, now: now)
    // Most alerts are for the dashboard only: nobody is told.
    if !route.route.dashboardOnly || !route.route.also.isEmpty {
      begin(id, reason: nil, occasion: Occasion(.opened), cause: position, now: now)
    }
    holdTargets(of: id, now: now)
    return .opened(id)
  }

  private mutating func again(
    _ known: AlertState, _ anomaly: Anomaly, _ severity: Severity, now: Timestamp
  ) -> Taken {
    noteRepeat(of: known.id, severity, at: anomaly.time, from: anomaly.source) { TextPiece(anomaly.cloudEvent) }
    guard severity > known.severity else {
      if known.endsSnooze(anomaly.value) { wake(known.id, now: now) }
      return .repeated(known.id)
    }

    let id = known.id
    let explained = inhibitions.isEmpty ? [] : inhibitions.targets(of: id).map(\.id)
    let cause = raise(known, to: severity, anomaly, now: now)
    if known.acknowledgedBy != nil {
      emit(.unacknowledged(Unacknowledged(reason: .severity_raised)), about: id.subject, now: now, cause: cause)
    }
    if known.snoozedUntil != nil {
      emit(.unsnoozed(Unsnoozed(reason: .severity_raised)), about: id.subject, now: now, cause: cause)
    }
    lookAgain(id, former: explained, cause: cause, now: now)
    begin(id, reason: .severity_raised, occasion: Occasion(.severity_raised), cause: cause, now: now)
    holdTargets(of: id, now: now)
    return .raised(id)
  }

  /// It was snoozed until its value changes, and that has changed.
  private mutating func wake(_ id: AlertID, now: Timestamp) {
    closeRepeats(of: id, now: now)
    let cause = emit(
      .unsnoozed(Unsnoozed(reason: .value_changed)), about: id.subject, now: now, cause: alerts[id]?.anomalyPosition)
    resume(id, Occasion(.value_changed), cause: cause, now: now)
  }

  /// It got worse: by the configuration that it was opened under, another route may take it.
  private mutating func raise(_ known: AlertState, to severity: Severity, _ anomaly: Anomaly, now: Timestamp) -> Int64 {
    let before = known.route
    let route = route({ $0 == "severity" ? severity.name : known.labels[$0] }, before.configuration, now: now).route
    return emit(
      .severityRaised(SeverityRaised(from: known.severity, to: severity, route: route == before ? nil : route)),
      about: known.id.subject, now: now, occurredAt: anomaly.time, actor: anomaly.source,
      cause: alerts[known.id]?.decisivePosition)
  }

  /// Silences and inhibitions may ask for its severity.
  private mutating func lookAgain(_ id: AlertID, former: [AlertID], cause: Int64, now: Timestamp) {
    holdIfSilenced(id, now: now)
    guard !inhibitions.isEmpty else { return }
    if let by = alerts[id]?.inhibitedBy, !inhibitions.sources(of: id).contains(where: { $0.id == by }) {
      emit(.uninhibited(Uninhibited(by: by)), about: id.subject, now: now, cause: cause)
    }
    holdIfInhibited(id, now: now)
    let still = Set(inhibitions.targets(of: id).map(\.id))
    releaseTargets(of: id, former.filter { !still.contains($0) }, cause: cause, now: now)
  }

  private mutating func reopen(
    _ known: AlertState, _ anomaly: Anomaly, _ severity: Severity, now: Timestamp
  ) -> Taken {
    let id = known.id
    let wasFlapping = known.isFlapping
    // It comes back no worse than it was: if it is worse, that is a fact of its own, with a route of its own.
    var cause = emit(
      .reopened(Reopened(severity: min(severity, known.severity), anomaly: anomaly)), about: id.subject, now: now,
      occurredAt: anomaly.time, actor: anomaly.source, cause: known.decisivePosition)
    if severity > known.severity { cause = raise(known, to: severity, anomaly, now: now) }
    cancel(id, now: now, cause: cause, reason: "fires again") { $0.purpose == .resolved }
    holdIfSilenced(id, now: now)
    holdIfInhibited(id, now: now)
    // What flaps was told to flap.
    if !wasFlapping || severity > known.severity {
      begin(id, reason: .reopened, occasion: Occasion(.reopened), cause: cause, now: now)
    }
    if !wasFlapping, let rule = settings.flapping, let a = alerts[id],
      Flaps.isFlapping(a.reopenings, now: now, rule: rule)
    {
      emit(.flapping(Flapping(changes: a.reopenings.count)), about: id.subject, now: now, cause: cause)
    }
    holdTargets(of: id, now: now)
    return .reopened(id)
  }

  private mutating func clear(_ known: AlertState, _ anomaly: Anomaly, now: Timestamp) -> Taken {
    counters.cleared += 1
    let cause = emit(
      .cleared(Cleared(anomaly: anomaly)), about: known.id.subject, now: now, occurredAt: anomaly.time,
      actor: anomaly.source, cause: known.decisivePosition)
    end(known.id, how: .cleared, note: nil, by: "tocsin", cause: cause, now: now)
    return .cleared(known.id)
  }

  // MARK: - Routes

  mutating func route(_ label: (String) -> String?, _ number: Int, now: Timestamp) -> FrozenRoute {
    if number != configuration {
      return frozen(
        Routing.choose(label, settings: configurations[number] ?? .init(), configuration: number), now: now)
    }
    let (index, also) = Routing.find(label, settings.routes)
    guard let index, also.isEmpty else {
      return frozen(Routing.choose(label, settings: settings, configuration: number), now: now)
    }
    if let known = plainRoutes[index], known.route.configuration == number { return known }
    let new = frozen(Routing.choose(label, settings: settings, configuration: number), now: now)
    if new.route.groupKey == nil { plainRoutes[index] = new }
    return new
  }

  private func frozen(_ route: RouteTaken, now: Timestamp) -> FrozenRoute {
    var taken = route
    if let key = taken.groupKey { taken.group = group(key, now: now) ?? newSubject(.group) }
    return FrozenRoute(taken)
  }
}
