import Alerts

extension CalendarEvent {
  /// Who has it at `t` by these events, and until when that can't change: nil for ever. Of two events at once the one that began later counts, then the one that
  /// stands further down.
  ///
  /// An event begins the first time that the wall clock shows its start, and ends the last time that it shows its end.
  static func turn(of events: [CalendarEvent], at t: Timestamp) -> (person: String?, until: Timestamp?) {
    var best: (start: Timestamp, person: String)?
    var until: Timestamp?
    for event in events {
      guard let zone = LocalZone(event.timeZone) else { continue }
      for (start, end) in event.occurrences(around: t, zone) {
        if start <= t, t < end, best.map({ start >= $0.start }) ?? true { best = (start, event.person) }
        for edge in [start, end] where edge > t { until = min(until ?? edge, edge) }
      }
    }
    return (best?.person, until)
  }

  private var lengthInDays: Int64 { end.day - start.day + 1 }

  /// Those that can hold `t`, and the next ones after it.
  func occurrences(around t: Timestamp, _ zone: LocalZone) -> [(start: Timestamp, end: Timestamp)] {
    guard let r = recurrence else { return [interval(start.day, zone)] }
    let today = zone.local(t).day
    var found: [(Timestamp, Timestamp)] = []
    var day = max(start.day, today - lengthInDays - 1)
    let reach = Int64(r.every) * (r.weekdays == nil ? 1 : 7) + 8
    while day <= max(today, start.day) + reach {
      if recurs(on: day, r) { found.append(interval(day, zone)) }
      day += 1
    }
    return found
  }

  private func recurs(on day: Int64, _ r: Recurrence) -> Bool {
    let local = LocalTime(day: day, microseconds: start.microseconds)
    guard day >= start.day, r.last.map({ local <= $0 }) ?? true, !r.except.contains(local) else { return false }
    return CalendarEvent.recurs(on: day, from: start.day, r)
  }

  /// Whether a rule that begins on day `first` takes in `day`, its end and exceptions aside.
  static func recurs(on day: Int64, from first: Int64, _ r: Recurrence) -> Bool {
    let every = Int64(max(1, r.every))
    guard let weekdays = r.weekdays else { return (day - first) % every == 0 }
    guard weekdays.contains(LocalTime(day: day, microseconds: 0).weekday) else { return false }
    func week(_ d: Int64) -> Int64 {
      let w = LocalTime(day: d, microseconds: 0).weekday
      return (d - Int64((w - r.weekStart + 7) % 7)) / 7
    }
    return (week(day) - week(first)) % every == 0
  }

  private func interval(_ day: Int64, _ zone: LocalZone) -> (start: Timestamp, end: Timestamp) {
    var from = start
    var to = end
    from.day = day
    to.day = day + (end.day - start.day)
    return (zone.first(from), zone.last(to))
  }
}
