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
}

extension Gateway: GatewayPort {}

/// What time it is.
package protocol ServiceClock: AnyObject {
  func now() -> Timestamp
}

/// The machine's wall clock, that never goes back.
///
/// When somebody sets it back, time goes on at the pace of the clock that counts from the start of the machine (and through its sleep) until the wall
/// clock has caught up: a timer is neither fired twice nor an hour late. When it is set forward, it is believed: what fell due fires.
package final class SystemClock: ServiceClock {
  private var last = Timestamp.epoch
  private var lastBoot: Int64 = 0

  package init() {}

  package func now() -> Timestamp {
    let wall = SystemClock.read(CLOCK_REALTIME)
    let boot = SystemClock.read(CLOCK_BOOTTIME)
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
