package import Alerts

/// What a digest covers: whole days of a time zone.
///
/// A daily one covers a day, a monthly one a calendar month. A weekly one covers the seven days up to its weekday's midnight, so that one that is sent on Mondays
/// covers Monday to Sunday. Days have 23 or 25 hours where clocks change.
package struct DigestPeriod: Sendable, Equatable {
  package let kind: DigestSettings.Period
  package let zone: LocalZone
  /// Days since 1970-01-01 of the wall calendar.
  package let firstDay: Int64
  /// The day after the last.
  package let endDay: Int64

  init(_ kind: DigestSettings.Period, zone: LocalZone, firstDay: Int64, endDay: Int64) {
    self.kind = kind
    self.zone = zone
    self.firstDay = firstDay
    self.endDay = endDay
  }

  /// The newest period whose last day is `day` or earlier.
  ///
  /// - Parameters:
  ///   - day: days since 1970-01-01 of the wall calendar.
  ///   - weekday: 1 (Monday) to 7: the day on which a week begins.
  package static func ending(
    _ kind: DigestSettings.Period, onOrBefore day: Int64, weekday: Int = 1, zone: LocalZone
  ) -> DigestPeriod {
    let next = day + 1
    switch kind {
    case .daily: return DigestPeriod(.daily, zone: zone, firstDay: next - 1, endDay: next)
    case .weekly:
      let begins = min(max(1, weekday), 7)
      let back = (LocalTime(day: next, microseconds: 0).weekday - begins + 7) % 7
      let end = next - Int64(back)
      return DigestPeriod(.weekly, zone: zone, firstDay: end - 7, endDay: end)
    case .monthly:
      let (year, month, _) = Timestamp.civil(days: next)
      let end = Timestamp.days(year: year, month: month, day: 1)
      return DigestPeriod(.monthly, zone: zone, firstDay: firstOfMonth(before: end), endDay: end)
    }
  }

  /// The newest period that is over at `now`.
  package static func over(
    _ kind: DigestSettings.Period, at now: Timestamp, weekday: Int = 1, zone: LocalZone
  ) -> DigestPeriod {
    ending(kind, onOrBefore: zone.local(now).day - 1, weekday: weekday, zone: zone)
  }

  package var start: Timestamp { zone.start(ofDay: firstDay) }
  /// Its last instant is just before.
  package var end: Timestamp { zone.start(ofDay: endDay) }

  /// The one before, of the same kind.
  package var previous: DigestPeriod {
    let first =
      switch kind {
      case .daily: firstDay - 1
      case .weekly: firstDay - 7
      case .monthly: DigestPeriod.firstOfMonth(before: firstDay)
      }
    return DigestPeriod(kind, zone: zone, firstDay: first, endDay: firstDay)
  }

  private static func firstOfMonth(before day: Int64) -> Int64 {
    let (year, month, _) = Timestamp.civil(days: day - 1)
    return Timestamp.days(year: year, month: month, day: 1)
  }

  /// Its last day, which names it for people: the week ending 2026-11-15.
  package var endingDate: String { DigestPeriod.text(endDay - 1) }
  /// The day after, on which it is over: names it in the key that it is sent under.
  var overDate: String { DigestPeriod.text(endDay) }
  package var firstDate: String { DigestPeriod.text(firstDay) }

  static func text(_ day: Int64) -> String { LocalTime(day: day, microseconds: 0).dateText }

  // MARK: - For people

  /// `Monday 9 to Sunday 15 November 2026`, `Friday 20 November 2026`, `November 2026`.
  package var title: String {
    let (y1, m1, d1) = Timestamp.civil(days: firstDay)
    let (y2, m2, d2) = Timestamp.civil(days: endDay - 1)
    let last = "\(DigestPeriod.weekday(endDay - 1)) \(d2) \(DigestPeriod.months[Int(m2) - 1]) \(y2)"
    switch kind {
    case .daily: return last
    case .monthly: return "\(DigestPeriod.months[Int(m2) - 1]) \(y2)"
    case .weekly:
      var first = "\(DigestPeriod.weekday(firstDay)) \(d1)"
      if m1 != m2 { first += " \(DigestPeriod.months[Int(m1) - 1])" }
      if y1 != y2 { first += " \(y1)" }
      return "\(first) to \(last)"
    }
  }

  /// `the week before`.
  var previousName: String {
    switch kind {
    case .daily: "the day before"
    case .weekly: "the week before"
    case .monthly: "the month before"
    }
  }

  static let months = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
  ]
  static func weekday(_ day: Int64) -> String {
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"][
      LocalTime(day: day, microseconds: 0).weekday - 1]
  }

  /// The parts that its chart shows: hours of a day, else days.
  var buckets: [(label: String, start: Timestamp, end: Timestamp)] {
    guard kind == .daily else {
      return (firstDay..<endDay).map { day in
        let (_, _, d) = Timestamp.civil(days: day)
        let label = "\(DigestPeriod.weekday(day).prefix(3)) \(d < 10 ? " " : "")\(d)"
        return (label, zone.start(ofDay: day), zone.start(ofDay: day + 1))
      }
    }
    var parts: [(String, Timestamp, Timestamp)] = []
    // Three hours each: eight bars are read at a glance, and on the days of the change the clock's jump stays within one of them.
    for hour in stride(from: 0, to: 24, by: 3) {
      let from = hour == 0 ? start : zone.first(LocalTime(day: firstDay, minute: hour * 60))
      let to = hour == 21 ? end : zone.first(LocalTime(day: firstDay, minute: (hour + 3) * 60))
      parts.append(("\(hour < 10 ? "0" : "")\(hour):00", from, to))
    }
    return parts
  }
}
