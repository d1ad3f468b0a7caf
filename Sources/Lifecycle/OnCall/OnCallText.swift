package import Alerts

/// Schedules in words and as a picture of letters, for a terminal of 80 columns.
package enum OnCallText {
  package static let width = 80

  // MARK: - Now and next

  /// Who is on call at `t`, how they are reached, and who follows.
  package static func standing(
    _ schedule: OnCallSchedule, people: [Person], receivers: [String], at t: Timestamp
  ) -> [String] {
    let zone = LocalZone(schedule.timeZone) ?? .utc
    let (shift, next) = schedule.current(at: t)
    func since(_ s: OnCallSchedule.Shift) -> String {
      "since \(moment(s.from, zone)), until \(moment(s.until, zone))\(origin(s.origin, schedule))"
    }
    var lines = [cut("\(schedule.name), \(moment(t, zone)) \(zone.name)")]
    lines.append(cut("  now   \(shift.person ?? "nobody")  \(since(shift))"))
    if let person = people.first(where: { $0.name == shift.person }) {
      let ways = person.targets.map { "\($0.channel) \($0.destination)" }
      lines.append(cut("        \(ways.isEmpty ? "no address to be told at" : ways.joined(separator: ", "))"))
    }
    if let next {
      lines.append(
        cut("  next  \(next.person ?? "nobody")  from \(moment(next.from, zone))\(origin(next.origin, schedule))"))
    } else {
      lines.append("  next  no change within three months")
    }
    lines.append(cut(receivers.isEmpty ? "  no receiver uses it" : "  used by \(receivers.joined(separator: ", "))"))
    return lines
  }

  package static func json(_ schedule: OnCallSchedule, people: [Person], receivers: [String], at t: Timestamp) -> JSON {
    let (shift, next) = schedule.current(at: t)
    func json(_ s: OnCallSchedule.Shift) -> JSON {
      let person = people.first { $0.name == s.person }
      return [
        "person": .text(s.person), "from": .string(s.from.rfc3339), "until": .string(s.until.rfc3339),
        "override": .bool(s.isOverride),
        "told_by": .array((person?.targets ?? []).map { .string($0.channel) }),
      ]
    }
    return [
      "name": .string(schedule.name), "timezone": .string(schedule.timeZone), "at": .string(t.rfc3339),
      "now": json(shift), "next": next.map(json) ?? .null, "receivers": .array(receivers.map { .string($0) }),
    ]
  }

  // MARK: - Weeks

  /// A week from a local date on: a line for each day with a letter for each half hour, and the hand-overs.
  ///
  /// - Parameter day: days since 1970-01-01 of the wall calendar.
  package static func week(_ schedule: OnCallSchedule, from day: Int64, days: Int = 7) -> [String] {
    let zone = LocalZone(schedule.timeZone) ?? .utc
    let end = day + Int64(days)
    let letters = letters(schedule.people)
    var lines = [cut("\(schedule.name), \(date(day)) to \(date(end - 1)) \(year(end - 1)), \(zone.name)")]
    lines.append("            00          06          12          18          24")
    for d in day..<end {
      var row = ""
      for half in 0..<48 {
        let local = LocalTime(day: d, minute: half * 30)
        // What clocks skip has no time in it.
        row += zone.instants(local).first.map { schedule.person(at: $0).map { letters[$0] ?? "?" } ?? "·" } ?? " "
      }
      lines.append("\(date(d).padded(11)) \(row)")
    }
    let shifts = schedule.shifts(from: zone.start(ofDay: day), to: zone.start(ofDay: end))
    var legend = schedule.people.filter { name in shifts.contains { $0.person == name } }.map {
      "\(letters[$0] ?? "?") \($0)"
    }
    if shifts.contains(where: { $0.person == nil }) { legend.append("· nobody") }
    lines.append(cut("            " + legend.joined(separator: "   ")))
    lines.append("")
    for s in shifts {
      lines.append(
        cut(
          "\(moment(s.from, zone))  \((s.person ?? "nobody").padded(20)) until \(moment(s.until, zone))\(origin(s.origin, schedule))"
        ))
    }
    return lines
  }

  /// A letter for each: of their name where it is free, else any.
  static func letters(_ people: [String]) -> [String: String] {
    var letters: [String: String] = [:]
    for name in people {
      let wanted = name.lowercased().filter { $0.isASCII && $0.isLetter }.map(String.init)
      let others = "abcdefghijklmnopqrstuvwxyz0123456789".map(String.init)
      letters[name] = (wanted + others).first { letter in !letters.values.contains(letter) } ?? "?"
    }
    return letters
  }

  // MARK: - Words

  /// `Mon 16 Nov 09:00`.
  package static func moment(_ t: Timestamp, _ zone: LocalZone) -> String {
    let local = zone.local(t)
    return "\(date(local.day)) \(local.text.suffix(5))"
  }

  /// `Mon 16 Nov`.
  package static func date(_ day: Int64) -> String {
    let days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    let (_, m, d) = Timestamp.civil(days: day)
    return "\(days[LocalTime(day: day, minute: 0).weekday - 1]) \(d) \(months[Int(m) - 1])"
  }

  private static func year(_ day: Int64) -> String { "\(Timestamp.civil(days: day).year)" }

  private static func origin(_ origin: OnCallSchedule.Origin?, _ s: OnCallSchedule) -> String {
    switch origin {
    case .override: " (override)"
    case .layer(let i) where s.layers.count > 1: " (layer \(i + 1))"
    default: ""
    }
  }

  private static func cut(_ line: String) -> String { line.count <= width ? line : line.prefix(width - 1) + "…" }
}

extension OnCallSchedule.Shift {
  package var isOverride: Bool { if case .override = origin { true } else { false } }
}

extension String {
  fileprivate func padded(_ width: Int) -> String {
    count >= width ? self : self + String(repeating: " ", count: width - count)
  }
}
