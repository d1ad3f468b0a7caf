import Alerts
import Foundation
import Synchronization

/// Connections that stay open between reads, so that a check by the minute does not log in by the minute.
///
/// One serves one read at a time. What fails is closed, and what was kept and fails says nothing about the server (it may have restarted since): the read is done
/// once more on a new connection.
final class KeptConnections: Sendable {
  /// Of this process, whatever event type asks: those that name the same database share them.
  static let shared = KeptConnections()

  /// Idle ones in all: as many as reads may run at once, for two databases. Beyond it the one that was idle longest is closed.
  static let idleLimit = 16
  /// A check by the five minutes finds its connection open, and one by the day does not keep a server from its rest.
  static let idleTime = Interval.minutes(10)
  /// However busy: what a server knows of a session (memory, a name that has moved to another machine) grows old.
  static let lifetime = Interval.minutes(30)

  /// What can be kept: handed from thread to thread, and used by one at a time.
  protocol Keepable: AnyObject {
    /// False where it can't serve again: a file that it reads was replaced, a server that is busy with what was broken off.
    var isFresh: Bool { get }
  }

  /// `@unchecked Sendable`: whoever takes it out is its only user until it is given back.
  private final class Held: @unchecked Sendable {
    let connection: any Keepable
    let key: String
    let opened: Int64
    var idleSince: Int64 = 0
    init(_ connection: any Keepable, _ key: String, opened: Int64) {
      self.connection = connection
      self.key = key
      self.opened = opened
    }
  }

  /// The newest at the end.
  private let idle = Mutex<[Held]>([])
  private let now: @Sendable () -> Int64

  /// `now`: milliseconds on a clock that nobody sets.
  init(now: @escaping @Sendable () -> Int64 = { BlockingWork.now() }) { self.now = now }

  var count: Int { idle.withLock { $0.count } }

  /// Runs `body` with a connection to what `key` names, open already or new. `body` may run twice.
  func using<C: Keepable, T>(_ key: String, open: () throws -> C, _ body: (C) throws -> T) throws -> T {
    if let held = take(key), let connection = held.connection as? C {
      do {
        let answer = try body(connection)
        give(held)
        return answer
      } catch let error as SourceError where error.kind == .unreachable || error.kind == .query {
        // The others are as old as this one.
        forget(key)
      }
    }
    let held = Held(try open(), key, opened: now())
    guard let connection = held.connection as? C else { throw SourceError(.unreachable, "no connection") }
    let answer = try body(connection)
    give(held)
    return answer
  }

  private func take(_ key: String) -> Held? {
    let (found, closed) = idle.withLock { all -> (Held?, [Held]) in
      let closed = remove(&all) { isOld($0) || ($0.key == key && !$0.connection.isFresh) }
      guard let i = all.lastIndex(where: { $0.key == key }) else { return (nil, closed) }
      return (all.remove(at: i), closed)
    }
    _ = closed  // Let go of outside the lock: to close takes a while.
    return found
  }

  private func give(_ held: Held) {
    guard held.connection.isFresh else { return }
    held.idleSince = now()
    let closed = idle.withLock { all -> [Held] in
      var closed = remove(&all) { isOld($0) }
      if !isOld(held) { all.append(held) }
      if all.count > KeptConnections.idleLimit { closed.append(all.removeFirst()) }
      return closed
    }
    _ = closed
    // Also where nobody reads any more.
    let wait = Double((KeptConnections.idleTime + .seconds(1)).microseconds) / 1_000_000
    DispatchQueue.global().asyncAfter(deadline: .now() + wait) { [weak self] in self?.closeOld() }
  }

  private func closeOld() { _ = idle.withLock { remove(&$0) { isOld($0) } } }
  private func forget(_ key: String) { _ = idle.withLock { remove(&$0) { $0.key == key } } }

  private func isOld(_ held: Held) -> Bool {
    let t = now()
    return t - held.idleSince >= KeptConnections.idleTime.microseconds / 1000
      || t - held.opened >= KeptConnections.lifetime.microseconds / 1000
  }

  private func remove(_ all: inout [Held], _ unwanted: (Held) -> Bool) -> [Held] {
    let out = all.filter(unwanted)
    all.removeAll(where: unwanted)
    return out
  }
}
