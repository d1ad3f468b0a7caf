import Alerts

/// Whether the tables follow the log: every position that is committed is reached within a while.
struct TableWatch: Sendable {
  private var target: (position: Int64, since: Timestamp)?

  /// How long the tables have not reached a position that was in the log. Nil where nobody tells how far they are.
  mutating func look(head: Int64, reached: Int64?, now: Timestamp) -> Interval {
    guard let reached else {
      target = nil
      return .zero
    }
    if let t = target, reached < t.position { return now - t.since }
    target = reached < head ? (head, now) : nil
    return .zero
  }
}
