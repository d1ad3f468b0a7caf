package import Alerts
import Bus
import CrashPoints
import Logging

extension DetectorWorker {
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

  func sayFailed(_ event: EventPlan, _ error: SourceError, now: Timestamp) async {
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
              "newest": .text(r.newest?.rfc3339), "windows": .int(r.windows), "points": .int(r.points),
              "series": .int(r.series),
              "lag_seconds": .number(lag(r, now)),
              "error": { if case .failed(let e) = r.outcome { .string(e) } else { .null } }(),
            ])
          }),
      ]))
  }

  /// How long ago the newest window should have been followed by another: zero while the schedule has nothing due.
  func lag(_ report: RunReport, _ now: Timestamp) -> Double? {
    guard let newest = report.newest, let event = plan.events.first(where: { $0.name == report.event }) else {
      return nil
    }
    guard let due = event.schedule.last(atOrBefore: now) else { return nil }
    let length = event.checks.compactMap(\.bucket.length).min() ?? .zero
    return max(0, (due - (newest + length)).seconds)
  }
}
