package import Alerts
package import Bus
import Glibc

/// The service's side of the bus, so that the same loop runs on sockets and in a simulation.
package protocol GatewayPort: AnyObject {
  /// Returns when something has come, somebody woke it, or the time is over. Nil waits for ever.
  func wait(until microseconds: Int64?) throws(BusError)
  func receive(limit: Int) -> [Incoming]
  /// False where the peer is gone, or does not read what it is sent.
  @discardableResult
  func send(_ message: Outgoing, to peer: Peer) -> Bool
  func publish(topic: String, position: Int64, json: [UInt8])
  /// Whether anybody listens to what is published.
  var isHeard: Bool { get }
}

extension GatewayPort {
  package var isHeard: Bool { true }
}

extension Gateway: GatewayPort {}

/// What time it is.
package protocol ServiceClock: AnyObject {
  func now() -> Timestamp
  /// The log knows of this moment: time does not go back behind it.
  func isPast(_ time: Timestamp)
}

extension ServiceClock {
  package func isPast(_ time: Timestamp) {}
}

/// The machine's wall clock, that never goes back.
///
/// When somebody sets it back, time goes on at the pace of the clock that counts from the start of the machine (and through its sleep) until the wall
/// clock has caught up: a timer is neither fired twice nor an hour late. When it is set forward, it is believed: what fell due fires.
///
/// So it is after a restart, too: what the log recorded is past. But not where the log is more than ``furthestAhead`` ahead: then its clock was wrong, and the
/// wall clock is believed.
package final class SystemClock: ServiceClock {
  static let furthestAhead = Interval.days(1)
  private var last = Timestamp.epoch
  private var lastBoot: Int64 = 0
  private let read: (clockid_t) -> Int64

  package convenience init() { self.init(read: SystemClock.read) }

  /// - Parameter read: the microseconds that a clock shows.
  init(read: @escaping (clockid_t) -> Int64) { self.read = read }

  package func isPast(_ time: Timestamp) {
    let now = now()
    if time > now, time - now <= SystemClock.furthestAhead { last = time }
  }

  package func now() -> Timestamp {
    let wall = read(CLOCK_REALTIME)
    let boot = read(CLOCK_BOOTTIME)
    let expected = last.microseconds + max(0, boot - lastBoot)
    lastBoot = boot
    last = Timestamp(microseconds: wall >= last.microseconds ? wall : expected)
    return last
  }

  private static func read(_ clock: clockid_t) -> Int64 {
    var t = timespec()
    clock_gettime(clock, &t)
    return Int64(t.tv_sec) * 1_000_000 + Int64(t.tv_nsec) / 1000
  }
}
