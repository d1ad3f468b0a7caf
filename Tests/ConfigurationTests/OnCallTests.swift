import Alerts
import Foundation
import Lifecycle
import Testing
import TocsinConfiguration

@Suite struct OnCallTests {
  private static let people = """
    people:
      ana: {email: ana@x.org, slack: U1, phone: "+4911", notify: [slack, email]}
      ben: {email: ben@x.org}
    channels: {outbox: {directory: out}}

    """

  private func at(_ text: String) throws -> Timestamp { try #require(Timestamp(rfc3339: text)) }

  @Test func readsEverythingThatASchedulesMayHave() throws {
    let fixture = try ConfigurationFixture(
      Self.people + """
        timezone: Europe/Berlin
        schedules:
          nights:
            layers:
              - {rotation: 12h, handover: "09:00", start: 2026-01-01, people: [ana, ben]}
              - {rotation: 2w, handover: "friday 17:00", start: 2026-01-05, end: 2026-06-01, people: [ben]}
              - {calendar: team.ics, hours: {days: [mon-fri, sunday], from: "08:00", until: "18:00", timezone: UTC}}
            overrides: [{person: ana, from: 2026-12-24T09:00:00+01:00, until: 2026-12-27T09:00:00+01:00}]
        receivers:
          oncall: {schedule: nights}
          boss: {email: boss@x.org}
        policies:
          p:
            steps:
              - notify: [oncall]
              - after: 15m
                notify: [boss]
                hours: [{days: mon-fri, from: "08:00", until: "18:00"}, {days: [sat], from: "22:00", until: "06:00"}]
                outside_hours: wait
        """)
    try """
    BEGIN:VCALENDAR
    BEGIN:VEVENT
    SUMMARY:Shift of Ben
    DTSTART;TZID=Europe/Berlin:20260302T090000
    DTEND;TZID=Europe/Berlin:20260309T090000
    END:VEVENT
    END:VCALENDAR
    """.write(toFile: fixture.directory + "/team.ics", atomically: true, encoding: .utf8)
    let c = try fixture.load()
    let schedule = try #require(c.lifecycle.onCall.schedule("nights"))
    #expect(c.lifecycle.onCall == c.onCall)
    #expect(schedule.layers.count == 3 && schedule.overrides.count == 1)
    #expect(
      schedule.layers[1].turns
        == .rotation(
          Rotation(
            .every(.days(14)), weekday: 5, minuteOfDay: 17 * 60, startDay: 20_458, endDay: 20_605, people: ["ben"])))
    #expect(schedule.layers[2].people == ["ben"])
    #expect(
      schedule.layers[2].windows == [TimeWindow(weekdays: [1, 2, 3, 4, 5, 7], from: 480, until: 1080, timeZone: "UTC")])
    #expect(c.onCall.person("ana")?.targets.map(\.channel) == ["slack", "email"])
    #expect(c.onCall.person("ben")?.targets.map(\.channel) == ["email"])
    let hours = try #require(c.lifecycle.policies[0].steps[1].hours)
    #expect(hours.otherwise == .wait && hours.text == "mon-fri 08:00–18:00, sat 22:00–06:00")
    #expect(hours.windows[0].timeZone == "Europe/Berlin")
    #expect(LifecycleSettings(json: c.lifecycle.json) == c.lifecycle)
  }

  /// What each line of a faulty configuration is told.
  @Test func namesEveryFault() throws {
    let fixture = try ConfigurationFixture(
      """
      people:
        ana: {email: ana@x.org, notify: [sms, fax]}
        ghost: {}
      schedules:
        a:
          layers:
            - {rotation: 5m, people: [ana], end: 2026-13-01}
            - {calendar: nowhere.ics}
            - {calendar: bad.ics, people: [ana]}
            - {rotation: daily, people: [ghost], start: 2026-02-01, end: 2026-01-01, hours: {days: funday, from: 8, until: "25:00"}}
            - {rotation: daily, people: [ana], hours: []}
      receivers: {r: {schedule: a}}
      policies: {p: {steps: [{notify: [r], outside_hours: wait}, {after: 1m, notify: [r], hours: {from: "08:00"}, outside_hours: later}]}}
      channels: {outbox: {directory: out}}
      """)
    try "BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:Zed\nDTSTART:20260302T090000\nEND:VEVENT\nEND:VCALENDAR\n".write(
      toFile: fixture.directory + "/bad.ics", atomically: true, encoding: .utf8)
    let faults = fixture.faults()
    for expected in [
      "tocsin.yaml:2:36 people.ana.notify[0]: ana has no address for sms",
      "tocsin.yaml:2:41 people.ana.notify[1]: must be one of email, slack, sms, not \"fax\"",
      "tocsin.yaml:3:3 people.ghost: is on call, and has no address to be told at",
      "tocsin.yaml:7:20 schedules.a.layers[0].rotation: must be weekly, daily, or a length of time of at least 15m, such as 12h",
      "tocsin.yaml:7:44 schedules.a.layers[0].end: must be a date such as 2026-01-05",
      "bad.ics:3:1 schedules.a.layers[2].calendar: names nobody that there is: \"Zed\"",
      "tocsin.yaml:9:9 schedules.a.layers[2]: says both calendar and people",
      "tocsin.yaml:10:68 schedules.a.layers[3].end: ends before it begins",
      "tocsin.yaml:11:49 schedules.a.layers[4].hours: lists no hours",
      "tocsin.yaml:13:53 policies.p.steps[0].outside_hours: means nothing without hours:",
    ] {
      #expect(faults.contains(expected), "\(expected)\n\(faults.joined(separator: "\n"))")
    }
    #expect(faults.contains { $0.contains("layers[1].calendar: the calendar") && $0.hasSuffix("can't be read") })
    #expect(faults.contains { $0.contains("hours.days: must be a day of the week such as monday, or mon-fri") })
    #expect(faults.contains { $0.contains("hours.until: must be a time of day") })
    #expect(faults.contains { $0.contains("steps[1].outside_hours: must be one of skip, wait") })
    #expect(faults.contains { $0.contains("steps[1].hours: \"until\" is missing") })
  }

  @Test func aPersonOnCallByAChannelThatIsNotThereIsAFault() throws {
    let fixture = try ConfigurationFixture(
      """
      people: {ana: {phone: "+4911"}, ben: {email: b@x.org, phone: "+4912"}}
      schedules: {s: {rotation: daily, people: [ana, ben]}}
      receivers: {r: {schedule: s}}
      channels: {email: {server: "smtp://localhost:25", from: t@x.org, tls: none}}
      """)
    // ana has a phone only, and there is no SMS: she could never be told. ben has an address on a channel that is there.
    #expect(fixture.faults() == ["tocsin.yaml:1:10 people.ana: is on call, and has no address to be told at"])
  }

  // MARK: - Gaps

  private func gaps(_ schedules: String, _ receivers: String, now: String = "2026-03-02T10:00:00Z") throws -> [String] {
    let fixture = try ConfigurationFixture(
      Self.people + "schedules: \(schedules)\nreceivers: \(receivers)\n"
        + "policies: {p: {steps: [{notify: [a]}, {after: 5m, notify: [a, b]}]}}\nroutes: [{notify: [a]}]\n")
    return try fixture.load().gaps(now: at(now)).map { "\($0.place?.line ?? 0) \($0.key): \($0.message)" }
  }

  @Test("a step would reach nobody, and that shows only when it is taken") func findsStepsThatWouldReachNobody() throws
  {
    let office =
      "{s: {timezone: Europe/Berlin, rotation: daily, people: [ana], hours: {from: \"08:00\", until: \"20:00\"}}}"
    #expect(
      try gaps(office, "{a: {schedule: s}, b: {email: b@x.org}}") == [
        "7 policies.p.steps[0].notify: reaches nobody from 2026-03-02 20:00 to 2026-03-03 08:00 (Europe/Berlin), and 55 more times in eight weeks: nobody is on call for s",
        "8 routes[0].notify: reaches nobody from 2026-03-02 20:00 to 2026-03-03 08:00 (Europe/Berlin), and 55 more times in eight weeks: nobody is on call for s",
      ])
    // Somebody stands in.
    #expect(try gaps(office, "{a: {schedule: s, fallback: b}, b: {email: b@x.org}}") == [])
    #expect(try gaps(office, "{a: {schedule: s, slack: \"#x\"}, b: {email: b@x.org}}") == [])
  }

  /// A step that tells nobody at night by intent has no gap at night.
  @Test func aStepsHoursLimitWhatCounts() throws {
    func gaps(_ hours: String) throws -> [String] {
      try ConfigurationFixture(
        Self.people + """
          schedules: {s: {rotation: daily, people: [ana], hours: {days: mon-fri, from: "08:00", until: "20:00"}}}
          receivers: {a: {schedule: s}}
          policies: {p: {steps: [{notify: [a], hours: \(hours)}]}}
          """
      ).load().gaps(now: at("2026-03-02T10:00:00Z")).map(\.message)
    }
    #expect(try gaps("{days: mon-fri, from: \"09:00\", until: \"18:00\"}") == [])
    #expect(
      try gaps("{from: \"09:00\", until: \"18:00\"}") == [
        "reaches nobody from 2026-03-07 09:00 to 2026-03-09 08:00 (UTC), and 7 more times in eight weeks: nobody is on call for s"
      ])
  }

  @Test func schedulesFillEachOthersGaps() throws {
    let two =
      "{s: {rotation: daily, people: [ana], hours: {from: \"08:00\", until: \"20:00\"}}, t: {rotation: daily, people: [ben], hours: {from: \"20:00\", until: \"07:00\"}}}"
    #expect(
      try gaps(two, "{a: {schedule: s, fallback: b}, b: {schedule: t}}").first
        == "7 policies.p.steps[0].notify: reaches nobody from 2026-03-03 07:00 to 2026-03-03 08:00 (UTC), and 55 more times in eight weeks: nobody is on call for s, t"
    )
    #expect(
      try gaps(
        two.replacingOccurrences(of: "07:00", with: "08:00"), "{a: {schedule: s, fallback: b}, b: {schedule: t}}")
        == [])
  }

  @Test func aScheduleThatEndsIsSeenBeforeItDoes() throws {
    let ending = "{s: {rotation: weekly, people: [ana], start: 2026-01-05, end: 2026-04-06}}"
    #expect(
      try gaps(ending, "{a: {schedule: s}, b: {schedule: s}}").first
        == "7 policies.p.steps[0].notify: reaches nobody from 2026-04-06 09:00 (UTC): nobody is on call for s")
    #expect(try gaps(ending, "{a: {schedule: s}, b: {schedule: s}}", now: "2026-01-10T00:00:00Z") == [])
  }

  @Test func anAbbreviationIsNoTimeZone() throws {
    #expect(
      try ConfigurationFixture("timezone: CET\n").faults() == [
        "tocsin.yaml:1:11 timezone: must be a time zone such as Europe/Berlin or UTC, not \"CET\""
      ])
  }
}
