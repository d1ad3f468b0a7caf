package import Alerts

// What the parts need of the bus, apart from how it is carried: so that a detector, a notifier and a page can be tested without a socket.

/// Takes anomalies from a detector. When `publish` returns, they are durable on this machine and will reach the service, whatever crashes.
package protocol AnomalyPort: Sendable {
  func publish(_ anomalies: [Anomaly]) async throws
  /// "I am alive, and this is what I have done since": free-form, kept as the last word of `name`.
  func heartbeat(_ json: JSON) async
  /// Waits until the service has stored everything that was published. Throws where that takes longer than half a minute.
  func settle() async throws
}

extension AnomalyPort {
  /// Nothing waits anywhere.
  package func settle() async throws {}
}

/// Sends commands and waits for their replies.
package protocol CommandPort: Sendable {
  /// Throws ``BusError`` when no reply came in time. The command may then have been carried out all the same.
  func send(_ command: Command) async throws -> Reply
}

/// Hands jobs to a notifier worker.
package protocol JobPort: Sendable {
  /// The jobs that the service leases to this worker. It asks for as many as `credit` says, and for more as receipts go out.
  func jobs(channels: [String], credit: Int) -> AsyncStream<Job>
  func receipt(_ receipt: Receipt) async
  /// Asks the service whether this message is still wanted; false once it has been cancelled. True when no answer came in time: at
  /// least once is the promise.
  func wanted(_ key: String) async -> Bool
  func heartbeat(_ json: JSON) async
}

/// What went wrong on the bus.
package struct BusError: Error, Sendable, CustomStringConvertible {
  package enum Kind: Sendable {
    case timeout, refused, closed, socket
    /// Another process has it.
    case inUse
  }
  package var kind: Kind
  package var message: String
  package init(_ kind: Kind, _ message: String) {
    self.kind = kind
    self.message = message
  }
  package var description: String { message }
}
