import Alerts
import Bus

/// Which worker has which messages in hand, so that one that is gone holds nothing back.
///
/// A lease lasts a minute, which a slow provider may need; a page that a dead worker had in hand need not wait so long. A worker that says in its heartbeats
/// what it holds is believed: what it does not name after a new start is lost, and when it is silent, or its connection has ended and it does not
/// come back, all of it is. One that says nothing keeps its leases to their ends.
///
/// Times are ``ServiceClock/awake``: neither a machine that slept nor a clock that was set makes anybody silent.
struct HeldJobs {
  /// Two heartbeats that did not come, and a little more.
  static let silence = Interval.seconds(25).microseconds
  /// So long a worker has to connect again.
  static let absence = Interval.seconds(5).microseconds
  /// Workers that are followed at once; others keep their leases to their ends.
  static let capacity = 1000

  private struct Holder {
    var peer: Peer
    /// When it counts as gone.
    var until: Int64
    /// By the position of the message: the connection over which it went, or was named last.
    var jobs: [Int64: Peer] = [:]
    /// Connections of those that have ended.
    var ended: Set<Peer> = []
  }
  private var holders: [String: Holder] = [:]

  /// When the first of those that have something in hand counts as gone.
  var nextLook: Int64? { holders.values.lazy.filter { !$0.jobs.isEmpty }.map(\.until).min() }

  /// A job went out.
  mutating func gave(_ position: Int64, to name: String, over peer: Peer) { holders[name]?.jobs[position] = peer }

  /// It said something.
  mutating func heard(_ name: String, over peer: Peer, now: Int64) {
    if holders[name]?.peer == peer { holders[name]?.until = now + HeldJobs.silence }
  }

  /// It said what it holds.
  ///
  /// - Parameter key: of a message that is leased to it; nil for one that is not any more.
  /// - Returns: messages that it was given over a connection that has ended, and does not have.
  mutating func said(_ name: String, holds keys: Set<String>, over peer: Peer, now: Int64, key: (Int64) -> String?)
    -> [Int64]
  {
    guard holders[name] != nil || holders.count < HeldJobs.capacity else { return [] }
    var holder = holders[name] ?? Holder(peer: peer, until: now)
    var lost: [Int64] = []
    for (position, connection) in holder.jobs {
      guard let key = key(position) else {
        holder.jobs[position] = nil
        continue
      }
      if keys.contains(key) {
        holder.jobs[position] = peer
      } else if holder.ended.contains(connection) {
        // Over one that stands it may be on its way yet.
        holder.jobs[position] = nil
        lost.append(position)
      }
    }
    holder.ended.formIntersection(holder.jobs.values)
    holder.peer = peer
    holder.until = now + HeldJobs.silence
    holders[name] = holder
    return lost.sorted()
  }

  /// A connection has ended.
  mutating func left(_ peer: Peer, now: Int64) {
    for (name, holder) in holders {
      if holder.jobs.values.contains(peer) { holders[name]?.ended.insert(peer) }
      if holder.peer == peer { holders[name]?.until = min(holder.until, now + HeldJobs.absence) }
    }
  }

  /// Who is gone, and what each was given.
  mutating func takeGone(now: Int64) -> [(name: String, jobs: [Int64])] {
    guard let next = holders.values.lazy.map(\.until).min(), next <= now else { return [] }
    var gone: [(String, [Int64])] = []
    for (name, holder) in holders where holder.until <= now {
      holders[name] = nil
      gone.append((name, holder.jobs.keys.sorted()))
    }
    return gone.sorted { $0.0 < $1.0 }
  }
}
