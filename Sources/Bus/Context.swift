import CZeroMQ

/// A libzmq context: its I/O threads, and the name space of its `inproc` endpoints.
///
/// Sendable because libzmq's contexts are thread-safe; the pointer never changes.
package final class Context: @unchecked Sendable {
  let raw: UnsafeMutableRawPointer

  /// `sockets` bounds the sockets of this context. Accepted connections do not count.
  package init(ioThreads: Int32 = 1, sockets: Int32 = 1023) throws(BusError) {
    guard let raw = zmq_ctx_new() else { throw BusError.zmq("a ZeroMQ context can't be made") }
    self.raw = raw
    zmq_ctx_set(raw, ZMQ_IO_THREADS, ioThreads)
    zmq_ctx_set(raw, ZMQ_MAX_SOCKETS, sockets)
  }

  /// Every socket holds its context, so that all are closed by now; this waits for their LINGER at most.
  deinit { while zmq_ctx_term(raw) != 0, zmq_errno() == EINTR {} }
}

extension BusError {
  /// What libzmq's errno says, with what was tried.
  static func zmq(_ what: String, code: Int32 = zmq_errno()) -> BusError {
    BusError(.socket, "\(what): \(String(cString: zmq_strerror(code)))")
  }
}
