import Alerts

/// Reads who is on call from an iCalendar file (RFC 5545): the part of it that says who has which turn.
///
/// Read: `DTSTART`, `DTEND` or `DURATION`, with `TZID` (an IANA name), UTC, floating or whole days; `RRULE` with `FREQ=DAILY` or `WEEKLY`, `INTERVAL`,
/// `COUNT`, `UNTIL`, `BYDAY` and `WKST`; `EXDATE`. An event that is cancelled does not count. Whatever else would change who is on call
/// (`RDATE`, `RECURRENCE-ID`, other rules) is a fault, never passed over.
package struct CalendarReading {
  /// Something wrong, with its line, counted from 1.
  package struct Problem: Sendable, Equatable {
    package var line: Int
    package var message: String
    package var mend: String?
  }
  /// What an event says of its person.
  package struct Who: Sendable, Equatable {
    package var summary: String
    /// Addresses without `mailto:`.
    package var attendees: [String]
  }

  /// Events in one file.
  package static let eventLimit = 2000
  /// Occurrences that `COUNT` may ask for.
  package static let countLimit = 10_000

  package private(set) var events: [CalendarEvent] = []
  package private(set) var problems: [Problem] = []
  private var zone: String
  private let person: (Who) -> String?

  /// - Parameters:
  ///   - zone: IANA name, for times that have none.
  ///   - person: who is meant, or nil for somebody unknown.
  package init(_ text: String, zone: String, person: @escaping (Who) -> String?) {
    self.zone = zone
    self.person = person
    read(CalendarLine.lines(text))
  }

  private mutating func problem(_ line: Int, _ message: String, _ mend: String? = nil) {
    problems.append(Problem(line: line, message: message, mend: mend))
  }

  private mutating func read(_ lines: [CalendarLine]) {
    guard let first = lines.first, first.name == "BEGIN", first.value.uppercased() == "VCALENDAR" else {
      return problem(lines.first?.number ?? 1, "is no iCalendar file: it does not begin with BEGIN:VCALENDAR")
    }
    var path: [String] = []
    var event: [CalendarLine] = []
    for line in lines {
      switch line.name {
      case "BEGIN":
        path.append(line.value.uppercased())
        if path.last == "VEVENT" { event = [line] }
      case "END":
        guard path.last == line.value.uppercased() else {
          return problem(
            line.number, "END:\(line.value.prefix(40)) does not end what began last, \(path.last ?? "nothing")")
        }
        if path.last == "VEVENT" { take(event) }
        path.removeLast()
      default:
        if path.last == "VEVENT" { event.append(line) }
      }
    }
    if let open = path.last { problem(lines.last?.number ?? 1, "\(open) has no END: the file is cut off") }
  }

  // MARK: - Events

  private mutating func take(_ lines: [CalendarLine]) {
    func line(_ name: String) -> CalendarLine? { lines.first { $0.name == name } }
    let begins = lines.first?.number ?? 1
    if line("STATUS")?.value.uppercased() == "CANCELLED" { return }
    guard events.count < CalendarReading.eventLimit else {
      if events.count == CalendarReading.eventLimit, problems.last?.message.hasPrefix("has more than") != true {
        problem(begins, "has more than \(CalendarReading.eventLimit) events", "cut away what is long over")
      }
      return
    }
    let before = problems.count
    for name in ["RDATE", "RECURRENCE-ID", "EXRULE"] {
      if let line = line(name) {
        problem(
          line.number, "\(name) is not read", "write what it changes as an event of its own, with EXDATE in the series")
      }
    }
    let who = Who(
      summary: line("SUMMARY")?.text ?? "",
      attendees: lines.filter { $0.name == "ATTENDEE" }.map {
        $0.value.lowercased().hasPrefix("mailto:") ? String($0.value.dropFirst(7)) : $0.value
      })
    let person = person(who)
    if person == nil {
      problem(
        line("SUMMARY")?.number ?? begins,
        "names nobody that there is: \"\(who.summary.prefix(60))\"\(who.attendees.first.map { ", \($0.prefix(60))" } ?? "")",
        "write a name of people: into SUMMARY, or their address into ATTENDEE")
    }
    guard let from = line("DTSTART") else { return problem(begins, "an event has no DTSTART") }
    let start = moment(from)
    let end = start.flatMap { self.end(of: lines, start: $0, begins) }
    let recurrence = start.flatMap { self.recurrence(lines, start: $0) }
    guard problems.count == before, let person, let start, let end else { return }
    events.append(
      CalendarEvent(person: person, start: start.local, end: end, timeZone: start.zone, recurrence: recurrence))
  }

  private mutating func end(of lines: [CalendarLine], start: Moment, _ begins: Int) -> LocalTime? {
    if let line = lines.first(where: { $0.name == "DTEND" }) {
      guard let end = moment(line) else { return nil }
      let local = end.zone == start.zone ? end.local : end.instant.flatMap { t in LocalZone(start.zone)?.local(t) }
      guard let local, local > start.local else {
        problem(line.number, "ends before it begins")
        return nil
      }
      return local
    }
    if let line = lines.first(where: { $0.name == "DURATION" }) {
      guard let length = CalendarReading.duration(line.value), length > .zero else {
        problem(line.number, "must be a length of time such as PT12H or P1W, not \"\(line.value.prefix(40))\"")
        return nil
      }
      let (day, rest) = (start.local.wall + length).utcDay
      return LocalTime(day: day, microseconds: rest)
    }
    if start.isDate { return LocalTime(day: start.local.day + 1, microseconds: 0) }
    problem(begins, "has no end", "add DTEND or DURATION")
    return nil
  }

  // MARK: - Times

  struct Moment {
    var local: LocalTime
    var zone: String
    var isDate: Bool
    var instant: Timestamp? { LocalZone(zone)?.first(local) }
  }

  private mutating func moment(_ line: CalendarLine) -> Moment? {
    moments(line)?.first
  }

  /// One or more times, separated by commas.
  private mutating func moments(_ line: CalendarLine) -> [Moment]? {
    var zone = zone
    if let id = line.parameters["TZID"] {
      guard LocalZone(id) != nil else {
        problem(
          line.number, "TZID \(id.prefix(60)) is no time zone of the IANA database", "use a name such as Europe/Berlin")
        return nil
      }
      zone = id
    }
    var found: [Moment] = []
    for text in line.value.split(separator: ",", omittingEmptySubsequences: false) {
      guard let (local, isUTC, isDate) = CalendarReading.time(String(text)) else {
        problem(line.number, "\(line.name) must be a time such as 20261120T090000, not \"\(text.prefix(40))\"")
        return nil
      }
      found.append(Moment(local: local, zone: isUTC ? "UTC" : zone, isDate: isDate))
    }
    return found
  }

  /// `20261120`, `20261120T090000`, `20261120T090000Z`.
  static func time(_ text: String) -> (LocalTime, isUTC: Bool, isDate: Bool)? {
    let isUTC = text.hasSuffix("Z")
    let body = Array((isUTC ? text.dropLast() : text[...]).utf8)
    func number(_ range: Range<Int>) -> Int64? {
      var n: Int64 = 0
      for i in range {
        guard (48...57).contains(body[i]) else { return nil }
        n = n * 10 + Int64(body[i] - 48)
      }
      return n
    }
    guard body.count == 8 || (body.count == 15 && body[8] == 84), let y = number(0..<4), let m = number(4..<6),
      let d = number(6..<8), (1...12).contains(m), (1...31).contains(d)
    else { return nil }
    let day = Timestamp.days(year: y, month: m, day: d)
    guard Timestamp.civil(days: day) == (y, m, d), y >= 1970 else { return nil }
    if body.count == 8 { return isUTC ? nil : (LocalTime(day: day, microseconds: 0), false, true) }
    guard let h = number(9..<11), let min = number(11..<13), let s = number(13..<15), h < 24, min < 60, s <= 60 else {
      return nil
    }
    return (LocalTime(day: day, microseconds: (h * 3600 + min * 60 + s) * 1_000_000), isUTC, false)
  }

  /// `P1W`, `P1DT12H`, `PT30M`. Section 3.3.6.
  static func duration(_ text: String) -> Interval? {
    guard text.hasPrefix("P"), text.utf8.count <= 32 else { return nil }
    var total = Interval.zero
    var number = ""
    var isTime = false
    for c in text.dropFirst() {
      if c.isASCII, c.isNumber {
        number.append(c)
        continue
      }
      if c == "T", number.isEmpty {
        isTime = true
        continue
      }
      guard let n = Int64(number), n <= 1_000_000 else { return nil }
      number = ""
      switch (c, isTime) {
      case ("W", false): total = total + .days(7 * n)
      case ("D", false): total = total + .days(n)
      case ("H", true): total = total + .hours(n)
      case ("M", true): total = total + .minutes(n)
      case ("S", true): total = total + .seconds(n)
      default: return nil
      }
    }
    return number.isEmpty ? total : nil
  }

  // MARK: - Rules

  private mutating func recurrence(_ lines: [CalendarLine], start: Moment) -> CalendarEvent.Recurrence? {
    guard let line = lines.first(where: { $0.name == "RRULE" }) else { return nil }
    if lines.filter({ $0.name == "RRULE" }).count > 1 { problem(line.number, "has more than one RRULE") }
    var rule = CalendarEvent.Recurrence()
    var count: Int?
    var frequency: String?
    for part in line.value.split(separator: ";") {
      let pair = part.split(separator: "=", maxSplits: 1)
      guard pair.count == 2 else {
        problem(line.number, "RRULE: \"\(part.prefix(40))\" is no NAME=VALUE")
        continue
      }
      let (name, value) = (pair[0].uppercased(), pair[1].uppercased())
      switch name {
      case "FREQ": frequency = value
      case "INTERVAL":
        if let n = Int(value), (1...100).contains(n) {
          rule.every = n
        } else {
          problem(line.number, "RRULE: INTERVAL must be a number from 1 to 100, not \(value.prefix(20))")
        }
      case "COUNT":
        count = Int(value).flatMap { (1...CalendarReading.countLimit).contains($0) ? $0 : nil }
        if count == nil {
          problem(line.number, "RRULE: COUNT must be a number from 1 to \(CalendarReading.countLimit)")
        }
      case "UNTIL":
        rule.last = last(value, start)
        if rule.last == nil { problem(line.number, "RRULE: UNTIL must be a time such as 20261231T230000Z") }
      case "BYDAY":
        let days = value.split(separator: ",").map { CalendarReading.weekday(String($0)) }
        if days.contains(nil) || days.isEmpty {
          problem(line.number, "RRULE: BYDAY takes MO, TU, WE, TH, FR, SA and SU, not \(value.prefix(40))")
        }
        rule.weekdays = days.compactMap { $0 }
      case "WKST":
        rule.weekStart = CalendarReading.weekday(value) ?? 1
      default:
        problem(
          line.number, "RRULE: \(name.prefix(20)) is not read",
          "use FREQ=DAILY or WEEKLY with INTERVAL, COUNT, UNTIL, BYDAY")
      }
    }
    switch frequency {
    case "WEEKLY": rule.weekdays = rule.weekdays ?? [start.local.weekday]
    case "DAILY":
      if rule.weekdays != nil, rule.every != 1 {
        problem(line.number, "RRULE: FREQ=DAILY with BYDAY and INTERVAL is not read", "use FREQ=WEEKLY")
      }
    case let other:
      problem(line.number, "RRULE: FREQ must be DAILY or WEEKLY, not \(other?.prefix(20) ?? "nothing")")
    }
    if let days = rule.weekdays, !days.contains(start.local.weekday), !days.isEmpty {
      problem(line.number, "RRULE: the event does not begin on one of its BYDAY", "move DTSTART to the first of them")
    }
    if let count {
      if rule.last != nil {
        problem(line.number, "RRULE: has both COUNT and UNTIL")
      } else if !problems.contains(where: { $0.line == line.number }) {
        rule.last = CalendarReading.last(of: count, rule, start.local)
      }
    }
    for line in lines where line.name == "EXDATE" {
      for m in moments(line) ?? [] {
        let local = m.zone == start.zone ? m.local : m.instant.flatMap { t in LocalZone(start.zone)?.local(t) }
        guard let local else { continue }
        // A date alone takes out that day's.
        rule.except.append(m.isDate ? LocalTime(day: local.day, microseconds: start.local.microseconds) : local)
      }
    }
    return rule
  }

  /// UNTIL in the event's own zone. A date alone takes in that day.
  private func last(_ value: String, _ start: Moment) -> LocalTime? {
    guard let (local, isUTC, isDate) = CalendarReading.time(value) else { return nil }
    if isDate { return LocalTime(day: local.day, microseconds: Interval.days(1).microseconds - 1) }
    guard isUTC, start.zone != "UTC", let zone = LocalZone(start.zone) else { return local }
    return zone.local(local.wall)
  }

  /// The start of the occurrence number `count`.
  private static func last(of count: Int, _ rule: CalendarEvent.Recurrence, _ start: LocalTime) -> LocalTime {
    var left = count
    var day = start.day
    // Every rule takes in its first day, and one within each `every` weeks after it.
    let limit = start.day + Int64(count) * Int64(rule.every) * 7 + 7
    while day < limit {
      if CalendarEvent.recurs(on: day, from: start.day, rule) {
        left -= 1
        if left == 0 { break }
      }
      day += 1
    }
    return LocalTime(day: day, microseconds: start.microseconds)
  }

  private static func weekday(_ text: String) -> Int? {
    ["MO", "TU", "WE", "TH", "FR", "SA", "SU"].firstIndex(of: text).map { $0 + 1 }
  }
}
