package import Alerts

/// A share of a whole that is too large: of the rows, those without a value (`missing_data`); of a total, one category's part (`dominant_category`).
package struct Share: Detector {
  package enum Kind: String, Sendable { case missing_data, dominant_category }
  let kind: Kind
  package var name: String { kind.rawValue }
  /// Medium, high and critical above these; a single one is low, as an imbalance alone breaks nothing.
  let limits: [Double]
  package var lookback: Lookback { .none }

  init(_ p: inout Parameters, _ kind: Kind) {
    self.kind = kind
    switch kind {
    case .missing_data:
      let limit = p.number("max_ratio", "threshold", "max_value", in: 0...1) ?? 0.1
      limits = [limit, max(limit, 0.25), max(limit, 0.5)]
    case .dominant_category:
      limits = [p.number("max_share", "threshold", "max_value", in: 0...1) ?? 0.6]
    }
  }

  package func judge(_ points: [Point], from: Int) -> [Judgement?] {
    points[min(from, points.count)...].map { point in
      Judgement(
        isAnomalous: point.value > limits[0], value: point.value, expected: limits[0], upper: limits[0],
        deviation: Judgement.relativeChange(point.value, limits[0]))
    }
  }

  package func severity(of j: Judgement) -> Severity {
    guard limits.count == 3 else { return .low }
    return j.value > limits[2] ? .critical : j.value > limits[1] ? .high : .medium
  }

  package func sentence(_ metric: String, _ j: Judgement) -> String {
    let (share, limit) = (Sentence.percent(j.value), Sentence.percent(limits[0]))
    return switch kind {
    case .missing_data: "\(share) of the rows have no value (\(metric)), more than the \(limit) allowed"
    case .dominant_category: "one category makes up \(share) of the total (\(metric)), more than the \(limit) allowed"
    }
  }
}
