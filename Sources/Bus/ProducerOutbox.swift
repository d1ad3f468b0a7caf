/// Where a producer keeps what it sent until the service has answered `stored`.
///
/// One message is a batch of anomalies under one sequence. Called from any thread.
package protocol ProducerOutbox: Sendable {
  /// Keeps the messages, in order, and gives the sequence of the first; the others follow by ones. When it returns they are as safe as
  /// this outbox makes them.
  func append(_ messages: [[[UInt8]]]) throws(BusError) -> UInt64
  /// Those after `sequence`, lowest first, at most so many messages and (from the second on) bytes.
  func load(after sequence: UInt64, messages: Int, bytes: Int) throws(BusError) -> [OutboxMessage]
  func remove(_ sequences: [UInt64]) throws(BusError)
  var waiting: OutboxLevel { get }
  /// For people: where it is kept.
  var place: String { get }
  /// Lets another publisher have it. Nothing may be asked of it afterwards.
  func close()
}

package struct OutboxMessage: Sendable {
  package var sequence: UInt64
  package var events: [[UInt8]]
  package var bytes: Int { events.reduce(0) { $0 + $1.count } }
}

/// How full an outbox is.
package struct OutboxLevel: Sendable, Equatable {
  package var messages = 0
  package var anomalies = 0
  package var bytes = 0
  package init() {}

  mutating func add(_ events: [[UInt8]]) {
    messages += 1
    anomalies += events.count
    bytes += events.reduce(0) { $0 + $1.count }
  }
}

extension OutboxLevel {
  /// What one producer keeps for a service that is away, unless told otherwise: half a million anomalies of 500 bytes.
  package static let bytesLimit = 256 << 20

  func check(_ more: [[[UInt8]]], limit: Int, place: String) throws(BusError) {
    let added = more.reduce(0) { $0 + $1.reduce(0) { $0 + $1.count } }
    guard bytes + added <= limit else {
      throw BusError(
        .refused,
        """
        the outbox \(place) is full: \(anomalies) anomalies (\(bytes >> 20) MiB) wait for the service, and it keeps at most \
        \(limit >> 20) MiB. Bring the service back; until then new anomalies are not taken.
        """)
    }
  }
}
