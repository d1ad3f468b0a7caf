import Foundation

/// A time zone of the IANA database, for the rules that people write in their own time: what the clock on the wall says at an instant, and when a
/// wall clock says something.
///
/// Where clocks go forward some wall times never come; where they go back some come twice. ``first(_:)`` and ``last(_:)`` say what holds then.
package struct LocalZone: Sendable, Equatable {
  /// IANA name: `Europe/Berlin`.
  package let name: String
  private let zone: TimeZone

  package static let utc = LocalZone(zone: .gmt, name: "UTC")

  private init(zone: TimeZone, name: String) {
    self.zone = zone
    self.name = name
  }

  /// Nil where this machine knows no such zone.
  package init?(_ name: String) {
    if name == "UTC" || name == "GMT" || name == "Etc/UTC" {
      self = .utc
      return
    }
    // Foundation also takes abbreviations, whose meaning differs between places.
    guard name.contains("/"), let zone = TimeZone(identifier: name) else { return nil }
    self.init(zone: zone, name: name)
  }

  package static func == (a: LocalZone, b: LocalZone) -> Bool { a.name == b.name }

  /// Seconds that the wall clock is ahead of UTC.
  package func offset(at t: Timestamp) -> Int64 {
    let seconds = t.utcDay.days * 86_400 + t.utcDay.microseconds / 1_000_000
    return Int64(zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(seconds))))
  }

  /// What the wall clock says.
  package func local(_ t: Timestamp) -> LocalTime {
    LocalTime(wall: t + .seconds(offset(at: t)))
  }

  /// The first instant at which the wall clock says `local`. Where clocks skip it: the instant of the skip.
  package func first(_ local: LocalTime) -> Timestamp {
    let found = instants(local)
    return found.first ?? gap(local)
  }

  /// The last instant at which the wall clock says `local`. Where clocks skip it: the instant of the skip.
  package func last(_ local: LocalTime) -> Timestamp {
    let found = instants(local)
    return found.last ?? gap(local)
  }

  /// When a day begins: the first instant of that date. Where clocks skip midnight, the skip.
  ///
  /// - Parameter day: days since 1970-01-01 of the wall calendar.
  package func start(ofDay day: Int64) -> Timestamp { first(LocalTime(day: day, microseconds: 0)) }

  /// Every instant at which the wall clock says `local`, in order: one, none or two.
  package func instants(_ local: LocalTime) -> [Timestamp] {
    // No zone is, or was since 1970, further than 26 hours from UTC; offsets in force a day before and after are the only candidates.
    let wall = local.wall
    var found: [Timestamp] = []
    for probe in [wall - .days(1), wall, wall + .days(1)] {
      let t = wall - .seconds(offset(at: probe))
      if !found.contains(t), self.local(t) == local { found.append(t) }
    }
    return found.sorted()
  }

  /// The instant at which clocks jump over `local`.
  private func gap(_ local: LocalTime) -> Timestamp {
    let wall = local.wall
    var low = wall - .days(2)
    var high = wall + .days(2)
    // The wall clock rises but for jumps back, none of which is within two days of a jump forward.
    while high - low > Interval(microseconds: 1) {
      let middle = Timestamp(microseconds: low.microseconds + (high.microseconds - low.microseconds) / 2)
      if self.local(middle).wall < wall { low = middle } else { high = middle }
    }
    return high
  }
}

/// What a wall clock and a calendar say, without a zone.
package struct LocalTime: Sendable, Hashable, Comparable {
  /// Days since 1970-01-01 of the wall calendar.
  package var day: Int64
  /// Since midnight as the clock shows it, below a day.
  package var microseconds: Int64

  package init(day: Int64, microseconds: Int64) {
    self.day = day
    self.microseconds = microseconds
  }

  package init(day: Int64, minute: Int) { self.init(day: day, microseconds: Int64(minute) * 60_000_000) }

  init(wall: Timestamp) {
    let (days, rest) = wall.utcDay
    self.init(day: days, microseconds: rest)
  }

  /// The instant at which UTC would say the same.
  package var wall: Timestamp { Timestamp(seconds: day &* 86_400) + Interval(microseconds: microseconds) }

  package static func < (a: LocalTime, b: LocalTime) -> Bool { (a.day, a.microseconds) < (b.day, b.microseconds) }

  /// 1 (Monday) to 7 (Sunday).
  package var weekday: Int {
    // 1970-01-01 was a Thursday.
    let w = (day + 3) % 7
    return Int(w < 0 ? w + 7 : w) + 1
  }
  package var date: (year: Int64, month: Int64, day: Int64) { Timestamp.civil(days: day) }
  package var hour: Int { Int(microseconds / 3_600_000_000) }
  package var minute: Int { Int(microseconds / 60_000_000 % 60) }

  /// `2026-11-20`.
  package var dateText: String { Timestamp(seconds: day &* 86_400).utcDate }
  /// `2026-11-20 08:00`.
  package var text: String { "\(dateText) \(pad(Int64(hour), 2)):\(pad(Int64(minute), 2))" }
}
