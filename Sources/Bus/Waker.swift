import CZeroMQ
import Glibc

/// Makes a thread that waits in ``waitForAny(of:or:microseconds:)`` return. Any thread may call ``wake()``; many calls before the
/// waiting thread runs are one.
///
/// Sendable: it holds one file descriptor that never changes, and eventfd(2) is thread-safe.
package final class GatewayWaker: Sendable {
  let descriptor: Int32

  package init() throws(BusError) {
    descriptor = tocsin_eventfd()
    if descriptor < 0 {
      throw BusError(
        .socket, "no file descriptor is left (eventfd: \(String(cString: strerror(errno)))); raise ulimit -n")
    }
  }

  deinit { close(descriptor) }

  package func wake() {
    var one: UInt64 = 1
    // Refused only when the counter is full, and then the thread is woken anyway.
    _ = write(descriptor, &one, 8)
  }

  func clear() {
    var count: UInt64 = 0
    _ = read(descriptor, &count, 8)
  }
}

/// The monotonic clock, in microseconds from an arbitrary start. Counts while nobody's wall clock is right.
package func monotonicMicroseconds() -> Int64 {
  var now = timespec()
  clock_gettime(CLOCK_MONOTONIC, &now)
  return Int64(now.tv_sec) * 1_000_000 + Int64(now.tv_nsec) / 1000
}

/// Waits until a message is at one of the sockets, somebody woke the waker, or the time is over. Nil waits for ever.
/// A signal ends it too. Nothing is polled meanwhile.
///
/// - Parameter timer: an armed one ends it too.
func waitForAny(
  of sockets: [Socket], or waker: GatewayWaker, microseconds: Int64?, timer: WallTimer? = nil
) throws(BusError) {
  var items = sockets.map { zmq_pollitem_t(socket: $0.raw, fd: 0, events: Int16(ZMQ_POLLIN), revents: 0) }
  items.append(zmq_pollitem_t(socket: nil, fd: waker.descriptor, events: Int16(ZMQ_POLLIN), revents: 0))
  if let timer {
    items.append(zmq_pollitem_t(socket: nil, fd: timer.descriptor, events: Int16(ZMQ_POLLIN), revents: 0))
  }
  // Rounded up, so that a deadline less than a millisecond away is waited for and not spun on.
  let milliseconds = microseconds.map { max(0, min(($0 + 999) / 1000, 86_400_000)) } ?? -1
  if zmq_poll(&items, Int32(items.count), Int(milliseconds)) < 0, zmq_errno() != EINTR {
    throw BusError.zmq("waiting for messages failed")
  }
  if items[sockets.count].revents != 0 { waker.clear() }
}
