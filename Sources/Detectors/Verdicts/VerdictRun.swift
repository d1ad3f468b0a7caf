import Alerts

extension DetectorWorker {
  /// Takes up what other people's checks said since the last time: a bad word fires, a good one clears, and of each the newest alone counts.
  func takeVerdicts(
    _ event: EventPlan, _ source: any VerdictSource, now: Timestamp, _ report: inout RunReport
  ) async throws {
    let since = try state.watermark(event.verdictMark)?.end ?? .epoch
    let reading = try await event.patiently {
      try await source.verdicts(since: since, now: now, timeout: event.options.timeout)
    }
    var firing = FiringSet(try state.firing(event: event.name))
    let writing = AnomalyWriting(event: event, source: "detector/\(event.name)", now: now)
    let before = Dictionary(
      try state.inputs(event: event.name).map { ($0.series, $0) },
      uniquingKeysWith: { a, b in a.window > b.window ? a : b })
    var anomalies: [Anomaly] = []
    var taken: [DetectorState.Input] = []
    for verdict in reading.verdicts where verdict.status != .silent {
      let word = DetectorState.Input(
        series: verdict.check, window: verdict.at, hash: StableHash(verdict.id).low)
      if before[verdict.check].map({ $0.window <= verdict.at && $0.hash != word.hash }) ?? true {
        taken.append(word)
        anomalies += writing.anomalies(verdict, &firing)
      }
    }
    if let known = reading.known {
      let source = "\(event.name)/source"
      for row in firing.rows where row.check != source && !known.contains(row.check) {
        if let over = firing.clear(row.dedupKey, check: row.check) {
          var anomaly = writing.abandoned(over)
          anomaly.summary = "the check \(over.check) is no more"
          anomalies.append(anomaly)
        }
      }
    }
    let late = source.longestSilence.flatMap { silence in
      reading.newest.flatMap { now - $0 > silence ? $0 : nil }
    }
    if late == nil { anomalies += sourceIsBack(event, &firing, writing) }
    try await publish(anomalies, &report)
    report.outcome = taken.isEmpty && anomalies.isEmpty ? .nothingDue : .checked
    report.points = taken.count
    report.newest = reading.newest
    // The older words of the same checks are not asked for again.
    try state.keep(
      event: event.name, taken, since: Dictionary(taken.map { ($0.series, $0.window) }, uniquingKeysWith: max))
    try state.commit(
      event: event.name, watermarks: reading.newest.map { [event.verdictMark: $0] } ?? [:], firing: firing.rows)
    if let late {
      throw SourceError(
        .late,
        "its newest run is of \(late.rfc3339), \((now - late).rounded) ago, and one was expected every \(source.longestSilence?.description ?? "")"
      )
    }
  }
}

extension AnomalyWriting {
  /// The anomaly of a verdict: none for a good word about what was not bad.
  func anomalies(_ verdict: Verdict, _ firing: inout FiringSet) -> [Anomaly] {
    var anomaly = Anomaly(
      id: verdict.id, source: source, time: now, eventType: event.name, metric: verdict.metric)
    anomaly.tenant = event.settings.tenant
    anomaly.dimensions = verdict.dimensions
    anomaly.detector = verdict.detector
    anomaly.value = verdict.value
    anomaly.summary = verdict.summary
    anomaly.window = Anomaly.Window(start: verdict.at, end: verdict.at)
    anomaly.labels =
      event.settings.labels.sorted { $0.key < $1.key }.map { Anomaly.Label($0.key, $0.value) }
      + [.init("check", verdict.check)] + verdict.labels.filter { event.settings.labels[$0.name] == nil }
    anomaly.more = verdict.more
    switch verdict.status {
    case .silent: return []
    case .bad(let own):
      guard let severity = event.grade(verdict, own, anomaly) else { return [] }
      anomaly.severity = severity
      firing.fire(
        .init(
          dedupKey: anomaly.dedupKey, check: verdict.check, severity: severity, since: verdict.at,
          metric: anomaly.metric, dimensions: anomaly.dimensions))
    case .pass:
      guard let over = firing.clear(anomaly.dedupKey, check: verdict.check) else { return [] }
      anomaly.status = .resolved
      anomaly.severity = over.severity
    }
    return [anomaly]
  }
}

extension EventPlan {
  /// How bad a bad word is: what its owner wrote beside the check, else the worst of the rules that holds, else, where there are no rules, what the status says. Nil: no rule
  /// holds, and nothing is published.
  func grade(_ verdict: Verdict, _ own: Severity, _ anomaly: Anomaly) -> Severity? {
    guard !verdict.isGraded, !rules.isEmpty else { return own }
    let labels = anomaly.labels + anomaly.dimensions
    func fact(_ name: String) -> Condition.Value? {
      switch name {
      case "severity": return .text(own.name)
      case "status": return .text(verdict.word)
      case "value": return verdict.value.map { .number($0) }
      case "metric": return .text(verdict.metric)
      case "detector": return .text(verdict.detector)
      case "check": return .text(verdict.check)
      case "event_type": return .text(self.name)
      case "tenant": return .text(settings.tenant)
      case "weekday": return .number(Double(weekday(ofDay: verdict.at.utcDay.days)))
      case "hour": return .number(Double(verdict.at.utcDay.microseconds / 3_600_000_000))
      default: return labels.first { $0.name == name }.map { .text($0.value) }
      }
    }
    return rules.first { $0.condition.holds(fact) }?.severity
  }
}
