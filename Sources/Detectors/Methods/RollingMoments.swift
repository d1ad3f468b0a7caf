/// Mean and deviation of the last values, in constant time a value: sums of the values and of their squares, taken from an anchor within the window, so that a large
/// mean costs no digits. The anchor and the sums are made anew once a window, so that rounding can't pile up.
package struct RollingMoments: Sendable {
  private var values: [Double]
  private var next = 0
  private(set) var count = 0
  private var anchor = 0.0
  private var sum = 0.0
  private var squares = 0.0

  /// `window` from 1 on.
  package init(window: Int) { values = Array(repeating: 0, count: max(1, window)) }

  package mutating func push(_ v: Double) {
    if count == values.count {
      let old = values[next] - anchor
      let new = v - anchor
      sum += new - old
      squares += (new - old) * (new + old)
      values[next] = v
    } else {
      if count == 0 { anchor = v }
      values[next] = v
      count += 1
      sum += v - anchor
      squares += (v - anchor) * (v - anchor)
    }
    next += 1
    if next == values.count {
      next = 0
      renew()
    }
  }

  private mutating func renew() {
    anchor = values[0]
    sum = 0
    squares = 0
    for k in 0..<count {
      let d = values[k] - anchor
      sum += d
      squares += d * d
    }
  }

  package var mean: Double { count > 0 ? anchor + sum / Double(count) : 0 }

  /// That of a sample: divided by n − 1.
  package var deviation: Double {
    guard count > 1 else { return 0 }
    let n = Double(count)
    return (max(0, squares - sum * sum / n) / (n - 1)).squareRoot()
  }

  /// How many deviations `v` lies from the mean of the values before it, which it then joins. 0 while there is no deviation.
  @inline(__always)
  package mutating func score(_ v: Double) -> Double {
    let sd = deviation
    let z = sd > 0 ? (v - mean) / sd : 0
    push(v)
    return z
  }
}
