import Alerts
import Projections
import Testing

struct DigestScheduleTests {
  static func at(_ text: String) -> Timestamp { Timestamp(rfc3339: text) ?? .epoch }
  static let weekly = DigestSettings(period: .weekly, timeZone: "Europe/Berlin", to: ["director-bi", "data-team"])

  @Test func aWeeklyDigestIsDueOnMondayAtEightLocalTime() {
    let schedule = DigestSchedule([DigestScheduleTests.weekly])
    let long = DigestScheduleTests.at("2026-01-01")
    // Eight in Berlin is seven in UTC in November. Just before, the one of the week before last is the newest.
    let before = schedule.due(at: DigestScheduleTests.at("2026-11-16T06:59:59Z"), since: long) { _ in false }
    #expect(before.map(\.key) == ["digest/weekly/2026-11-09/director-bi", "digest/weekly/2026-11-09/data-team"])
    let due = schedule.due(at: DigestScheduleTests.at("2026-11-16T07:00:00Z"), since: long) { _ in false }
    #expect(due.map(\.key) == ["digest/weekly/2026-11-16/director-bi", "digest/weekly/2026-11-16/data-team"])
    #expect(due[0].at == DigestScheduleTests.at("2026-11-16T07:00:00Z"))
    #expect(due[0].period.firstDate == "2026-11-09")
  }

  @Test func whatWasOrderedIsNotDueAgain() {
    let schedule = DigestSchedule([DigestScheduleTests.weekly])
    let due = schedule.due(at: DigestScheduleTests.at("2026-11-18T12:00:00Z"), since: .epoch) {
      $0.hasSuffix("director-bi")
    }
    #expect(due.map(\.receiver) == ["data-team"])
  }

  @Test func whoeverWasAwayForAMonthGetsOneLateDigest() {
    let schedule = DigestSchedule([DigestScheduleTests.weekly])
    let due = schedule.due(at: DigestScheduleTests.at("2026-12-24T12:00:00Z"), since: .epoch) {
      $0.contains("2026-11-16")
    }
    #expect(due.map(\.key) == ["digest/weekly/2026-12-21/director-bi", "digest/weekly/2026-12-21/data-team"])
  }

  @Test func nothingIsOwedForATimeBeforeTheFirstAlert() {
    let schedule = DigestSchedule([DigestScheduleTests.weekly])
    let now = DigestScheduleTests.at("2026-11-18T12:00:00Z")
    #expect(schedule.due(at: now, since: nil) { _ in false }.isEmpty)
    #expect(schedule.due(at: now, since: DigestScheduleTests.at("2026-11-17T00:00:00Z")) { _ in false }.isEmpty)
    #expect(schedule.due(at: now, since: DigestScheduleTests.at("2026-11-15T12:00:00Z")) { _ in false }.count == 2)
  }

  @Test(arguments: [
    // At half past two on the two days of the change: skipped, so at the skip; twice, so at the first.
    ("2026-03-29T00:30:00Z", "2026-03-29T01:00:00Z"),
    ("2026-10-25T00:00:00Z", "2026-10-25T00:30:00Z"),
    ("2026-10-25T00:45:00Z", "2026-10-26T01:30:00Z"),
    ("2026-06-10T23:00:00Z", "2026-06-11T00:30:00Z"),
  ])
  func dailyOnesAtHalfPastTwo(now: String, next: String) {
    let settings = DigestSettings(period: .daily, minuteOfDay: 150, timeZone: "Europe/Berlin", to: ["ana"])
    #expect(DigestSchedule([settings]).next(after: DigestScheduleTests.at(now)) == DigestScheduleTests.at(next))
  }

  @Test func everyPeriodIsDueOnceOverTwoYearsOfAnyKind() throws {
    // Given settings of every kind, tenant and zone
    let settings = [
      DigestSettings(period: .daily, minuteOfDay: 30, timeZone: "America/New_York", to: ["a"]),
      DigestSettings(period: .weekly, weekday: 5, minuteOfDay: 1020, timeZone: "Asia/Kathmandu", to: ["a", "b"]),
      DigestSettings(period: .monthly, dayOfMonth: 3, timeZone: "Europe/Berlin", to: ["a"], tenant: "north"),
    ]
    let schedule = DigestSchedule(settings)
    var now = DigestScheduleTests.at("2025-01-01T00:00:00Z")
    let end = now + .days(730)
    var ordered: [String] = []
    // When time goes from due time to due time
    while now < end {
      for due in schedule.due(at: now, since: DigestScheduleTests.at("2024-12-31"), isOrdered: { ordered.contains($0) })
      {
        ordered.append(due.key)
        #expect(due.at <= now)
        #expect(now - due.at < .days(32))
      }
      let next = try #require(schedule.next(after: now))
      #expect(next > now)
      now = next
    }
    // Then each came once
    #expect(Set(ordered).count == ordered.count)
    #expect((729...731).contains(ordered.count { $0.contains("/daily/") }))
    #expect((207...210).contains(ordered.count { $0.contains("/weekly/") }))
    #expect((23...25).contains(ordered.count { $0.hasSuffix("/a/north") }))
  }
}
