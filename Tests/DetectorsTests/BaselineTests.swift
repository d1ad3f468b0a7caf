import Alerts
import Foundation
import Testing

@testable import Detectors

@Suite struct BaselineTests {
  @Test func `mean, deviation and bounds are those of the numbers`() {
    var b = Baseline()
    for v in [10.0, 12, 14, 16, 18, .nan, .infinity] { b.push(v) }
    #expect(b.count == 5)
    #expect(b.mean == 14)
    #expect(abs(b.deviation - 10.0.squareRoot()) < 1e-12)
    #expect(b.least == 10 && b.most == 18)
    #expect(
      b.upper.value == 18 || b.upper.value == 14, "five markers, the middle one: \(String(describing: b.upper.value))")
  }

  @Test(arguments: [1, 2, 3, 4] as [UInt64])
  func `the 95th percentile comes near the true one`(_ seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    var quantile = Quantile(0.95)
    var all: [Double] = []
    for _ in 0..<5000 {
      let v = exp(random.gaussian())
      quantile.push(v)
      all.append(v)
    }
    let sorted = all.sorted()
    let value = try #require(quantile.value)
    #expect(value > sorted[Int(5000 * 0.93)] && value < sorted[Int(5000 * 0.97)])
  }

  @Test func `they survive restarts, count each window once, and begin anew on purpose`() throws {
    let folder = try Folder()
    let path = folder.path + "/d.sqlite"
    let key = BaselineKey(event: "e", metric: "m", window: "day", series: "-")
    let points = days((0..<40).map { Double($0) })
    try BaselineBook(DetectorState(path: path)).learn([(key, Array(points[..<25]))], bucket: .day, zone: .utc)
    // The next reading overlaps.
    let book = BaselineBook(try DetectorState(path: path))
    try book.learn([(key, Array(points[10...]))], bucket: .day, zone: .utc)
    let all = try #require(try book.rows(season: "all").first)
    #expect(all.baseline.count == 40)
    #expect(abs(all.baseline.mean - 19.5) < 1e-9)
    #expect(abs(all.baseline.deviation - (40.0 * 41 / 12).squareRoot()) < 1e-9)
    #expect(all.since == points[0].time && all.newest == points[39].time)
    #expect(try book.rows().map(\.season) == ["all"] + (1...7).map { "weekday \($0)" })
    #expect(try book.rows(season: "weekday 1").first?.baseline.count == 6)

    #expect(try book.reset(event: "other") == 0)
    #expect(try book.reset(event: "e") == 8)
    try book.learn([(key, points)], bucket: .day, zone: .utc)
    #expect(try book.rows(season: "all").first?.baseline.count == 0, "the past does not come back")
    try book.learn([(key, [Point(points[39].time + .days(1), 7)])], bucket: .day, zone: .utc)
    let fresh = try #require(try book.rows(season: "all").first)
    #expect(fresh.baseline.count == 1 && fresh.baseline.mean == 7)
    #expect(fresh.since == points[39].time + .days(1))
  }

  @Test func `a worker keeps them for every metric that it checks`() async throws {
    let source = TableSource()
    source.set(table((0..<20).map { 100 + $0 }, (0..<20).map { 200 + $0 }))
    let state = try DetectorState(path: nil)
    let w = try worker(
      listings([check("threshold", "views", .daily, ["max_value": 1e9])]), source, RecordingPort(),
      StandingClock("2026-03-21T06:30:00Z"), state: state)
    _ = await w.runOnce()
    let rows = try BaselineBook(state).rows(season: "all")
    #expect(rows.map(\.key.series) == ["device=desktop", "device=mobile"])
    #expect(rows.map(\.baseline.count) == [20, 20])
    #expect(rows[1].json["percentile_95"] != nil)
    // Hours of the data's own clock.
    let seasons = BaselineSeason.of(
      Timestamp(seconds: 1_772_406_000), bucket: .hour, zone: Zone(name: "Europe/Berlin") ?? .utc)
    #expect(seasons == [.all, .weekday(1), .hour(0)])
  }
}
