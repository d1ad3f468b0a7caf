import CZeroMQ
import Foundation
import Synchronization

/// What one kind of client does with its connection. All calls come from the link's thread, which is the only one that knows it.
protocol LinkMachine: AnyObject, SendableMetatype {
  /// A connection stands, for the first time or again. What was sent over an earlier one may have been lost.
  func connected(_ wire: Wire, now: Int64)
  func received(_ frames: [[UInt8]], _ wire: Wire, now: Int64)
  /// Does what is due, and says when to look again; nil: when something happens. `now` counts as ``monotonicMicroseconds()``.
  func due(_ wire: Wire, now: Int64) -> Int64?
  /// The last call: whoever still waits must be told.
  func closed(_ reason: BusError)
}

/// The sending end of a link, on its thread.
final class Wire {
  fileprivate(set) var socket: Socket?
  fileprivate(set) var isConnected = false

  /// False where nothing is connected or the queue is full; nothing was sent then.
  func send(_ frames: [[UInt8]]) -> Bool {
    guard isConnected, let socket else { return false }
    return socket.send(frames) == .done
  }
}

/// Where a link stands, in words for people who wait for an answer.
final class LinkStatus: Sendable {
  enum State: Sendable { case connecting, connected, refused, closed }
  private let state = Mutex(State.connecting)
  private let endpoint: String
  init(_ endpoint: String) { self.endpoint = endpoint }

  var now: State { state.withLock { $0 } }
  func set(_ new: State) { state.withLock { $0 = new } }

  var description: String {
    switch now {
    case .connecting: "nothing answers at \(endpoint); is the service running there, and do both sides use CURVE keys?"
    case .connected: "the service at \(endpoint) is connected but does not answer; it may be overloaded or starting"
    case .refused:
      "the service at \(endpoint) refused this client's CURVE key; is its public half in the service's list?"
    case .closed: "the connection to \(endpoint) was closed"
    }
  }
}

/// A client's socket on a thread of its own, that reconnects by itself, and sleeps until a message, a deadline or a caller wakes it.
final class Link<Machine: LinkMachine>: Sendable {
  typealias Work = @Sendable (Machine, Wire, _ now: Int64) -> Void

  let status: LinkStatus
  private let inbox: Inbox<Machine>
  private let ended: DispatchSemaphore

  /// `topics` nil: a DEALER to the gateway; else a SUB to the feed.
  init(_ settings: ConnectionSettings, name: String, topics: [String]? = nil, _ machine: sending Machine)
    throws(BusError)
  {
    let inbox = try Inbox<Machine>()
    let ended = DispatchSemaphore(value: 0)
    let status = LinkStatus(topics == nil ? settings.gateway : settings.feed)
    let context: Context
    if let shared = settings.context { context = shared } else { context = try Context(sockets: 16) }
    let runner = try LinkRunner(settings, topics, context, machine, inbox, status)
    let handedOver = HandedOver(runner)
    let thread = Thread {
      handedOver.take()?.run()
      ended.signal()
    }
    thread.name = name
    self.inbox = inbox
    self.ended = ended
    self.status = status
    thread.start()
  }

  deinit { close(waiting: false) }

  /// Runs `work` on the link's thread, soon. False once the link is closed.
  @discardableResult
  func perform(_ work: @escaping Work) -> Bool { inbox.add(work) }

  /// Ends the thread; `waiting` returns once it has, which can take the half second that last messages have to leave. Not from the
  /// link's own thread.
  func close(waiting: Bool) {
    guard inbox.close(), waiting else { return }
    ended.wait()
  }
}

/// What other threads ask of the link's.
final class Inbox<Machine: LinkMachine>: Sendable {
  private struct Contents {
    var work: [Link<Machine>.Work] = []
    var isClosed = false
  }
  private let contents = Mutex(Contents())
  let waker: GatewayWaker

  init() throws(BusError) { waker = try GatewayWaker() }

  func add(_ work: @escaping Link<Machine>.Work) -> Bool {
    let isFirst: Bool? = contents.withLock {
      if $0.isClosed { return nil }
      $0.work.append(work)
      return $0.work.count == 1
    }
    if isFirst == true { waker.wake() }
    return isFirst != nil
  }

  /// False if it was closed before.
  func close() -> Bool {
    let wasOpen = contents.withLock { contents in
      defer { contents.isClosed = true }
      return !contents.isClosed
    }
    waker.wake()
    return wasOpen
  }

  func take() -> (work: [Link<Machine>.Work], isClosed: Bool) {
    contents.withLock { contents in
      defer { contents.work = [] }
      return (contents.work, contents.isClosed)
    }
  }
}

/// The link's thread: sockets, machine and loop.
private final class LinkRunner<Machine: LinkMachine> {
  private let settings: ConnectionSettings
  private let topics: [String]?
  private let context: Context
  private let machine: Machine
  private let inbox: Inbox<Machine>
  private let status: LinkStatus
  private let wire = Wire()
  private var monitor: Socket?
  private var reopenAt: Int64?
  private var reopenDelay = firstReopenDelay
  private static var firstReopenDelay: Int64 { 500_000 }
  /// Between a connection's end and the next socket's first try. Later tries are libzmq's own.
  private static var reconnectDelay: Int64 { 100_000 }

