/// A quantile of a stream without keeping it: five markers that move with the values.
///
/// Jain and Chlamtac, The P² Algorithm for Dynamic Calculation of Quantiles and Histograms Without Storing Observations, Communications of the ACM 1985. Exact for the
/// first five values.
package struct Quantile: Sendable, Equatable {
  package let share: Double
  package private(set) var heights: [Double] = []
  /// Of the markers, from 1.
  package private(set) var positions: [Double] = []
  private var count = 0.0

  package init(_ share: Double) { self.share = share }

  /// Goes on from what was written. Nil for what can't have been.
  package init?(_ share: Double, heights: [Double], positions: [Double], count: Double) {
    let isSound =
      heights.count == Int(min(5, max(0, count))) && positions.count == (heights.count == 5 ? 5 : 0)
      && heights == heights.sorted() && positions == positions.sorted() && heights.allSatisfy(\.isFinite)
    guard isSound else { return nil }
    self.share = share
    self.heights = heights
    self.positions = positions
    self.count = count
  }

  package mutating func push(_ v: Double) {
    count += 1
    guard heights.count == 5 else {
      heights.insert(v, at: heights.firstIndex { $0 > v } ?? heights.count)
      if heights.count == 5 { positions = [1, 2, 3, 4, 5] }
      return
    }
    let k: Int
    if v < heights[0] {
      heights[0] = v
      k = 0
    } else if v >= heights[4] {
      heights[4] = v
      k = 3
    } else {
      k = (heights.firstIndex { $0 > v } ?? 4) - 1
    }
    for m in (k + 1)..<5 { positions[m] += 1 }
    let wanted = [0, share / 2, share, (1 + share) / 2, 1].map { 1 + $0 * (count - 1) }
    for m in 1...3 {
      let d = wanted[m] - positions[m]
      let above = positions[m + 1] - positions[m]
      let below = positions[m - 1] - positions[m]
      guard (d >= 1 && above > 1) || (d <= -1 && below < -1) else { continue }
      let step: Double = d > 0 ? 1 : -1
      let curved = parabola(m, step)
      heights[m] = heights[m - 1] < curved && curved < heights[m + 1] ? curved : line(m, step)
      positions[m] += step
    }
  }

  private func parabola(_ m: Int, _ d: Double) -> Double {
    let (p, q) = (positions, heights)
    let up = (p[m] - p[m - 1] + d) * (q[m + 1] - q[m]) / (p[m + 1] - p[m])
    let down = (p[m + 1] - p[m] - d) * (q[m] - q[m - 1]) / (p[m] - p[m - 1])
    return q[m] + d / (p[m + 1] - p[m - 1]) * (up + down)
  }

  private func line(_ m: Int, _ d: Double) -> Double {
    let other = d > 0 ? m + 1 : m - 1
    return heights[m] + d * (heights[other] - heights[m]) / (positions[other] - positions[m])
  }

  /// Nil before the first value.
  package var value: Double? {
    guard !heights.isEmpty else { return nil }
    guard heights.count == 5 else {
      let rank = Int((share * Double(heights.count)).rounded(.up))
      return heights[min(heights.count, max(1, rank)) - 1]
    }
    return heights[2]
  }
}
