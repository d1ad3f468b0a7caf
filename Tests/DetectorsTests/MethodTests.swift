import Alerts
import Testing

@testable import Detectors

/// Days from 2 March 2026, a Monday.
func days(_ values: [Double]) -> [Point] {
  values.enumerated().map { Point(Timestamp(seconds: 1_772_409_600 + Int64($0) * 86_400), $1) }
}

func detector(_ name: String, _ parameters: [String: JSON] = [:], period: CheckSettings.Period = .daily) throws
  -> any Detector
{
  var p = Parameters(
    CheckSettings(
      name: "e/m/\(name)", detector: name, metric: "m", period: period, parameters: parameters.mapValues { Option($0) })
  )
  let detector = DetectorRegistry.detector(&p)
  p.finish()
  #expect(p.faults == [])
  return try #require(detector)
}

@Suite struct MethodTests {
  @Test func `threshold: the bound that was crossed is what was expected`() throws {
    let d = try detector("threshold", ["min_value": 10_000, "max_value": 1_000_000])
    let j = d.judgeAll(days([245, 10_000, 1_000_000, 1_500_000]))
    #expect(j.map { $0?.isAnomalous } == [true, false, false, true])
    #expect(j[0]?.expected == 10_000)
    #expect(j[0]?.deviation == -0.9755)
    #expect(j[3]?.deviation == 0.5)
    #expect(d.sentence("views", try #require(j[0])) == "views is 245, below the least allowed, 10,000")
  }

  @Test func `percentage change: against the mean of seven days`() throws {
    let d = try detector("percentage_change", ["lookback_days": 7, "threshold": 0.3])
    // The mean of the seven before the last is 1850.
    let values: [Double] = [9999, 1800, 1900, 1850, 1750, 1950, 1840, 1860, 245]
    let j = d.judgeAll(days(values))
    let last = try #require(j.last ?? nil)
    #expect(last.isAnomalous)
    #expect(last.expected == 1850)
    #expect(abs(try #require(last.deviation) - (245 - 1850) / 1850) < 1e-12)
    #expect(last.lower == 1850 * 0.7)
    #expect(d.sentence("total_views", last) == "total_views fell 87% below the 7-day mean (245, expected 1,850)")
    #expect(d.severity(of: last) == .critical)
    #expect(j[2] == nil, "two days are too little past")
    #expect(j[3] != nil)
  }

  @Test func `percentage change: a hole in the days is not counted as a day`() throws {
    let d = try detector("percentage_change", ["lookback_days": 7, "threshold": 0.3])
    var points = days([100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 50])
    points.removeSubrange(2...8)
    let last = d.judge(points, from: points.count - 1)[0]
    #expect(last == nil, "only one day of the last seven is there")
  }

  @Test(arguments: [
    ("up", 150.0, true), ("up", 50, false), ("down", 50, true), ("down", 150, false), ("both", 50, true),
  ])
  func directions(_ direction: String, _ value: Double, _ expected: Bool) throws {
    let d = try detector("percentage_change", ["threshold": "30%", "direction": .string(direction)])
    #expect(d.judgeAll(days([100, 100, 100, 100, value])).last??.isAnomalous == expected)
  }

  @Test func `zscore: by hand`() throws {
    let d = try detector("zscore", ["lookback": 5, "threshold": 3])
    // 10, 12, 14, 16, 18: mean 14, sum of squares 40, sample deviation sqrt(10).
    let j = d.judgeAll(days([10, 12, 14, 16, 18, 24, 1]))
    let sixth = try #require(j[5])
    #expect(sixth.expected == 14)
    #expect(abs(try #require(sixth.z) - 10 / 10.0.squareRoot()) < 1e-12)
    #expect(sixth.isAnomalous)
    #expect(abs(try #require(sixth.upper) - (14 + 3 * 10.0.squareRoot())) < 1e-12)
    #expect(j[4] == nil)
    #expect(try #require(j[6]).z ?? 0 < 0)
    #expect(d.sentence("load", sixth) == "load is 3.2 standard deviations above its usual level (24, expected 14)")
  }

  @Test func `zscore: a flat past makes any change a finding, and no change none`() throws {
    let d = try detector("statistical", ["method": "zscore", "threshold": 3.0])
    let j = d.judgeAll(days([5, 5, 5, 5, 5, 5, 5, 6]))
    #expect(j[6]?.isAnomalous == false)
    #expect(j[6]?.z == 0)
    #expect(j[7]?.isAnomalous == true)
    #expect(j[7]?.z == ZScore.limit)
    let careful = try detector("zscore", ["min_change": 0.5])
    #expect(careful.judgeAll(days([5, 5, 5, 5, 5, 5, 5, 6])).last??.isAnomalous == false)
  }

