import Alerts

/// A window without a single row, after windows that had some: the load failed, or somebody stopped sending. The worker adds it to
/// every event type that has no `row_count` check of its own, so that nothing is not taken for normal.
struct MissingRows: Detector {
  let name = "row_count"
  /// Windows of the past that it looks at. Rows must have been there in at least half of them.
  static let memory = 7
  var lookback: Lookback { .points(MissingRows.memory) }

  func judge(_ points: [Point], from: Int) -> [Judgement?] {
    (min(from, points.count)..<points.count).map { i in
      let past = points[max(0, i - MissingRows.memory)..<i]
      let filled = past.filter { $0.value > 0 }
      guard filled.count * 2 >= past.count, let least = filled.map(\.value).min() else { return nil }
      let mean = filled.reduce(0) { $0 + $1.value } / Double(filled.count)
      let v = points[i].value
      return Judgement(
        isAnomalous: v == 0, value: v, expected: mean, lower: min(1, least),
        deviation: Judgement.relativeChange(v, mean))
    }
  }

  func severity(of judgement: Judgement) -> Severity { .critical }

  func sentence(_ metric: String, _ j: Judgement) -> String {
    j.value == 0
      ? "there are no rows at all, where about \(Sentence.number(j.expected ?? 0)) were expected"
      : "there are \(Sentence.number(j.value)) rows"
  }
}
