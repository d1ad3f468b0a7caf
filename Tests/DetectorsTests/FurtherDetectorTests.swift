import Alerts
import Foundation
import Testing

@testable import Detectors

@Suite struct FurtherDetectorTests {
  private func firing(_ port: RecordingPort) -> [Anomaly] { port.take().filter { $0.status == .firing } }

  @Test func `freshness: how old the newest rows are, and when they come back`() async throws {
    let source = TableSource()
    let port = RecordingPort()
    let clock = StandingClock("2026-03-11T06:30:00Z")
    let w = try worker(
      listings([check("freshness", nil, .daily, ["max_age": "30h"])]), source, port, clock)
    source.set(table(Array(repeating: 100, count: 10)))
    _ = await w.runOnce()
    #expect(firing(port).isEmpty)
    // Nothing for the 11th, and then nothing for the 12th.
    clock.set("2026-03-12T06:30:00Z")
    _ = await w.runOnce()
    #expect(firing(port).filter { $0.metric == "data_age" }.isEmpty, "a day is within its 30 hours")
    clock.set("2026-03-13T06:30:00Z")
    _ = await w.runOnce()
    let late = try #require(firing(port).first { $0.metric == "data_age" })
    #expect(late.value == 172_800.0)
    #expect(late.summary?.contains("2d old, more than the") == true, "\(late.summary ?? "")")
    clock.set("2026-03-14T06:30:00Z")
    source.set(table(Array(repeating: 100, count: 13)))
    _ = await w.runOnce()
    #expect(port.take().contains { $0.metric == "data_age" && $0.status == .resolved })
  }

  @Test func `freshness needs an age, and windows`() {
    let settings = listings([check("freshness", nil, .point), check("freshness", nil, .daily, name: "x")])
    let faults = DetectionPlan(settings, kinds: .table(TableSource())).faults.map(\.message)
    #expect(faults.contains("freshness needs max_age"))
    #expect(faults.contains("freshness needs windows"))
  }

