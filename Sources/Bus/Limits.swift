/// Every bound of the bus, with its reason. What happens at each one stands in docs/bus.md.
package enum Limits {
  /// The protocol's first frame.
  static let version: StaticString = "TOCSIN1"
  /// One message, all its frames together: what a slow link carries in a second, and one bad sender may cost in memory.
  package static let messageBytes = 1 << 20
  /// Beyond this libzmq itself cuts the connection, before it takes the frame into memory. Above ``messageBytes``, so that a
  /// sender who is a little over is told so.
  static let frameBytes = 4 << 20
  /// Anomalies in one message: one answer must be able to name each that was rejected.
  package static let eventsPerMessage = 10_000
  /// A producer's, worker's or request's name, in bytes.
  static let nameBytes = 255
  /// Jobs that one worker may ask for at once.
  package static let credit = 10_000
  /// Channels that one worker may name.
  static let channels = 64
  /// Messages of one connection that wait inside libzmq; more wait in the sender's kernel and socket. Times ``messageBytes``
  /// this is what one sender can occupy.
  static let receiveQueue: Int32 = 128
  /// Answers and jobs for one connection that reads slowly; more are dropped and counted, and asked for again.
  static let sendQueue: Int32 = 10_000
  /// Feed messages for one slow subscriber; more are lost to it, and it reads them from the log.
  static let feedQueue: Int32 = 20_000
  /// One event on the feed. Subscribers that don't read hold the same ``feedQueue`` of them: with this they cost 640 MB at the very most, and not five GB.
  package static let feedEventBytes = 32 * 1024
  /// In a drain an anomaly counts for one, or for its size in these: eight thousand anomalies of 250 kB would be two GB, and keep everybody waiting while
  /// they are read.
  static let bytesPerWeight = 1024
  /// Of one drain, the part that one connection gets while others have something to say.
  static let peerShare = 4
  /// Messages, and bytes, of one connection beyond its share that are kept for the next drain. At the bound reading ends for this
  /// drain.
  static let heldMessages = 64
  static let heldBytes = 4 << 20
  /// Connections that are remembered, to spare the work of looking at them afresh; beyond, all that hold no message are forgotten.
  static let peers = 16_384
}

/// The codes of `error`.
package enum ErrorCode: String, Sendable {
  /// The frames are not as the protocol says.
  case malformed
  /// Another protocol version.
  case version
  /// More bytes or anomalies than one message may have.
  case too_large
  /// The key may not do this.
  case forbidden
  /// The service can't take it now.
  case unavailable
}
