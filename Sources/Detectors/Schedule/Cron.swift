package import Alerts

/// Why a schedule can't be read, and where in it. Columns count from 1.
package struct CronError: Error, Sendable, Equatable, CustomStringConvertible {
  package var column: Int
  package var message: String
  package var description: String { "column \(column): \(message)" }
}

/// A cron schedule: minute, hour, day of month, month, day of week, in one time zone.
///
/// Names (`JAN`, `mon`), lists, ranges, steps, `?` for `*`, and `@hourly`, `@daily`, `@weekly`, `@monthly`, `@yearly`. Sunday is 0 or 7. When day of
/// month and day of week are both given, a day that matches either is taken, as cron has always done.
///
/// Daylight saving: a time that the clock skips fires once, right after the gap; one that it shows twice fires once, the first time. A schedule
/// for every hour (`*` in the hour field) follows real time instead: nothing is made up after the gap, and the doubled hour fires in both.
package struct Cron: Sendable, Equatable {
  package let text: String
  package let zone: Zone
  private let minutes: UInt64
  private let hours: UInt64
  private let days: UInt64
  private let months: UInt64
  private let weekdays: UInt64
  private let everyDay: Bool
  private let everyWeekday: Bool
  private let everyHour: Bool

  /// Rules such as 29 February on a Monday come round within 40 years; one that doesn't never will.
  private static let horizonDays: Int64 = 40 * 366

  package init(_ text: String, zone: Zone) throws(CronError) {
    self.text = text
    self.zone = zone
    let expanded =
      switch text.trimmed.lowercased() {
      case "@hourly": "0 * * * *"
      case "@daily", "@midnight": "0 0 * * *"
      case "@weekly": "0 0 * * 0"
      case "@monthly": "0 0 1 * *"
      case "@yearly", "@annually": "0 0 1 1 *"
      default: text
      }
    let fields = CronField.split(expanded)
    guard fields.count == 5 else {
      throw CronError(
        column: 1,
        message:
          "a schedule has five fields (minute hour day month weekday), such as \"0 6 * * *\"; this has \(fields.count)"
      )
    }
    minutes = try CronField.minute.bits(fields[0])
    hours = try CronField.hour.bits(fields[1])
    days = try CronField.day.bits(fields[2])
    months = try CronField.month.bits(fields[3])
    let w = try CronField.weekday.bits(fields[4])
    weekdays = w | (w >> 7 & 1)
    everyDay = fields[2].text.first == "*" || fields[2].text == "?"
    everyWeekday = fields[4].text.first == "*" || fields[4].text == "?"
    everyHour = hours == 0xFF_FFFF
    guard next(after: .epoch) != nil else {
      throw CronError(column: fields[2].column, message: "this day never comes")
    }
  }

  /// The first instant after `t` at which it fires. Nil only beyond the horizon of 40 years.
  package func next(after t: Timestamp) -> Timestamp? {
    let first = zone.localDay(t) - 1
    for day in first...(first + Cron.horizonDays) where matches(day: day) {
      if let fire = fires(onDay: day).first(where: { $0 > t }) { return fire }
    }
    return nil
  }

  /// The last instant at or before `t` at which it fired.
  package func last(atOrBefore t: Timestamp) -> Timestamp? {
    let last = zone.localDay(t) + 1
    var day = last
    while day > last - Cron.horizonDays {
      if matches(day: day), let fire = fires(onDay: day).last(where: { $0 <= t }) { return fire }
      day -= 1
    }
    return nil
  }

  private func matches(day: Int64) -> Bool {
    let (_, month, dayOfMonth) = Timestamp.civil(days: day)
    guard months >> UInt64(month) & 1 == 1 else { return false }
    let dayHolds = days >> UInt64(dayOfMonth) & 1 == 1
    let weekdayHolds = weekdays >> UInt64(weekday(ofDay: day) % 7) & 1 == 1
    if everyDay || everyWeekday { return dayHolds && weekdayHolds }
    return dayHolds || weekdayHolds
  }

  private func fires(onDay day: Int64) -> [Timestamp] {
    let midnight = day * 86_400
    let before = zone.offset(at: Timestamp(seconds: midnight - 86_400))
    let steady = before == zone.offset(at: Timestamp(seconds: midnight + 172_800))
    var fires: [Timestamp] = []
    for hour in 0..<24 where hours >> UInt64(hour) & 1 == 1 {
      for minute in 0..<60 where minutes >> UInt64(minute) & 1 == 1 {
        let local = midnight + Int64(hour * 3600 + minute * 60)
        if steady {
          fires.append(Timestamp(seconds: local - before))
          continue
        }
        switch zone.meaning(ofLocal: local) {
        case .once(let t): fires.append(t)
        case .skipped(let t): if !everyHour { fires.append(t) }
        case .twice(let a, let b): fires += everyHour ? [a, b] : [a]
        }
      }
    }
    guard !steady else { return fires }
    return Set(fires).sorted()
  }
}

/// 1 (Monday) to 7 of a day since 1970, which was a Thursday.
func weekday(ofDay day: Int64) -> Int64 { ((day + 3) % 7 + 7) % 7 + 1 }

extension String {
  var trimmed: String { String(self[...].trimmed) }
}
extension Substring {
  var trimmed: Substring {
    var s = self
    while let c = s.first, c.isWhitespace { s.removeFirst() }
    while let c = s.last, c.isWhitespace { s.removeLast() }
    return s
  }
}
