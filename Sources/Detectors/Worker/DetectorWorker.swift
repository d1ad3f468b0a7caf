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
  private var failing: [String: Timestamp] = [:]
  /// What checks with a memory know of their series, by check.
  var memories: [String: CheckMemory] = [:]
  private var flood: Flood?
  private(set) var reports: [String: RunReport] = [:]
  private var totals = (runs: 0, firing: 0, resolved: 0, errors: 0)
  private let startedAt: Timestamp

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
    flood = plan.flood.map { Flood($0) }
    startedAt = clock()
  }

  /// Runs what is due of one event type. With `range`, every window that lies in it, whether it was checked or not.
  package func run(_ event: EventPlan, range: Range<Timestamp>? = nil) async -> RunReport {
    let start = now()
    var report = RunReport(event: event.name)
    do {
      guard try state.claim(event: event.name, worker: name, now: start, until: start + DetectorWorker.claimLength)
      else {
        report.outcome = .claimed("another worker has it")
        return report
      }
      defer { try? state.release(event: event.name, worker: name) }
      try await check(event, range: range, now: start, &report)
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

  private func check(_ event: EventPlan, range: Range<Timestamp>?, now: Timestamp, _ report: inout RunReport)
    async throws
  {
    if let source = event.verdicts {
      if range == nil { try await takeVerdicts(event, source, now: now, &report) }
      return
    }
    var firing = FiringSet(range == nil ? try state.firing(event: event.name) : [])
    let writing = AnomalyWriting(event: event, source: source(of: event), now: now)
    let known = Set(firing.byKey.keys)
    var anomalies: [Anomaly] = range == nil ? abandon(event, &firing, writing) : []
    var assessed: [(assessment: Assessment, calendar: WindowCalendar)] = []
    var watermarks: [String: Timestamp] = [:]
    var read = false
    var looked: [LateData] = []
    for (bucket, checks) in event.buckets {
      var reached: [String: Timestamp] = [:]
      for check in checks { reached[check.name] = try state.watermark(check.name)?.end }
      if range == nil { try recall(event, checks, now) }
      let kept = range == nil ? memories.mapValues(\.reached) : [:]
      var work = DueWork(
        event, checks, bucket: bucket, now: now, range: range, watermarks: reached, memories: kept)
      if work == nil, range == nil, firing.rows.contains(where: { LateData.waitedFor.contains($0.metric) }) {
        work = DueWork(again: event, checks, bucket: bucket, watermarks: reached)
      }
      guard let work else { continue }
      read = true
      let (found, reaches) = try await judge(
        event, work, reached: reached, isBackfill: range != nil, &looked, &report)
      assessed += found
      watermarks.merge(reaches) { max($0, $1) }
    }
    if read { report.outcome = .checked }
    if read { anomalies += sourceIsBack(event, &firing, writing) }
    anomalies += event.anomalies(assessed, firing: &firing, writing: writing)
    if let range {
      anomalies += try settle(event, firing, range, writing)
    } else if let counted = flood?.take(anomalies, known: known, worker: name, now: now) {
      anomalies = counted
    }
    try await publish(anomalies, &report)
    let newest = watermarks.values.max()
    report.newest = newest
    let keepsFiring: Bool
    if range == nil {
      keepsFiring = true
    } else {
      // A backfill that reaches the present leaves behind what fires there.
      var present = true
      for (check, end) in watermarks {
        if let reached = try state.watermark(check)?.end, reached > end { present = false }
      }
      keepsFiring = present && !watermarks.isEmpty
    }
    for late in looked { try state.keep(event: event.name, late.inputs, since: [late.series: late.oldest]) }
    try state.commit(event: event.name, watermarks: watermarks, firing: keepsFiring ? firing.rows : nil)
    if range == nil { try save(event, now, atOnce: false) }
    if !anomalies.isEmpty { CrashPoint.pass(.watermark) }
  }

  /// What a backfill of the past leaves firing at its end was over by the time that later windows were checked, unless it fires now.
  private func settle(
    _ event: EventPlan, _ firing: FiringSet, _ range: Range<Timestamp>, _ writing: AnomalyWriting
  ) throws -> [Anomaly] {
    let present = FiringSet(try state.firing(event: event.name))
    var out: [Anomaly] = []
    for (key, rows) in firing.byKey.sorted(by: { $0.key < $1.key }) where !present.has(key) {
      guard let row = rows.values.min(by: { $0.check < $1.check }),
        let reached = try state.watermark(row.check)?.end, reached > range.upperBound
      else { continue }
      var anomaly = writing.abandoned(row)
      anomaly.summary = "\(row.metric) has been checked since, and is normal"
      out.append(anomaly)
    }
    return out
  }

  func sourceIsBack(_ event: EventPlan, _ firing: inout FiringSet, _ writing: AnomalyWriting) -> [Anomaly] {
    guard firing.has(sourceKey(event), check: "\(event.name)/source") else { return [] }
    _ = firing.clear(sourceKey(event), check: "\(event.name)/source")
    failing[event.name] = nil
    return [writing.sourceBack()]
  }

  /// Names what the anomalies come from. A window that two workers judge gives one anomaly, since both give it the same name; what each machine sees for
  /// itself is its own.
  private func source(of event: EventPlan) -> String {
    "detector/\(event.isShared ? event.name : name)"
  }

  private func sourceKey(_ event: EventPlan) -> String {
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

  private func judge(
    _ event: EventPlan, _ work: DueWork, reached: [String: Timestamp], isBackfill: Bool, _ looked: inout [LateData],
    _ report: inout RunReport
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
    for (dimensions, checks) in groups.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
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
      for check in checks {
        let entries = table.entries(of: check)
        // A check whose memory agrees with the reading has nothing to take back; its past was not read.
        let isKnown = work.remembered.contains(check.name) && (memories[check.name]?.reached ?? .epoch) > .epoch
        let again =
          isKnown
          ? [] : event.lookAgain(check, entries, table, work, late?.changed ?? [], reached: reached[check.name])
        out += again.map { ($0, work.calendar) }
        guard var due = work.due[check.name] else { continue }
        if !event.source.keepsHistory, let newest = reading.rows.map(\.time).max() { due = newest...newest }
        for entry in entries {
          guard let last = entry.series.points.last(where: { $0.time <= due.upperBound })?.time else { continue }
          let range = work.newestOnly ? max(due.lowerBound, last)...max(due.upperBound, last) : due
          let assessed =
            remembers
            ? assess(event, check, entry, table, work, due: range)
            : event.assess(check, entry, table, calendar: work.calendar, due: range)
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

  // MARK: Saying

  func publish(_ anomalies: [Anomaly], _ report: inout RunReport) async throws {
    if !anomalies.isEmpty { CrashPoint.pass(.found) }
    var i = 0
    while i < anomalies.count {
      let end = min(anomalies.count, i + DetectorWorker.batchLimit)
      try await port.publish(Array(anomalies[i..<end]))
      i = end
    }
    for anomaly in anomalies {
      if anomaly.status == .firing { report.firing += 1 } else { report.resolved += 1 }
      if anomaly.status == .firing, report.findings.count < RunReport.findingLimit {
        let series = anomaly.dimensions.isEmpty ? "" : " (\(AnomalyWriting.series(anomaly.dimensions)))"
        let day = anomaly.window.map { $0.start.rfc3339 + " " } ?? ""
        report.findings.append("\(anomaly.severity?.name ?? "") \(day)\(anomaly.summary ?? anomaly.metric)\(series)")
      }
    }
  }

  private func sayFailed(_ event: EventPlan, _ error: SourceError, now: Timestamp) async {
    log.error("\(event.name): its data can't be read: \(error.message)")
    if let last = failing[event.name], now - last < DetectorWorker.failureRepeat { return }
    do {
      var firing = FiringSet(try state.firing(event: event.name))
      let since = firing.byKey[sourceKey(event)]?["\(event.name)/source"]?.since ?? now
      let anomaly = AnomalyWriting(event: event, source: source(of: event), now: now)
        .sourceFailed(error.message, since: since, kind: error.kind.rawValue)
      try await port.publish([anomaly])
      firing.fire(
        .init(
          dedupKey: anomaly.dedupKey, check: "\(event.name)/source", severity: .high, since: since,
          metric: AnomalyWriting.sourceMetric))
      try state.commit(event: event.name, watermarks: [:], firing: firing.rows)
      failing[event.name] = now
    } catch {
      log.error("\(event.name): that its source failed can't be published: \(error)")
    }
  }

  /// Tells the service that this worker lives, and what it has done.
  ///
  /// - Parameter promise: how long it may be silent from here on before somebody is told; zero when it takes its leave.
  package func beat(promise: Interval? = nil) async {
    let now = self.now()
    await port.heartbeat(
      .compact([
        "worker": .string("detector/\(name)"), "expect_heartbeat": .text(promise?.description),
        "started_at": .string(startedAt.rfc3339),
        "events": .int(plan.events.count),
        "checks": .int(plan.events.reduce(0) { $0 + $1.checks.count }), "runs": .int(totals.runs),
        "firing": .int(totals.firing), "resolved": .int(totals.resolved), "errors": .int(totals.errors),
        "lag_seconds": .number(reports.values.compactMap { lag($0, now) }.max()),
        "last": .array(
          reports.values.sorted { $0.event < $1.event }.prefix(200).map { r in
            .compact([
              "event_type": .string(r.event), "duration_ms": .int(r.duration.microseconds / 1000),
              "newest": .text(r.newest?.rfc3339), "series": .int(r.series),
              "lag_seconds": .number(lag(r, now)),
              "error": { if case .failed(let e) = r.outcome { .string(e) } else { .null } }(),
            ])
          }),
      ]))
  }

  /// How long ago the newest window should have been followed by another: zero while the schedule has nothing due.
  private func lag(_ report: RunReport, _ now: Timestamp) -> Double? {
    guard let newest = report.newest, let event = plan.events.first(where: { $0.name == report.event }) else {
      return nil
    }
    guard let due = event.schedule.last(atOrBefore: now) else { return nil }
    let length = event.checks.compactMap(\.bucket.length).min() ?? .zero
    return max(0, (due - (newest + length)).seconds)
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
