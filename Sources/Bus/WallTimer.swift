import CZeroMQ
import Glibc

/// Ends a long wait when its time is over by the wall clock, or when somebody sets that clock.
///
/// A wait that counts by itself stands still while the machine is suspended, and knows nothing of a clock that is set forward: what falls due in eight
/// hours would come when the machine has been awake for eight hours.
///
/// Not safe for use from several threads at once.
final class WallTimer {
  /// Shorter waits count by themselves: a suspended machine makes them late by no more than this, and nobody pays for a call each time.
  static let shortest: Int64 = 500_000
  let descriptor: Int32
  private var isArmed = false

  init() throws(BusError) {
    descriptor = tocsin_timerfd()
    if descriptor < 0 {
      throw BusError(
        .socket, "no file descriptor is left (timerfd: \(String(cString: strerror(errno)))); raise ulimit -n")
    }
  }

  deinit { close(descriptor) }

  func arm(microseconds: Int64?) {
    guard let microseconds, microseconds >= WallTimer.shortest else { return disarm() }
    isArmed = tocsin_timerfd_arm(descriptor, microseconds) == 0
  }

  func disarm() {
    guard isArmed else { return }
    isArmed = false
    tocsin_timerfd_arm(descriptor, 0)
  }
}
