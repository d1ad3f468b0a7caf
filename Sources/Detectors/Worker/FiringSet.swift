import Alerts

/// What fires, per problem: several checks may report the same one, which is over only when the last of them says so.
struct FiringSet {
  private(set) var byKey: [String: [String: DetectorState.Firing]] = [:]

  init(_ rows: [DetectorState.Firing] = []) {
    for row in rows { byKey[row.dedupKey, default: [:]][row.check] = row }
  }

  var rows: [DetectorState.Firing] {
    byKey.values.flatMap(\.values).sorted { ($0.dedupKey, $0.check) < ($1.dedupKey, $1.check) }
  }

  mutating func fire(_ firing: DetectorState.Firing) {
    let since = byKey[firing.dedupKey]?[firing.check]?.since ?? firing.since
    var firing = firing
    firing.since = since
    byKey[firing.dedupKey, default: [:]][firing.check] = firing
  }

  /// The check's word that it is over. Returns what fired if this was the last.
  mutating func clear(_ key: String, check: String) -> DetectorState.Firing? {
    guard let firing = byKey[key]?.removeValue(forKey: check) else { return nil }
    guard byKey[key]?.isEmpty == true else { return nil }
    byKey[key] = nil
    return firing
  }

  func has(_ key: String, check: String) -> Bool { byKey[key]?[check] != nil }
  func has(_ key: String) -> Bool { byKey[key] != nil }
}

extension EventPlan {
  /// Turns assessments into anomalies, window by window: first everything that fires, then what is over. Pure.
  func anomalies(
    _ assessments: [(assessment: Assessment, calendar: WindowCalendar)], firing: inout FiringSet,
    writing: AnomalyWriting
  ) -> [Anomaly] {
    var out: [Anomaly] = []
    let ordered = assessments.enumerated().sorted {
      ($0.element.assessment.window.end, $0.offset) < ($1.element.assessment.window.end, $1.offset)
    }.map(\.element)
    var i = 0
    while i < ordered.count {
      let end = ordered[i].assessment.window.end
      let next = ordered[i...].firstIndex { $0.assessment.window.end != end } ?? ordered.count
      for (a, calendar) in ordered[i..<next] {
        guard case .firing(let severity) = a.verdict else { continue }
        let anomaly = writing.firing(a, severity, calendar: calendar)
        out.append(anomaly)
        if a.isPast {
          // Late rows show what was wrong then; the windows since say what is wrong now.
          if !firing.has(anomaly.dedupKey) { out.append(writing.past(a, severity, calendar: calendar)) }
        } else {
          firing.fire(
            .init(
              dedupKey: anomaly.dedupKey, check: a.check.name, severity: severity, since: a.window.end,
              metric: anomaly.metric, dimensions: anomaly.dimensions))
        }
      }
      for (a, calendar) in ordered[i..<next] where a.verdict == .normal && !a.isPast {
        guard !firing.byKey.isEmpty else { break }
        let anomaly = writing.resolved(a, severity: nil, calendar: calendar)
        guard let over = firing.clear(anomaly.dedupKey, check: a.check.name) else { continue }
        out.append(writing.resolved(a, severity: over.severity, calendar: calendar))
      }
      i = next
    }
    return out
  }
}
