package import Alerts

/// One number of a series: what a window came to.
package struct Point: Sendable, Equatable {
  /// The window's start.
  package var time: Timestamp
  package var value: Double
  package init(_ time: Timestamp, _ value: Double) {
    self.time = time
    self.value = value
  }
}

/// One metric for one combination of dimension values, oldest point first, no two at the same time.
package struct Series: Sendable, Equatable {
  package var metric: String
  /// Sorted by name.
  package var dimensions: [Anomaly.Label]
  package var points: [Point]
  package init(metric: String, dimensions: [Anomaly.Label] = [], points: [Point]) {
    self.metric = metric
    self.dimensions = dimensions
    self.points = points
  }
}

/// What a detector thinks of one point.
package struct Judgement: Sendable, Equatable {
  package var isAnomalous: Bool
  package var value: Double
  package var expected: Double?
  package var lower: Double?
  package var upper: Double?
  /// The relative change from expected, signed; see ``relativeChange(_:_:)``.
  package var deviation: Double?
  /// 0 to 1 for detectors that score.
  package var score: Double?
  /// Standard deviations from expected, signed.
  package var z: Double?
  /// The numbers behind it, for the anomaly's `explanation`.
  package var explanation: [Fact] = []

  package struct Fact: Sendable, Equatable {
    package var name: String
    package var value: Double
    package init(_ name: String, _ value: Double) {
      self.name = name
      self.value = value
    }
  }

  package init(
    isAnomalous: Bool, value: Double, expected: Double? = nil, lower: Double? = nil, upper: Double? = nil,
    deviation: Double? = nil, score: Double? = nil, z: Double? = nil, explanation: [Fact] = []
  ) {
    self.isAnomalous = isAnomalous
    self.value = value
    self.expected = expected
    self.lower = lower
    self.upper = upper
    self.deviation = deviation
    self.score = score
    self.z = z
    self.explanation = explanation
  }

  /// (value − expected) / |expected|, with its sign. From an expected zero every change is ±1, that is 100 %: a ratio to nothing would
  /// be infinite, which no condition can weigh. Never beyond ±1e6.
  package static func relativeChange(_ value: Double, _ expected: Double) -> Double {
    if value == expected { return 0 }
    if expected == 0 { return value > 0 ? 1 : -1 }
    return min(1e6, max(-1e6, (value - expected) / expected.magnitude))
  }
}
