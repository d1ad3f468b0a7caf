package import Alerts

/// One way of judging a series. Pure: the same points give the same judgements.
package protocol Detector: Sendable {
  /// As the configuration and the anomaly name it.
  var name: String { get }
  /// How much of the past it needs before the first point that it judges.
  var lookback: Lookback { get }
  /// Judges `points[from...]`, each by the points before it alone. Nil where there is too little past to say anything.
  func judge(_ points: [Point], from: Int) -> [Judgement?]
  /// How bad a finding is where the configuration has no severity rules.
  func severity(of judgement: Judgement) -> Severity
  /// What is wrong, in a plain sentence.
  func sentence(_ metric: String, _ judgement: Judgement) -> String
}

package enum Lookback: Sendable, Equatable {
  case none
  case time(Interval)
  case points(Int)
  /// Everything that the source has, up to a bound on points.
  case everything
}

extension Detector {
  /// Two thirds of the way to certain: for detectors that don't grade their findings.
  package func severity(of judgement: Judgement) -> Severity { .high }

  package func judgeAll(_ points: [Point]) -> [Judgement?] { judge(points, from: 0) }
}

/// Which changes count.
package enum Direction: String, Sendable, CaseIterable {
  case up, down, both
  func takes(_ change: Double) -> Bool {
    switch self {
    case .both: true
    case .up: change > 0
    case .down: change < 0
    }
  }
}

/// Which earlier points a point is compared with.
struct Past: Sendable, Equatable {
  enum Extent: Sendable, Equatable {
    case time(Interval)
    case points(Int)
  }
  var extent: Extent
  /// Fewer earlier points than this give no judgement.
  var least: Int

  var lookback: Lookback {
    switch extent {
    case .time(let i): .time(i)
    case .points(let n): .points(n)
    }
  }

  /// The range of points before `i` that it covers, or nil if they are too few. `start` is where the range of the point before began, so that
  /// walking forward costs one step a point.
  func range(_ points: [Point], before i: Int, start: inout Int) -> Range<Int>? {
    switch extent {
    case .points(let n): start = max(0, i - n)
    case .time(let length):
      let earliest = points[i].time - length
      while start < i, points[start].time < earliest { start += 1 }
    }
    return i - start >= least && i > start ? start..<i : nil
  }
}
