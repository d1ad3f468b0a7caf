import Alerts
import Projections
import Testing

struct DigestPeriodTests {
  static let berlin = LocalZone("Europe/Berlin") ?? .utc

  static func day(_ date: String) -> Int64 { Timestamp(rfc3339: date)?.utcDay.days ?? 0 }

  @Test(arguments: [
    // kind, newest on or before, week begins, first day, last day
    ("weekly", "2026-11-15", 1, "2026-11-09", "2026-11-15"),
    ("weekly", "2026-11-16", 1, "2026-11-09", "2026-11-15"),
    ("weekly", "2026-11-21", 1, "2026-11-09", "2026-11-15"),
    ("weekly", "2026-11-22", 1, "2026-11-16", "2026-11-22"),
    ("weekly", "2026-11-20", 5, "2026-11-13", "2026-11-19"),
    ("weekly", "2027-01-03", 1, "2026-12-28", "2027-01-03"),
    ("daily", "2026-11-20", 1, "2026-11-20", "2026-11-20"),
    ("monthly", "2026-11-30", 1, "2026-11-01", "2026-11-30"),
    ("monthly", "2026-11-29", 1, "2026-10-01", "2026-10-31"),
    ("monthly", "2026-01-15", 1, "2025-12-01", "2025-12-31"),
    ("monthly", "2028-02-29", 1, "2028-02-01", "2028-02-29"),
  ])
  func theNewestPeriodOnOrBeforeADay(
    kind: String, day: String, weekday: Int, first: String, last: String
  ) throws {
    let kind = try #require(DigestSettings.Period(rawValue: kind))
    let period = DigestPeriod.ending(
      kind, onOrBefore: DigestPeriodTests.day(day), weekday: weekday, zone: DigestPeriodTests.berlin)
    #expect(period.firstDate == first)
    #expect(period.endingDate == last)
    #expect(period.previous.endDay == period.firstDay)
  }

  @Test func boundariesAreLocalMidnightsAlsoWhereClocksChange() {
    let zone = DigestPeriodTests.berlin
    // Clocks go back on 2026-10-25 and forward on 2026-03-29.
    let autumn = DigestPeriod.ending(.weekly, onOrBefore: DigestPeriodTests.day("2026-10-25"), zone: zone)
    #expect(autumn.start.rfc3339 == "2026-10-18T22:00:00Z")
    #expect(autumn.end.rfc3339 == "2026-10-25T23:00:00Z")
    #expect(autumn.end - autumn.start == .hours(169))
    let spring = DigestPeriod.ending(.daily, onOrBefore: DigestPeriodTests.day("2026-03-29"), zone: zone)
    #expect(spring.end - spring.start == .hours(23))
  }

  @Test(arguments: [
    "Europe/Berlin", "America/Sao_Paulo", "Asia/Beirut", "Pacific/Apia", "Australia/Lord_Howe", "Asia/Kathmandu",
  ])
  func periodsFollowOneAnotherWithoutHoleOrOverlap(name: String) throws {
    let zone = try #require(LocalZone(name))
    for kind in DigestSettings.Period.allCases {
      var period = DigestPeriod.ending(kind, onOrBefore: DigestPeriodTests.day("2026-12-31"), zone: zone)
      for _ in 0..<(kind == .daily ? 800 : 60) {
        let before = period.previous
        #expect(before.end == period.start)
        #expect(before.start < before.end)
        period = before
      }
    }
  }

  @Test func titlesAreForPeople() {
    func title(_ kind: DigestSettings.Period, _ day: String) -> String {
      DigestPeriod.ending(kind, onOrBefore: DigestPeriodTests.day(day), zone: .utc).title
    }
    #expect(title(.weekly, "2026-11-15") == "Monday 9 to Sunday 15 November 2026")
    #expect(title(.weekly, "2026-11-01") == "Monday 26 October to Sunday 1 November 2026")
    #expect(title(.weekly, "2027-01-03") == "Monday 28 December 2026 to Sunday 3 January 2027")
    #expect(title(.daily, "2026-11-20") == "Friday 20 November 2026")
    #expect(title(.monthly, "2026-11-30") == "November 2026")
  }
}
