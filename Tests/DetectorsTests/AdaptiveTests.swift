import Alerts
import Foundation
import Testing

@testable import Detectors

@Suite struct AdaptiveTests {
  /// A daily wave by the half hour, with noise.
  private func wave(_ n: Int, seed: UInt64 = 3, level: Double = 100) -> [(Double, Double)] {
    var random = SeededRandom(seed: seed)
    return (0..<n).map { i in
      (Double(i) * 1800, level + 20 * sin(2 * .pi * Double(i % 48) / 48) + random.gaussian())
    }
  }

  private func scores(_ series: [(Double, Double)]) -> [AdaptiveStream.Score] {
    var stream = AdaptiveStream()
    return series.map { stream.push(seconds: $0.0, $0.1) }
  }

  @Test func `a spike that was never seen scores, a quiet series does not`() {
    var series = wave(2000)
    series[1500].1 = 300
    let s = scores(series)
    #expect(s[1500].score > 0.6)
    #expect(s[1500].novelty > 0.35)
    #expect(s.enumerated().allSatisfy { $0.offset == 1500 || $0.offset < 200 || $0.element.score < Adaptive.standard })
  }

  @Test func `an incident that repeats is told again, by its deviation`() {
    var series = wave(3000)
    for k in stride(from: 1000, to: 3000, by: 500) { series[k].1 = 260 }
    let s = scores(series)
    for k in stride(from: 1000, to: 3000, by: 500) { #expect(s[k].score >= Adaptive.standard, "\(k): \(s[k])") }
  }

  @Test func `it looks neither ahead nor at the length`() {
    let series = wave(800)
    let whole = scores(series)
    for n in [21, 22, 100, 500] { #expect(scores(Array(series.prefix(n))) == Array(whole.prefix(n))) }
  }

  @Test func `the scale and the offset of a series do not matter`() {
    var series = wave(1200)
    series[1000].1 = 300
    let plain = scores(series)
    let moved = scores(series.map { ($0.0, $0.1 * 1e6 - 5e7) })
    for (a, b) in zip(plain, moved) { #expect(abs(a.score - b.score) < 1e-4) }
  }

  @Test func `what is missing or flat or huge scores 0 and breaks nothing`() {
    var stream = AdaptiveStream()
    for i in 0..<500 {
      let x = i % 7 == 0 ? Double.nan : i % 11 == 0 ? .infinity : 5
      #expect(stream.push(seconds: Double(i), x).score == 0)
    }
    var wild = AdaptiveStream()
    var random = SeededRandom(seed: 9)
    for i in 0..<5000 {
      let x = random.gaussian() * pow(10, Double(random.next() % 600) - 300)
      let s = wild.push(seconds: random.uniform() * 1e12 - 5e11, x)
      #expect(s.score.isFinite && s.score >= 0 && s.score <= 1, "\(i) \(x)")
    }
  }

  @Test func `a score file has one row for each of the data's`() throws {
    var text = "timestamp,value\n"
    for (t, v) in wave(300) { text += "\(Timestamp(seconds: Int64(t)).rfc3339),\(v)\n" }
    text += "2026-01-01T00:00:00Z,\n2026-01-01T00:30:00Z,NaN\nnonsense,12\nshort\n"
    let scored = try ScoreFile.score(Array(text.utf8))
    let lines = String(decoding: scored.csv, as: UTF8.self).split(separator: "\n")
    #expect(lines.first == "timestamp,value,anomaly_score")
    #expect(lines.count == 305)
    #expect(scored.missing == 3)
    #expect(lines.last == "short,,0.0")
    #expect(throws: SourceError.self) { try ScoreFile.score([]) }
  }

  @Test func `as a check it says which signal spoke`() throws {
    var points = wave(1000).map { Point(Timestamp(seconds: Int64($0.0)), $0.1) }
    points[900].value = 400
    let d = try detector("adaptive", period: .point)
    let j = try #require(d.judge(points, from: 900)[0])
    #expect(j.isAnomalous)
    #expect(d.sentence("load", j).contains("never been like this"))
    #expect(j.explanation.map(\.name) == ["novelty", "deviation", "z"])
    #expect(d.judge(points, from: 899)[0]?.isAnomalous == false)
  }

  @Test func `a line that was flat and moves is far from usual, in words too`() throws {
    let points = (0..<200).map { Point(Timestamp(seconds: 1_767_225_600 + Int64($0) * 300), $0 == 150 ? 7 : 5) }
    let d = try detector("adaptive", period: .point)
    let judged = d.judge(points, from: 0)
    #expect(judged.indices.filter { judged[$0]?.isAnomalous == true } == [150])
    let j = try #require(judged[150])
    #expect(j.z == ZScore.limit)
    #expect(d.sentence("load", j) == "load has never been like this, and is far above usual (7, lately 5)")
  }

  @Test func `the sliding median is the median`() {
    var random = SeededRandom(seed: 4)
    for size in [1, 2, 3, 48] {
      var sliding = SlidingMedian(size)
      var mean = SlidingMean(size)
      var all: [Double] = []
      for _ in 0..<300 {
        all.append(Double(random.next() % 20))
        let last = all.suffix(size).sorted()
        let middle = last.count / 2
        let expected = last.count % 2 == 1 ? last[middle] : (last[middle - 1] + last[middle]) / 2
        #expect(sliding.push(all[all.count - 1]) == expected)
        #expect(abs(mean.push(all[all.count - 1]) - last.reduce(0, +) / Double(last.count)) < 1e-9)
      }
    }
  }
}
