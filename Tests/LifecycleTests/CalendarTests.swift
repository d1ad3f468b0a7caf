import Alerts
import Foundation
import Lifecycle
import Testing

@Suite struct CalendarTests {
  private static func file(_ events: String) -> String {
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//EN\r\n\(events.replacing("\n", with: "\r\n"))\r\nEND:VCALENDAR\r\n"
  }

  private static func read(_ events: String, zone: String = "Europe/Berlin") -> CalendarReading {
    CalendarReading(file(events), zone: zone) { who in
      if who.attendees.contains("ana@x.org") { return "ana" }
      return ["ana", "ben", "cleo"].first { who.summary.lowercased().contains($0) }
    }
  }

  private static func schedule(_ reading: CalendarReading) -> OnCallSchedule {
    OnCallSchedule(name: "s", timeZone: "Europe/Berlin", layers: [.init(.calendar(reading.events))])
  }

  // MARK: - In

  @Test func readsSeriesAcrossTheChangeOfClocks() {
    let r = Self.read(
      """
      BEGIN:VEVENT
      SUMMARY:Ana on call
      DTSTART;TZID=Europe/Berlin:20260302T090000
      DTEND;TZID=Europe/Berlin:20260309T090000
      RRULE:FREQ=WEEKLY;INTERVAL=2
      EXDATE;TZID=Europe/Berlin:20260330T090000
      END:VEVENT
      BEGIN:VEVENT
      SUMMARY:Ben on call
      DTSTART;TZID="Europe/Berlin":20260309T090000
      DURATION:P1W
      RRULE:FREQ=WEEKLY;INTERVAL=2;COUNT=3
      END:VEVENT
      """)
    #expect(r.problems == [])
    #expect(
      OnCallTests.list(Self.schedule(r), "2026-03-02T08:00:00Z", "2026-05-11T07:00:00Z") == [
        "ana 2026-03-02T08:00:00Z", "ben 2026-03-09T08:00:00Z", "ana 2026-03-16T08:00:00Z",
        // From here on it is summer.
        "ben 2026-03-23T08:00:00Z", "nobody 2026-03-30T07:00:00Z", "ben 2026-04-06T07:00:00Z",
        "ana 2026-04-13T07:00:00Z", "nobody 2026-04-20T07:00:00Z", "ana 2026-04-27T07:00:00Z",
        "nobody 2026-05-04T07:00:00Z",
      ])
  }

  @Test func readsDaysDatesZonesAndFolds() {
    let r = Self.read(
      """
      BEGIN:VTIMEZONE
      TZID:America/New_York
      BEGIN:STANDARD
      DTSTART:19701101T020000
      END:STANDARD
      END:VTIMEZONE
      BEGIN:VEVENT
      SUMMARY:A long line\\, that names C
       leo
      DTSTART;VALUE=DATE:20260601
      RRULE:FREQ=DAILY;UNTIL=20260603
      END:VEVENT
      BEGIN:VEVENT
      SUMMARY:night
      ATTENDEE;CN="Ana; the first":mailto:ana@x.org
      DTSTART;TZID=America/New_York:20260601T180000
      DTEND:20260602T020000Z
      END:VEVENT
      BEGIN:VEVENT
      SUMMARY:nobody we know
      STATUS:CANCELLED
      DTSTART:20260601T180000Z
      END:VEVENT
      BEGIN:VEVENT
      SUMMARY:ben
      DTSTART:20260608T080000Z
      DTEND:20260608T160000Z
      RRULE:FREQ=WEEKLY;BYDAY=MO,WE;UNTIL=20260610T080000Z;WKST=MO
      END:VEVENT
      """)
    #expect(r.problems == [])
    #expect(
      OnCallTests.list(Self.schedule(r), "2026-05-31T22:00:00Z", "2026-06-16T00:00:00Z") == [
        "cleo 2026-05-31T22:00:00Z", "ana 2026-06-01T22:00:00Z", "cleo 2026-06-02T02:00:00Z",
        "nobody 2026-06-03T22:00:00Z", "ben 2026-06-08T08:00:00Z", "nobody 2026-06-08T16:00:00Z",
        "ben 2026-06-10T08:00:00Z", "nobody 2026-06-10T16:00:00Z",
      ])
  }

  /// Every fault of a file is named with its line, in one reading.
  @Test func namesEveryFault() {
    let r = Self.read(
      """
      BEGIN:VEVENT
      SUMMARY:Somebody else
      DTSTART;TZID=Mars/Olympus:20260302T090000
      END:VEVENT
      BEGIN:VEVENT
      SUMMARY:ana
      DTSTART:20260230T090000
      RDATE:20260301T090000
      END:VEVENT
      BEGIN:VEVENT
      SUMMARY:ben
      DTSTART:20260302T090000Z
      DTEND:20260301T090000Z
      RRULE:FREQ=MONTHLY;BYDAY=1MO;COUNT=0;BYSETPOS=1
      END:VEVENT
      BEGIN:VEVENT
      SUMMARY:ben
      DTSTART:20260302T090000Z
      RRULE:FREQ=WEEKLY;BYDAY=TU;COUNT=3;UNTIL=20270101
      END:VEVENT
      BEGIN:VEVENT
      SUMMARY:ana
      END:VEVENT
      """)
    #expect(
      r.problems.map { "\($0.line): \($0.message)" } == [
        "5: names nobody that there is: \"Somebody else\"",
        "6: TZID Mars/Olympus is no time zone of the IANA database",
        "11: RDATE is not read", "10: DTSTART must be a time such as 20261120T090000, not \"20260230T090000\"",
        "16: ends before it begins", "17: RRULE: BYDAY takes MO, TU, WE, TH, FR, SA and SU, not 1MO",
        "17: RRULE: COUNT must be a number from 1 to 10000", "17: RRULE: BYSETPOS is not read",
        "17: RRULE: FREQ must be DAILY or WEEKLY, not MONTHLY",
        "19: has no end", "22: RRULE: the event does not begin on one of its BYDAY",
        "22: RRULE: has both COUNT and UNTIL", "24: an event has no DTSTART",
      ])
    #expect(r.events.isEmpty)
  }

  @Test(arguments: [
    "", "hello", "BEGIN:VCALENDAR", "BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VCALENDAR", "END:VEVENT", "\u{0}\u{1}", ":::",
    "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:99999999999999999999\nRRULE:;;=;FREQ\nDURATION:P99999999999999999999W\nEND:VEVENT",
  ])
  func garbageIsNamedAndNeverFatal(_ text: String) {
    let r = CalendarReading(text, zone: "UTC") { _ in "ana" }
    #expect(!r.problems.isEmpty && r.events.isEmpty)
  }

  // MARK: - Out

  private static let rotation = OnCallSchedule(
    name: "data; oncall, \"Köln\"", timeZone: "Europe/Berlin",
    layers: [
      .init(
        Rotation(
          .weekly, weekday: 1, minuteOfDay: 540, startDay: OnCallTests.day("2026-01-05"),
          people: ["ana", "somebody with a very long name indeed, so that the line has to be folded: äöüäöüäöüäöü"]))
    ],
    overrides: [
      .init(person: "cleo", from: OnCallTests.at("2026-03-10T08:00:00Z"), until: OnCallTests.at("2026-03-11T08:00:00Z"))
    ])

  @Test func writesWhatRFC5545Asks() {
    var ana = Person(name: "ana")
    ana.email = "ana@x.org"
    let now = OnCallTests.at("2026-03-04T12:00:00Z")
    let text = CalendarWriting.file(Self.rotation, people: [ana], now: now)
    #expect(text == CalendarWriting.file(Self.rotation, people: [ana], now: now))
    #expect(text.utf8.count { $0 == 10 } == text.utf8.count { $0 == 13 })
    let physical = text.components(separatedBy: "\r\n")
    #expect(physical.last == "" && physical.allSatisfy { $0.utf8.count <= 75 })
    let lines = text.replacing("\r\n ", with: "").components(separatedBy: "\r\n").dropLast()
    #expect(lines.first == "BEGIN:VCALENDAR" && lines.last == "END:VCALENDAR")
    #expect(lines.contains("VERSION:2.0") && lines.contains { $0.hasPrefix("PRODID:") })
    let events = lines.split(separator: "BEGIN:VEVENT").dropFirst()
    var uids: Set<String> = []
    for event in events {
      for name in ["UID:", "DTSTAMP:", "DTSTART:", "DTEND:", "SUMMARY:"] {
        #expect(event.count { $0.hasPrefix(name) } == 1)
      }
      if let uid = event.first(where: { $0.hasPrefix("UID:") }) { uids.insert(uid) }
    }
    #expect(events.count > 25 && uids.count == events.count)
    #expect(text.contains("SUMMARY:ana is on call for data\\; oncall\\, \"Köln\"\r\n"))
    #expect(text.contains("ATTENDEE;CN=\"ana\":mailto:ana@x.org\r\n"))
  }

  /// What is written is read back as the same shifts.
  @Test func readsBackWhatItWrites() {
    let now = OnCallTests.at("2026-03-04T12:00:00Z")
    let text = CalendarWriting.file(Self.rotation, now: now)
    let r = CalendarReading(text, zone: "UTC") { who in
      Self.rotation.people.first { who.summary.hasPrefix("\($0) is on call") }
    }
    #expect(r.problems == [])
    let (from, to) = (now - CalendarWriting.past, now + CalendarWriting.future)
    let read = Self.schedule(r).shifts(from: from, to: to).dropFirst()
    let written = Self.rotation.shifts(from: from, to: to).dropFirst()
    #expect(read.map(\.person) == written.map(\.person) && read.map(\.from) == written.map(\.from))
  }
}
