import Alerts
import Foundation
import Testing

@testable import Detectors

@Suite struct MoreMethodTests {
  @Test func `robust z: by hand, and one old incident does not blind it`() throws {
    let d = try detector("robust_zscore", ["lookback": 7, "threshold": 3.5])
    // Median 100, distances 0 1 1 2 2 3 900: their median 2, times 1.4826.
    let past: [Double] = [100, 101, 99, 102, 98, 103, 1000]
    let j = try #require(d.judgeAll(days(past + [120])).last ?? nil)
    #expect(j.expected == 101)
    let expected: Double = 19 / 2.9652
    #expect(abs((j.z ?? 0) - expected) < 1e-9)
    #expect(j.isAnomalous)
    let plain = try detector("zscore", ["lookback": 7])
    #expect(plain.judgeAll(days(past + [120])).last??.isAnomalous == false)
  }

  @Test func `robust z: where most of the past is one value`() throws {
    let d = try detector("robust_zscore", ["lookback": 8])
    let j = try #require(d.judgeAll(days([5, 5, 5, 5, 5, 5, 5, 9, 6])).last ?? nil)
    let expected: Double = 1 / 0.62665
    #expect(abs((j.z ?? 0) - expected) < 1e-9)
  }

  @Test func `moving average: by hand`() throws {
    let d = try detector("moving_average", ["window": 2, "min_points": 4])
    // Averages of two before: 11, 12, 11; errors 2, -2 (of the 13 and the 10), so the deviation is 2.
    let j = try #require(d.judgeAll(days([10, 12, 13, 10.5, 20])).last ?? nil)
    #expect(j.expected == 11.75)
    #expect(abs((j.z ?? 0) - 4.125) < 1e-9)
    #expect(j.isAnomalous)
  }

  @Test func `ewma follows, and finds a jump`() throws {
    let d = try detector("ewma", ["span": 5])
    var values: [Double] = (0..<40).map { (i: Int) -> Double in Double(100 + i + (i % 2 == 0 ? 1 : -1)) }
    #expect(d.judgeAll(days(values)).allSatisfy { $0?.isAnomalous != true })
    values.append(200)
    #expect(d.judgeAll(days(values)).last??.isAnomalous == true)
  }

  @Test func `a run and a backfill judge a window alike`() throws {
    var random = SeededRandom(seed: 5)
    let points = days((0..<120).map { _ in 100 + 10 * random.gaussian() })
    for name in ["zscore", "robust_zscore", "moving_average", "ewma", "seasonal", "change_point", "adaptive"] {
      let d = try detector(name)
      let whole = d.judgeAll(points)
      #expect(d.judge(points, from: 100) == Array(whole[100...]), "\(name)")
    }
  }

  @Test func `change point: a new level, and not a single spike`() throws {
    let d = try detector("change_point")
    var random = SeededRandom(seed: 6)
    let flat = (0..<60).map { _ in 100 + random.gaussian() }
    var spike = flat
    spike[55] = 500
    #expect(d.judgeAll(days(spike)).allSatisfy { $0?.isAnomalous != true })
    let moved = flat + (0..<8).map { _ in 104 + random.gaussian() }
    let j = try #require(d.judgeAll(days(moved)).last ?? nil)
    #expect(j.isAnomalous)
    #expect(d.sentence("m", j).contains("new level"))
  }

  @Test func `seasonal: a Monday like a Sunday, and growth is none`() throws {
    let d = try detector("seasonal")
    let week: [Double] = [100, 102, 101, 99, 98, 50, 40]
    var values: [Double] = (0..<70).map { (i: Int) -> Double in week[i % 7] * (1 + 0.004 * Double(i)) }
    #expect(d.judgeAll(days(values)).allSatisfy { $0?.isAnomalous != true })
    values.append(60)
    let j = try #require(d.judgeAll(days(values)).last ?? nil)
    #expect(j.isAnomalous)
    #expect(j.deviation ?? 0 < -0.4)
  }

  @Test func `profile: the usual volume at the wrong hours`() throws {
    let d = try detector("profile", period: .hourly)
    func day(_ shift: Double) -> [Double] {
      (0..<24).map { (h: Int) -> Double in
        let turn: Double = (Double(h) - 14 - shift) / 24
        return 100 + 90 * cos(turn * 2 * Double.pi)
      }
    }
    var values = (0..<10).flatMap { _ in day(0) }
    values += day(12)
    let points = values.enumerated().map { Point(Timestamp(seconds: 1_772_409_600 + Int64($0) * 3600), $1) }
    let j = d.judgeAll(points)
    #expect(j.compactMap { $0 }.count == 8, "once a day, from the fourth on")
    #expect(j.last??.isAnomalous == true)
    #expect(j.dropLast(24).allSatisfy { $0?.isAnomalous != true })
    // cos of mean and shifted: (100² − 90²/2) / (100² + 90²/2)
    let expected: Double = 5950.0 / 14_050.0
    #expect(abs((j.last??.value ?? 0) - expected) < 1e-9)
  }

  /// To the last digit: what was said before is recognised by what it says.
  @Test func `profile: the same days give the same similarity`() throws {
    let d = try detector("profile", period: .hourly)
    var seed: UInt64 = 7
    let points = (0..<24 * 30).map { h in
      seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Point(Timestamp(seconds: 1_772_409_600 + Int64(h) * 3600), Double(seed >> 40) / 1000.7)
    }
    let first = d.judgeAll(points).map { $0?.value }
    for _ in 0..<50 { #expect(d.judgeAll(points).map { $0?.value } == first) }
  }

  @Test func `evaluation counts what was found, missed and made up`() throws {
    func alarm(_ start: String, _ device: String) throws -> Anomaly {
      var a = Anomaly(id: start, source: "d", time: .epoch, eventType: "e", metric: "m")
      let t = try #require(Timestamp(rfc3339: start))
      a.window = .init(start: t, end: t + .days(1))
      a.dimensions = [.init("device", device)]
      return a
    }
    func incident(_ id: String, _ start: String, _ device: String) throws -> SampleIncident {
      let t = try #require(Timestamp(rfc3339: start))
      return SampleIncident(id: id, "e", "m", [.init("device", device)], t, t + .days(1), 0.1, "")
    }
    let incidents = try [incident("I-1", "2026-01-02", "mobile"), incident("I-2", "2026-01-05", "mobile")]
    let alarms = try [alarm("2026-01-02", "mobile"), alarm("2026-01-02", "desktop"), alarm("2026-01-09", "mobile")]
    let q = Evaluation.quality("x", alarms, incidents: incidents, any: incidents, 10)
    #expect(q.found == 1)
    #expect(q.missed == ["I-2"])
    #expect(q.falseAlarms == 2)
    #expect(q.delay == 86_400)
    #expect(q.falsePerDay == 0.2)
  }
}
