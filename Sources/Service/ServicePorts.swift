package import Bus

/// The service's side of the bus, so that the same loop runs on sockets and in a simulation.
package protocol GatewayPort: AnyObject {
  /// Returns when something has come, somebody woke it, or the time is over. Nil waits for ever.
  func wait(until microseconds: Int64?) throws(BusError)
  func receive(limit: Int) -> [Incoming]
  func send(_ message: Outgoing, to peer: Peer)
  func publish(topic: String, position: Int64, json: [UInt8])
}

extension Gateway: GatewayPort {}
