import Alerts

/// What an `adaptive` check knows of one series: the stream's state, and what it said of the newest points, for the curve in an anomaly and to see whether the source
/// still says the same.
///
/// At most 25 kB, and constant: the stream's own bound, and a tail of ``tailLimit`` points.
struct SeriesMemory: Sendable, Equatable {
  struct Told: Sendable, Equatable {
    var time: Timestamp
    var value: Double
    var score: AdaptiveStream.Score
  }

  /// Points of the tail: what an anomaly's curve shows.
  static let tailLimit = 40
  static let formatVersion = 1

  private(set) var stream = AdaptiveStream()
  /// Oldest first.
  private(set) var tail: [Told] = []
  /// Points taken in all.
  private(set) var count = 0

  var newest: Timestamp? { tail.last?.time }

  init() {}

  static func == (a: SeriesMemory, b: SeriesMemory) -> Bool { a.bytes == b.bytes }

  /// Takes in what is newer than all it knows, and returns what the check thinks of these points and of the tail before them, oldest first.
  mutating func advance(_ points: [Point], _ detector: Adaptive, keeping: Int) -> (
    points: [Point], judged: [Judgement?]
  ) {
    var shown = tail.map { Point($0.time, $0.value) }
    var judged = tail.enumerated().map { k, told in
      judgement(told, detector, number: count - tail.count + k)
    }
    for point in points where newest.map({ point.time > $0 }) ?? true {
      let seconds = Double(point.time.microseconds) / 1_000_000
      let told = Told(time: point.time, value: point.value, score: stream.push(seconds: seconds, point.value))
      shown.append(point)
      judged.append(judgement(told, detector, number: count))
      count += 1
      tail.append(told)
      // Cut now and then alone: a first reading brings thousands.
      if tail.count > 2 * max(SeriesMemory.tailLimit, keeping) { cut(keeping) }
    }
    cut(keeping)
    return (shown, judged)
  }

  private mutating func cut(_ keeping: Int) {
    let most = max(SeriesMemory.tailLimit, keeping)
    if tail.count > most { tail.removeFirst(tail.count - most) }
  }

  private func judgement(_ told: Told, _ detector: Adaptive, number: Int) -> Judgement? {
    number < AdaptiveStream.intervalRows ? nil : detector.judgement(told.value, told.score)
  }

  /// Whether a reading that is whole from `from` on agrees with what was taken in. Sums may differ in their last digits from one query to the next.
  func agrees(with points: [Point], from: Timestamp) -> Bool {
    guard let newest else { return true }
    let known = tail.filter { $0.time >= from }
    let read = points.filter { $0.time >= from && $0.time <= newest }
    // A reading that goes back beyond the tail can be compared as far as the tail goes.
    let overlap = read.suffix(known.count)
    guard overlap.count == known.count, read.count == known.count || known.count == tail.count else { return false }
    return zip(overlap, known).allSatisfy { point, told in
      point.time == told.time
        && (point.value - told.value).magnitude <= 1e-9 * max(point.value.magnitude, told.value.magnitude)
    }
  }

  // MARK: As bytes

  var bytes: [UInt8] {
    var out = StateWriter()
    out.put(SeriesMemory.formatVersion)
    out.put(count)
    out.put(tail.count)
    for told in tail {
      out.put(Int(told.time.microseconds))
      for d in [
        told.value, told.score.score, told.score.novelty, told.score.deviation, told.score.expected, told.score.spread,
      ] {
        out.put(d)
      }
    }
    stream.write(to: &out)
    out.seal()
    return out.bytes
  }

  /// Throws for anything but what ``bytes`` gave in this version of the program.
  init(_ bytes: [UInt8]) throws(StateError) {
    var state = try StateReader(bytes)
    guard try state.int(in: 0...Int.max) == SeriesMemory.formatVersion else { throw StateError.version }
    count = try state.int(in: 0...Int.max / 2)
    let told = try state.int(in: 0...10_000)
    guard told <= count else { throw StateError.impossible }
    var tail: [Told] = []
    while tail.count < told {
      var one = Told(time: .epoch, value: 0, score: .init())
      one.time = Timestamp(microseconds: Int64(bitPattern: try state.bits()))
      one.value = try state.double()
      one.score.score = try state.double()
      one.score.novelty = try state.double()
      one.score.deviation = try state.double()
      one.score.expected = try state.double()
      one.score.spread = try state.double()
      tail.append(one)
    }
    self.tail = tail
    stream = try AdaptiveStream(from: &state)
    try state.finish()
  }
}
