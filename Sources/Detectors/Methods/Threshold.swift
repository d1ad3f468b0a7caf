package import Alerts

/// A value beyond fixed bounds. Expected is the bound that was crossed; deviation is how far beyond it, relative to it.
package struct Threshold: Detector {
  package let name: String
  let least: Double?
  let most: Double?
  package var lookback: Lookback { .none }

  init(name: String = "threshold", least: Double?, most: Double?) {
    self.name = name
    self.least = least
    self.most = most
  }

  init(_ p: inout Parameters) {
    name = "threshold"
    least = p.number("min_value", "min", in: -1e300...1e300)
    most = p.number("max_value", "max", in: -1e300...1e300)
    if least == nil, most == nil, p.faults.isEmpty {
      p.fault(nil, "a threshold needs a bound", mend: "give min_value, max_value, or both")
    }
    if let least, let most, least > most {
      p.fault("min_value", "min_value \(Sentence.number(least)) is above max_value \(Sentence.number(most))")
    }
  }

  package func judge(_ points: [Point], from: Int) -> [Judgement?] {
    points[min(from, points.count)...].map { point in
      let v = point.value
      let crossed: Double? =
        if let least, v < least { least } else if let most, v > most { most } else { nil }
      return Judgement(
        isAnomalous: crossed != nil, value: v, expected: crossed, lower: least, upper: most,
        deviation: crossed.map { Judgement.relativeChange(v, $0) } ?? 0)
    }
  }

  package func severity(of judgement: Judgement) -> Severity { .high }

  package func sentence(_ metric: String, _ j: Judgement) -> String {
    let v = Sentence.number(j.value)
    if let least, j.value < least { return "\(metric) is \(v), below the least allowed, \(Sentence.number(least))" }
    if let most, j.value > most { return "\(metric) is \(v), above the most allowed, \(Sentence.number(most))" }
    return "\(metric) is within its bounds (\(v))"
  }
}
