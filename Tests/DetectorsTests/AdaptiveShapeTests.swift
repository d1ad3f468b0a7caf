import Alerts
import Foundation
import Testing

@testable import Detectors

/// Series as they come: what must be told, and how often it may be told for nothing.
@Suite struct AdaptiveShapeTests {
  struct Shape: Sendable, CustomTestStringConvertible {
    var name: String
    /// Seconds between points, how many, and the incident's.
    var step: Double
    var count: Int
    var incident: Range<Int>
    /// Alarms beside the incident, one for twelve points, that are borne.
    var borne: Int
    var value: @Sendable (Int, inout SeededRandom) -> Double
    var testDescription: String { name }
  }

  private static func count(_ mean: Double, _ random: inout SeededRandom) -> Double {
    var (k, p) = (0.0, random.uniform())
    while p > exp(-mean) {
      k += 1
      p *= random.uniform()
    }
    return k
  }

  static let shapes: [Shape] = [
    Shape(name: "zero, always, and then one", step: 300, count: 3000, incident: 2500..<2501, borne: 0) { i, _ in
      i == 2500 ? 1 : 0
    },
    Shape(name: "always a hundred, and then nothing", step: 300, count: 3000, incident: 2500..<2506, borne: 0) { i, _ in
      (2500..<2506).contains(i) ? 0 : 100
    },
    Shape(name: "always the same", step: 60, count: 3000, incident: 0..<0, borne: 0) { _, _ in 42 },
    Shape(name: "rare counts, and a burst", step: 300, count: 4000, incident: 3000..<3004, borne: 8) { i, r in
      count(0.05, &r) + ((3000..<3004).contains(i) ? 12 : 0)
    },
    Shape(name: "a share that can't exceed 1", step: 300, count: 4000, incident: 3000..<3005, borne: 8) { i, r in
      (3000..<3005).contains(i) ? 0.93 : min(1, 1 - abs(r.gaussian()) * 0.0008)
    },
    Shape(name: "sales by the hour, with weekends", step: 3600, count: 1344, incident: 1069..<1073, borne: 4) { i, r in
      let hour = Double(i % 24)
      let base = 1000 * (0.2 + exp(-pow((hour - 14) / 5, 2))) * (i / 24 % 7 >= 5 ? 0.5 : 1)
      return (base + base.squareRoot() * r.gaussian()) * ((1069..<1073).contains(i) ? 0.05 : 1)
    },
    Shape(name: "sixty days, and one that fails", step: 86_400, count: 60, incident: 45..<46, borne: 1) { i, r in
      10_000 * (i % 7 >= 5 ? 0.6 : 1) * (1 + 0.05 * r.gaussian()) * (i == 45 ? 0.05 : 1)
    },
    Shape(name: "a slow rise, and a spike", step: 300, count: 4000, incident: 3000..<3001, borne: 24) { i, r in
      100 + 0.075 * Double(i) + 5 * r.gaussian() + (i == 3000 ? 60 : 0)
    },
    Shape(name: "a counter that only grows", step: 300, count: 4000, incident: 0..<0, borne: 3) { i, _ in
      3 * Double(i) + Double(i * 7919 % 5)
    },
    Shape(name: "noise alone", step: 300, count: 4000, incident: 0..<0, borne: 10) { _, r in 100 + 10 * r.gaussian() },
    Shape(name: "numbers of 10^-11", step: 300, count: 4000, incident: 3000..<3001, borne: 10) { i, r in
      1e-11 * (100 + 10 * r.gaussian() + (i == 3000 ? 100 : 0))
    },
    Shape(name: "numbers of 10^15, below zero", step: 300, count: 4000, incident: 3000..<3001, borne: 10) { i, r in
      -1e13 * (100 + 10 * r.gaussian() + (i == 3000 ? 100 : 0))
    },
    Shape(name: "by the minute, every tenth missing", step: 60, count: 7200, incident: 6600..<6620, borne: 8) { i, r in
      if r.uniform() < 0.1 { return .nan }
      let base = 60 * (0.3 + exp(-pow((Double(i % 1440) / 60 - 14) / 4, 2)))
      return (6600..<6620).contains(i) ? 0 : base + base.squareRoot() * r.gaussian()
    },
  ]

  @Test(arguments: shapes) func `the incident is told, and little else`(_ shape: Shape) {
    var random = SeededRandom(seed: 11)
    var stream = AdaptiveStream()
    var (found, others, quietUntil) = (false, 0, 0)
    for i in 0..<shape.count {
      let x = shape.value(i, &random)
      // A third of the intervals is not the usual one.
      let jitter = i % 3 == 0 ? 0.2 * shape.step * random.uniform() : 0
      guard stream.push(seconds: 1_767_225_600 + shape.step * Double(i) + jitter, x).score >= Adaptive.standard else {
        continue
      }
      if shape.incident.lowerBound <= i, i < shape.incident.upperBound + 3 {
        found = true
      } else if i >= quietUntil {
        others += 1
        quietUntil = i + 12
      }
    }
    #expect(found || shape.incident.isEmpty)
    #expect(others <= shape.borne, "\(others) alarms for nothing")
  }

