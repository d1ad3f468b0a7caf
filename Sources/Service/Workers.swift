import Alerts
import Bus

/// Notifier workers that asked for jobs, and for how many more.
struct Workers {
  struct Worker {
    var peer: Peer
    var credit: Int
    var channels: [String]
    var seenAt: Timestamp
  }
  /// So many are known at once; beyond, the one that was silent longest is forgotten.
  static let capacity = 1000
  private(set) var all: [String: Worker] = [:]
  private var turn = 0

  mutating func ready(_ name: String, _ peer: Peer, credit: Int, channels: [String], now: Timestamp) {
    if all[name] == nil, all.count >= Workers.capacity,
      let oldest = all.min(by: { $0.value.seenAt < $1.value.seenAt })?.key
    {
      all[oldest] = nil
    }
    all[name] = Worker(peer: peer, credit: min(max(credit, 0), Limits.credit), channels: channels, seenAt: now)
  }

  var hasCredit: Bool { all.values.contains { $0.credit > 0 } }

  /// Those with credit, in turn, so that several share the work.
  mutating func withCredit() -> [(name: String, worker: Worker)] {
    let able = all.filter { $0.value.credit > 0 }.sorted { $0.key < $1.key }
    guard !able.isEmpty else { return [] }
    turn = (turn + 1) % able.count
    return (able[turn...] + able[..<turn]).map { ($0.key, $0.value) }
  }

  /// A job that it was given did not go out.
  mutating func restore(_ name: String) { all[name]?.credit += 1 }

  /// It is gone, or does not read: it has no credit until it asks again.
  mutating func forget(_ name: String) { all[name] = nil }

  mutating func spend(_ name: String) { all[name]?.credit -= 1 }
}
