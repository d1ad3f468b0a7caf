import Alerts

/// Writes anomalies. Pure: the same finding gives the same id for ever, so that a check that runs again is recognised as a repeat.
struct AnomalyWriting {
  let event: EventPlan
  /// The producer's name: `detector/warehouse-1`.
  let source: String
  let now: Timestamp

  /// Points of the recent past that an anomaly carries, so that people see the curve: half a year of days, ten hours of five minutes.
  static let seriesLimit = 120

  func firing(_ a: Assessment, _ severity: Severity, calendar: WindowCalendar) -> Anomaly {
    var anomaly = blank(a, calendar)
    anomaly.severity = severity
    let j = a.judgement
    anomaly.score = j.score
    anomaly.summary = a.check.detector.sentence(a.check.metric, j)
    if !j.explanation.isEmpty {
      anomaly.more.append(
        JSON.Member("explanation", .object(j.explanation.map { JSON.Member($0.name, AnomalyWriting.number($0.value)) }))
      )
    }
    anomaly.more.append(JSON.Member("series", series(a)))
    return anomaly
  }

  func resolved(_ a: Assessment, severity: Severity?, calendar: WindowCalendar) -> Anomaly {
    var anomaly = blank(a, calendar)
    anomaly.id += "/resolved"
    anomaly.status = .resolved
    anomaly.severity = severity
    let expected = a.judgement.expected.map { ", expected \(Sentence.number($0))" } ?? ""
    anomaly.summary = "\(a.check.metric) is back to normal (\(Sentence.number(a.judgement.value))\(expected))"
    return anomaly
  }

  /// Of a window that late rows made anomalous, after which others were normal.
  func past(_ a: Assessment, _ severity: Severity, calendar: WindowCalendar) -> Anomaly {
    var anomaly = resolved(a, severity: severity, calendar: calendar)
    anomaly.summary = "\(a.check.metric) has been normal in the windows since; the rows of this one came late"
    return anomaly
  }

  private func blank(_ a: Assessment, _ calendar: WindowCalendar) -> Anomaly {
    let id = [
      calendar.name(a.window), event.name, a.check.metric, AnomalyWriting.series(a.entry.dimensions),
      shortName(a.check),
    ]
    var anomaly = Anomaly(
      id: (id + (a.revision.map { ["again-\($0)"] } ?? [])).joined(separator: "/"), source: source, time: now,
      eventType: event.name, metric: a.check.metric)
    anomaly.tenant = event.settings.tenant
    anomaly.dimensions = a.entry.dimensions
    anomaly.detector = a.check.detector.name
    anomaly.window = a.window
    anomaly.value = finite(a.judgement.value)
    anomaly.expected = finite(a.judgement.expected)
    anomaly.lower = finite(a.judgement.lower)
    anomaly.upper = finite(a.judgement.upper)
    anomaly.deviation = finite(a.judgement.deviation)
    anomaly.labels = labels(check: a.check.name)
    return anomaly
  }

  private func labels(check: String) -> [Anomaly.Label] {
    event.settings.labels.sorted { $0.key < $1.key }.map { Anomaly.Label($0.key, $0.value) } + [.init("check", check)]
  }

  private func finite(_ d: Double?) -> Double? { d.flatMap { $0.isFinite ? $0 : nil } }

  /// `device=mobile,country=DE`, or `-` for a series without dimensions.
  static func series(_ dimensions: [Anomaly.Label]) -> String {
    dimensions.isEmpty ? "-" : dimensions.map { "\($0.name)=\($0.value)" }.joined(separator: ",")
  }

  private func shortName(_ check: CheckPlan) -> String {
    let prefix = "\(event.name)/\(check.metric)/"
    return check.name.hasPrefix(prefix) ? String(check.name.dropFirst(prefix.count)) : check.name
  }

  /// `[{"t": "2026-11-20T00:00:00Z", "value": 245, "expected": 1850, "lower": …, "upper": …}, …]`, oldest first.
  private func series(_ a: Assessment) -> JSON {
    let points = a.entry.series.points
    let from = max(0, a.index - AnomalyWriting.seriesLimit + 1)
    let judgements = a.curve ?? a.check.detector.judge(Array(points[...a.index]), from: from)
    return .array(
      zip(points[from...a.index], judgements).map { point, judgement in
        .compact([
          "t": .string(point.time.rfc3339), "value": AnomalyWriting.number(point.value),
          "expected": AnomalyWriting.number(judgement?.expected), "lower": AnomalyWriting.number(judgement?.lower),
          "upper": AnomalyWriting.number(judgement?.upper),
        ])
      })
  }

  /// Six digits: a curve needs no more, and every anomaly is kept for ever.
  static func number(_ value: Double?) -> JSON {
    guard let value, value.isFinite else { return .null }
    guard value != 0, value.magnitude < 1e12, value.magnitude > 1e-12 else { return .number(value) }
    var scale = 1.0
    while value.magnitude * scale < 100_000 { scale *= 10 }
    return .number((value * scale).rounded() / scale)
  }

  // MARK: The source itself

  static let sourceMetric = "source"

  func sourceFailed(_ message: String, since: Timestamp, kind: String) -> Anomaly {
    var anomaly = Anomaly(
      id: "\(now.rfc3339)/\(event.name)/\(AnomalyWriting.sourceMetric)/-/source", source: source, time: now,
      eventType: event.name, metric: AnomalyWriting.sourceMetric)
    anomaly.tenant = event.settings.tenant
    anomaly.detector = "source"
    anomaly.severity = .high
    anomaly.window = Anomaly.Window(start: since, end: now)
    anomaly.summary = "the data of \(event.name) can't be read: \(message.prefix(2000))"
    anomaly.labels = labels(check: "\(event.name)/source") + [.init("kind", kind)]
    return anomaly
  }

  /// Its check is no longer configured, so nothing else will ever clear it.
  func abandoned(_ firing: DetectorState.Firing) -> Anomaly {
    var anomaly = Anomaly(
      id: "\(firing.since.rfc3339)/\(firing.check)/\(AnomalyWriting.series(firing.dimensions))/abandoned",
      source: source,
      time: now, eventType: event.name, metric: firing.metric)
    anomaly.tenant = event.settings.tenant
    anomaly.dimensions = firing.dimensions
    anomaly.status = .resolved
    anomaly.severity = firing.severity
    anomaly.summary = "the check \(firing.check) is no longer configured"
    anomaly.labels = labels(check: firing.check)
    return anomaly
  }

  func sourceBack() -> Anomaly {
    var anomaly = Anomaly(
      id: "\(now.rfc3339)/\(event.name)/\(AnomalyWriting.sourceMetric)/-/source/resolved", source: source, time: now,
      eventType: event.name, metric: AnomalyWriting.sourceMetric)
    anomaly.tenant = event.settings.tenant
    anomaly.detector = "source"
    anomaly.status = .resolved
    anomaly.summary = "the data of \(event.name) can be read again"
    anomaly.labels = labels(check: "\(event.name)/source")
    return anomaly
  }
}
