package import Alerts

/// How many standard deviations a value lies from the mean of the windows before. The deviation is that of a sample (divided by n − 1).
///
/// Knuth, The Art of Computer Programming, volume 2, 4.2.2, for the mean and sum of squares in one pass.
package struct ZScore: Detector {
  package let name: String
  let past: Past
  let threshold: Double
  let direction: Direction
  /// Changes of a smaller share of the mean are never findings, however quiet the past was.
  let leastChange: Double
  /// Only the same weekday, or the same hour, of the past is compared.
  let season: SeasonCalendar?
  package var lookback: Lookback { past.lookback }

  /// A past without any variation would make every change infinite; beyond this, more does not say more.
  static let limit = 1000.0

  package enum Season: String, Sendable, CaseIterable { case weekday, hour, weekday_hour }

  init(
    _ p: inout Parameters, name: String = "zscore", threshold: Double = 3, direction: Direction = .both,
    days: Double? = nil, points: Int? = nil
  ) {
    self.name = name
    let least = p.check.period == .weekly ? 4 : 5
    switch p.check.period {
    case _ where points != nil: past = p.past(days: days, points: points ?? 0, least: least)
    case .daily: past = p.past(days: days ?? 28, points: 28, least: least)
    case .weekly: past = p.past(days: days ?? 84, points: 12, least: least)
    case .hourly: past = p.past(days: days ?? 7, points: 168, least: least)
    case .point: past = p.past(days: days, points: 60, least: least)
    }
    self.threshold = p.number("threshold", "z", in: 0.1...1000) ?? threshold
    self.direction = p.choice("direction", Direction.self) ?? direction
    leastChange = p.number("min_change", in: 0...1e6) ?? 0
    season = p.seasonCalendar(nil)
    if name == "zscore" { _ = p.choice("baseline", KeptZScore.Kind.self) }
  }

  package func judge(_ points: [Point], from: Int) -> [Judgement?] {
    if let rolled = roll(points, from: from) { return rolled }
    let keys = season?.keys(points)
    var start = 0
    return (min(from, points.count)..<points.count).map { i in
      guard let range = past.range(points, before: i, start: &start) else { return nil }
      var n = 0.0
      var mean = 0.0
      var squares = 0.0
      for k in range where keys.map({ $0[k] == $0[i] }) ?? true {
        n += 1
        let d = points[k].value - mean
        mean += d / n
        squares += d * (points[k].value - mean)
      }
      guard n >= (season == nil ? Double(past.least) : 3) else { return nil }
      return ZScore.judgement(
        points[i].value, mean: mean, sd: n > 1 ? (squares / (n - 1)).squareRoot() : 0, n: n, threshold: threshold,
        direction: direction, leastChange: leastChange)
    }
  }

  /// A long stretch in constant time a point, whatever the window. Nil where the sums don't pay, or can't be kept so.
  private func roll(_ points: [Point], from: Int) -> [Judgement?]? {
    guard season == nil, case .points(let window) = past.extent, points.count - from > 4 * window else { return nil }
    var moments = RollingMoments(window: window)
    for point in points[max(0, from - window)..<max(0, from)] { moments.push(point.value) }
    return points[max(0, from)...].map { point in
      defer { moments.push(point.value) }
      guard moments.count >= past.least else { return nil }
      return ZScore.judgement(
        point.value, mean: moments.mean, sd: moments.deviation, n: Double(moments.count), threshold: threshold,
        direction: direction, leastChange: leastChange)
    }
  }

  static func judgement(
    _ v: Double, mean: Double, sd: Double, n: Double, threshold: Double, direction: Direction, leastChange: Double
  ) -> Judgement {
    // Rounding alone must not make a deviation of nothing.
    let floor = max(sd, 1e-12 * max(mean.magnitude, v.magnitude))
    let z = v == mean ? 0 : max(-limit, min(limit, (v - mean) / max(floor, .leastNormalMagnitude)))
    let change = Judgement.relativeChange(v, mean)
    return Judgement(
      isAnomalous: z.magnitude > threshold && direction.takes(z) && change.magnitude >= leastChange, value: v,
      expected: mean, lower: direction == .up ? nil : mean - threshold * sd,
      upper: direction == .down ? nil : mean + threshold * sd, deviation: change,
      score: z.magnitude / (z.magnitude + threshold), z: z,
      explanation: [.init("z", z), .init("mean", mean), .init("standard_deviation", sd), .init("points", n)])
  }

  /// Over 5 standard deviations critical, over 4 high.
  package func severity(of j: Judgement) -> Severity {
    let z = j.z?.magnitude ?? 0
    return z > 5 ? .critical : z > 4 ? .high : .medium
  }

  package func sentence(_ metric: String, _ j: Judgement) -> String {
    ZScore.sentence(metric, j, level: "its usual level")
  }

  static func sentence(_ metric: String, _ j: Judgement, level: String) -> String {
    let z = j.z?.magnitude ?? 0
    let far = z >= limit ? "far" : "\(Sentence.number((z * 10).rounded() / 10)) standard deviations"
    let side = j.z ?? 0 < 0 ? "below" : "above"
    return
      "\(metric) is \(far) \(side) \(level) (\(Sentence.number(j.value)), expected \(Sentence.number(j.expected ?? 0)))"
  }

  /// How many days of the past are usual for a period; nil for points, which count otherwise.
  static func defaultDays(_ period: CheckSettings.Period) -> Double? {
    switch period {
    case .daily: 28
    case .weekly: 84
    case .hourly: 7
    case .point: nil
    }
  }
}
