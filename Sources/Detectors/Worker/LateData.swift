import Alerts

/// Windows whose rows changed after they were judged: data that came late, or was mended. Pure.
struct LateData {
  /// What the newest windows are made of now, to be compared with next time.
  private(set) var inputs: [DetectorState.Input] = []
  /// Judged before on other rows; with what tells this state of them from the one before.
  private(set) var changed: [(window: Anomaly.Window, revision: String)] = []
  let series: String
  /// While one of these fires, each turn looks for the rows that are missing.
  static let waitedFor = [RowCount.metric, Freshness.metric]
  private(set) var oldest: Timestamp

  /// `keep`: how many windows are looked at again. `known`: what they were made of, of any series.
  init(
    _ reading: SourceReading, _ calendar: WindowCalendar, dimensions: [String], windows: [Anomaly.Window], keep: Int,
    known: [DetectorState.Input]
  ) {
    series = ([String(describing: calendar.bucket)] + dimensions).joined(separator: "|")
    let before = Dictionary(
      known.filter { [series] in $0.series == series }.map { ($0.window, $0.hash) }, uniquingKeysWith: { a, _ in a })
    let newest = windows.suffix(keep)
    oldest = newest.first?.start ?? .distantFuture
    var now: [Timestamp: UInt64] = [:]
    let first = min(oldest, before.keys.min() ?? oldest)
    for row in reading.rows where row.time >= first {
      let text = row.dimensions.joined(separator: "\u{1}") + "\u{2}\(row.count)\u{2}\(row.values)"
      // Added up, so that the order of the rows does not matter.
      now[row.time, default: 0] &+= StableHash(text).low
    }
    for window in windows {
      let hash = now[window.start] ?? 0
      if let old = before[window.start], old != hash {
        changed.append((window, String(hash, radix: 36)))
      }
      if window.start >= oldest {
        inputs.append(DetectorState.Input(series: series, window: window.start, hash: hash))
      }
    }
  }
}

extension DetectorWorker {
  /// What the newest windows are made of, beside what they were made of; nil for points, and where nobody looks back. Throws where rows that were there are gone.
  func lateData(
    _ event: EventPlan, _ work: DueWork, _ reading: SourceReading, _ dimensions: [String],
    _ known: [DetectorState.Input], _ reaches: inout [String: Timestamp]
  ) throws -> LateData? {
    guard work.calendar.bucket != .exact else { return nil }
    if let mark = try state.watermark(event.rowsMark)?.end { try event.mustNotBeEmpty(reading, work, since: mark) }
    let times = reading.rows.map(\.time)
    if let newest = times.max() { reaches[event.rowsMark] = newest }
    guard event.options.recheck > 0, event.source.keepsHistory else { return nil }
    let first = work.from ?? work.calendar.window(at: times.min() ?? work.to).start
    return LateData(
      reading, work.calendar, dimensions: dimensions,
      windows: work.calendar.windows(from: first, to: work.to, limit: 1_000_000), keep: event.options.recheck,
      known: known)
  }
}

extension EventPlan {
  /// Judges windows once more that were judged on other rows.
  func lookAgain(
    _ check: CheckPlan, _ entries: [SeriesTable.Entry], _ table: SeriesTable, _ work: DueWork,
    _ changed: [(window: Anomaly.Window, revision: String)], reached: Timestamp?
  ) -> [Assessment] {
    guard let reached else { return [] }
    return changed.filter { $0.window.end <= reached }.flatMap { change in
      entries.flatMap { entry in
        let start = change.window.start
        return assess(check, entry, table, calendar: work.calendar, due: start...start).map { a in
          var a = a
          a.revision = change.revision
          a.isPast = change.window.end < reached
          return a
        }
      }
    }
  }
}

extension DueWork {
  /// Another look at windows that were judged: nothing new is due, but rows were missing, and may have come.
  init?(again event: EventPlan, _ checks: [CheckPlan], bucket: Bucket, watermarks: [String: Timestamp]) {
    guard event.options.recheck > 0, let length = bucket.length, let reached = watermarks.values.max() else {
      return nil
    }
    calendar = WindowCalendar(bucket, zone: event.zone)
    self.checks = checks
    due = [:]
    reaches = [:]
    to = reached
    count = 0
    from = reached - length * Int64(event.options.recheck) - DueWork.lookback(checks, length, [])
    isAgain = true
  }
}
