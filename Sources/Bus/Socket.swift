import CZeroMQ
import Glibc

/// A libzmq socket. Not Sendable: libzmq wants one thread per socket, and a hand-over only before its first use.
package final class Socket {
  package enum Kind: Sendable {
    /// `publish` is a PUB that also hears what is subscribed to.
    case router, dealer, publish, subscribe, reply, pair

    var raw: Int32 {
      switch self {
      case .router: ZMQ_ROUTER
      case .dealer: ZMQ_DEALER
      case .publish: ZMQ_XPUB
      case .subscribe: ZMQ_SUB
      case .reply: ZMQ_REP
      case .pair: ZMQ_PAIR
      }
    }
  }

  package enum Sent: Sendable {
    case done
    /// The queue is full, or nobody is connected.
    case full
    /// The peer is gone.
    case unreachable
    case failed
  }

  let raw: UnsafeMutableRawPointer
  private let context: Context
  /// Reused for every frame: receiving into it gives the last one back.
  private let frame: UnsafeMutablePointer<zmq_msg_t>

  package init(_ context: Context, _ kind: Kind) throws(BusError) {
    guard let raw = zmq_socket(context.raw, kind.raw) else { throw BusError.zmq("a ZeroMQ socket can't be made") }
    self.raw = raw
    self.context = context
    frame = .allocate(capacity: 1)
    zmq_msg_init(frame)
  }

  deinit {
    zmq_msg_close(frame)
    frame.deallocate()
    zmq_close(raw)
  }

  // MARK: Options

  package func set(_ option: Int32, _ value: Int32) throws(BusError) {
    var value = value
    guard zmq_setsockopt(raw, option, &value, MemoryLayout<Int32>.size) == 0 else {
      throw BusError.zmq("option \(option) can't be set to \(value)")
    }
  }

  package func set(_ option: Int32, long value: Int64) throws(BusError) {
    var value = value
    guard zmq_setsockopt(raw, option, &value, MemoryLayout<Int64>.size) == 0 else {
      throw BusError.zmq("option \(option) can't be set to \(value)")
    }
  }

  /// The value is not named in the error: it may be a secret.
  package func set(_ option: Int32, text value: String) throws(BusError) {
    guard zmq_setsockopt(raw, option, value, value.utf8.count) == 0 else {
      throw BusError.zmq("option \(option) can't be set")
    }
  }

  /// A TCP connection whose other side has gone without a word (a cable, a laptop's lid) counts as gone 15 seconds later.
  package func keepWatch() throws(BusError) {
    try set(ZMQ_HEARTBEAT_IVL, 5000)
    try set(ZMQ_HEARTBEAT_TIMEOUT, 15_000)
    try set(ZMQ_HEARTBEAT_TTL, 15_000)
    // Somebody who connects and says nothing holds a connection for so long.
    try set(ZMQ_HANDSHAKE_IVL, 10_000)
  }

  /// Only where the endpoint is written so: with it libzmq takes an address of the old kind for one inside the new.
  func allowIPv6(_ endpoint: String) throws(BusError) {
    if endpoint.contains("[") { try set(ZMQ_IPV6, 1) }
  }

  // MARK: Endpoints

  package func bind(_ endpoint: String) throws(BusError) {
    guard zmq_bind(raw, endpoint) == 0 else {
      let code = zmq_errno()
      if code == EADDRINUSE {
        throw BusError(
          .socket,
          "\(endpoint) is taken by another program. Is a service running already? Stop it, or choose another endpoint.")
      }
      throw BusError.zmq("\(endpoint) can't be bound", code: code)
    }
  }

  package func connect(_ endpoint: String) throws(BusError) {
    guard zmq_connect(raw, endpoint) == 0 else {
      throw BusError.zmq("\"\(endpoint)\" is no endpoint to connect to, such as tcp://127.0.0.1:7801")
    }
  }

  /// Where a bound socket really listens: the port that `tcp://127.0.0.1:*` came to.
  package var endpoint: String {
    var text = [CChar](repeating: 0, count: 1024)
    var size = text.count
    guard zmq_getsockopt(raw, ZMQ_LAST_ENDPOINT, &text, &size) == 0 else { return "" }
    return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  // MARK: Frames

  /// Never waits.
  @discardableResult
  package func send(_ bytes: UnsafeRawBufferPointer, more: Bool) -> Sent {
    while true {
      if zmq_send(raw, bytes.baseAddress, bytes.count, ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0)) >= 0 { return .done }
      switch zmq_errno() {
      case EINTR: continue
      case EAGAIN: return .full
      case EHOSTUNREACH: return .unreachable
      default: return .failed
      }
    }
  }

  @discardableResult
  package func send(_ bytes: [UInt8], more: Bool) -> Sent {
    bytes.withUnsafeBytes { send($0, more: more) }
  }

  /// The whole message or nothing: only the first frame can be refused, as libzmq looks at the queue once a message.
  @discardableResult
  package func send(_ frames: [[UInt8]]) -> Sent {
    for (i, frame) in frames.enumerated() {
      let sent = send(frame, more: i + 1 < frames.count)
      if sent != .done { return sent }
    }
    return .done
  }

  /// The next frame, if one is here: its bytes, which live until the next call, and whether more of the same message follow.
  package func receive() -> (bytes: UnsafeRawBufferPointer, more: Bool)? {
    while zmq_msg_recv(frame, raw, ZMQ_DONTWAIT) < 0 {
      if zmq_errno() != EINTR { return nil }
    }
    return (
      UnsafeRawBufferPointer(start: zmq_msg_data(frame), count: zmq_msg_size(frame)), zmq_msg_more(frame) != 0
    )
  }

  /// What the connection that the last frame came over is known by: `User-Id` is what the ZAP handler said.
  package func property(_ name: String) -> String? {
    zmq_msg_gets(frame, name).map { String(cString: $0) }
  }

  /// The next message, if one is here, copied. Frames beyond `limit` are read and forgotten.
  package func receiveMessage(limit: Int = Limits.eventsPerMessage + 8) -> [[UInt8]]? {
    guard var (bytes, more) = receive() else { return nil }
    var frames = [[UInt8](bytes)]
    while more {
      guard let next = receive() else { return frames }
      (bytes, more) = next
      if frames.count < limit { frames.append([UInt8](bytes)) }
    }
    return frames
  }
}

