package import Alerts

/// The shape of a day: its 24 hourly values against the mean shape of the same weekday (or of all days, while there are too few), by the cosine of the angle
/// between the two. A day that has its usual volume at the wrong hours is found by nothing else.
///
/// It speaks once a day, at the last hour. Expected and lower are the similarity that is required; value is the one that was found.
package struct Profile: Detector {
  package let name = "profile"
  /// Days of the past.
  let days: Int
  /// The least cosine similarity: 1 is the same shape.
  let least: Double
  package var lookback: Lookback { .time(.days(Int64(days) + 1)) }

  static let leastDays = 3
  /// Hours that a day must have to be compared.
  static let leastHours = 20

  init(_ p: inout Parameters) {
    days = p.integer("baseline_days", "lookback_days", in: 3...366) ?? 30
    least = p.number("similarity", "threshold", in: 0...1) ?? 0.9
    if p.check.period != .hourly {
      p.fault(nil, "a profile compares hours", mend: "put the check under hourly_checks")
    }
  }

  package func judge(_ points: [Point], from: Int) -> [Judgement?] {
    var shapes: [Int64: [Double?]] = [:]
    for point in points {
      let (day, rest) = point.time.utcDay
      shapes[day, default: Array(repeating: nil, count: 24)][Int(rest / 3_600_000_000)] = point.value
    }
    return points[min(from, points.count)...].map { point in
      let (day, rest) = point.time.utcDay
      guard rest / 3_600_000_000 == 23, let shape = shapes[day], shape.count(where: { $0 != nil }) >= Self.leastHours
      else { return nil }
      let earlier = shapes.filter { $0.key < day && $0.key >= day - Int64(days) }
      let alike = earlier.filter { ($0.key - day) % 7 == 0 }
      // In their order: sums of the same numbers in another one differ in their last digit.
      let past = (alike.count >= Self.leastDays ? alike : earlier).sorted { $0.key < $1.key }.map(\.value)
      guard past.count >= Self.leastDays, let cosine = Self.similarity(shape, past) else { return nil }
      return Judgement(
        isAnomalous: cosine < least, value: cosine, expected: 1, lower: least,
        deviation: Judgement.relativeChange(cosine, 1), score: 1 - cosine,
        explanation: [.init("similarity", cosine), .init("days", Double(past.count))])
    }
  }

  /// The cosine between a day and the mean of others, over the hours that all have. Nil where either is nothing but zeros.
  static func similarity(_ day: [Double?], _ past: [[Double?]]) -> Double? {
    var (dot, a2, b2) = (0.0, 0.0, 0.0)
    for h in 0..<24 {
      let values = past.compactMap { $0[h] }
      guard let a = day[h], !values.isEmpty else { continue }
      let b = values.reduce(0, +) / Double(values.count)
      dot += a * b
      a2 += a * a
      b2 += b * b
    }
    guard a2 > 0, b2 > 0 else { return nil }
    return dot / (a2.squareRoot() * b2.squareRoot())
  }

  package func severity(of j: Judgement) -> Severity { j.value < 0.75 ? .high : .medium }

  package func sentence(_ metric: String, _ j: Judgement) -> String {
    "the day's pattern of \(metric) is not the usual one: similarity \(Sentence.number(j.value)), at least \(Sentence.number(least)) expected"
  }
}
