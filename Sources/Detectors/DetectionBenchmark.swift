import Alerts

/// What detecting costs: each method by itself, without sources. Timings are the caller's; here is the work.
package enum DetectionBenchmark {
  /// A metric as they are: by the five minutes, with a day, noise, and a spike now and then.
  package static func series(_ n: Int, seed: UInt64 = 1, step: Int64 = 300) -> [(seconds: Double, value: Double)] {
    var random = SeededRandom(seed: seed)
    let level = 50 + 1000 * random.uniform()
    let swing = 0.4 * random.uniform()
    let noise = 0.02 + 0.1 * random.uniform()
    var out: [(seconds: Double, value: Double)] = []
    out.reserveCapacity(n)
    for i in 0..<n {
      let seconds = 1_760_000_000 + Double(Int64(i) * step)
      let hour = (seconds / 3600).truncatingRemainder(dividingBy: 24)
      // A triangle for a day: as good as a wave, and cheap.
      let day = 1 + swing * ((hour - 12).magnitude / 6 - 1)
      var v = level * day * (1 + noise * (random.uniform() + random.uniform() - 1))
      if random.next() % 2000 == 0 { v *= 2 }
      out.append((seconds, v))
    }
    return out
  }

  /// Streaming z-scores over `window` points; returns how many are beyond three, so that nothing is optimised away.
  package static func zscores(_ values: [Double], window: Int) -> Int {
    var moments = RollingMoments(window: window)
    var beyond = 0
    for v in values where moments.score(v).magnitude > 3 { beyond += 1 }
    return beyond
  }

  /// The limit: a pass over the same values that does nothing but add them.
  package static func sums(_ values: [Double]) -> Double {
    var (a, b, c, d) = (0.0, 0.0, 0.0, 0.0)
    var i = 0
    while i + 4 <= values.count {
      a += values[i]
      b += values[i + 1]
      c += values[i + 2]
      d += values[i + 3]
      i += 4
    }
    return a + b + c + d
  }

  package static func adaptive(_ series: [(seconds: Double, value: Double)]) -> Double {
    var stream = AdaptiveStream()
    var sum = 0.0
    for point in series { sum += stream.push(seconds: point.seconds, point.value).score }
    return sum
  }

  /// The sizes of what is kept of series of several paces, in bytes, smallest first.
  package static func stateSizes(_ n: Int, points: Int) -> [Int] {
    (0..<n).map { i in
      var memory = SeriesMemory()
      let step: Int64 = [10, 60, 300, 3600, 86_400][i % 5]
      _ = memory.advance(SeriesFleet.points(points, seed: UInt64(i) + 7, step: step), keeping: 1)
      return memory.bytes.count
    }.sorted()
  }

  /// Detectors by name, built with what they need, for the cost of each.
  package static func costs(_ points: Int, clock: (() -> Void) -> Double) -> [(name: String, nanoseconds: Double)] {
    let series = SeriesFleet.points(points, seed: 3, step: 3600)
    return DetectorRegistry.names.map { name in
      var check = CheckSettings(name: "bench", detector: name, metric: "m", period: .hourly)
      switch name {
      case "percentage_change": check.parameters = ["threshold": Option(0.3)]
      case "threshold": check.parameters = ["max_value": Option(1e9)]
      case "freshness": check.parameters = ["max_age": Option("6h")]
      default: break
      }
      var p = Parameters(check)
      guard let detector = DetectorRegistry.detector(&p) else { return (name, 0) }
      var anomalous = 0
      let seconds = clock { anomalous = detector.judgeAll(series).count { $0?.isAnomalous == true } }
      return (name, anomalous < 0 ? 0 : seconds / Double(points) * 1e9)
    }
  }
}

/// Many series at once, each with its own memory, as a worker holds them.
package struct SeriesFleet {
  private var memories: [SeriesMemory] = []
  private var next: Timestamp
  private let detector = Adaptive()
  private var random = SeededRandom(seed: 11)

  static func points(_ n: Int, seed: UInt64, step: Int64) -> [Point] {
    DetectionBenchmark.series(n, seed: seed, step: step).map { Point(Timestamp(seconds: Int64($0.seconds)), $0.value) }
  }

  /// `past` points each, by the minute.
  package init(series: Int, past: Int) {
    let kinds = (0..<64).map { k in
      var memory = SeriesMemory()
      _ = memory.advance(SeriesFleet.points(past, seed: UInt64(k) + 100, step: 60), keeping: 1)
      return memory
    }
    memories.reserveCapacity(series)
    // Through bytes, as from disk, so that no two share their storage.
    for i in 0..<series { if let own = try? SeriesMemory(kinds[i % kinds.count].bytes) { memories.append(own) } }
    next = (kinds[0].newest ?? .epoch) + .minutes(1)
  }

  package var count: Int { memories.count }

  /// One more point for each; returns how many are anomalous.
  package mutating func round() -> Int {
    var anomalous = 0
    for i in memories.indices {
      let point = Point(next, 500 * (1 + 0.1 * random.uniform()))
      let history = memories[i].advance([point], keeping: 1)
      if history.judgement(history.told.count - 1, detector)?.isAnomalous == true { anomalous += 1 }
    }
    next = next + .minutes(1)
    return anomalous
  }

  /// Every memory as bytes, as it is written now and then.
  package func bytes() -> Int { memories.reduce(0) { $0 + $1.bytes.count } }
}
