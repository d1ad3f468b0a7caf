import Alerts
import Testing

@Suite struct LocalZoneTests {
  private static let day = Int64(86_400)

  private func local(_ date: String, _ minute: Int) throws -> LocalTime {
    LocalTime(day: try #require(Timestamp(rfc3339: date)).utcDay.days, minute: minute)
  }

  /// zone, wall date, wall minutes; the instants at which the wall says so; the first and the last.
  private static let table: [(String, String, Int, [String], String, String)] = [
    // An ordinary day.
    ("Europe/Berlin", "2026-06-01", 540, ["2026-06-01T07:00:00Z"], "2026-06-01T07:00:00Z", "2026-06-01T07:00:00Z"),
    // Clocks go from 02:00 to 03:00: 02:30 never comes.
    ("Europe/Berlin", "2026-03-29", 150, [], "2026-03-29T01:00:00Z", "2026-03-29T01:00:00Z"),
    ("Europe/Berlin", "2026-03-29", 120, [], "2026-03-29T01:00:00Z", "2026-03-29T01:00:00Z"),
    ("Europe/Berlin", "2026-03-29", 180, ["2026-03-29T01:00:00Z"], "2026-03-29T01:00:00Z", "2026-03-29T01:00:00Z"),
    // Clocks go from 03:00 back to 02:00: 02:30 comes twice, 03:00 once.
    (
      "Europe/Berlin", "2026-10-25", 150, ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"], "2026-10-25T00:30:00Z",
      "2026-10-25T01:30:00Z"
    ),
    ("Europe/Berlin", "2026-10-25", 180, ["2026-10-25T02:00:00Z"], "2026-10-25T02:00:00Z", "2026-10-25T02:00:00Z"),
    // Half an hour only.
    (
      "Australia/Lord_Howe", "2026-04-05", 105, ["2026-04-04T14:45:00Z", "2026-04-04T15:15:00Z"],
      "2026-04-04T14:45:00Z", "2026-04-04T15:15:00Z"
    ),
    // Midnight itself is skipped, or comes twice.
    ("America/Santiago", "2026-09-06", 0, [], "2026-09-06T04:00:00Z", "2026-09-06T04:00:00Z"),
    (
      "America/Havana", "2026-11-01", 0, ["2026-11-01T04:00:00Z", "2026-11-01T05:00:00Z"], "2026-11-01T04:00:00Z",
      "2026-11-01T05:00:00Z"
    ),
    // A whole day that never was.
    ("Pacific/Apia", "2011-12-30", 720, [], "2011-12-30T10:00:00Z", "2011-12-30T10:00:00Z"),
    ("Asia/Kathmandu", "2026-01-01", 0, ["2025-12-31T18:15:00Z"], "2025-12-31T18:15:00Z", "2025-12-31T18:15:00Z"),
    ("UTC", "2026-10-25", 150, ["2026-10-25T02:30:00Z"], "2026-10-25T02:30:00Z", "2026-10-25T02:30:00Z"),
  ]

  @Test(arguments: table.indices) func saysWhenTheWallClockShowsATime(_ i: Int) throws {
    let (name, date, minute, instants, first, last) = Self.table[i]
    let zone = try #require(LocalZone(name))
    let wall = try local(date, minute)
    #expect(zone.instants(wall).map(\.rfc3339) == instants)
    #expect(zone.first(wall).rfc3339 == first)
    #expect(zone.last(wall).rfc3339 == last)
  }

  static let zones = [
    "Europe/Berlin", "America/New_York", "America/St_Johns", "America/Santiago", "America/Havana", "Asia/Kolkata",
    "Asia/Tehran", "Africa/Casablanca", "Africa/Cairo", "Australia/Lord_Howe", "Pacific/Chatham", "Pacific/Apia",
    "Pacific/Kiritimati", "Antarctica/Troll",
  ]

  /// Through thirteen months, every quarter of an hour of the wall clock.
  @Test(arguments: zones) func firstAndLastRiseWithTheWallClockAndReadBack(_ name: String) throws {
    let zone = try #require(LocalZone(name))
    let begin = try #require(Timestamp(rfc3339: "2026-01-01")).utcDay.days
    var before = (first: Timestamp.epoch, last: Timestamp.epoch)
    for day in begin..<begin + 396 {
      for minute in stride(from: 0, to: 1440, by: 15) {
        let wall = LocalTime(day: day, minute: minute)
        let (first, last) = (zone.first(wall), zone.last(wall))
        #expect(before.first <= first && before.last <= last && first <= last)
        before = (first, last)
        let instants = zone.instants(wall)
        #expect(instants.count <= 2)
        if instants.isEmpty {
          // The skip: before it the wall shows less, from it on more.
          #expect(first == last && zone.local(first) > wall)
          #expect(zone.local(first - Interval(microseconds: 1)) < wall)
        } else {
          #expect(zone.local(first) == wall && zone.local(last) == wall)
        }
      }
    }
  }

  @Test func takesNamesOfPlacesOnly() {
    #expect(LocalZone("Europe/Berlin")?.name == "Europe/Berlin")
    #expect(LocalZone("UTC") == .utc)
    for name in ["", "CET", "EST", "Mars/Olympus", "Berlin", "+01:00"] { #expect(LocalZone(name) == nil) }
  }
}
