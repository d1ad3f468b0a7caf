package import Alerts

/// How a source's rows are cut into windows, one point each.
package enum Bucket: Sendable, Hashable {
  /// A calendar day of the data's zone.
  case day
  /// Monday to Sunday.
  case week
  case hour
  /// Whole multiples of a length since 1970.
  case step(Interval)
  /// Every distinct time in the source is a point of its own.
  case exact

  /// Its usual length; nil for points at any distance.
  package var length: Interval? {
    switch self {
    case .day: .days(1)
    case .week: .days(7)
    case .hour: .hours(1)
    case .step(let i): i
    case .exact: nil
    }
  }
}

/// The windows of a bucket in the data's time zone. Pure.
package struct WindowCalendar: Sendable, Equatable {
  package let bucket: Bucket
  package let zone: Zone

  package init(_ bucket: Bucket, zone: Zone) {
    self.bucket = bucket
    self.zone = zone
  }

  /// The window that an instant falls in. For ``Bucket/exact`` it has no length.
  package func window(at t: Timestamp) -> Anomaly.Window {
    switch bucket {
    case .day: return days(zone.localDay(t), 1)
    case .week:
      let day = zone.localDay(t)
      return days(day - weekday(ofDay: day) + 1, 7)
    case .hour:
      let offset = zone.offset(at: t) % 3600
      let seconds = floorDivide(t.microseconds, 1_000_000) + offset
      let start = Timestamp(seconds: floorDivide(seconds, 3600) * 3600 - offset)
      return Anomaly.Window(start: start, end: start + .hours(1))
    case .step(let length):
      let start = Timestamp(microseconds: floorDivide(t.microseconds, length.microseconds) * length.microseconds)
      return Anomaly.Window(start: start, end: start + length)
    case .exact: return Anomaly.Window(start: t, end: t)
    }
  }

  private func days(_ day: Int64, _ n: Int64) -> Anomaly.Window {
    Anomaly.Window(start: zone.start(ofDay: day), end: zone.start(ofDay: day + n))
  }

  /// The windows that lie wholly in `from..<to`, oldest first, at most the `limit` newest. Empty for ``Bucket/exact``.
  package func windows(from: Timestamp, to: Timestamp, limit: Int = 100_000) -> [Anomaly.Window] {
    guard bucket != .exact, from < to else { return [] }
    var windows: [Anomaly.Window] = []
    var w = window(at: to)
    while windows.count < limit {
      if w.end <= to {
        if w.start < from { break }
        windows.append(w)
      } else if w.start < from {
        break
      }
      w = window(at: w.start - Interval(microseconds: 1))
    }
    return windows.reversed()
  }

  /// What names a window for ever: its end, as a date where it ends at a local midnight.
  package func name(_ window: Anomaly.Window) -> String {
    switch bucket {
    case .day, .week: zone.date(window.end)
    default: window.end.rfc3339
    }
  }
}
