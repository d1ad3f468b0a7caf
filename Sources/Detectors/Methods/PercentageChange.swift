package import Alerts

/// A change of more than a share against the mean of the windows before.
package struct PercentageChange: Detector {
  package let name: String
  let past: Past
  /// 0.3 is 30 %.
  let threshold: Double
  let direction: Direction
  package var lookback: Lookback { past.lookback }

  init(
    _ p: inout Parameters, name: String = "percentage_change", threshold: Double? = nil, direction: Direction = .both,
    points: Int = 7
  ) {
    self.name = name
    let days: Double? = threshold == nil ? (p.check.period == .weekly ? 28 : p.check.period == .point ? nil : 7) : nil
    past = p.past(days: days, points: points, least: 3)
    self.direction = p.choice("direction", Direction.self) ?? direction
    let given = p.number("threshold", in: 0...1e6)
    if given == nil, threshold == nil, p.faults.isEmpty {
      p.fault(nil, "percentage_change needs a threshold", mend: "threshold: 0.3 means a change of 30 %")
    }
    self.threshold = given ?? threshold ?? 0
  }

  package func judge(_ points: [Point], from: Int) -> [Judgement?] {
    var start = 0
    return (min(from, points.count)..<points.count).map { i in
      guard let range = past.range(points, before: i, start: &start) else { return nil }
      var sum = 0.0
      for k in range { sum += points[k].value }
      let mean = sum / Double(range.count)
      let v = points[i].value
      let change = Judgement.relativeChange(v, mean)
      let band = mean.magnitude * threshold
      return Judgement(
        isAnomalous: change.magnitude > threshold && direction.takes(change), value: v, expected: mean,
        lower: direction == .up ? nil : mean - band, upper: direction == .down ? nil : mean + band, deviation: change,
        explanation: [.init("mean", mean), .init("points", Double(range.count)), .init("change", change)])
    }
  }

  /// Half gone is critical, as is doubling; 40 % is high.
  package func severity(of j: Judgement) -> Severity {
    let change = j.deviation?.magnitude ?? 0
    return change > 0.5 ? .critical : change > 0.4 ? .high : .medium
  }

  package func sentence(_ metric: String, _ j: Judgement) -> String {
    let mean: String
    switch past.extent {
    case .time(let i) where i.microseconds % 86_400_000_000 == 0: mean = "\(i.microseconds / 86_400_000_000)-day mean"
    case .time(let i): mean = "mean of the last \(i.rounded)"
    case .points(let n): mean = "mean of the last \(n)"
    }
    return
      "\(metric) \(Sentence.moved(j.deviation ?? 0)) the \(mean) (\(Sentence.number(j.value)), expected \(Sentence.number(j.expected ?? 0)))"
  }
}
