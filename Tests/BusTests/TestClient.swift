import Bus
import CZeroMQ
import Foundation

/// A DEALER as a program in another language would use one.
final class TestClient {
  let socket: Socket

  init(_ endpoint: String, context: Context? = nil, curve: ConnectionSettings.Curve? = nil) throws {
    socket = try Socket(context ?? Context(), .dealer)
    try socket.set(ZMQ_LINGER, 0)
    if let curve {
      try socket.set(ZMQ_CURVE_SERVERKEY, text: curve.serverKey)
      try socket.set(ZMQ_CURVE_PUBLICKEY, text: curve.keys.publicKey)
      try socket.set(ZMQ_CURVE_SECRETKEY, text: curve.keys.secretKey)
    }
    try socket.connect(endpoint)
  }

  @discardableResult
  func send(_ texts: String...) -> Socket.Sent { socket.send(texts.map { Array($0.utf8) }) }

  /// The next message, as texts; nil when none came within two seconds.
  func receive(milliseconds: Int = 2000) -> [String]? {
    let deadline = monotonicMicroseconds() + Int64(milliseconds) * 1000
    repeat {
      if let frames = socket.receiveMessage() { return frames.map { String(decoding: $0, as: UTF8.self) } }
      usleep(1000)
    } while monotonicMicroseconds() < deadline
    return nil
  }
}

extension Gateway {
  static func onAnyPort() throws -> Gateway {
    try Gateway(GatewaySettings(gateway: "tcp://127.0.0.1:*", feed: "tcp://127.0.0.1:*"))
  }

  /// Waits for `count` messages, for two seconds at most.
  func receive(count: Int, limit: Int = 1000, milliseconds: Int64 = 2000) throws -> [Incoming] {
    let deadline = monotonicMicroseconds() + milliseconds * 1000
    var all: [Incoming] = []
    while all.count < count {
      let left = deadline - monotonicMicroseconds()
      guard left > 0 else { break }
      try wait(until: left)
      all += receive(limit: limit)
    }
    return all
  }
}
