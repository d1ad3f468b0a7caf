package import Alerts

/// A z-score that incidents of the past don't spoil: the median for the mean, and 1.4826 times the median absolute deviation for the standard
/// deviation.
///
/// Iglewicz and Hoaglin, How to Detect and Handle Outliers, 1993. Where more than half of the past is one value the deviation would be nothing; the mean
/// absolute deviation stands in then, times 1.2533.
package struct RobustZScore: Detector {
  package let name = "robust_zscore"
  let past: Past
  let threshold: Double
  let direction: Direction
  let leastChange: Double
  let season: SeasonCalendar?
  package var lookback: Lookback { past.lookback }

  init(_ p: inout Parameters) {
    past = p.past(days: ZScore.defaultDays(p.check.period), points: 60, least: p.check.period == .weekly ? 4 : 5)
    threshold = p.number("threshold", "z", in: 0.1...1000) ?? 3.5
    direction = p.choice("direction", Direction.self) ?? .both
    leastChange = p.number("min_change", in: 0...1e6) ?? 0
    season = p.seasonCalendar(nil)
  }

  package func judge(_ points: [Point], from: Int) -> [Judgement?] {
    let keys = season?.keys(points)
    var start = 0
    return (min(from, points.count)..<points.count).map { i in
      guard let range = past.range(points, before: i, start: &start) else { return nil }
      var values: [Double] = []
      for k in range where keys.map({ $0[k] == $0[i] }) ?? true {
        values.append(points[k].value)
      }
      guard values.count >= (season == nil ? past.least : 3) else { return nil }
      let (median, spread) = Self.centre(values)
      var j = ZScore.judgement(
        points[i].value, mean: median, sd: spread, n: Double(values.count), threshold: threshold, direction: direction,
        leastChange: leastChange)
      j.explanation = [
        .init("z", j.z ?? 0), .init("median", median), .init("spread", spread), .init("points", Double(values.count)),
      ]
      return j
    }
  }

  /// The median, and the spread on the scale of a standard deviation.
  static func centre(_ values: [Double]) -> (median: Double, spread: Double) {
    let middle = median(values)
    let distances = values.map { ($0 - middle).magnitude }
    let mad = 1.4826 * median(distances)
    if mad > 0 { return (middle, mad) }
    return (middle, 1.2533 * distances.reduce(0, +) / Double(max(1, distances.count)))
  }

  static func median(_ values: [Double]) -> Double {
    guard !values.isEmpty else { return 0 }
    let sorted = values.sorted()
    let k = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[k] : (sorted[k - 1] + sorted[k]) / 2
  }

  package func severity(of j: Judgement) -> Severity {
    let z = j.z?.magnitude ?? 0
    return z > 2 * threshold ? .critical : z > 1.4 * threshold ? .high : .medium
  }

  package func sentence(_ metric: String, _ j: Judgement) -> String {
    ZScore.sentence(metric, j, level: "its median")
  }
}
