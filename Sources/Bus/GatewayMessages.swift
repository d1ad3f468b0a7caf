package import Alerts

/// Who is at the other end of a connection, and what it may do.
///
/// Two are the same when their connection is: the identity that the ROUTER gave it.
package struct Peer: Hashable, Sendable {
  package let identity: [UInt8]
  package let permissions: Permissions
  /// What the configuration calls its key; nil without CURVE.
  package let name: String?

  package init(identity: [UInt8], permissions: Permissions = .all, name: String? = nil) {
    self.identity = identity
    self.permissions = permissions
    self.name = name
  }

  package static func == (a: Peer, b: Peer) -> Bool { a.identity == b.identity }
  package func hash(into hasher: inout Hasher) { hasher.combine(identity) }
}

/// A message that came, and that its sender was allowed to send.
package enum Incoming: Sendable {
  case anomalies(Peer, producer: String, sequence: UInt64, events: Frames)
  case command(Peer, requestID: String, json: [UInt8])
  case ready(Peer, worker: String, credit: Int, channels: [String])
  case receipt(Peer, worker: String, json: [UInt8])
  case heartbeat(Peer, name: String, json: [UInt8])
  /// The connection over which a worker asked for jobs has ended.
  case left(Peer)

  package var peer: Peer {
    switch self {
    case .anomalies(let peer, _, _, _), .command(let peer, _, _), .ready(let peer, _, _, _), .receipt(let peer, _, _),
      .heartbeat(let peer, _, _), .left(let peer):
      peer
    }
  }

  /// What it counts for in a drain: each anomaly is one.
  var weight: Int {
    if case .anomalies(_, _, _, let events) = self { events.count } else { 1 }
  }
}

/// A message to one client.
package enum Outgoing: Sendable {
  /// Each `anomalies` message gets its own.
  case stored(sequence: UInt64, json: JSON)
  case reply(requestID: String, json: JSON)
  case job(JSON)
  case error(code: String, message: String)
}

/// What the gateway has done since it was made.
package struct GatewayCounters: Sendable, Equatable {
  package var messages = 0
  package var anomalies = 0
  /// Answered with `error`: unreadable, too large, or of another version.
  package var refused = 0
  /// Answered with `error` or a refusing reply: the key may not.
  package var forbidden = 0
  /// Answers and jobs that were not sent: the peer was gone.
  package var unreachable = 0
  /// Answers and jobs that were not sent: the peer does not read.
  package var full = 0
  /// Messages that were kept for a later drain, because their sender had had its share.
  package var held = 0
  package var published = 0
  /// Events that were too large for the feed.
  package var unpublished = 0
  package init() {}
}
