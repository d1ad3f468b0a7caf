/// How new a value is: the distance to everything seen so far, on the scale of what was seen, in units of how new values usually are.
///
/// Remembers disjoint intervals of the line, never values: memory is bounded whatever comes.
struct NoveltyVoter {
  /// The finest difference that is remembered, as a share of the range: more is spent on noise.
  static let resolution = 128.0
  /// A gap between values seen is less new than what lies beyond all of them.
  static let innerWeight = 0.5
  /// How far the spread, rather than the range, sets the scale.
  static let spreadShare = 0.25
  static let spreadWidth = 6.0
  static let centreWeight = 6.0
  /// Novelty's own noise floor.
  static let floor = 0.0075
  /// Points over which novelty's usual size is remembered.
  static let memory = 4000.0
  /// Intervals are kept further apart than the resolution, so that there are at most 129, but for those that stood closer before the range grew.
  static let limit = 160
  /// Room is made for so many at a time: a series that has settled needs no more, and there may be a million of them.
  static let room = 16

  private var lower: [Double] = []
  private var upper: [Double] = []
  private var n = 0.0
  private var mean = 0.0
  private var squares = 0.0
  private var e1 = 0.0
  private var e2 = 0.0

  /// The spread of all values so far.
  var deviation: Double { n > 0 ? (squares / n).squareRoot() : 0 }
  var intervals: Int { lower.count }

  /// The z-score of the value's novelty. `i`: the point's number from 0. `largest`: the largest magnitude of the series so far, below a billionth of which a
  /// range is rounding. `learning`: points before the first score.
  mutating func push(_ v: Double, i: Int, largest: Double, learning: Int) -> Double {
    var d = 0.0
    if lower.isEmpty {
      lower.append(v)
      upper.append(v)
      mean = v
      n = 1
    } else {
      let last = lower.count - 1
      let range = max(upper[last], v) - min(lower[0], v)
      let tolerance = range / Self.resolution
      let distance = remember(v, tolerance)
      let sd = (squares / n).squareRoot()
      // range^0.75 · (6 sd)^0.25, by square roots.
      var scale = sd > 0 ? (range * (range * Self.spreadWidth * sd).squareRoot()).squareRoot() : range
      scale = (scale * scale + Self.centreWeight * (v - mean) * (v - mean)).squareRoot()
      d = scale == 0 || range <= 1e-9 * largest ? 0 : min(1, distance / scale)
      n += 1
      let delta = v - mean
      mean += delta / n
      squares += delta * (v - mean)
    }
    let z = i >= learning ? max(0, (d - e1) / (max(0, e2 - e1 * e1).squareRoot() + Self.floor)) : 0
    let w = 1 / min(Double(i) + 1, Self.memory)
    e1 += w * (d - e1)
    e2 += w * (d * d - e2)
    return z
  }

  /// Takes the value in, and returns how far it was from what was there.
  private mutating func remember(_ v: Double, _ tolerance: Double) -> Double {
    // The first interval that begins above v.
    var low = 0
    var high = lower.count
    while low < high {
      let middle = (low + high) / 2
      if lower[middle] <= v { low = middle + 1 } else { high = middle }
    }
    let k = low
    if k > 0, v <= upper[k - 1] { return 0 }
    let left = k > 0 ? v - upper[k - 1] : .infinity
    let right = k < lower.count ? lower[k] - v : .infinity
    let nearest = min(left, right)
    let distance = k > 0 && k < lower.count ? Self.innerWeight * nearest : nearest
    if left <= tolerance, right <= tolerance {
      upper[k - 1] = upper[k]
      lower.remove(at: k)
      upper.remove(at: k)
    } else if left <= tolerance {
      upper[k - 1] = v
    } else if right <= tolerance {
      lower[k] = v
    } else if lower.count < Self.limit {
      if lower.count == lower.capacity {
        lower.reserveCapacity(lower.count + Self.room)
        upper.reserveCapacity(lower.count + Self.room)
      }
      lower.insert(v, at: k)
      upper.insert(v, at: k)
    } else {
      merge(tolerance)
      return distance + insertAfterMerge(v)
    }
    return distance
  }

  private mutating func insertAfterMerge(_ v: Double) -> Double {
    var k = 0
    while k < lower.count, lower[k] <= v { k += 1 }
    if k > 0, v <= upper[k - 1] { return 0 }
    if lower.count < Self.limit {
      lower.insert(v, at: k)
      upper.insert(v, at: k)
    }
    return 0
  }

  private mutating func merge(_ tolerance: Double) {
    var kept = 0
    for k in 1..<max(1, lower.count) {
      if lower[k] - upper[kept] <= tolerance {
        upper[kept] = upper[k]
      } else {
        kept += 1
        lower[kept] = lower[k]
        upper[kept] = upper[k]
      }
    }
    lower.removeSubrange(min(lower.count, kept + 1)...)
    upper.removeSubrange(min(upper.count, kept + 1)...)
  }

  init() {}

  func write(to out: inout StateWriter) {
    for v in [n, mean, squares, e1, e2] { out.put(v) }
    out.put(lower)
    out.put(upper)
  }

  init(from state: inout StateReader) throws(StateError) {
    n = try state.double()
    mean = try state.double()
    squares = try state.double()
    e1 = try state.double()
    e2 = try state.double()
    lower = try state.doubles(most: Self.limit)
    upper = try state.doubles(most: Self.limit)
    guard lower.count == upper.count, n >= 0, squares >= 0, lower.isEmpty == (n == 0) else {
      throw StateError.impossible
    }
    let isSorted = lower.indices.allSatisfy { lower[$0] <= upper[$0] && ($0 == 0 || upper[$0 - 1] < lower[$0]) }
    guard isSorted else { throw StateError.impossible }
  }
}
