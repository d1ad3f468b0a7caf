package import Alerts

/// ``AdaptiveStream`` as a check: nothing to set, and it says which of its two signals spoke.
///
/// A novelty is a peak of one point; a deviation lasts as long as the series stays far off. Either fires at the same threshold.
package struct Adaptive: Detector {
  package let name = "adaptive"
  package var lookback: Lookback { .everything }
  /// The score from which it is a finding.
  let threshold: Double
  let direction: Direction
  let leastChange: Double

  /// Chosen between the best thresholds of the two sets that it was measured on, 0.32 and 0.38; see docs/detection.md.
  static let standard = 0.34

  init(_ p: inout Parameters) {
    threshold = p.number("threshold", in: 0.01...0.99) ?? Adaptive.standard
    direction = p.choice("direction", Direction.self) ?? .both
    leastChange = p.number("min_change", in: 0...1e6) ?? 0
  }

  init(threshold: Double = Adaptive.standard) {
    self.threshold = threshold
    direction = .both
    leastChange = 0
  }

  package func judge(_ points: [Point], from: Int) -> [Judgement?] {
    var stream = AdaptiveStream()
    var out: [Judgement?] = []
    out.reserveCapacity(max(0, points.count - from))
    for (i, point) in points.enumerated() {
      let s = stream.push(seconds: Double(point.time.microseconds) / 1_000_000, point.value)
      if i >= from { out.append(i < AdaptiveStream.intervalRows ? nil : judgement(point.value, s)) }
    }
    return out
  }

  /// What a score means.
  func judgement(_ v: Double, _ s: AdaptiveStream.Score) -> Judgement {
    let change = Judgement.relativeChange(v, s.expected)
    let far = v - s.expected
    // From a line that was flat everything is far.
    let z =
      s.spread > 0
      ? max(-ZScore.limit, min(ZScore.limit, far / s.spread))
      : s.deviation > 0 ? (far < 0 ? -ZScore.limit : ZScore.limit) : 0
    return Judgement(
      isAnomalous: s.score >= threshold && direction.takes(v - s.expected) && change.magnitude >= leastChange, value: v,
      expected: s.expected, lower: s.expected - 3 * s.spread, upper: s.expected + 3 * s.spread, deviation: change,
      score: s.score, z: z,
      explanation: [.init("novelty", s.novelty), .init("deviation", s.deviation), .init("z", z)])
  }

  package func severity(of j: Judgement) -> Severity {
    let score = j.score ?? 0
    return score >= 0.6 ? .critical : score >= 0.45 ? .high : .medium
  }

  package func sentence(_ metric: String, _ j: Judgement) -> String {
    func fact(_ name: String) -> Double { j.explanation.first { $0.name == name }?.value ?? 0 }
    let numbers = "(\(Sentence.number(j.value)), lately \(Sentence.number(j.expected ?? 0)))"
    let magnitude = j.z?.magnitude ?? 0
    let z =
      magnitude >= ZScore.limit ? "far" : "\(Sentence.number((magnitude * 10).rounded() / 10)) standard deviations"
    let side = j.z ?? 0 < 0 ? "below" : "above"
    let new = fact("novelty") >= threshold
    let far = fact("deviation") >= threshold
    if new, far {
      return "\(metric) has never been like this, and is \(z) \(side) usual \(numbers)"
    }
    if new { return "\(metric) has never been like this before \(numbers)" }
    return "\(metric) is \(z) \(side) usual, more than it ordinarily strays \(numbers)"
  }
}
