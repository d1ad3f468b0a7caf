package import Alerts

/// A level that has moved and stays: cumulative sums of what lies beyond a slack around the old level, up and down apart.
///
/// E. S. Page, Continuous Inspection Schemes, Biometrika 1954. Level and spread are the median and the median absolute deviation of the reference windows that
/// lie before the `window` under test, so that the change itself does not move them.
package struct ChangePoint: Detector {
  package let name = "change_point"
  /// Points of the reference, and of the stretch in which a change is looked for.
  let reference: Int
  let window: Int
  /// In standard deviations: the sum at which it fires, and the slack that each point has.
  let threshold: Double
  let slack: Double
  let direction: Direction
  package var lookback: Lookback { .points(reference + window) }

  /// One point adds at most this to a sum: a single spike is no change of level.
  static let mostPerPoint = 3.0

  init(_ p: inout Parameters) {
    reference = p.integer("reference", "lookback", in: 5...10_000) ?? 30
    window = p.integer("window", in: 2...10_000) ?? 10
    threshold = p.number("threshold", in: 0.5...1000) ?? 8
    slack = p.number("slack", in: 0...10) ?? 0.75
    direction = p.choice("direction", Direction.self) ?? .both
  }

  package func judge(_ points: [Point], from: Int) -> [Judgement?] {
    (min(from, points.count)..<points.count).map { i in
      let first = i - window + 1
      let start = max(0, first - reference)
      guard first - start >= min(reference, 10) else { return nil }
      let (level, spread) = RobustZScore.centre(points[start..<first].map(\.value))
      let sd = max(spread, 1e-9 * max(level.magnitude, points[i].value.magnitude), .leastNormalMagnitude)
      var up = 0.0
      var down = 0.0
      var after = 0.0
      for k in first...i {
        let z = max(-Self.mostPerPoint, min(Self.mostPerPoint, (points[k].value - level) / sd))
        up = max(0, up + z - slack)
        down = max(0, down - z - slack)
        after += points[k].value
      }
      let rises = up >= down
      let sum = max(up, down)
      return Judgement(
        isAnomalous: sum > threshold && direction.takes(rises ? 1 : -1), value: points[i].value, expected: level,
        lower: level - 3 * spread, upper: level + 3 * spread,
        deviation: Judgement.relativeChange(points[i].value, level), score: sum / (sum + threshold),
        z: max(-ZScore.limit, min(ZScore.limit, (points[i].value - level) / sd)),
        explanation: [
          .init("cumulative_sum", rises ? sum : -sum), .init("level_before", level),
          .init("level_since", after / Double(window)), .init("spread", spread),
        ])
    }
  }

  package func severity(of j: Judgement) -> Severity { (j.deviation?.magnitude ?? 0) > 0.5 ? .high : .medium }

  package func sentence(_ metric: String, _ j: Judgement) -> String {
    let since = j.explanation.first { $0.name == "level_since" }?.value ?? j.value
    return
      "\(metric) has moved to a new level: \(Sentence.number(since)) over the last \(window), \(Sentence.number(j.expected ?? 0)) before"
  }
}
