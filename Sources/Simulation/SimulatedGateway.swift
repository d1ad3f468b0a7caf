import Alerts
import Bus
import Service

/// The bus, without a wire: what comes in is put there, what goes out is kept, and nothing goes out once the machine is down.
final class SimulatedGateway: GatewayPort {
  /// So much waits in the sockets of a machine that is asleep; more is lost.
  static let waitingLimit = 2000
  var incoming: [Incoming] = []
  var outgoing: [(peer: Peer, message: Outgoing)] = []
  private(set) var published: Int64
  /// The first position that did not follow the one before.
  private(set) var gap: Int64?
  /// So many more messages go out before the machine goes down; nil: it stays up.
  var untilCrash: Int?
  private(set) var isDown = false
  private let writes: Writes
  private let answersAtOnce: Bool

  init(_ writes: Writes, after position: Int64, answersAtOnce: Bool) {
    self.writes = writes
    self.answersAtOnce = answersAtOnce
    published = position
  }

  func wait(until microseconds: Int64?) {}

  func receive(limit: Int) -> [Incoming] {
    defer { incoming.removeFirst(min(limit, incoming.count)) }
    let taken = Array(incoming.prefix(limit))
    if answersAtOnce {
      for case .anomalies(let peer, _, let sequence, let events) in taken {
        let bad = events.count { if case .failure = Anomaly.parse($0, now: .distantFuture) { true } else { false } }
        let rejected = [JSON](repeating: ["error": "unreadable"], count: bad)
        outgoing.append((peer, .stored(sequence: sequence, json: ["rejected": .array(rejected)])))
      }
    }
    return taken
  }

  let isHeard = true

  func send(_ message: Outgoing, to peer: Peer) -> Bool {
    if goesDown() { return true }
    if answersAtOnce, case .stored = message { return true }
    outgoing.append((peer, message))
    return true
  }

  func publish(topic: String, position: Int64, json: [UInt8]) {
    if goesDown() { return }
    if position != published + 1, gap == nil { gap = position }
    published = position
  }

  private func goesDown() -> Bool {
    if isDown { return true }
    if writes.isLast() { isDown = true }
    if let left = untilCrash {
      if left == 0 { isDown = true } else { untilCrash = left - 1 }
    }
    return isDown
  }
}
