package import Alerts
package import Foundation

/// A time zone, in whole seconds: local time to instants and back, also on the two days a year that are not 24 hours long.
///
/// A *local second* is a wall-clock reading counted as if it were UTC.
package struct Zone: Sendable, Equatable {
  package let timeZone: TimeZone
  package static let utc = Zone(timeZone: TimeZone(secondsFromGMT: 0) ?? .current)

  package init(timeZone: TimeZone) { self.timeZone = timeZone }

  /// Nil for a name that the system's IANA database does not have.
  package init?(name: String) {
    guard let zone = TimeZone(identifier: name) else { return nil }
    self.timeZone = zone
  }

  package var name: String { timeZone.identifier }

  /// Seconds east of UTC at an instant.
  package func offset(at t: Timestamp) -> Int64 {
    Int64(timeZone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(t.microseconds) / 1_000_000)))
  }

  /// The wall clock at an instant, in local seconds, cut to the second.
  package func localSeconds(_ t: Timestamp) -> Int64 {
    floorDivide(t.microseconds, 1_000_000) + offset(at: t)
  }

  /// Days since 1970-01-01 of the local date at an instant.
  package func localDay(_ t: Timestamp) -> Int64 { floorDivide(localSeconds(t), 86_400) }

  package enum Meaning: Equatable, Sendable {
    case once(Timestamp)
    /// The clock was put forward over it; the instant is the first after the gap.
    case skipped(Timestamp)
    /// The clock was put back over it.
    case twice(Timestamp, Timestamp)
  }

  package func meaning(ofLocal seconds: Int64) -> Meaning {
    let early = offset(at: Timestamp(seconds: seconds - 86_400))
    let late = offset(at: Timestamp(seconds: seconds + 86_400))
    let a = Timestamp(seconds: seconds - early)
    let b = Timestamp(seconds: seconds - late)
    if early == late { return .once(a) }
    let aHolds = offset(at: a) == early
    let bHolds = offset(at: b) == late
    switch (aHolds, bHolds) {
    case (true, true): return a < b ? .twice(a, b) : .twice(b, a)
    case (true, false): return .once(a)
    case (false, true): return .once(b)
    case (false, false):
      var low = seconds - 172_800
      var high = seconds + 172_800
      while high - low > 1 {
        let middle = low + (high - low) / 2
        if offset(at: Timestamp(seconds: middle)) == late { high = middle } else { low = middle }
      }
      return .skipped(Timestamp(seconds: high))
    }
  }

  /// The first instant that shows this wall clock, or the first after the gap that swallowed it.
  package func instant(ofLocal seconds: Int64) -> Timestamp {
    switch meaning(ofLocal: seconds) {
    case .once(let t), .skipped(let t), .twice(let t, _): t
    }
  }

  /// The first instant of a local day.
  package func start(ofDay day: Int64) -> Timestamp { instant(ofLocal: day * 86_400) }

  /// `2026-11-20`
  package func date(_ t: Timestamp) -> String { Timestamp(seconds: localDay(t) * 86_400).utcDate }
}

func floorDivide(_ a: Int64, _ b: Int64) -> Int64 {
  let q = a / b
  return a % b != 0 && (a < 0) != (b < 0) ? q - 1 : q
}
