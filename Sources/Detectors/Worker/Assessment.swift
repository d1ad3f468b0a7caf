import Alerts

/// What one check says of one series in one window.
struct Assessment {
  enum Verdict: Equatable {
    /// Anomalous, for as many windows as it takes.
    case firing(Severity)
    case normal
    /// Neither: too little past, or not for long enough.
    case open
  }
  let check: CheckPlan
  let entry: SeriesTable.Entry
  let index: Int
  let window: Anomaly.Window
  let judgement: Judgement
  let verdict: Verdict
  /// What the check thinks of the newest points up to this one, where it is known already.
  var curve: [Judgement?]?
  /// For a window that was judged before, on other rows: names this state of them.
  var revision: String?
  /// Windows after it were judged before.
  var isPast = false

  var isFiring: Bool { if case .firing = verdict { true } else { false } }
}

extension EventPlan {
  /// Judges a series in those of its windows that `due` takes. Pure.
  func assess(
    _ check: CheckPlan, _ entry: SeriesTable.Entry, _ table: SeriesTable, calendar: WindowCalendar,
    due: ClosedRange<Timestamp>, kept: KeptPast? = nil
  ) -> [Assessment] {
    let points = entry.series.points
    guard let first = points.firstIndex(where: { due.contains($0.time) }) else { return [] }
    let from = max(0, first - max(check.consecutive, check.clearAfter) + 1)
    let judgements =
      (check.detector as? any BaselineJudging)?.judge(points, from: from, kept: kept)
      ?? check.detector.judge(points, from: from)
    return assess(check, entry, table, calendar: calendar, due: due, first: first, from: from, judgements)
  }

  /// The same for a check with a memory: it takes in what is new, and nothing is replayed.
  func assess(
    _ check: CheckPlan, _ entry: SeriesTable.Entry, _ table: SeriesTable, calendar: WindowCalendar,
    due: ClosedRange<Timestamp>, remembering memory: inout SeriesMemory, _ detector: Adaptive
  ) -> [Assessment] {
    let keeping = max(check.consecutive, check.clearAfter)
    let history = memory.advance(entry.series.points, keeping: keeping)
    guard let first = history.told.firstIndex(where: { due.contains($0.time) }) else { return [] }
    var entry = entry
    entry.series.points = history.told.map { Point($0.time, $0.value) }
    let from = max(0, first - keeping + 1)
    let judgements = (from..<history.told.count).map { history.judgement($0, detector) }
    var out = assess(check, entry, table, calendar: calendar, due: due, first: first, from: from, judgements)
    for k in out.indices where out[k].isFiring {
      let end = out[k].index
      let shown = max(0, end - AnomalyWriting.seriesLimit + 1)
      out[k].curve = (shown...end).map { history.judgement($0, detector) }
    }
    return out
  }

  private func assess(
    _ check: CheckPlan, _ entry: SeriesTable.Entry, _ table: SeriesTable, calendar: WindowCalendar,
    due: ClosedRange<Timestamp>, first: Int, from: Int, _ judgements: [Judgement?]
  ) -> [Assessment] {
    let points = entry.series.points
    var grades: [Severity?] = []
    for (k, judgement) in judgements.enumerated() {
      grades.append(judgement.flatMap { grade(check, $0, entry, table, calendar.window(at: points[from + k].time)) })
    }
    var out: [Assessment] = []
    for i in first..<points.count where due.contains(points[i].time) {
      guard let judgement = judgements[i - from] else { continue }
      let verdict: Assessment.Verdict
      if let severity = grades[i - from] {
        let run = grades[max(0, i - from - check.consecutive + 1)...(i - from)]
        verdict = run.count == check.consecutive && run.allSatisfy { $0 != nil } ? .firing(severity) : .open
      } else {
        let run = max(0, i - from - check.clearAfter + 1)...(i - from)
        verdict = run.allSatisfy { grades[$0] == nil } && run.count == check.clearAfter ? .normal : .open
      }
      let shown = max(0, i - AnomalyWriting.seriesLimit + 1)
      var curve: [Judgement?]?
      if case .firing = verdict, shown >= from { curve = Array(judgements[(shown - from)...(i - from)]) }
      out.append(
        Assessment(
          check: check, entry: entry, index: i, window: calendar.window(at: points[i].time), judgement: judgement,
          verdict: verdict, curve: curve))
    }
    return out
  }

  /// How bad it is; nil where it is nothing. With severity rules, one of them must hold: the worst that does. Without, the check's own severity, or
  /// the detector's.
  private func grade(
    _ check: CheckPlan, _ judgement: Judgement, _ entry: SeriesTable.Entry, _ table: SeriesTable,
    _ window: Anomaly.Window
  ) -> Severity? {
    guard judgement.isAnomalous else { return nil }
    guard check.condition != nil || (check.severity == nil && !rules.isEmpty) else {
      return check.severity ?? check.detector.severity(of: judgement)
    }
    let facts = Facts(
      event: settings, check: check, judgement: judgement, window: window, dimensions: entry.dimensions,
      others: table.lookUp(entry.values, at: window.start))
    if let condition = check.condition, !condition.holds(facts.value) { return nil }
    if let severity = check.severity { return severity }
    if rules.isEmpty { return check.detector.severity(of: judgement) }
    return rules.first { $0.condition.holds(facts.value) }?.severity
  }
}
