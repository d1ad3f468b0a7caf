import CZeroMQ
import Foundation
import Synchronization

/// Answers libzmq's question whether a client's key is let in (ZeroMQ RFC 27, ZAP 1.0), on a thread of its own.
///
/// The domain says which endpoint it is about: the gateway takes every known key, the feed those that may read. The answer's user id
/// is the key itself, which the gateway then finds on every message of the connection.
///
/// Sendable: what is shared is a waker, a thread-safe table and a semaphore; the socket belongs to the thread alone.
final class ZAPHandler: Sendable {
  static let gatewayDomain = "tocsin.gateway"
  static let feedDomain = "tocsin.feed"

  private let stop: GatewayWaker
  private let ended = DispatchSemaphore(value: 0)

  init(_ context: Context, _ clients: Clients) throws(BusError) {
    stop = try GatewayWaker()
    let socket = try Socket(context, .reply)
    try socket.set(ZMQ_LINGER, 0)
    // Bound here, before the thread: libzmq asks as soon as somebody connects.
    try socket.bind("inproc://zeromq.zap.01")
    let handedOver = HandedOver(socket)
    let thread = Thread { [stop, ended] in
      ZAPHandler.run(handedOver.take(), clients, until: stop)
      ended.signal()
    }
    thread.name = "tocsin-zap"
    thread.start()
  }

  /// Returns once the thread has closed its socket.
  func end() {
    ending.withLock { isEnding in
      if isEnding { return }
      isEnding = true
      stop.wake()
      ended.wait()
    }
  }
  private let ending = Mutex(false)

  private static func run(_ socket: Socket?, _ clients: Clients, until stop: GatewayWaker) {
    guard let socket else { return }
    while true {
      var items = [
        zmq_pollitem_t(socket: socket.raw, fd: 0, events: Int16(ZMQ_POLLIN), revents: 0),
        zmq_pollitem_t(socket: nil, fd: stop.descriptor, events: Int16(ZMQ_POLLIN), revents: 0),
      ]
      if zmq_poll(&items, 2, -1) < 0, zmq_errno() != EINTR { return }
      if items[1].revents != 0 { return }
      while let request = socket.receiveMessage(limit: 16) {
        socket.send(answer(request, clients))
      }
    }
  }

  /// The request: version, request id, domain, address, identity, mechanism, credentials.
  static func answer(_ request: [[UInt8]], _ clients: Clients) -> [[UInt8]] {
    func frames(_ code: String, _ text: String, user: String = "") -> [[UInt8]] {
      [
        Array("1.0".utf8), request.count > 1 ? request[1] : [], Array(code.utf8), Array(text.utf8), Array(user.utf8),
        [],
      ]
    }
    guard request.count == 7, request[0] == Array("1.0".utf8), request[5] == Array("CURVE".utf8), request[6].count == 32
    else { return frames("400", "CURVE is needed") }
    var text = [CChar](repeating: 0, count: 41)
    guard zmq_z85_encode(&text, request[6], 32) != nil else { return frames("500", "not a key") }
    let key = String(decoding: text.prefix(40).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    guard let client = clients[key] else { return frames("400", "unknown key") }
    if request[2] == Array(feedDomain.utf8), !client.permissions.contains(.read) {
      return frames("400", "this key may not read the feed")
    }
    return frames("200", "OK", user: key)
  }
}

/// Carries a socket from the thread that made it to the one that will use it, once.
///
/// Unchecked because the compiler can't see that the giver keeps no reference; libzmq allows the hand-over, and starting a thread is the
/// full memory barrier that it asks for. Only one thread ever takes.
final class HandedOver<Value>: @unchecked Sendable {
  private var value: Value?
  init(_ value: Value) { self.value = value }
  func take() -> Value? {
    defer { value = nil }
    return value
  }
}
