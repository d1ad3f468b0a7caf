import Alerts
import CZeroMQ

/// The service's side of the bus: a ROUTER that clients talk to, and a PUB that tells everybody what was committed.
///
/// Used by one thread only, but for its ``waker``.
package final class Gateway {
  package let waker: GatewayWaker
  private let timer: WallTimer
  /// Where they really listen; differs from the settings for `tcp://…:*`.
  package let endpoint: String
  package let feedEndpoint: String
  package internal(set) var counters = GatewayCounters()

  private let router: Socket
  private let feed: Socket
  private let clients: Clients?
  private let zap: ZAPHandler?
  private let hasInside: Bool
  private let endings: WorkerEndings
  private var decoder = MessageDecoder()
  private var peers: [[UInt8]: PeerRecord] = [:]
  /// Those that have messages held, in the order in which they are served.
  private var holding: [PeerRecord] = []
  private var drain = 0
  private var text: [UInt8] = []
  /// How many topics somebody subscribes to at the moment.
  private var topics = 0

  /// What is known of one connection.
  private final class PeerRecord {
    var peer: Peer
    /// The drain that ``taken`` is about.
    var drain = 0
    var taken = 0
    var held: [(Incoming, bytes: Int)] = []
    var heldBytes = 0
    init(_ peer: Peer) { self.peer = peer }
  }

  /// Binds both endpoints. Throws with the endpoint's name when one is taken, and when other machines could reach one without keys.
  package init(_ settings: GatewaySettings) throws(BusError) {
    try settings.check()
    let context: Context
    if let shared = settings.context { context = shared } else { context = try Context(sockets: 64) }
    waker = try GatewayWaker()
    timer = try WallTimer()
    if let keys = settings.keys {
      let clients = Clients(settings.clients, own: keys.publicKey)
      self.clients = clients
      zap = try ZAPHandler(context, clients)
      router = try Socket(context, .router)
      feed = try Socket(context, .publish)
      for (socket, domain) in [(router, ZAPHandler.gatewayDomain), (feed, ZAPHandler.feedDomain)] {
        try socket.set(ZMQ_CURVE_SERVER, 1)
        try socket.set(ZMQ_CURVE_SECRETKEY, text: keys.secretKey)
        try socket.set(ZMQ_ZAP_DOMAIN, text: domain)
      }
    } else {
      clients = nil
      zap = nil
      router = try Socket(context, .router)
      feed = try Socket(context, .publish)
    }
    for socket in [router, feed] {
      // A message over this costs its sender the connection, before it costs us the memory.
      try socket.set(ZMQ_MAXMSGSIZE, long: Int64(Limits.frameBytes))
      // The last answers get this long to leave when the service stops.
      try socket.set(ZMQ_LINGER, 500)
      // A thousand clients may come back in the same instant after a restart; libzmq's 100 would make most of them wait and try again.
      try socket.set(ZMQ_BACKLOG, 1024)
      try socket.keepWatch()
    }
    try router.allowIPv6(settings.gateway)
    try feed.allowIPv6(settings.feed)
    try router.set(ZMQ_RCVHWM, Limits.receiveQueue)
    try router.set(ZMQ_SNDHWM, Limits.sendQueue)
    // Otherwise answers to somebody who is gone would vanish unseen.
    try router.set(ZMQ_ROUTER_MANDATORY, 1)
    try feed.set(ZMQ_SNDHWM, Limits.feedQueue)
    endings = try WorkerEndings(router, context)
    do throws(BusError) { try router.bind(settings.gateway) } catch {
      throw BusError(error.kind, "the gateway: \(error.message)")
    }
    do throws(BusError) { try feed.bind(settings.feed) } catch {
      throw BusError(error.kind, "the feed: \(error.message)")
    }
    // Read before the next is bound: it names the last one.
    endpoint = router.endpoint
    hasInside = settings.inside != nil
    if let inside = settings.inside { try router.bind(inside) }
    feedEndpoint = feed.endpoint
    text.reserveCapacity(4096)
  }

  deinit {
    router.endMonitor()
    zap?.end()
  }

  /// Takes up another list of clients. A key that is no longer in it is refused from its next message on; one that is new may connect.
  package func replace(clients: [GatewaySettings.Client]) { self.clients?.replace(clients) }

  /// ``replace(clients:)`` for another thread: the list has a lock of its own.
  package var replacement: @Sendable ([GatewaySettings.Client]) -> Void {
    { [clients] in clients?.replace($0) }
  }

  // MARK: - Waiting

  /// Returns when a message has come, when somebody called the waker, when so many microseconds are over (nil: never), or on a signal.
  package func wait(until microseconds: Int64?) throws(BusError) {
    timer.arm(microseconds: holding.isEmpty ? microseconds : nil)
    try waitForAny(
      of: [router, endings.monitor], or: waker, microseconds: holding.isEmpty ? microseconds : 0, timer: timer)
  }

  // MARK: - Receiving

  /// What has come, without waiting. At most `limit` anomalies (each other message counts for one, and what is large for one each KiB), or one
  /// message beyond.
  ///
  /// libzmq takes from the connections in turn. Beyond that, a connection that has had its share of this drain waits until all others
  /// were asked; what it sent meanwhile is held for the next drain, up to a bound, and then reading ends, so that the sender's own
  /// queue fills and TCP holds it back. Nothing is dropped.
  ///
  /// What can't be read, or is not allowed, is answered here and counted, and never comes out.
  package func receive(limit: Int) -> [Incoming] {
    drain += 1
    var taken: [Incoming] = endings.take().map { .left($0) }
    var weight = 0
    let share = max(1, limit / Limits.peerShare)
    for record in holding { serve(record, upTo: share, limit: limit, &taken, &weight) }
    var read = 0
    reading: while weight < limit, read < 2 * limit, let (record, incoming, bytes) = receiveOne() {
      guard let incoming else {
        read += 1
        continue
      }
      let heavy = Gateway.weight(incoming, bytes)
      read += heavy
      counters.messages += 1
      if case .anomalies(_, _, _, let events) = incoming { counters.anomalies += events.count }
      if record.drain != drain {
        record.drain = drain
        record.taken = 0
      }
      if record.held.isEmpty, record.taken < share {
        record.taken += heavy
        weight += heavy
        taken.append(incoming)
      } else {
        if record.held.isEmpty { holding.append(record) }
        record.held.append((incoming, bytes))
        record.heldBytes += bytes
        counters.held += 1
        if record.held.count >= Limits.heldMessages || record.heldBytes >= Limits.heldBytes { break reading }
      }
    }
    // All others were asked: whoever has more may have the rest of the drain.
    for record in holding { serve(record, upTo: .max, limit: limit, &taken, &weight) }
    holding.removeAll { $0.held.isEmpty }
    // Whoever was first is last the next time.
    if holding.count > 1 { holding.append(holding.removeFirst()) }
    return taken
  }

  /// What a message counts for in a drain: its anomalies, or its size, so that a few that are large keep nobody waiting either.
  private static func weight(_ incoming: Incoming, _ bytes: Int) -> Int {
    max(incoming.weight, bytes / Limits.bytesPerWeight)
  }

  private func serve(
    _ record: PeerRecord, upTo share: Int, limit: Int, _ taken: inout [Incoming], _ weight: inout Int
  ) {
    if record.drain != drain {
      record.drain = drain
      record.taken = 0
    }
    var served = 0
    while served < record.held.count, record.taken < share, weight < limit {
      let (incoming, bytes) = record.held[served]
      taken.append(incoming)
      weight += Gateway.weight(incoming, bytes)
      record.taken += Gateway.weight(incoming, bytes)
      record.heldBytes -= bytes
      served += 1
    }
    record.held.removeFirst(served)
  }

  /// The next message from the socket: nil when none is here. `incoming` is nil for one that was answered with an error.
  private func receiveOne() -> (record: PeerRecord, incoming: Incoming?, bytes: Int)? {
    guard var (bytes, more) = router.receive() else { return nil }
    let identity = [UInt8](bytes)
    var size = 0
    var isFirst = true
    decoder.begin()
    var key: String?
    while more {
      guard let next = router.receive() else { break }
      (bytes, more) = next
      if isFirst, clients != nil { key = router.property("User-Id") }
      isFirst = false
      size += bytes.count
      decoder.take(bytes)
    }
    let record = record(of: identity, key: key)
    switch decoder.end() {
    case .failure(let fault):
      counters.refused += 1
      send(.error(code: fault.code.rawValue, message: fault.message), to: record.peer)
      return (record, nil, size)
    case .success(let body):
      if case .ready = body, let source = router.source { endings.follow(record.peer, source) }
      return (record, allowed(body, record.peer), size)
    }
  }

  private func record(of identity: [UInt8], key: String?) -> PeerRecord {
    let known = peers[identity]
    if clients == nil, let known { return known }
    var peer = Peer(identity: identity)
    if let clients {
      // Asked again for each message: the list may have changed, and a connection's identity may be another client's next time.
      let entry = key.flatMap { clients[$0] }
      peer = Peer(identity: identity, permissions: entry?.permissions ?? [], name: entry?.name)
      // From within this process: libzmq hands out no message that came over TCP or IPC without the key that its handshake proved, nor without a descriptor.
      if key == nil, hasInside, router.source == nil {
        peer = Peer(identity: identity, permissions: .all, name: "tocsin")
      }
    }
    if let known {
      known.peer = peer
      return known
    }
    if peers.count >= Limits.peers { peers = peers.filter { !$0.value.held.isEmpty } }
    let record = PeerRecord(peer)
    peers[identity] = record
    return record
  }

  // MARK: - Sending

  /// Never waits. To a peer that is gone, or that does not read what it is sent, nothing is sent, and that is counted; false then.
  @discardableResult
  package func send(_ message: Outgoing, to peer: Peer) -> Bool {
    var sent = router.send(peer.identity, more: true)
    if sent == .done {
      send(Limits.version, more: true)
      switch message {
      case .stored(let sequence, let json):
        send("stored", more: true)
        send(String(sequence), more: true)
        sent = send(json)
      case .reply(let requestID, let json):
        send("reply", more: true)
        send(requestID, more: true)
        sent = send(json)
      case .job(let json):
        send("job", more: true)
        sent = send(json)
      case .error(let code, let message):
        send("error", more: true)
        send(code, more: true)
        send(message, more: false)
      }
    }
    switch sent {
    case .done: break
    case .full: counters.full += 1
    case .unreachable, .failed:
      counters.unreachable += 1
      if peers[peer.identity]?.held.isEmpty == true { peers[peer.identity] = nil }
    }
    return sent == .done
  }

  /// Whether anybody subscribes to anything: if not, nothing need be written for the feed.
  package var isHeard: Bool {
    // libzmq passes on the first subscription to a topic and the end of the last, each as one frame: 1 or 0, and the topic.
    while let (frame, _) = feed.receive() {
      if frame.first == 1 { topics += 1 } else if frame.first == 0 { topics -= 1 }
    }
    return topics > 0
  }

  /// Tells every subscriber of this topic. A subscriber that is too slow loses messages, and sees it by the positions.
  ///
  /// What is larger than ``Limits/feedEventBytes`` is for the log alone: a subscriber sees by the positions that there is something to read.
  package func publish(topic: String, position: Int64, json: [UInt8]) {
    guard json.count <= Limits.feedEventBytes else {
      counters.unpublished += 1
      return
    }
    var topic = topic
    topic.withUTF8 { _ = feed.send(UnsafeRawBufferPointer($0), more: true) }
    text.removeAll(keepingCapacity: true)
    JSON.write(position, to: &text)
    feed.send(text, more: true)
    feed.send(json, more: false)
    counters.published += 1
  }

  @discardableResult
  private func send(_ json: JSON) -> Socket.Sent {
    text.removeAll(keepingCapacity: true)
    json.write(to: &text)
    return router.send(text, more: false)
  }

  private func send(_ word: StaticString, more: Bool) {
    router.send(UnsafeRawBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount), more: more)
  }

  private func send(_ string: String, more: Bool) {
    var string = string
    string.withUTF8 { _ = router.send(UnsafeRawBufferPointer($0), more: more) }
  }
}
