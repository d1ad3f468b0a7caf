import Alerts

/// Detectors by name.
package enum DetectorRegistry {
  typealias Factory = @Sendable (inout Parameters) -> any Detector

  static let factories = general.merging(BusinessPacks.factories) { a, _ in a }

  private static let general: [String: Factory] = [
    "threshold": { Threshold(&$0) },
    "percentage_change": { PercentageChange(&$0) },
    "row_count": { RowCount(&$0) },
    "zscore": { p in
      let isKept = p.option("baseline")?.option.value.string == KeptZScore.Kind.kept.rawValue
      return isKept ? KeptZScore(&p) as any Detector : ZScore(&p)
    },
    "adaptive": { Adaptive(&$0) },
    "robust_zscore": { RobustZScore(&$0) },
    "moving_average": { MovingAverage(&$0, weighted: false) },
    "ewma": { MovingAverage(&$0, weighted: true) },
    "seasonal": { Seasonal(&$0) },
    "change_point": { ChangePoint(&$0) },
    "profile": { Profile(&$0) },
    "freshness": { Freshness(&$0) },
    "missing_data": { Share(&$0, .missing_data) },
    "dominant_category": { Share(&$0, .dominant_category) },
  ]

  /// Other names for the same, as people write them.
  static let aliases: [String: String] = [
    "z_score": "zscore", "z-score": "zscore", "percent_change": "percentage_change", "pct_change": "percentage_change",
    "rowcount": "row_count", "volume": "row_count", "mad": "robust_zscore", "robust": "robust_zscore",
    "robust_z": "robust_zscore", "holt_winters": "seasonal", "changepoint": "change_point", "missing": "missing_data",
    "null_rate": "missing_data", "dominance": "dominant_category", "imbalance": "dominant_category",
  ]

  package static var names: [String] { factories.keys.sorted() }

  /// Builds a check's detector. `statistical` is any of them, chosen by `method`.
  static func detector(_ p: inout Parameters) -> (any Detector)? {
    var name = p.check.detector.lowercased()
    if name == "statistical" {
      name = p.text("method")?.lowercased() ?? "zscore"
    }
    name = aliases[name] ?? name
    guard let factory = factories[name] else {
      let near = Nearest.name(to: name, in: factories.keys)
      p.fault(
        p.check.detector.lowercased() == "statistical" ? "method" : "detector", "there is no detector \"\(name)\"",
        mend: (near.map { "did you mean \($0)? " } ?? "") + "There are \(names.joined(separator: ", "))")
      return nil
    }
    return factory(&p)
  }
}