  @Test func `days: an incident that repeats each quarter is told each time`() {
    for seed in 0..<4 {
      var random = SeededRandom(seed: UInt64(seed))
      var stream = AdaptiveStream()
      for d in 0..<263 {
        let x = 1000 + 40 * random.gaussian() + (d % 90 == 80 ? 900 : 0)
        let score = stream.push(seconds: Double(d) * 86_400, x).score
        if d % 90 == 80 { #expect(score >= Adaptive.standard, "day \(d): \(score)") }
      }
    }
  }

  @Test(arguments: [
    // Whatever the columns are called and however times are written, the same scores.
    "timestamp,value", "TimeStamp;Value", "when,who,amount", "value", "id,created,total", "t\tv",
    "\u{FEFF}\"ds\",\"y\"",
  ])
  func `a file is scored whatever its columns are called`(_ header: String) throws {
    let separator = header.contains(";") ? ";" : header.contains("\t") ? "\t" : ","
    let names = header.split(separator: Character(separator))
    func row(_ i: Int) -> String {
      let time = Timestamp(seconds: 1_767_225_600 + Int64(i) * 300).rfc3339
      let value = "\(i == 400 ? 900 : 100 + i % 7)"
      return names.count == 1
        ? value
        : names.count == 3
          ? (header.hasPrefix("id") ? "\(i)" : time) + "," + (header.hasPrefix("id") ? time : "ana") + ",\(value)"
          : time + separator + value
    }
    let text = header + "\n" + (0..<500).map { row($0) + "\n" }.joined()
    let scored = try ScoreFile.score(Array(text.utf8))
    #expect(scored.rows == 500)
    #expect(scored.missing == 0)
    #expect(peak(scored.csv) == 400)
  }

  private func peak(_ csv: [UInt8]) -> Int? {
    let scores = String(decoding: csv, as: UTF8.self).split(separator: "\n").dropFirst().map {
      Double($0.split(separator: ",").last ?? "") ?? -1
    }
    return scores.indices.max { scores[$0] < scores[$1] }
  }

  @Test(arguments: [
    "2026-01-31", "2026-01-31 10:00", "2026-01-31T10:00:00+01:00", "2026-01-31 10:00:00 UTC",
    "2026-01-31T10:00:00.123Z",
    "2026-01-31 10:00:00 +0000 UTC", "1769853600", "1769853600000", "1769853600000000", "2026/01/31 10:00",
    "31.01.2026 10:00",
    "1/31/2026 10:00", "31/1/2026 10:00:00", "1/31/2026 10:00:00 AM", "20260131", "20260131T100000Z", "1/31/2026",
  ])
  func `times as exports write them`(_ text: String) throws {
    let loose = LooseTime(dayFirst: LooseTime.dayFirst([text[...]]))
    let seconds = try #require(loose.read(text))
    let ten = 1_769_853_600.0
    #expect([ten, ten - 3600, ten - 36_000, ten + 0.123].contains { abs($0 - seconds) < 0.001 }, "\(seconds - ten)")
    #expect(loose.read("7/4/2026 1:30 pm").map { Int($0) % 86_400 } == 48_600)
    for quote in ["\"", "'", " \"x", "'2026-01-01", "\"\"", "\" '"] { _ = TimeReading(zone: .utc).read(quote) }
    for nonsense in ["", "x", "31.13.2026", "99999999", "2026", "//", "T", ": :"] {
      #expect(loose.read(nonsense).map { $0 < 1e8 } ?? true, "\(nonsense)")
    }
  }

  @Test func `newest first, numbers with commas, and fields that need quotes`() throws {
    var lines = (0..<500).map { i in
      "\"\(Timestamp(seconds: 1_767_225_600 + Int64(i) * 300).rfc3339)\",\"\(i == 400 ? "9,000.5" : "1,10\(i % 7)")\""
    }
    let forward = try ScoreFile.score(Array(("at,sales\n" + lines.joined(separator: "\n")).utf8))
    #expect(forward.missing == 0)
    #expect(peak(forward.csv) == 400)
    #expect(String(decoding: forward.csv, as: UTF8.self).contains("\"9,000.5\""))
    lines.reverse()
    let backward = try ScoreFile.score(Array(("at,sales\n" + lines.joined(separator: "\n")).utf8))
    #expect(peak(backward.csv) == 99)
    #expect(backward.rows == 500)
    for text in ["a\n", "a,b\n", ",\n,\n", "x", "\n\n", "time,value\n,\n,\n"] {
      if let scored = try? ScoreFile.score(Array(text.utf8)) { #expect(scored.missing == scored.rows) }
    }
  }

  @Test func `bytes of any kind make a file or an error, and no crash`() {
    var random = SeededRandom(seed: 5)
    let alphabet = Array("\"\",;\n\r\t 0129./%:eE-+TZ\u{FF}".utf8) + [0, 255]
    for _ in 0..<1500 {
      var bytes = Array("time,value\n".utf8.prefix(Int(random.next() % 12)))
      for _ in 0..<Int(random.next() % 80) { bytes.append(alphabet[Int(random.next() % UInt64(alphabet.count))]) }
      _ = try? ScoreFile.score(bytes)
    }
  }
}
