package import Alerts

/// How far a backfill has come.
package struct BackfillProgress: Sendable, Equatable {
  package var event: String
  /// Windows of this event type, all its checks' lengths together, that were judged.
  package var windows: Int
  package var of: Int
  /// Of the whole backfill, from 0 to 1.
  package var share: Double
}

extension DetectorWorker {
  /// How long a backfill waits for whoever checks the same event type at the moment.
  static let leaseWait = 60

  /// Checks every window of a range, oldest first, one event type after the other, each under its lease. `progress` hears how far it has come, at most a few times a
  /// percent.
  package func backfill(
    _ range: Range<Timestamp>, only: Set<String>? = nil, progress: @escaping @Sendable (BackfillProgress) -> Void
  ) async -> [RunReport] {
    await lookAgain(.range(range), only: only, progress)
  }

  /// Runs what is due, and where nothing is, judges the newest windows once more. What is found has the same ids as before, so that nothing is told twice.
  package func runAgain(only: Set<String>? = nil) async -> [RunReport] {
    var out: [RunReport] = []
    for report in await runOnce(only: only) {
      guard report.outcome == .nothingDue else {
        out.append(report)
        continue
      }
      out += await lookAgain(.newest, only: [report.event]) { _ in }
    }
    return out
  }

  private func lookAgain(
    _ extent: Extent, only: Set<String>?, _ progress: @escaping @Sendable (BackfillProgress) -> Void
  ) async -> [RunReport] {
    var out: [RunReport] = []
    let events = plan.events.filter { only?.contains($0.name) ?? true }
    let time = now()
    for (k, event) in events.enumerated() {
      let (name, count) = (event.name, events.count)
      let windows = event.buckets.reduce(0) {
        $0 + (DueWork(event, $1.1, bucket: $1.0, now: time, extent: extent, watermarks: [:])?.count ?? 0)
      }
      let share = WorkShare { done in
        progress(
          BackfillProgress(
            event: name, windows: Int((Double(windows) * done).rounded()), of: windows,
            share: (Double(k) + done) / Double(max(1, count))))
      }
      share.begin()
      var report = await runInTurn(event, extent, progress: share)
      var waited = 0
      while case .claimed = report.outcome, waited < DetectorWorker.leaseWait, !Task.isCancelled {
        try? await Task.sleep(for: .seconds(1))
        waited += 1
        report = await runInTurn(event, extent, progress: share)
      }
      share.end()
      out.append(report)
    }
    return out
  }

  /// One event type, in as few readings as the row limit allows.
  func backfill(
    _ event: EventPlan, _ extent: Extent, now: Timestamp, _ report: inout RunReport, _ progress: WorkShare
  ) async throws {
    guard event.verdicts == nil else { return }
    var filling = Filling(writing: AnomalyWriting(event: event, source: source(of: event), now: now))
    var rest = [extent]
    var done = 0
    while let next = rest.first {
      do {
        try await fill(event, next, now, &filling, &report, progress.part(done, of: done + rest.count))
        rest.removeFirst()
        done += 1
      } catch let error as SourceError where error.kind == .too_many_rows {
        guard case .range(let range) = next, let halves = event.halves(of: range) else { throw error }
        rest.replaceSubrange(0..<1, with: halves.map { .range($0) })
      }
    }
    try await settle(event, filling, &report)
  }

  private struct Filling {
    let writing: AnomalyWriting
    var firing = FiringSet()
    var watermarks: [String: Timestamp] = [:]
    /// Problems that were looked at: key and check.
    var judged: Set<String> = []
  }

  private func fill(
    _ event: EventPlan, _ extent: Extent, _ now: Timestamp, _ filling: inout Filling, _ report: inout RunReport,
    _ progress: WorkShare
  ) async throws {
    var assessed: [(assessment: Assessment, calendar: WindowCalendar)] = []
    var looked: [LateData] = []
    let buckets = event.buckets
    for (k, (bucket, checks)) in buckets.enumerated() {
      guard let work = DueWork(event, checks, bucket: bucket, now: now, extent: extent, watermarks: [:]) else {
        continue
      }
      let (found, reaches) = try await judge(
        event, work, reached: [:], isBackfill: true, &looked, &report, progress.part(k, of: buckets.count))
      assessed += found
      filling.watermarks.merge(reaches) { max($0, $1) }
      report.outcome = .checked
    }
    let anomalies = event.anomalies(assessed, firing: &filling.firing, writing: filling.writing)
    for (a, calendar) in assessed where a.verdict != .open {
      filling.judged.insert(
        "\(filling.writing.resolved(a, severity: nil, calendar: calendar).dedupKey)\u{1}\(a.check.name)")
    }
    try await publish(anomalies, &report)
  }

  /// Where a backfill reaches the present, what it found firing there is what fires. What it leaves firing in the past was over by the time that later windows were checked.
  private func settle(_ event: EventPlan, _ filling: Filling, _ report: inout RunReport) async throws {
    report.newest = filling.watermarks.values.max()
    let known = FiringSet(try state.firing(event: event.name))
    var present = !filling.watermarks.isEmpty
    for (check, end) in filling.watermarks {
      if let reached = try state.watermark(check)?.end, reached > end { present = false }
    }
    var over: [Anomaly] = []
    func end(_ row: DetectorState.Firing) {
      var anomaly = filling.writing.abandoned(row)
      anomaly.summary = "\(row.metric) has been checked since, and is normal"
      over.append(anomaly)
    }
    var firing = known
    if present {
      for row in filling.firing.rows { firing.fire(row) }
      // Looked at once more, and found normal.
      for row in known.rows
      where filling.judged.contains("\(row.dedupKey)\u{1}\(row.check)")
        && !filling.firing.has(row.dedupKey, check: row.check)
      {
        if let last = firing.clear(row.dedupKey, check: row.check) { end(last) }
      }
    } else {
      for (key, rows) in filling.firing.byKey.sorted(by: { $0.key < $1.key }) where !known.has(key) {
        if let row = rows.values.min(by: { $0.check < $1.check }) { end(row) }
      }
    }
    try await publish(over, &report)
    try state.commit(event: event.name, watermarks: filling.watermarks, firing: present ? firing.rows : nil)
  }
}

extension EventPlan {
  /// A range in two, cut where no window is. Nil where it can't be.
  func halves(of range: Range<Timestamp>) -> [Range<Timestamp>]? {
    let bucket = checks.map(\.bucket).max { ($0.length ?? .zero) < ($1.length ?? .zero) } ?? .exact
    let middle = range.lowerBound + Interval(microseconds: (range.upperBound - range.lowerBound).microseconds / 2)
    let cut = bucket == .exact ? middle : WindowCalendar(bucket, zone: zone).window(at: middle).start
    guard cut > range.lowerBound, cut < range.upperBound else { return nil }
    return [range.lowerBound..<cut, cut..<range.upperBound]
  }
}
