package import Alerts

extension Rotation {
  /// Of the wall clock, in microseconds.
  var period: Int64 {
    switch length {
    case .daily: return Interval.days(1).microseconds
    case .weekly: return Interval.days(7).microseconds
    case .every(let interval): return max(interval.microseconds, Interval.minutes(1).microseconds)
    }
  }

  private var isWholeWeeks: Bool { period % Interval.days(7).microseconds == 0 }

  /// The wall time of the hand-over to the first of ``people``.
  var anchor: LocalTime {
    var day = startDay
    if isWholeWeeks, let weekday {
      day -= Int64((LocalTime(day: day, minute: 0).weekday - weekday + 7) % 7)
    }
    return LocalTime(day: day, minute: minuteOfDay)
  }

  /// When turn `n` begins, counted from 0 at the ``anchor``.
  package func handover(_ n: Int64, in zone: LocalZone) -> Timestamp {
    let wall = anchor.wall + Interval(microseconds: n * period)
    let (day, rest) = wall.utcDay
    return zone.first(LocalTime(day: day, microseconds: rest))
  }

  /// The turn that `t` is in.
  func number(at t: Timestamp, in zone: LocalZone) -> Int64 {
    let since = zone.local(t).wall - anchor.wall
    var n = since.microseconds / period
    if since.microseconds < 0 { n -= 1 }
    // The wall clock may have been set back since the hand-over, or have skipped some: never by more than a day.
    while handover(n + 1, in: zone) <= t { n += 1 }
    while handover(n, in: zone) > t { n -= 1 }
    return n
  }

  /// Whose turn turn `n` is.
  func person(_ n: Int64) -> String? {
    guard !people.isEmpty else { return nil }
    let i = Int(n % Int64(people.count))
    return people[i < 0 ? i + people.count : i]
  }

  /// Who has it at `t`, and until when that can't change.
  func turn(at t: Timestamp, in zone: LocalZone) -> (person: String?, until: Timestamp?) {
    let starts = zone.first(LocalTime(day: startDay, minute: minuteOfDay))
    if t < starts { return (nil, starts) }
    let ends = endDay.map { zone.first(LocalTime(day: $0, minute: minuteOfDay)) }
    if let ends, t >= ends { return (nil, nil) }
    let n = number(at: t, in: zone)
    return (person(n), min(handover(n + 1, in: zone), ends ?? .distantFuture))
  }
}
