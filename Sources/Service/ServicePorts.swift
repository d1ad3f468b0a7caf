package import Bus

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
