package import Alerts

/// How many rows the source has for a window: too few, too many, or far from what the windows before had.
package struct RowCount: Detector {
  package let name = "row_count"
  let least: Double?
  let most: Double?
  let threshold: Double?
  let past: Past
  package var lookback: Lookback { threshold == nil ? .none : past.lookback }

  /// The metric that it looks at, which the worker makes of every reading.
  package static let metric = "row_count"

  init(_ p: inout Parameters) {
    let low = p.number("min_rows", "min_value", "min", in: 0...1e15)
    most = p.number("max_rows", "max_value", "max", in: 0...1e15)
    threshold = p.number("threshold", in: 0...1e6)
    past = p.past(days: p.check.period == .point ? nil : p.check.period == .weekly ? 28 : 7, points: 7, least: 3)
    // Asked for nothing in particular, it asks for at least one row.
    least = low ?? (most == nil && threshold == nil ? 1 : nil)
  }

  package func judge(_ points: [Point], from: Int) -> [Judgement?] {
    var start = 0
    return (min(from, points.count)..<points.count).map { i in
      let v = points[i].value
      if let least, v < least {
        return Judgement(
          isAnomalous: true, value: v, expected: least, lower: least, upper: most,
          deviation: Judgement.relativeChange(v, least))
      }
      if let most, v > most {
        return Judgement(
          isAnomalous: true, value: v, expected: most, lower: least, upper: most,
          deviation: Judgement.relativeChange(v, most))
      }
      guard let threshold else {
        return Judgement(isAnomalous: false, value: v, lower: least, upper: most, deviation: 0)
      }
      guard let range = past.range(points, before: i, start: &start) else { return nil }
      let mean = range.reduce(0) { $0 + points[$1].value } / Double(range.count)
      let change = Judgement.relativeChange(v, mean)
      return Judgement(
        isAnomalous: change.magnitude > threshold, value: v, expected: mean, lower: mean * (1 - threshold),
        upper: mean * (1 + threshold), deviation: change,
        explanation: [.init("mean", mean), .init("points", Double(range.count))])
    }
  }

  /// A table without rows is as bad as it gets.
  package func severity(of j: Judgement) -> Severity { j.value == 0 ? .critical : .high }

  package func sentence(_ metric: String, _ j: Judgement) -> String {
    let v = Sentence.number(j.value)
    let expected = Sentence.number(j.expected ?? 0)
    if j.value == 0 { return "there are no rows, where at least \(expected) were expected" }
    if let least, j.value < least { return "there are only \(v) rows, fewer than the \(expected) required" }
    if let most, j.value > most { return "there are \(v) rows, more than the \(expected) allowed" }
    return "the number of rows \(Sentence.moved(j.deviation ?? 0)) the recent mean (\(v), expected \(expected))"
  }
}
