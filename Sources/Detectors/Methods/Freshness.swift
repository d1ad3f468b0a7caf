package import Alerts

/// Data that is older than it may be: how long before a window's end the newest window with any rows ended.
///
/// Speaks once a window, however long nothing comes, and grades by how late it is.
package struct Freshness: Detector {
  package let name = "freshness"
  /// In seconds.
  let most: Double
  package var lookback: Lookback { .time(.seconds(Int64(2 * most) + 1)) }

  /// The metric that it looks at, which the worker makes of every reading: the age in seconds.
  package static let metric = "data_age"

  init(_ p: inout Parameters) {
    let limit = p.interval("max_age", in: .seconds(1)...(.days(366)))
    if limit == nil, p.faults.isEmpty {
      p.fault(nil, "freshness needs max_age", mend: "max_age: 6h means that rows of the last six hours must be there")
    }
    most = limit?.seconds ?? 1
  }

  package func judge(_ points: [Point], from: Int) -> [Judgement?] {
    points[min(from, points.count)...].map { point in
      Judgement(
        isAnomalous: point.value > most, value: point.value, expected: 0, upper: most,
        deviation: Judgement.relativeChange(point.value, most))
    }
  }

  /// Beyond twice the limit critical.
  package func severity(of j: Judgement) -> Severity { j.value > 2 * most ? .critical : .high }

  package func sentence(_ metric: String, _ j: Judgement) -> String {
    func length(_ seconds: Double) -> String { Interval(microseconds: Int64(seconds * 1e6)).rounded }
    return "the newest data is \(length(j.value)) old, more than the \(length(most)) allowed"
  }
}
