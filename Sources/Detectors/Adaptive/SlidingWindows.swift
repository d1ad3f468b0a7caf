/// The mean of the last values.
struct SlidingMean {
  private var values: [Double] = []
  private let size: Int
  private var next = 0
  private var sum = 0.0

  init(_ size: Int) { self.size = size }

  mutating func push(_ v: Double) -> Double {
    if values.count < size {
      values.append(v)
      sum += v
    } else {
      sum += v - values[next]
      values[next] = v
      next += 1
      if next == size {
        next = 0
        // Once a round the sum is made afresh, so that rounding cannot pile up.
        sum = values.reduce(0, +)
      }
    }
    return sum / Double(values.count)
  }
}

/// The median of the last values, kept sorted: a shift of at most `size` numbers a point.
struct SlidingMedian {
  private var values: [Double] = []
  private var sorted: [Double] = []
  private let size: Int
  private var next = 0

  init(_ size: Int) { self.size = size }

  mutating func push(_ v: Double) -> Double {
    if values.count < size {
      values.append(v)
    } else {
      sorted.remove(at: place(values[next]))
      values[next] = v
      next = next + 1 == size ? 0 : next + 1
    }
    sorted.insert(v, at: place(v))
    let n = sorted.count
    return n % 2 == 1 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2
  }

  private func place(_ v: Double) -> Int {
    var low = 0
    var high = sorted.count
    while low < high {
      let middle = (low + high) / 2
      if sorted[middle] < v { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
