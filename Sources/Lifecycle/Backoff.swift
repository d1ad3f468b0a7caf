package import Alerts

/// How long a delivery that did not succeed waits before its next try.
package enum Backoff {
  package static let first = Interval.seconds(2)
  package static let longest = Interval.minutes(10)

  /// Doubles from 2 s to 10 minutes, spread by ±25 %, so that what failed together does not come back together. The spread is drawn from the
  /// notification's own key: the same history gives the same times.
  /// Source: Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
  ///
  /// - Parameter attempt: the try that failed, from 1.
  /// - Parameter retryAfter: what the provider asked for; never less than that.
  package static func delay(attempt: Int, key: String, retryAfter: Interval?) -> Interval {
    let exponent = min(max(attempt - 1, 0), 20)
    let base = min(first.microseconds << Int64(exponent), longest.microseconds)
    let draw = Double(StableHash("\(attempt)|\(key)").low >> 11) / Double(1 << 53)
    let spread = Interval(microseconds: Int64(Double(base) * (0.75 + draw / 2)))
    return max(spread, retryAfter ?? .zero)
  }
}
