import Alerts

/// How late deadlines are fired, at the cost of a comparison a round.
///
/// A round begins before anything new is taken up, so that whatever is due then was due when the last round ended, or fell due since: it is late by the time
/// since the later of the two. What a round leaves behind (it fires so many at most) goes on being late from where it began.
struct DeadlineWatch: Sendable {
  private var lastRound: Timestamp?
  private var behindSince: Timestamp?
  private var worst = Interval.zero

  /// - Parameter next: the nearest deadline.
  mutating func begin(next: Timestamp?, now: Timestamp) {
    defer { lastRound = now }
    // What fell due while the service was not there is fired when it is: that it was away is for others to notice.
    guard let lastRound else { return }
    guard let next, next <= now else {
      behindSince = nil
      return
    }
    let since = behindSince ?? max(next, lastRound)
    behindSince = since
    worst = max(worst, now - since)
  }

  /// After deadlines were fired.
  mutating func end(next: Timestamp?, now: Timestamp) {
    if next.map({ $0 > now }) ?? true { behindSince = nil }
  }

  /// The worst since the last call, and what is late now.
  mutating func take(now: Timestamp) -> Interval {
    defer { worst = .zero }
    return max(worst, behindSince.map { now - $0 } ?? .zero)
  }
}
