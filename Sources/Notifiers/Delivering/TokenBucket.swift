package import Alerts

/// Lets so many through a second in the long run, and a few at once after a quiet time.
package struct TokenBucket: Sendable {
  /// Between two in the long run.
  let interval: Interval
  private let burst: Int
  /// The instant at which the bucket would be full again.
  private var fullAt: Timestamp

  /// The generic cell rate algorithm: one instant instead of a count and a clock. Source: ITU-T I.371 (2004), annex A.
  package init(perSecond: Double, burst: Int) {
    interval = Interval(microseconds: Int64((1_000_000 / max(perSecond, 0.000_01)).rounded()))
    self.burst = max(burst, 1)
    fullAt = .epoch
  }

  /// Nil if one may go now, and it is counted as gone; otherwise when to ask again.
  package mutating func take(_ now: Timestamp) -> Timestamp? {
    let from = max(fullAt, now)
    let earliest = from - interval * Int64(burst - 1)
    if earliest > now { return earliest }
    fullAt = from + interval
    return nil
  }

  /// One goes whatever the rate says; those after it make up for it.
  package mutating func force(_ now: Timestamp) { fullAt = max(fullAt, now) + interval }

  /// Whether it would let a whole burst through, as a new one does.
  package func isFull(_ now: Timestamp) -> Bool { fullAt <= now }
}
