import Alerts

/// Seven checks of a shop, ready-made: a detector with its limits and grades, each of which a check may still change.
///
/// | name | metric | finds | medium / high / critical |
/// |---|---|---|---|
/// | `revenue_drop` | revenue | a fall against the last 12 windows | 30 % / 40 % / 50 % |
/// | `traffic_spike`, `traffic_drop` | events | a z-score over the last 12 windows | 3 / 4 / 5 |
/// | `cart_abandonment` | abandonment rate | over 70 %, and a z-score over 2.5 | 70 % / 80 % / 90 % |
/// | `conversion_drop` | conversion rate | under 3 % | 3 % / 2 % / 1 % |
/// | `data_quality` | share of rows without a price or category | over 10 % | 10 % / 25 % / 50 % |
/// | `category_imbalance` | the largest category's share | over 60 % | always low |
enum BusinessPacks {
  /// An hour of five-minute windows.
  static let windows = 12

  static let factories: [String: DetectorRegistry.Factory] = [
    "revenue_drop": {
      PercentageChange(&$0, name: "revenue_drop", threshold: 0.3, direction: .down, points: windows)
    },
    "traffic_spike": { ZScore(&$0, name: "traffic_spike", threshold: 3, direction: .up, points: windows) },
    "traffic_drop": { ZScore(&$0, name: "traffic_drop", threshold: 3, direction: .down, points: windows) },
    "cart_abandonment": { p in
      let limit = p.number("max_value", "max", in: 0...1) ?? 0.7
      return Graded(
        name: "cart_abandonment", rises: true, limits: [limit, 0.8, 0.9],
        also: ZScore(&p, name: "cart_abandonment", threshold: 2.5, direction: .up, points: windows))
    },
    "conversion_drop": { p in
      Graded(
        name: "conversion_drop", rises: false, limits: [p.number("min_value", "min", in: 0...1) ?? 0.03, 0.02, 0.01])
    },
    "data_quality": { p in
      Graded(name: "data_quality", rises: true, limits: [p.number("max_value", "max", in: 0...1) ?? 0.1, 0.25, 0.5])
    },
    "category_imbalance": { p in
      Graded(name: "category_imbalance", rises: true, limits: [p.number("max_value", "max", in: 0...1) ?? 0.6])
    },
  ]
}

/// A share against fixed grades; with `also`, only where that detector finds the same point unusual.
struct Graded: Detector {
  let name: String
  /// Whether a high value is bad, or a low one.
  let rises: Bool
  /// Medium, high, critical; a single one is low.
  let limits: [Double]
  var also: ZScore?
  var lookback: Lookback { also?.lookback ?? .none }

  private func beyond(_ v: Double, _ limit: Double) -> Bool { rises ? v > limit : v < limit }

  func judge(_ points: [Point], from: Int) -> [Judgement?] {
    let others = also?.judge(points, from: from)
    return (min(from, points.count)..<points.count).map { i in
      let v = points[i].value
      let limit = limits[0]
      guard let others else {
        return Judgement(
          isAnomalous: beyond(v, limit), value: v, expected: limit, lower: rises ? nil : limit,
          upper: rises ? limit : nil, deviation: Judgement.relativeChange(v, limit))
      }
      guard var j = others[i - from] else { return nil }
      j.isAnomalous = j.isAnomalous && beyond(v, limit)
      j.upper = max(j.upper ?? limit, limit)
      return j
    }
  }

  func severity(of j: Judgement) -> Severity {
    guard limits.count > 1 else { return .low }
    return beyond(j.value, limits[2]) ? .critical : beyond(j.value, limits[1]) ? .high : .medium
  }

  func sentence(_ metric: String, _ j: Judgement) -> String {
    let usual = also == nil ? "" : ", usually \(Sentence.percent(j.expected ?? 0))"
    return
      "\(metric) is \(Sentence.percent(j.value)), \(rises ? "above" : "below") the limit of \(Sentence.percent(limits[0]))\(usual)"
  }
}
