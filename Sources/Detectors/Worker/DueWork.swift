package import Alerts

/// Which windows a run looks at.
package enum Extent: Sendable, Equatable {
  /// What has become due since the last run.
  case due
  /// Every window of a range, whether it was checked or not.
  case range(Range<Timestamp>)
  /// The newest window of each check, whether it was checked or not.
  case newest
}

/// Which windows of one bucket's checks are to be judged now. Pure.
struct DueWork {
  let calendar: WindowCalendar
  let checks: [CheckPlan]
  /// Window starts (for points: their times) that each check takes. Nothing below the lower bound was left out.
  var due: [String: ClosedRange<Timestamp>]
  /// What each check will have reached.
  var reaches: [String: Timestamp]
  /// Where the reading begins; nil for the beginning of the data.
  var from: Timestamp?
  /// Where it ends.
  var to: Timestamp
  /// Windows to judge, for the report.
  var count: Int
  /// Only the newest point of each series: a first run on points.
  var newestOnly = false
  /// Nothing new: only what changed is judged.
  var isAgain = false
  /// Checks whose past is known, so that it is not read.
  var remembered: Set<String> = []

  /// The most windows that a run catches up on. Beyond it a backfill is the better tool, because it shows its progress.
  static let catchUpLimit = 5000
  /// How many windows before the first judged one are read at least, so that an anomaly can show where it came from.
  static let shownPast: Int64 = 30

  /// Nil where nothing is due.
  init?(
    _ event: EventPlan, _ checks: [CheckPlan], bucket: Bucket, now: Timestamp, extent: Extent = .due,
    watermarks: [String: Timestamp], memories: [String: Timestamp] = [:]
  ) {
    calendar = WindowCalendar(bucket, zone: event.zone)
    self.checks = checks
    let whole = event.options.firstRun.map { $0 == .all } ?? event.source.isRecording
    due = [:]
    reaches = [:]
    to = .epoch
    count = 0
    let range: Range<Timestamp>? = if case .range(let r) = extent { r } else { nil }
    var earliest = Timestamp.distantFuture
    if let length = bucket.length {
      let limit = range?.upperBound ?? (event.schedule.last(atOrBefore: now) ?? now) - event.options.delay
      for check in checks {
        let start: Timestamp
        if let range {
          start = range.lowerBound
        } else if extent == .due, let reached = watermarks[check.name] {
          start = reached
        } else if extent == .due, whole {
          start = .epoch
        } else {
          let last = calendar.windows(from: limit - length * 3, to: limit).last
          start = last?.start ?? limit
        }
        if start == .epoch {
          guard let last = calendar.windows(from: limit - length * 3, to: limit).last else { continue }
          due[check.name] = start...last.start
          reaches[check.name] = last.end
          earliest = .epoch
          to = max(to, last.end)
          continue
        }
        let windows = calendar.windows(from: start, to: limit, limit: range == nil ? DueWork.catchUpLimit : 1_000_000)
        guard let first = windows.first, let last = windows.last else { continue }
        due[check.name] = first.start...last.start
        reaches[check.name] = last.end
        earliest = min(earliest, first.start)
        to = max(to, last.end)
        count = max(count, windows.count)
      }
      guard !due.isEmpty else { return nil }
      remembered = Set(
        due.compactMap { name, range in
          range.lowerBound > .epoch && CheckMemory.covers(range.lowerBound, reached: memories[name], length)
            ? name : nil
        })
      // What was never taken in has to be read, whether it is due or not.
      for name in remembered { if let reached = memories[name] { earliest = min(earliest, reached) } }
      from = earliest == .epoch ? nil : earliest - DueWork.lookback(checks, length, remembered)
    } else {
      let end = range?.upperBound ?? now + Interval(microseconds: 1)
      for check in checks {
        let reached =
          range.map { $0.lowerBound - Interval(microseconds: 1) } ?? (extent == .due ? watermarks[check.name] : nil)
        if reached == nil, !whole || extent == .newest, event.source.keepsHistory { newestOnly = true }
        let start = (reached ?? .epoch) + Interval(microseconds: 1)
        let last = end - Interval(microseconds: 1)
        guard start <= last else { continue }
        due[check.name] = start...last
        earliest = min(earliest, start)
      }
      guard !due.isEmpty else { return nil }
      to = end
      var lookback: Interval? = .days(1)
      for check in checks {
        switch check.detector.lookback {
        case .none: break
        case .time(let i): lookback = lookback.map { max($0, i) }
        case .everything
        where CheckMemory.covers(due[check.name]?.lowerBound ?? .epoch, reached: memories[check.name], .zero):
          remembered.insert(check.name)
          earliest = min(earliest, memories[check.name] ?? .epoch)
        case .points, .everything: lookback = nil
        }
      }
      from = newestOnly || earliest <= .epoch + .days(1) ? nil : lookback.map { earliest - $0 }
    }
  }

  static func lookback(_ checks: [CheckPlan], _ length: Interval, _ remembered: Set<String>) -> Interval {
    // A check with a memory has kept what it shows.
    var longest = checks.allSatisfy { remembered.contains($0.name) } ? length * CheckMemory.overlap : length * shownPast
    for check in checks {
      let own: Interval =
        switch check.detector.lookback {
        case .everything where remembered.contains(check.name): length * CheckMemory.overlap
        case .none: .zero
        case .time(let i): i
        case .points(let n): length * Int64(n)
        case .everything: length * Int64(catchUpLimit)
        }
      longest = max(longest, own + length * Int64(max(check.consecutive, check.clearAfter)))
    }
    return longest
  }
}
