package import Alerts
package import Bus
import CrashPoints
package import Logging

/// Runs checks: reads the sources, judges what is due, publishes what it finds and what is over.
///
/// A window is judged once: the check's watermark moves only after its anomalies are durable, and their ids name the window, so that a run
/// that a crash repeats is recognised.
package actor DetectorWorker {
  package nonisolated let name: String
  package nonisolated let plan: DetectionPlan
  let port: any AnomalyPort
  let state: DetectorState
  /// Nil: this worker is the only one there is.
  let leases: Leases?
  /// It goes on where the service gives no lease, as a run by hand does.
  let isAlone: Bool
  nonisolated let now: @Sendable () -> Timestamp
  let log: Logger
  /// Event types whose source failed, and when that was last said.
  var failing: [String: Timestamp] = [:]
  /// The last question for a lease got no answer: nothing else is asked until one does.
  var serviceIsAway = false
  /// What checks with a memory know of their series, by check.
  var memories: [String: CheckMemory] = [:]
  private(set) var reports: [String: RunReport] = [:]
  private(set) var totals = (runs: 0, firing: 0, resolved: 0, errors: 0)
  let startedAt: Timestamp

  /// A source that stays broken is said again this often, so that the alert stays fresh.
  static let failureRepeat = Interval.minutes(10)
  /// Anomalies of one publish: what fits a bus message with room to spare.
  static let batchLimit = 50
  /// A claim outlives the slowest source, so that two workers never run the same event type.
  static let claimLength = Interval.minutes(10)

  package init(
    name: String, plan: DetectionPlan, port: any AnomalyPort, state: DetectorState, leases: Leases? = nil,
    isAlone: Bool = false, log: Logger, clock: @escaping @Sendable () -> Timestamp
  ) {
    self.name = name
    self.plan = plan
    self.port = port
    self.state = state
    self.leases = leases
    self.isAlone = isAlone
    self.log = log
    now = clock
    startedAt = clock()
  }

  /// Runs one event type: what is due, or what `extent` says.
  package func run(_ event: EventPlan, _ extent: Extent = .due, progress: WorkShare = .silent) async -> RunReport {
    let start = now()
    var report = RunReport(event: event.name)
    do {
      guard try state.claim(event: event.name, worker: name, now: start, until: start + DetectorWorker.claimLength)
      else {
        report.outcome = .claimed("another worker has it")
        return report
      }
      let claim = keepClaim(of: event)
      defer {
        claim.cancel()
        try? state.release(event: event.name, worker: name)
      }
      if extent == .due {
        try await check(event, now: start, &report)
      } else {
        try await backfill(event, extent, now: start, &report, progress)
      }
    } catch let error as SourceError {
      report.outcome = .failed(error.message)
      // A read that was broken off because the worker ends says nothing about the source.
      if !Task.isCancelled { await sayFailed(event, error, now: start) }
    } catch {
      report.outcome = .failed("\(error)")
      log.error("\(event.name): \(error)")
    }
    report.duration = now() - start
    if case .failed = report.outcome { totals.errors += 1 }
    totals.runs += 1
    totals.firing += report.firing
    totals.resolved += report.resolved
    if report.outcome != .nothingDue || reports[event.name] == nil {
      var kept = report
      kept.newest = report.newest ?? reports[event.name]?.newest
      reports[event.name] = kept
    }
    return report
  }

  /// A backfill may take longer than a claim lasts.
  private func keepClaim(of event: EventPlan) -> Task<Void, Never> {
    Task { [state, name, now] in
      while !Task.isCancelled {
        try? await Task.sleep(for: .microseconds(DetectorWorker.claimLength.microseconds / 3))
        guard !Task.isCancelled else { return }
        let time = now()
        _ = try? state.claim(event: event.name, worker: name, now: time, until: time + DetectorWorker.claimLength)
      }
    }
  }

  private func check(_ event: EventPlan, now: Timestamp, _ report: inout RunReport) async throws {
    if let source = event.verdicts { return try await takeVerdicts(event, source, now: now, &report) }
    var firing = FiringSet(try state.firing(event: event.name))
    let writing = AnomalyWriting(event: event, source: source(of: event), now: now)
    let known = Set(firing.byKey.keys)
    var anomalies = abandon(event, &firing, writing)
    var assessed: [(assessment: Assessment, calendar: WindowCalendar)] = []
    var watermarks: [String: Timestamp] = [:]
    var read = false
    var looked: [LateData] = []
    for (bucket, checks) in event.buckets {
      var reached: [String: Timestamp] = [:]
      for check in checks { reached[check.name] = try state.watermark(check.name)?.end }
      try recall(event, checks, now)
      var work = DueWork(
        event, checks, bucket: bucket, now: now, watermarks: reached, memories: memories.mapValues(\.reached))
      if work == nil, firing.rows.contains(where: { LateData.waitedFor.contains($0.metric) }) {
        work = DueWork(again: event, checks, bucket: bucket, watermarks: reached)
      }
      guard let work else { continue }
      read = true
      let (found, reaches) = try await judge(
        event, work, reached: reached, isBackfill: false, &looked, &report, .silent)
      assessed += found
      watermarks.merge(reaches) { max($0, $1) }
    }
    if read {
      report.outcome = .checked
      anomalies += sourceIsBack(event, &firing, writing)
    }
    anomalies += event.anomalies(assessed, firing: &firing, writing: writing)
    anomalies = await flooded(anomalies, known: known, now: now)
    try await publish(anomalies, &report)
    report.newest = watermarks.values.max()
    for late in looked { try state.keep(event: event.name, late.inputs, since: [late.series: late.oldest]) }
    try state.commit(event: event.name, watermarks: watermarks, firing: firing.rows)
    try save(event, now, atOnce: false)
    if !anomalies.isEmpty { CrashPoint.pass(.watermark) }
  }

  func sourceIsBack(_ event: EventPlan, _ firing: inout FiringSet, _ writing: AnomalyWriting) -> [Anomaly] {
    guard firing.has(sourceKey(event), check: "\(event.name)/source") else { return [] }
    _ = firing.clear(sourceKey(event), check: "\(event.name)/source")
    failing[event.name] = nil
    return [writing.sourceBack()]
  }

  /// Names what the anomalies come from. A window that two workers judge gives one anomaly, since both give it the same name; what each machine sees for
  /// itself is its own.
  func source(of event: EventPlan) -> String {
    "detector/\(event.isShared ? event.name : name)"
  }

  func sourceKey(_ event: EventPlan) -> String {
    "\(event.settings.tenant)|\(event.name)|\(AnomalyWriting.sourceMetric)"
  }

  private func abandon(_ event: EventPlan, _ firing: inout FiringSet, _ writing: AnomalyWriting) -> [Anomaly] {
    let known = Set(event.checks.map(\.name) + ["\(event.name)/source"])
    var out: [Anomaly] = []
    for row in firing.rows where !known.contains(row.check) {
      if let over = firing.clear(row.dedupKey, check: row.check) { out.append(writing.abandoned(over)) }
    }
    return out
  }

  // MARK: Reading and judging

  func judge(
    _ event: EventPlan, _ work: DueWork, reached: [String: Timestamp], isBackfill: Bool, _ looked: inout [LateData],
    _ report: inout RunReport, _ progress: WorkShare
  ) async throws -> ([(assessment: Assessment, calendar: WindowCalendar)], [String: Timestamp]) {
    var out: [(assessment: Assessment, calendar: WindowCalendar)] = []
    var reaches = work.reaches
    report.windows += work.count
    // Another look teaches nothing: what was taken in is corrected by the next reading that is due.
    let remembers = !isBackfill && !work.isAgain
    let known = isBackfill ? [] : try state.inputs(event: event.name)
    let groups = Dictionary(grouping: work.checks.filter { work.isAgain || work.due[$0.name] != nil }) { check in
      check.countsRows && check.dimensions.isEmpty ? event.settings.source.dimensions : check.dimensions
    }
    let ordered = groups.sorted { $0.key.lexicographicallyPrecedes($1.key) }
    for (g, (dimensions, checks)) in ordered.enumerated() {
      let share = progress.part(g, of: ordered.count)
      let request = SourceRequest(
        source: event.settings.source, dimensions: dimensions, metrics: event.settings.source.metrics,
        calendar: work.calendar, from: work.from, to: work.to, rowLimit: event.options.rowLimit,
        timeout: event.options.timeout)
      var reading = try await event.read(request)
      if !event.source.keepsHistory { reading = try remember(event, reading, checks, work.remembered) }
      if reading.bad.count > 0 {
        report.bad = reading.bad
        log.warning(
          "\(event.name): \(reading.bad.count) rows can't be read: \(reading.bad.examples.joined(separator: "; "))")
      }
      var table = SeriesTable(reading, work, from: work.from, dimensions, event.settings.source.metrics)
      let doubtful = doubts(checks, table, work, from: work.from)
      if !doubtful.isEmpty {
        // The past is no longer what it was: it is read once more, as if nothing were known of it.
        for name in doubtful { memories[name]?.forget() }
        var whole = request
        whole.from = work.fullFrom(doubtful)
        reading = try await event.read(whole)
        if !event.source.keepsHistory { reading = try remember(event, reading, checks, []) }
        table = SeriesTable(reading, work, from: whole.from, dimensions, event.settings.source.metrics)
      }
      let late = isBackfill ? nil : try lateData(event, work, reading, dimensions, known, &reaches)
      if let late { looked.append(late) }
      report.series += table.order.count * max(1, Set(checks.map(\.metric)).count)
      report.points += reading.rows.count
      if remembers { learn(event, table, checks, work) }
      for (c, check) in checks.enumerated() {
        let entries = table.entries(of: check)
        // A check whose memory agrees with the reading has nothing to take back; its past was not read.
        let isKnown = work.remembered.contains(check.name) && (memories[check.name]?.reached ?? .epoch) > .epoch
        let again =
          isKnown
          ? [] : event.lookAgain(check, entries, table, work, late?.changed ?? [], reached: reached[check.name])
        out += again.map { ($0, work.calendar) }
        guard var due = work.due[check.name] else { continue }
        if !event.source.keepsHistory, let newest = reading.rows.map(\.time).max() { due = newest...newest }
        for (e, entry) in entries.enumerated() {
          share.part(c, of: checks.count).part(e, of: entries.count).begin()
          guard let last = entry.series.points.last(where: { $0.time <= due.upperBound })?.time else { continue }
          let range = work.newestOnly ? max(due.lowerBound, last)...max(due.upperBound, last) : due
          let assessed =
            remembers
            ? assess(event, check, entry, table, work, due: range)
            : event.assess(
              check, entry, table, calendar: work.calendar, due: range, kept: try keptPast(event, check, entry))
          for a in assessed { out.append((a, work.calendar)) }
          if work.calendar.bucket == .exact, last >= due.lowerBound {
            reaches[check.name] = max(reaches[check.name] ?? .epoch, last)
          }
        }
      }
    }
    if remembers { reach(reaches) }
    return (out, reaches)
  }

  /// Adds a present reading to the past that the state keeps, and returns both.
  private func remember(
    _ event: EventPlan, _ reading: SourceReading, _ checks: [CheckPlan], _ remembered: Set<String>
  ) throws -> SourceReading {
    let metrics = event.settings.source.metrics
    var limit = AnomalyWriting.seriesLimit
    for check in checks {
      switch check.detector.lookback {
      case .none: break
      case .points(let n): limit = max(limit, n + check.consecutive + check.clearAfter)
      case .everything where remembered.contains(check.name): break
      case .time, .everything: limit = DetectorState.pointLimit
      }
    }
    var rows: [SourceReading.Row] = []
    var fresh: [(series: String, point: Point)] = []
    for row in reading.rows {
      for (k, metric) in metrics.enumerated() {
        if let value = row.values[k] { fresh.append((seriesName(event, metric, row), Point(row.time, value))) }
      }
    }
    try state.append(fresh)
    for dimensions in Set(reading.rows.map(\.dimensions)) {
      var byTime: [Timestamp: [Double?]] = [:]
      for (k, metric) in metrics.enumerated() {
        let name = seriesName(event, metric, .init(time: .epoch, dimensions: dimensions, values: []))
        for point in try state.points(name, limit: limit) {
          byTime[point.time, default: Array(repeating: nil, count: metrics.count)][k] = point.value
        }
      }
      rows += byTime.map { SourceReading.Row(time: $0, dimensions: dimensions, values: $1) }
    }
    return SourceReading(rows: rows.sorted { $0.time < $1.time }, bad: reading.bad)
  }

  private func seriesName(_ event: EventPlan, _ metric: DataSource.Metric, _ row: SourceReading.Row) -> String {
    ([event.settings.tenant, event.name, metric.alias] + row.dimensions).joined(separator: "\u{1}")
  }
}

extension EventPlan {
  /// Checks by bucket, in a fixed order.
  var buckets: [(Bucket, [CheckPlan])] {
    var out: [(Bucket, [CheckPlan])] = []
    for check in checks {
      if let i = out.firstIndex(where: { $0.0 == check.bucket }) {
        out[i].1.append(check)
      } else {
        out.append((check.bucket, [check]))
      }
    }
    return out
  }
}
