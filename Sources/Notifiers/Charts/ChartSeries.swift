package import Alerts

/// A metric's recent past as its detector saw it, oldest first: what a chart is drawn of.
package struct ChartSeries: Sendable, Equatable {
  package struct Point: Sendable, Equatable {
    package var time: Timestamp
    package var value: Double?
    package var expected: Double?
    package var lower: Double?
    package var upper: Double?
    package init(
      time: Timestamp, value: Double?, expected: Double? = nil, lower: Double? = nil, upper: Double? = nil
    ) {
      self.time = time
      self.value = value
      self.expected = expected
      self.lower = lower
      self.upper = upper
    }
    /// Whether it is known to be outside of what was expected.
    var isOutside: Bool {
      guard let value else { return false }
      if let lower, value < lower { return true }
      if let upper, value > upper { return true }
      return false
    }
  }
  package var points: [Point]

  /// A picture of fewer points says nothing; of more, the newest are drawn.
  package static let fewest = 3
  package static let most = 500

  package init(points: [Point]) { self.points = points }

  /// Reads an anomaly's `series`: `[{"t", "value", "expected", "lower", "upper"}, …]`, or
  /// `{"points": [[time, value], …], "lower": […], "upper": […]}`. Times are RFC 3339, or microseconds since 1970. Nil if nothing can be drawn of it.
  package init?(_ anomaly: Anomaly) {
    guard let json = anomaly.more.first(where: { $0.name == "series" })?.value else { return nil }
    var points: [Point] = []
    if let items = json.array {
      for item in items.suffix(ChartSeries.most) {
        guard let time = ChartSeries.time(item["t"]) else { continue }
        points.append(
          Point(
            time: time, value: item["value"]?.double, expected: item["expected"]?.double, lower: item["lower"]?.double,
            upper: item["upper"]?.double))
      }
    } else if let pairs = json["points"]?.array {
      for (i, pair) in pairs.enumerated().suffix(ChartSeries.most) {
        guard let time = ChartSeries.time(pair[0]) else { continue }
        points.append(
          Point(
            time: time, value: pair[1]?.double, expected: json["expected"]?[i]?.double,
            lower: json["lower"]?[i]?.double,
            upper: json["upper"]?[i]?.double))
      }
    }
    points.sort { $0.time < $1.time }
    guard points.count(where: { $0.value != nil }) >= ChartSeries.fewest else { return nil }
    // Numbers beyond this can't be told apart in a picture, and would overflow its arithmetic.
    let all = points.flatMap { [$0.value, $0.expected, $0.lower, $0.upper].compactMap { $0 } }
    guard all.allSatisfy({ $0.isFinite && $0.magnitude < 1e15 }) else { return nil }
    self.points = points
  }

  private static func time(_ json: JSON?) -> Timestamp? { json?.timestamp ?? json?.micros }
}