extension Socket {
  /// Takes the messages whose first frame begins so. Empty takes all.
  package func subscribe(_ prefix: String) throws(BusError) {
    guard zmq_setsockopt(raw, ZMQ_SUBSCRIBE, prefix, prefix.utf8.count) == 0 else {
      throw BusError.zmq("\"\(prefix)\" can't be subscribed to")
    }
  }
}

extension Socket {
  /// A socket that tells when this one's connection is made, lost or refused (zmq_socket_monitor(3)).
  func monitor(_ context: Context, events: Int32 = Socket.ofAClient) throws(BusError) -> Socket {
    let endpoint = "inproc://tocsin.monitor.\(UInt(bitPattern: raw))"
    guard zmq_socket_monitor(raw, endpoint, events) == 0 else { throw BusError.zmq("a socket can't be watched") }
    let monitor = try Socket(context, .pair)
    try monitor.set(ZMQ_LINGER, 0)
    // Ten thousand connections may end at once; libzmq's thread waits where they don't fit.
    try monitor.set(ZMQ_RCVHWM, 100_000)
    try monitor.connect(endpoint)
    return monitor
  }

  static let ofAClient =
    ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL
    | ZMQ_EVENT_DISCONNECTED

  /// The file descriptor of the connection that the last frame came over; nil for one within the process. It is another's as soon as the connection
  /// has ended.
  var source: Int32? {
    let descriptor = zmq_msg_get(frame, ZMQ_SRCFD)
    return descriptor >= 0 ? descriptor : nil
  }

  func endMonitor() { zmq_socket_monitor(raw, nil, 0) }
}
