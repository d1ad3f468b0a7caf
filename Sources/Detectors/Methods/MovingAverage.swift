package import Alerts

/// A value outside a band around a moving average, plain (`moving_average`) or exponentially weighted (`ewma`), where the band is a number of
/// standard deviations of what the average usually misses by.
///
/// The exponentially weighted form: S. W. Roberts, Control Chart Tests Based on Geometric Moving Averages, Technometrics 1959.
package struct MovingAverage: Detector {
  package let name: String
  /// Points of the plain average, or the span of the weighted one.
  let span: Int
  let weighted: Bool
  let threshold: Double
  let direction: Direction
  let leastChange: Double
  let least: Int
  package var lookback: Lookback { .points(Self.memory * span) }

  /// How many spans of the past the band is made of.
  static let memory = 5

  init(_ p: inout Parameters, weighted: Bool) {
    name = weighted ? "ewma" : "moving_average"
    self.weighted = weighted
    span =
      p.integer("window", "span", "lookback", in: 2...10_000)
      ?? (p.check.period == .hourly ? 24 : p.check.period == .weekly ? 4 : p.check.period == .daily ? 7 : 12)
    threshold = p.number("threshold", "sigmas", in: 0.1...1000) ?? 3
    direction = p.choice("direction", Direction.self) ?? .both
    leastChange = p.number("min_change", in: 0...1e6) ?? 0
    least = p.integer("min_points", in: 3...100_000) ?? span + 3
  }

  package func judge(_ points: [Point], from: Int) -> [Judgement?] {
    // From the same distance back whatever is asked for, so that a window is judged alike in a run and in a backfill.
    var out: [Judgement?] = []
    for i in min(from, points.count)..<points.count {
      let start = max(0, i - Self.memory * span)
      guard i - start >= least else {
        out.append(nil)
        continue
      }
      let (mean, sd, n) = weighted ? weightedBand(points, start, i) : plainBand(points, start, i)
      var j = ZScore.judgement(
        points[i].value, mean: mean, sd: sd, n: n, threshold: threshold, direction: direction, leastChange: leastChange)
      j.explanation = [.init("z", j.z ?? 0), .init("average", mean), .init("error", sd), .init("points", n)]
      out.append(j)
    }
    return out
  }

  /// The average before `i`, and the deviation of earlier values from the averages before them.
  private func plainBand(_ points: [Point], _ start: Int, _ i: Int) -> (Double, Double, Double) {
    var sum = 0.0
    for k in start..<min(i, start + span) { sum += points[k].value }
    var errors = 0.0
    var n = 0.0
    for k in (start + span)..<max(start + span, i) {
      let e = points[k].value - sum / Double(span)
      errors += e * e
      n += 1
      sum += points[k].value - points[k - span].value
    }
    return (sum / Double(min(span, i - start)), n > 0 ? (errors / n).squareRoot() : 0, n)
  }

  private func weightedBand(_ points: [Point], _ start: Int, _ i: Int) -> (Double, Double, Double) {
    let alpha = 2 / Double(span + 1)
    var mean = points[start].value
    var errors = 0.0
    var weight = 0.0
    for k in (start + 1)..<i {
      let e = points[k].value - mean
      errors += alpha * (e * e - errors)
      weight += alpha * (1 - weight)
      mean += alpha * e
    }
    return (mean, weight > 0 ? (errors / weight).squareRoot() : 0, Double(i - start))
  }

  package func severity(of j: Judgement) -> Severity {
    let z = j.z?.magnitude ?? 0
    return z > 5 ? .critical : z > 4 ? .high : .medium
  }

  package func sentence(_ metric: String, _ j: Judgement) -> String {
    ZScore.sentence(metric, j, level: "its moving average")
  }
}
