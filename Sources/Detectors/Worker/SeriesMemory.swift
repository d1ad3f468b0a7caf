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

  /// Takes in what is newer than all it knows. Returns these points and the tail before them, oldest first.
  mutating func advance(_ points: [Point], keeping: Int) -> History {
    var history = History(told: tail, first: count - tail.count)
    let known = newest
    var i = points.count
    while i > 0, known.map({ points[i - 1].time > $0 }) ?? true { i -= 1 }
    guard i < points.count else { return history }
    for point in points[i...] {
      let seconds = Double(point.time.microseconds) / 1_000_000
      history.told.append(
        Told(time: point.time, value: point.value, score: stream.push(seconds: seconds, point.value)))
      count += 1
    }
    tail = Array(history.told.suffix(max(SeriesMemory.tailLimit, keeping)))
    return history
  }

  /// What was said of points that follow each other.
  struct History {
    var told: [Told]
    /// The number of the first, counted from the series' beginning.
    let first: Int

    func judgement(_ i: Int, _ detector: Adaptive) -> Judgement? {
      first + i < AdaptiveStream.intervalRows ? nil : detector.judgement(told[i].value, told[i].score)
    }
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
