import Alerts

/// Windows whose rows changed after they were judged: data that came late, or was mended. Pure.
struct LateData {
  /// What the newest windows are made of now, to be compared with next time.
  private(set) var inputs: [DetectorState.Input] = []
  /// Judged before on other rows; with what tells this state of them from the one before.
  private(set) var changed: [(window: Anomaly.Window, revision: String)] = []
  let series: String
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
    from = reached - length * Int64(event.options.recheck) - DueWork.lookback(checks, length)
    isAgain = true
  }
}