  @Test func `missing data: the share of rows without a value, by the source`() async throws {
    let source = TableSource()
    var text = "day,DEVICE,views\n"
    for day in 1...9 {
      for row in 0..<10 { text += "2026-03-0\(day),mobile,\(day == 9 && row < 4 ? "" : "5")\n" }
    }
    source.set(text)
    let port = RecordingPort()
    let w = try worker(
      listings([check("missing_data", "views", .daily, ["max_ratio": 0.2])]), source, port,
      StandingClock("2026-03-10T06:30:00Z"))
    _ = await w.runOnce()
    let found = try #require(firing(port).first)
    #expect(found.metric == "views_missing")
    #expect(abs((found.value ?? 0) - 0.4) < 1e-12)
    #expect(found.severity == .high)
    #expect(
      try SQLText.aggregate(.init(column: "price", alias: "p", aggregate: "missing"))
        == "avg(CASE WHEN \"price\" IS NULL THEN 1.0 ELSE 0.0 END)")
  }

  @Test func `dominant category: one part of the total is too large, and the alert names it`() async throws {
    let source = TableSource()
    source.set(table([100, 100, 100, 100, 100, 100, 100, 700], [100, 100, 100, 100, 100, 100, 100, 100]))
    let port = RecordingPort()
    let w = try worker(
      listings([check("dominant_category", "views", .daily, ["max_share": 0.6])]), source, port,
      StandingClock("2026-03-09T06:30:00Z"))
    _ = await w.runOnce()
    let found = firing(port)
    #expect(found.map { AnomalyWriting.series($0.dimensions) } == ["device=mobile"])
    #expect(found.first?.metric == "views_share")
    #expect(found.first?.value == 0.875)
    #expect(found.first?.severity == .low)
    let faults = DetectionPlan(
      listings([check("dominant_category", "views", .daily, ["dimensions": []])]), kinds: .table(TableSource())
    ).faults
    #expect(faults.map(\.message) == ["dominant_category needs a dimension to compare"])
  }

  // MARK: Holidays

  @Test(arguments: [
    ("2026-12-25 Christmas\n# nothing\n\n2026-12-26, the day after\n", ["2026-12-25", "2026-12-26"]),
    ("--05-01\n", ["2026-05-01", "2031-05-01"]),
    ("12-24 every year", ["2026-12-24", "2027-12-24"]),
    (
      "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20261224\r\nDTEND;VALUE=DATE:20261227\r\nSUMMARY:Chri\r\n stmas\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
      ["2026-12-24", "2026-12-25", "2026-12-26"]
    ),
    (
      "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20200101T000000Z\nRRULE:FREQ=YEARLY\nEND:VEVENT\nEND:VCALENDAR",
      ["2020-01-01", "2026-01-01", "2060-01-01"]
    ),
  ])
  func calendars(_ text: String, _ dates: [String]) throws {
    let holidays = try Holidays(parsing: text)
    for date in dates {
      let day = try #require(Timestamp(rfc3339: date)).utcDay.days
      #expect(holidays.contains(day), "\(date)")
      #expect(!holidays.contains(day + 100))
    }
  }

  @Test(arguments: [
    "2026-13-40\n", "christmas", "BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VEVENT\nEND:VCALENDAR",
    "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:yesterday\nEND:VEVENT\nEND:VCALENDAR",
  ])
  func brokenCalendars(_ text: String) {
    let error = #expect(throws: SourceError.self) { try Holidays(parsing: text) }
    #expect(error?.message.contains("line ") == true)
  }

  @Test func `a holiday counts as a Sunday, and spoils no weekday`() throws {
    let folder = try Folder()
    try "2026-05-01\n".write(toFile: folder.path + "/h.txt", atomically: true, encoding: .utf8)
    // From Monday 2 March: 100 a day, 40 on Sundays, and on Friday 1 May.
    let values: [Double] = (0..<61).map { (i: Int) -> Double in i % 7 == 6 || i == 60 ? 40 : 100 + Double(i % 3) }
    let with = try detector("seasonal", ["season": "weekday", "holidays": .string(folder.path + "/h.txt")])
    let without = try detector("seasonal", ["season": "weekday"])
    #expect(with.judgeAll(days(values)).last??.isAnomalous == false)
    #expect(without.judgeAll(days(values)).last??.isAnomalous == true)
    var p = Parameters(
      CheckSettings(
        name: "c", detector: "seasonal", metric: "m", period: .daily, parameters: ["holidays": Option("/nowhere.ics")]))
    _ = DetectorRegistry.detector(&p)
    #expect(p.faults.count == 1 && p.faults[0].message.contains("/nowhere.ics"))
  }

  @Test func `hours are those of the data's clock, on both sides of a change of clocks`() throws {
    let calendar = SeasonCalendar(season: .hour, zone: try #require(Zone(name: "Europe/Berlin")), holidays: nil)
    let winter = try #require(Timestamp(rfc3339: "2026-03-28T08:00:00Z"))
    let summer = try #require(Timestamp(rfc3339: "2026-03-30T07:00:00Z"))
    #expect(calendar.key(winter) == 9 && calendar.key(summer) == 9)
  }

  // MARK: Combined conditions, and rolling sums

  @Test func `a check on two values at once`() async throws {
    var settings = listings([
      check("zscore", "views", .daily, ["lookback": 6, "threshold": 2.5, "condition": "z > 2.5 and rate > 0.7"])
    ])
    settings.events[0].source.metrics.append(.init(column: "rate", alias: "rate", aggregate: "avg"))
    for (rate, expected) in [(0.6, 0), (0.8, 1)] {
      let source = TableSource()
      var text = "day,DEVICE,views,rate\n"
      for day in 1...8 { text += "2026-03-0\(day),mobile,\(day == 8 ? 900 : 100 + day),\(day == 8 ? rate : 0.5)\n" }
      source.set(text)
      let port = RecordingPort()
      let w = try worker(settings, source, port, StandingClock("2026-03-09T06:30:00Z"))
      _ = await w.runOnce()
      #expect(firing(port).count == expected, "\(rate)")
    }
  }

  @Test func `rolling moments are those of the window, however long it runs`() {
    var random = SeededRandom(seed: 2)
    for window in [1, 2, 7, 60] {
      var moments = RollingMoments(window: window)
      var all: [Double] = []
      for _ in 0..<500 {
        // A large mean and a small spread: where sums of squares lose their digits.
        all.append(1e9 + random.gaussian())
        moments.push(all[all.count - 1])
        let last = all.suffix(window)
        let mean = last.reduce(0, +) / Double(last.count)
        let squares = last.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        let sd = last.count > 1 ? (squares / Double(last.count - 1)).squareRoot() : 0
        #expect(abs(moments.mean - mean) < 1e-5)
        #expect(abs(moments.deviation - sd) < 1e-5)
      }
    }
    let d = ZScore(window: 20)
    let points = days((0..<400).map { _ in 50 + random.gaussian() })
    for (a, b) in zip(d.judgeAll(points).dropFirst(300), d.judge(points, from: 300)) {
      #expect(abs((a?.z ?? 0) - (b?.z ?? 0)) < 1e-9)
    }
  }
}

extension ZScore {
  init(window: Int) {
    var p = Parameters(
      CheckSettings(
        name: "z", detector: "zscore", metric: "m", period: .point, parameters: ["lookback": Option(.int(window))]))
    self.init(&p)
  }
}
