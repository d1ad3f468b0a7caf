import Testing

@testable import Alerts

@Suite struct TimeTests {
  @Test(arguments: [
    ("2026-11-20T06:02:11Z", 1_795_154_531_000_000),
    ("2026-11-20T06:02:11.5Z", 1_795_154_531_500_000),
    ("2026-11-20T06:02:11.123456789Z", 1_795_154_531_123_456),
    ("2026-11-20T07:02:11+01:00", 1_795_154_531_000_000),
    ("2026-11-20T06:02:11-0000", 1_795_154_531_000_000),
    ("2026-11-20 06:02", 1_795_154_520_000_000),
    ("2026-11-20", 1_795_132_800_000_000),
    ("1970-01-01T00:00:00Z", 0),
    ("2024-02-29T23:59:60Z", 1_709_251_200_000_000),
  ])
  func readsWhatPeopleAndWarehousesWrite(_ text: String, _ microseconds: Int64) {
    #expect(Timestamp(rfc3339: text)?.microseconds == microseconds)
  }

  @Test(arguments: [
    "", "2026", "2026-13-01", "2025-02-29", "2026-11-20T", "2026-11-20T25:00:00Z", "2026-11-20T06:60:00Z",
    "2026-11-20T06:02:11.Z", "2026-11-20T06:02:11X", "2026-11-20T06:02:11+25:00", "2026-11-20T06:02:11Z ", "yesterday",
  ])
  func refusesTheRest(_ text: String) { #expect(Timestamp(rfc3339: text) == nil) }

  @Test func writesWhatItReads() {
    for micros: Int64 in [0, 1, 1000, 999_999, 1_795_154_531_123_456, -1, -62_135_596_800_000_000] {
      let t = Timestamp(microseconds: micros)
      #expect(Timestamp(rfc3339: t.rfc3339) == t)
    }
  }

  @Test func sumsSaturate() {
    #expect(Timestamp.distantFuture + .days(1) == .distantFuture)
    #expect(Timestamp(microseconds: .min) - .days(1) == Timestamp(microseconds: .min))
    #expect(Interval.days(1) * .max == Interval(microseconds: .max))
  }

  @Test(arguments: [
    ("15m", 900_000_000), ("1h30m", 5_400_000_000), ("90s", 90_000_000), ("7d", 604_800_000_000), ("500ms", 500_000),
    ("0", 0), ("1.5h", 5_400_000_000), ("2w", 1_209_600_000_000),
  ])
  func intervalsRead(_ text: String, _ microseconds: Int64) throws {
    let interval = try #require(Interval(text))
    #expect(interval.microseconds == microseconds)
    #expect(Interval(interval.description) == interval)
  }

  @Test(arguments: ["", "m", "15", "-5m", "5x", "1h x", "999999999w", "1..5h"])
  func intervalsRefused(_ text: String) { #expect(Interval(text) == nil) }

  @Test func numbersForPeople() {
    #expect(Format.number(1850) == "1,850")
    #expect(Format.number(1_234_567.8) == "1,234,568")
    #expect(Format.number(-12_345) == "-12,345")
    #expect(Format.number(0.03124) == "0.03124")
    #expect(Format.number(87.456) == "87.46")
    #expect(Format.number(0) == "0")
    #expect(Format.change(-0.868) == "-86.8%")
    #expect(Format.change(0.5) == "+50%")
    #expect(Format.change(11.5) == "×12.5")
  }
}
