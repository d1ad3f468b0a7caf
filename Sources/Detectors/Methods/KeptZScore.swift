import Alerts

/// A detector that judges by what the workers have kept of a series, and not by a past that it reads.
protocol BaselineJudging: Detector {
  /// `kept`: nil where nobody keeps any (a backfill, an evaluation); then the points before are the past.
  func judge(_ points: [Point], from: Int, kept: KeptPast?) -> [Judgement?]
}

/// A series' baselines as they stand in the book, and the time that they are of.
struct KeptPast: Sendable {
  /// By the season's name.
  var rows: [String: BaselineBook.Row]
  var bucket: Bucket
  var zone: Zone
}

/// `zscore` with `baseline: kept`: how many standard deviations a value lies from the mean of everything that was ever seen of the series, or of its hour or weekday. It reads
/// no past, and what the source forgets is still known.
struct KeptZScore: BaselineJudging {
  let name = "zscore"
  var lookback: Lookback { .none }
  let threshold: Double
  let direction: Direction
  let leastChange: Double
  let season: Season?
  let leastPoints: Int
  let bucket: Bucket
  let zone: Zone

  enum Kind: String, CaseIterable { case kept, lookback }
  enum Season: String, CaseIterable { case hour, weekday }

  init(_ p: inout Parameters) {
    threshold = p.number("threshold", "z", in: 0.1...1000) ?? 3
    direction = p.choice("direction", Direction.self) ?? .both
    leastChange = p.number("min_change", in: 0...1e6) ?? 0
    season = p.choice("season", Season.self)
    leastPoints = p.integer("min_points", in: 2...Parameters.pointLimit) ?? (season == nil ? 10 : 4)
    _ = p.choice("baseline", Kind.self)
    zone = p.zone
    bucket =
      switch p.check.period {
      case .daily: .day
      case .weekly: .week
      case .hourly: .hour
      case .point: .exact
      }
    if season == .hour, [.daily, .weekly].contains(p.check.period) {
      p.fault("season", "windows of a day or a week are of no hour", mend: "use season: weekday, or hourly_checks")
    }
  }

  func judge(_ points: [Point], from: Int) -> [Judgement?] { judge(points, from: from, kept: nil) }

  func judge(_ points: [Point], from: Int, kept: KeptPast?) -> [Judgement?] {
    var states: [String: Baseline] = (kept?.rows ?? [:]).mapValues(\.baseline)
    let start = min(from, points.count)
    let newest = kept?.rows[BaselineSeason.all.name]?.newest
    if let kept, let newest, let last = points.last?.time, last >= newest {
      // What is judged once more has been taken in already: it must not vouch for itself.
      for point in points[start...] where point.time <= newest {
        let key = season(of: point)
        if let since = kept.rows[key]?.since, point.time >= since { states[key]?.remove(point.value) }
      }
    } else {
      // Of long ago, or unknown: what lies before in the reading is the past.
      states = [:]
      for point in points[..<start] { states[season(of: point), default: Baseline()].push(point.value) }
    }
    return points[start...].map { point in
      let key = season(of: point)
      let b = states[key] ?? Baseline()
      states[key, default: Baseline()].push(point.value)
      guard b.count >= leastPoints else { return nil }
      return ZScore.judgement(
        point.value, mean: b.mean, sd: b.deviation, n: Double(b.count), threshold: threshold, direction: direction,
        leastChange: leastChange)
    }
  }

  private func season(of point: Point) -> String {
    guard let season else { return BaselineSeason.all.name }
    let all = BaselineSeason.of(point.time, bucket: bucket, zone: zone)
    let found = all.first { one in
      switch (one, season) {
      case (.hour, .hour), (.weekday, .weekday): true
      default: false
      }
    }
    return (found ?? .all).name
  }

  func severity(of j: Judgement) -> Severity {
    let z = j.z?.magnitude ?? 0
    return z > 5 ? .critical : z > 4 ? .high : .medium
  }

  func sentence(_ metric: String, _ j: Judgement) -> String {
    let n = j.explanation.first { $0.name == "points" }?.value ?? 0
    return ZScore.sentence(metric, j, level: "its baseline of \(Sentence.number(n)) windows")
  }
}
