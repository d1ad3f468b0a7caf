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
      if let known, let ended = known.resolvedAt, now - ended <= settings.reopenWithin {
        return reopen(known, anomaly, severity, now: now)
      }
      return open(anomaly, key, severity, after: life, now: now)
    case .resolved:
      guard let known, !known.isResolved else {
        counters.ignored += 1
        return .ignored("no open alert has this dedup key")
      }
      return clear(known, anomaly, now: now)
    }
  }

  private mutating func open(
    _ anomaly: Anomaly, _ key: StableHash, _ severity: Severity, after life: Life?, now: Timestamp
  ) -> Taken {
    let subject = newSubject(.alert)
    let id = AlertID(subject.number)
    let route = route(for: anomaly, severity, configuration)
    let position = emit(
      .detected(
        Detected(
          generation: (life?.generation ?? 0) + 1, previous: life?.alert, dedupKey: anomaly.dedupKey,
          severity: severity, route: route, anomaly: anomaly)),
      about: subject, now: now, occurredAt: anomaly.time, actor: anomaly.source)
    counters.opened += 1
    holdIfSilenced(id, now: now)
    begin(id, reason: nil, cause: position, now: now)
    return .opened(id)
  }

  private mutating func again(
    _ known: AlertState, _ anomaly: Anomaly, _ severity: Severity, now: Timestamp
  ) -> Taken {
    counters.repeated += 1
    var r =
      repeats[known.id]
      ?? Repeats(count: 0, firstTime: anomaly.time, lastTime: anomaly.time, worst: severity, last: anomaly)
    if r.count == 0 { repeatOrder.append(known.id) }
    r.count += 1
    r.firstTime = min(r.firstTime, anomaly.time)
    if anomaly.time >= r.lastTime {
      r.lastTime = anomaly.time
      r.last = anomaly
    }
    r.worst = max(r.worst, severity)
    repeats[known.id] = r
    guard severity > known.severity else { return .repeated(known.id) }

    let id = known.id
    let route = route({ $0 == "severity" ? severity.name : known.labels[$0] }, known.route.configuration)
    let cause = emit(
      .severityRaised(SeverityRaised(from: known.severity, to: severity, route: route == known.route ? nil : route)),
      about: id.subject, now: now, occurredAt: anomaly.time, actor: anomaly.source, cause: known.decisivePosition)
    if known.acknowledgedBy != nil {
      emit(.unacknowledged(Unacknowledged(reason: .severity_raised)), about: id.subject, now: now, cause: cause)
    }
    if known.snoozedUntil != nil {
      emit(.unsnoozed(Unsnoozed(reason: .severity_raised)), about: id.subject, now: now, cause: cause)
    }
    holdIfSilenced(id, now: now)
    begin(id, reason: .severity_raised, cause: cause, now: now)
    return .raised(id)
  }

  private mutating func reopen(
    _ known: AlertState, _ anomaly: Anomaly, _ severity: Severity, now: Timestamp
  ) -> Taken {
    let cause = emit(
      .reopened(Reopened(severity: severity, anomaly: anomaly)), about: known.id.subject, now: now,
      occurredAt: anomaly.time, actor: anomaly.source, cause: known.decisivePosition)
    cancel(known.id, now: now, cause: cause, reason: "reopened") { $0.purpose == .resolved }
    holdIfSilenced(known.id, now: now)
    begin(known.id, reason: .reopened, cause: cause, now: now)
    return .reopened(known.id)
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

  func route(for anomaly: Anomaly, _ severity: Severity, _ configuration: Int) -> RouteTaken {
    route({ $0 == "severity" ? severity.name : anomaly.label($0) }, configuration)
  }

  func route(_ label: (String) -> String?, _ configuration: Int) -> RouteTaken {
    let choice = Routing.choose(label, settings: configurations[configuration] ?? .init(), configuration: configuration)
    var taken = choice.taken
    if let key = taken.groupKey {
      taken.groupKey = "\(configuration)|\(key)"
      taken.group = groups["\(configuration)|\(key)"]?.subject ?? Subject(.group, (numbers[.group] ?? 0) + 1)
    }
    return taken
  }

  // MARK: - Silences

  private mutating func holdIfSilenced(_ id: AlertID, now: Timestamp) {
    guard !silences.isEmpty, let a = alerts[id] else { return }
    for s in silences.values.sorted(by: { $0.subject < $1.subject })
    where s.isActive(now) && !a.silencedBy.contains(s.subject) && a.labels.matches(s.matchers, severity: a.severity) {
      emit(.silenced(Silenced(silence: s.subject)), about: id.subject, now: now, cause: a.decisivePosition)
    }
  }
}
