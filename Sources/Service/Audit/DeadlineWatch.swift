import Alerts

/// How late deadlines are fired, at the cost of a comparison a round.
///
/// A round begins before anything new is taken up, so that whatever is due then was due when the last round ended, or fell due since: it is late by the time
/// since the later of the two. What a round leaves behind (it fires so many at most) goes on being late from where it began.
///
/// Only time in which the service could have done something counts. A machine that was suspended, or whose clock was set forward, fires what fell due at once
/// when it is back: that is what was promised, and nothing that anybody could mend.
struct DeadlineWatch: Sendable {
  private var lastRound: (now: Timestamp, awake: Int64)?
  /// As ``ServiceClock/awake`` counts.
  private var behindSince: Int64?
  private var worst: Int64 = 0

  /// - Parameters:
  ///   - next: the nearest deadline.
  ///   - awake: see ``ServiceClock/awake``.
  mutating func begin(next: Timestamp?, now: Timestamp, awake: Int64) {
    defer { lastRound = (now, awake) }
    // What fell due while the service was not there is fired when it is: that it was away is for others to notice.
    guard let lastRound else { return }
    guard let next, next <= now else {
      behindSince = nil
      return
    }
    let late = min((now - max(next, lastRound.now)).microseconds, max(0, awake - lastRound.awake))
    let since = behindSince ?? awake - late
    behindSince = since
    worst = max(worst, awake - since)
  }

  /// After deadlines were fired.
  mutating func end(next: Timestamp?, now: Timestamp) {
    if next.map({ $0 > now }) ?? true { behindSince = nil }
  }

  /// The worst since the last call, and what is late now.
  mutating func take() -> Interval {
    defer { worst = 0 }
    guard let behindSince, let lastRound else { return Interval(microseconds: worst) }
    return Interval(microseconds: max(worst, lastRound.awake - behindSince))
  }
}
