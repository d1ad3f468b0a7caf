package import Alerts

/// A schedule as an iCalendar file (RFC 5545), for people's own calendars.
package enum CalendarWriting {
  /// So long back and ahead a feed tells of shifts.
  package static let past = Interval.days(28)
  package static let future = Interval.days(182)

  /// One event for each shift, in UTC, so that no time zone need be defined. Times in which nobody is on call have none.
  ///
  /// The same schedule at the same time gives the same bytes; an event keeps its UID as long as its shift keeps its beginning.
  package static func file(
    _ schedule: OnCallSchedule, people: [Person] = [], now: Timestamp, from: Timestamp? = nil, to: Timestamp? = nil
  ) -> String {
    var lines = [
      "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Tocsin//On call//EN", "CALSCALE:GREGORIAN", "METHOD:PUBLISH",
      "NAME:\(escape("On call: \(schedule.name)"))", "X-WR-CALNAME:\(escape("On call: \(schedule.name)"))",
      "X-WR-TIMEZONE:\(escape(schedule.timeZone))", "REFRESH-INTERVAL;VALUE=DURATION:PT1H", "X-PUBLISHED-TTL:PT1H",
    ]
    let from = from ?? now - past
    var shifts = schedule.shifts(from: from, to: to ?? now + future)
    // What began before has lost its beginning, by which it is known.
    if shifts.count > 1, shifts[0].from == from { shifts.removeFirst() }
    for shift in shifts {
      guard let name = shift.person else { continue }
      lines += [
        "BEGIN:VEVENT", "UID:\(uid(schedule.name, shift))", "DTSTAMP:\(utc(now))", "DTSTART:\(utc(shift.from))",
        "DTEND:\(utc(shift.until))", "SUMMARY:\(escape("\(name) is on call for \(schedule.name)"))",
      ]
      if let email = people.first(where: { $0.name == name })?.email {
        lines.append("ATTENDEE;CN=\(parameter(name)):mailto:\(escapeURI(email))")
      }
      if case .override = shift.origin { lines.append("COMMENT:An override") }
      lines += ["TRANSP:TRANSPARENT", "END:VEVENT"]
    }
    lines.append("END:VCALENDAR")
    return lines.map { fold($0) + "\r\n" }.joined()
  }

  private static func uid(_ schedule: String, _ shift: OnCallSchedule.Shift) -> String {
    let h = StableHash("\(schedule)\n\(shift.from.microseconds)")
    return String(h.high, radix: 16) + String(h.low, radix: 16) + "@tocsin"
  }

  /// `20261120T060211Z`. Whole seconds.
  static func utc(_ t: Timestamp) -> String {
    String(t.rfc3339.prefix(19)).replacing("-", with: "").replacing(":", with: "") + "Z"
  }

  /// Section 3.3.11.
  static func escape(_ text: String) -> String {
    var out = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\\", ";", ",": out += "\\\(scalar)"
      case "\n": out += "\\n"
      case _ where scalar.value < 32 || scalar.value == 127: break
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out
  }

  /// Section 3.2: a parameter's value in quotes, which it must not hold itself.
  private static func parameter(_ text: String) -> String {
    "\"" + String(String.UnicodeScalarView(text.unicodeScalars.filter { $0.value >= 32 && $0 != "\"" })) + "\""
  }

  private static func escapeURI(_ text: String) -> String {
    String(String.UnicodeScalarView(text.unicodeScalars.filter { $0.value > 32 && $0.value != 127 }))
  }

  /// Section 3.1: at most 75 octets a line, never cut within a character.
  static func fold(_ line: String) -> String {
    var out = ""
    var octets = 0
    for scalar in line.unicodeScalars {
      let n = UTF8.width(scalar)
      if octets + n > 75 {
        out += "\r\n "
        octets = 1
      }
      out.unicodeScalars.append(scalar)
      octets += n
    }
    return out
  }
}
