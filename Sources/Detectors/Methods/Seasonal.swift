package import Alerts

/// A value far from what this hour of the day, this day of the week, or this hour of the week usually has: the median and median absolute
/// deviation of the same season, scaled by how the recent past compares with its own seasons, so that growth is not an anomaly.
package struct Seasonal: Detector {
  package let name = "seasonal"
  let past: Past
  let calendar: SeasonCalendar
  let threshold: Double
  let direction: Direction
  let leastChange: Double
  package var lookback: Lookback { past.lookback }

  /// Windows of the recent past that the level is scaled by.
  static let recent = 7
  /// Seasons of the past that must be there.
  static let leastSeasons = 3

  init(_ p: inout Parameters) {
    let usual: ZScore.Season =
      p.check.period == .daily ? .weekday : p.check.period == .hourly ? .weekday_hour : .hour
    calendar = p.seasonCalendar(usual) ?? SeasonCalendar(season: usual, zone: p.zone, holidays: nil)
    let season = calendar.season
    past = p.past(days: season == .hour ? 14 : 42, points: 2016, least: 5)
    threshold = p.number("threshold", "z", in: 0.1...1000) ?? 4
    direction = p.choice("direction", Direction.self) ?? .both
    leastChange = p.number("min_change", in: 0...1e6) ?? 0.05
  }

  package func judge(_ points: [Point], from: Int) -> [Judgement?] {
    let keys = calendar.keys(points)
    var start = 0
    return (min(from, points.count)..<points.count).map { i in
      guard let range = past.range(points, before: i, start: &start) else { return nil }
      guard let (median, spread, n) = centre(points, keys, range, at: i) else { return nil }
      // How the last windows stood to their own seasons; the median, so that one incident does not tilt it.
      var ratios: [Double] = []
      for k in max(range.lowerBound, i - Self.recent)..<i {
        if let (m, _, _) = centre(points, keys, range.lowerBound..<k, at: k), m > 0, points[k].value > 0 {
          ratios.append(points[k].value / m)
        }
      }
      let level = ratios.count >= 3 ? min(3, max(1.0 / 3, RobustZScore.median(ratios))) : 1
      var j = ZScore.judgement(
        points[i].value, mean: median * level, sd: spread * level, n: n, threshold: threshold, direction: direction,
        leastChange: leastChange)
      j.explanation = [
        .init("z", j.z ?? 0), .init("season_median", median), .init("level", level), .init("spread", spread * level),
        .init("points", n),
      ]
      return j
    }
  }

  private func centre(_ points: [Point], _ keys: [Int], _ range: Range<Int>, at i: Int) -> (Double, Double, Double)? {
    var values: [Double] = []
    for k in range where keys[k] == keys[i] { values.append(points[k].value) }
    guard values.count >= Self.leastSeasons else { return nil }
    let (median, spread) = RobustZScore.centre(values)
    // Three or four values say little about their spread; a hundredth of the level is the least that is believed.
    return (median, max(spread, 0.01 * median.magnitude), Double(values.count))
  }

  package func severity(of j: Judgement) -> Severity {
    let z = j.z?.magnitude ?? 0
    return z > 2.5 * threshold ? .critical : z > 1.5 * threshold ? .high : .medium
  }

  package func sentence(_ metric: String, _ j: Judgement) -> String {
    let when =
      switch calendar.season {
      case .hour: "for this hour"
      case .weekday: "for this day of the week"
      case .weekday_hour: "for this hour of the week"
      }
    return ZScore.sentence(metric, j, level: "what is usual \(when)")
  }
}
