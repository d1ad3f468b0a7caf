package import Alerts

/// What is usual: of one series, at all times, in one hour of the day, or on one day of the week. All values since it was begun, in one pass.
package struct Baseline: Sendable, Equatable {
  package private(set) var count = 0
  package private(set) var mean = 0.0
  /// The sum of squared distances from the mean.
  package private(set) var squares = 0.0
  package private(set) var least = Double.infinity
  package private(set) var most = -Double.infinity
  package private(set) var upper = Quantile(Baseline.share)

  package static let share = 0.95

  package init() {}

  package init?(count: Int, mean: Double, deviation: Double, least: Double, most: Double, upper: Quantile) {
    guard count >= 0, mean.isFinite, deviation >= 0, deviation.isFinite else { return nil }
    self.count = count
    self.mean = mean
    squares = deviation * deviation * Double(max(0, count - 1))
    self.least = count > 0 ? least : .infinity
    self.most = count > 0 ? most : -.infinity
    self.upper = upper
  }

  /// Welford, Note on a Method for Calculating Corrected Sums of Squares and Products, 1962.
  package mutating func push(_ v: Double) {
    guard v.isFinite else { return }
    count += 1
    let d = v - mean
    mean += d / Double(count)
    squares += d * (v - mean)
    least = min(least, v)
    most = max(most, v)
    upper.push(v)
  }

  /// Takes back the count, mean and deviation of a value that was pushed; the bounds and the percentile stay.
  mutating func remove(_ v: Double) {
    guard v.isFinite, count > 1 else {
      self = count == 1 ? Baseline() : self
      return
    }
    let d = v - mean
    count -= 1
    mean -= d / Double(count)
    squares = max(0, squares - d * (v - mean))
  }

  /// That of a sample.
  package var deviation: Double { count > 1 ? (squares / Double(count - 1)).squareRoot() : 0 }

  /// As programs get it.
  package var json: JSON {
    .compact([
      "count": .int(count), "mean": AnomalyWriting.number(mean), "deviation": AnomalyWriting.number(deviation),
      "min": AnomalyWriting.number(least), "max": AnomalyWriting.number(most),
      "percentile_95": AnomalyWriting.number(upper.value),
    ])
  }
}

/// Which baseline: of an event type's metric, in windows of a length, for one series and one season.
package struct BaselineKey: Sendable, Hashable {
  package var event: String
  package var metric: String
  /// `day`, `week`, `hour`, `5m`, `point`
  package var window: String
  /// `device=mobile`, `-`
  package var series: String
  package init(event: String, metric: String, window: String, series: String) {
    self.event = event
    self.metric = metric
    self.window = window
    self.series = series
  }
}

/// The parts of time that have a baseline of their own, by the clock of the data.
package enum BaselineSeason: Sendable, Hashable {
  case all
  /// 0 to 23
  case hour(Int)
  /// 1 (Monday) to 7
  case weekday(Int)

  /// `all`, `hour 07`, `weekday 1`
  package var name: String {
    switch self {
    case .all: "all"
    case .hour(let h): "hour \(h < 10 ? "0" : "")\(h)"
    case .weekday(let d): "weekday \(d)"
    }
  }

  static func of(_ t: Timestamp, bucket: Bucket, zone: Zone) -> [BaselineSeason] {
    let local = zone.localSeconds(t)
    let day = floorDivide(local, 86_400)
    let weekday = BaselineSeason.weekday(Int(Detectors.weekday(ofDay: day)))
    return switch bucket {
    case .week: [.all]
    case .day: [.all, weekday]
    default: [.all, weekday, .hour(Int((local - day * 86_400) / 3600))]
    }
  }
}

extension Bucket {
  var name: String {
    switch self {
    case .day: "day"
    case .week: "week"
    case .hour: "hour"
    case .step(let i): i.rounded
    case .exact: "point"
    }
  }
}
