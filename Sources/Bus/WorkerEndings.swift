import CZeroMQ

/// Notices when a connection ends over which somebody asked for jobs: nobody says so, and what was sent there is lost.
///
/// libzmq tells of endings by file descriptor, and of a message which descriptor it came over. A descriptor is given to the next connection once its own has
/// ended; but it is told before that one can bring a message.
final class WorkerEndings {
  /// Has something when a connection has ended.
  let monitor: Socket
  private var workers: [Int32: Peer] = [:]
  private var left: [Peer] = []

  /// Before the router is bound, and so before anybody can come.
  init(_ router: Socket, _ context: Context) throws(BusError) {
    monitor = try router.monitor(context, events: ZMQ_EVENT_DISCONNECTED)
  }

  /// - Parameter source: of the message that was read last.
  func follow(_ peer: Peer, _ source: Int32) {
    // What ended with this descriptor ended before: it was somebody else's.
    notice()
    workers[source] = peer
  }

  /// Those that have ended since the last call.
  func take() -> [Peer] {
    notice()
    defer { left = [] }
    return left
  }

  private func notice() {
    while let event = monitor.receiveMessage()?.first {
      // Two bytes that say what, four with the descriptor, in the machine's order: see zmq_socket_monitor(3).
      guard event.count >= 6 else { continue }
      let descriptor = event.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: 2, as: Int32.self) }
      if let peer = workers.removeValue(forKey: descriptor) { left.append(peer) }
    }
  }
}