  init(
    _ settings: ConnectionSettings, _ topics: [String]?, _ context: Context, _ machine: Machine,
    _ inbox: Inbox<Machine>,
    _ status: LinkStatus
  ) throws(BusError) {
    self.settings = settings
    self.topics = topics
    self.context = context
    self.machine = machine
    self.inbox = inbox
    self.status = status
    try open()
  }

  private func open() throws(BusError) {
    let endpoint = topics == nil ? settings.gateway : settings.feed
    let socket = try Socket(context, topics == nil ? .dealer : .subscribe)
    try socket.set(ZMQ_LINGER, 500)
    // Above every window of messages in flight.
    try socket.set(ZMQ_SNDHWM, 20_000)
    try socket.set(ZMQ_RCVHWM, topics == nil ? 20_000 : Limits.feedQueue)
    try socket.set(ZMQ_RECONNECT_IVL, 100)
    try socket.set(ZMQ_RECONNECT_IVL_MAX, 5000)
    try socket.keepWatch()
    if let curve = settings.curve {
      try socket.set(ZMQ_CURVE_SERVERKEY, text: curve.serverKey)
      try socket.set(ZMQ_CURVE_PUBLICKEY, text: curve.keys.publicKey)
      try socket.set(ZMQ_CURVE_SECRETKEY, text: curve.keys.secretKey)
    }
    for topic in topics ?? [] { try socket.subscribe(topic) }
    try socket.allowIPv6(endpoint)
    monitor = try socket.monitor(context)
    try socket.connect(endpoint)
    wire.socket = socket
    // Within a process there is no connection to watch.
    wire.isConnected = endpoint.hasPrefix("inproc://")
    if wire.isConnected { status.set(.connected) }
  }

  /// `saysLastWords`: what waits to be sent may leave yet, in the time that the socket lingers.
  private func shut(saysLastWords: Bool) {
    wire.isConnected = false
    if !saysLastWords { try? wire.socket?.set(ZMQ_LINGER, 0) }
    monitor = nil
    wire.socket?.endMonitor()
    wire.socket = nil
  }

  func run() {
    if wire.isConnected { machine.connected(wire, now: monotonicMicroseconds()) }
    while true {
      let now = monotonicMicroseconds()
      watch(now)
      hear(now)
      let (work, isClosed) = inbox.take()
      for item in work { item(machine, wire, now) }
      if isClosed { break }
      if let at = reopenAt, now >= at {
        reopenAt = nil
        do { try open() } catch { reopenAt = now + 5_000_000 }
      }
      let deadline = [machine.due(wire, now: now), reopenAt].compactMap { $0 }.min()
      let sockets = [wire.socket, monitor].compactMap { $0 }
      do {
        try waitForAny(
          of: sockets, or: inbox.waker, microseconds: deadline.map { max(0, $0 - monotonicMicroseconds()) })
      } catch { break }
    }
    _ = inbox.close()
    for item in inbox.take().work { item(machine, wire, monotonicMicroseconds()) }
    // The last words: receipts, and a worker's leave.
    _ = machine.due(wire, now: monotonicMicroseconds())
    shut(saysLastWords: true)
    status.set(.closed)
    machine.closed(BusError(.closed, status.description))
  }

  /// Bounded, so that callers are heard while much comes in.
  private func hear(_ now: Int64) {
    var count = 0
    while count < 1000, let frames = wire.socket?.receiveMessage() {
      machine.received(frames, wire, now: now)
      count += 1
    }
  }

  private func watch(_ now: Int64) {
    while let event = monitor?.receiveMessage(), let first = event.first, first.count >= 2 {
      switch Int32(first[0]) | Int32(first[1]) << 8 {
      case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
        wire.isConnected = true
        reopenDelay = Self.firstReopenDelay
        status.set(.connected)
        machine.connected(wire, now: now)
      case ZMQ_EVENT_DISCONNECTED:
        wire.isConnected = false
        if status.now == .connected { status.set(.connecting) }
        // What is sent while nobody is connected would wait in the socket for whoever comes: messages of an old connection behind which
        // the machine has begun anew. ZMQ_IMMEDIATE would see to that, too, but takes the queue away under a message that is half read,
        // which libzmq does not survive.
        guard topics == nil else { break }
        hear(now)
        shut(saysLastWords: false)
        reopenAt = now + Self.reconnectDelay
        return
      case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH, ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
        // libzmq gives such a socket up. The key may be let in one day: with another socket, later and later.
        status.set(.refused)
        shut(saysLastWords: false)
        reopenAt = now + reopenDelay
        reopenDelay = min(reopenDelay * 2, 30_000_000)
        return
      default: break
      }
    }
  }
}