  @Test func `zscore: a season compares like with like`() throws {
    var values: [Double] = []
    for day in 0..<56 { values.append(day % 7 >= 5 ? 40 + Double(day / 7 % 2) : 100 + Double(day / 7 % 2)) }
    values.append(42)  // A Monday like a Saturday.
    let plain = try detector("zscore", ["lookback_days": 60])
    let seasonal = try detector("zscore", ["lookback_days": 60, "season": "weekday"])
    #expect(plain.judgeAll(days(values)).last??.isAnomalous == false)
    #expect(seasonal.judgeAll(days(values)).last??.isAnomalous == true)
  }

  @Test func `row count`() throws {
    let plain = try detector("row_count")
    #expect(plain.judgeAll(days([3, 0])).map { $0?.isAnomalous } == [false, true])
    #expect(plain.severity(of: try #require(plain.judgeAll(days([0]))[0])) == .critical)
    let bounds = try detector("row_count", ["min_rows": 10, "max_rows": 20])
    #expect(bounds.judgeAll(days([9, 10, 20, 21])).map { $0?.isAnomalous } == [true, false, false, true])
    let relative = try detector("row_count", ["threshold": 0.5])
    #expect(relative.judgeAll(days([100, 100, 100, 140, 40])).map { $0?.isAnomalous } == [nil, nil, nil, false, true])
  }

  @Test func `missing rows need a past with rows`() {
    let d = MissingRows()
    #expect(d.judgeAll(days([12, 12, 0, 12])).map { $0?.isAnomalous } == [nil, false, true, false])
    #expect(d.judgeAll(days([0, 0, 0])).map { $0?.isAnomalous } == [nil, nil, nil])
  }

  @Test(arguments: [
    ("revenue_drop", [1850.0, 1850, 1850, 1850, 245], true, "critical"),
    ("revenue_drop", [100, 100, 100, 100, 65], true, "medium"),
    ("revenue_drop", [100, 100, 100, 100, 180], false, ""),
    ("traffic_drop", [450, 460, 440, 455, 445, 287], true, "critical"),
    ("traffic_spike", [450, 460, 440, 455, 445, 287], false, ""),
    ("cart_abandonment", [0.45, 0.46, 0.44, 0.45, 0.46, 0.78], true, "medium"),
    ("cart_abandonment", [0.45, 0.46, 0.44, 0.45, 0.46, 0.65], false, ""),
    ("cart_abandonment", [0.45, 0.46, 0.44, 0.45, 0.46, 0.93], true, "critical"),
    ("conversion_drop", [0.015], true, "high"), ("conversion_drop", [0.05], false, ""),
    ("data_quality", [0.3], true, "high"),
    ("category_imbalance", [0.61], true, "low"), ("category_imbalance", [0.5], false, ""),
  ])
  func packs(_ name: String, _ values: [Double], _ anomalous: Bool, _ severity: String) throws {
    let d = try detector(name, period: .point)
    let last = try #require(d.judgeAll(days(values)).last ?? nil)
    #expect(last.isAnomalous == anomalous)
    if anomalous { #expect(d.severity(of: last).name == severity) }
  }

  @Test(arguments: [
    ("threshold", [:] as [String: JSON], "bound"), ("threshold", ["min_value": "many"], "not usable"),
    ("threshold", ["min_value": 5, "max_value": 1], "above"), ("percentage_change", ["treshold": 0.3], "no parameter"),
    ("percentage_change", [:], "needs a threshold"), ("zscore", ["direction": "sideways"], "not known"),
    ("zscore", ["lookback": 5, "lookback_days": 3], "twice"), ("zscores", [:], "there is no detector"),
    ("statistical", ["method": "magic"], "there is no detector"), ("zscore", ["lookback": 0], "not usable"),
  ])
  func faults(_ name: String, _ parameters: [String: JSON], _ word: String) {
    let place = Place(file: "config/metrics/x.yaml", line: 7, column: 9)
    var p = Parameters(
      CheckSettings(
        name: "e/m/x", detector: name, metric: "m", period: .daily,
        parameters: parameters.mapValues { Option($0, place: place) }, place: place))
    if DetectorRegistry.detector(&p) != nil { p.finish() }
    #expect(p.faults.contains { $0.message.contains(word) && $0.place == place }, "\(p.faults)")
  }

  @Test(arguments: [
    (1850.0, "1,850"), (245, "245"), (0.0342, "0.0342"), (12.345, "12.3"), (1_234_567.8, "1,234,568"), (-0.5, "-0.5"),
    (0, "0"), (99.99, "100"), (1e20, "1e+20"), (0.05, "0.05"),
  ])
  func numbers(_ value: Double, _ text: String) { #expect(Sentence.number(value) == text) }
}
