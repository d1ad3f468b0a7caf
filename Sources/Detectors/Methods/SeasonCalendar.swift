import Alerts

/// Which windows are alike: the same hour, the same day of the week, or both, by the clock of the data's zone. Holidays count as Sundays; where the day of the
/// week does not matter, as days of their own kind.
struct SeasonCalendar: Sendable {
  let season: ZScore.Season
  let zone: Zone
  let holidays: Holidays?

  /// Windows with the same key are alike.
  func key(_ t: Timestamp) -> Int {
    let local = zone == .utc ? floorDivide(t.microseconds, 1_000_000) : zone.localSeconds(t)
    let day = floorDivide(local, 86_400)
    let hour = Int((local - day * 86_400) / 3600)
    let isHoliday = holidays?.contains(day) ?? false
    let weekday = isHoliday ? 7 : weekday(ofDay: day)
    return switch season {
    case .hour: isHoliday ? 24 + hour : hour
    case .weekday: Int(weekday)
    case .weekday_hour: Int(weekday) * 24 + hour
    }
  }

  func keys(_ points: [Point]) -> [Int] { points.map { key($0.time) } }
}

extension Parameters {
  /// `season` and `holidays`: a calendar file, or several.
  mutating func seasonCalendar(_ usual: ZScore.Season?) -> SeasonCalendar? {
    let season = choice("season", ZScore.Season.self) ?? usual
    var days: Set<Int64>?
    for path in texts("holidays") ?? [] {
      do throws(SourceError) {
        days = (days ?? []).union(try Holidays(path: path).days)
      } catch {
        fault("holidays", "the calendar can't be used: \(error.message)")
      }
    }
    guard let season else {
      if days != nil { fault("holidays", "holidays need a season", mend: "add season: weekday, hour or weekday_hour") }
      return nil
    }
    return SeasonCalendar(season: season, zone: zone, holidays: days.map { Holidays(days: $0) })
  }
}
