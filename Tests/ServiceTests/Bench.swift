import Alerts
import Bus
import EventLog
import Lifecycle
import Logging

@testable import Service

/// Time that a test sets.
final class TestClock: ServiceClock {
  var time: Timestamp
  /// What it slept so far.
  private var slept = Interval.zero
  init(_ time: Timestamp) { self.time = time }
  func now() -> Timestamp { time }
  /// Times that the service asked to be kept.
  private(set) var kept: [Timestamp] = []
  func keep(_ time: Timestamp) { kept.append(time) }
  var awake: Int64 { (time - slept).microseconds }
  func sleeps(_ interval: Interval) {
    slept = slept + interval
    time = time + interval
  }
}

/// A bus without wires: what comes in is put there; what goes out is kept, with the log's head at that moment.
final class TestGateway: GatewayPort {
  struct Sent {
    var message: Outgoing
    var peer: Peer
    var head: Int64
  }
  var incoming: [Incoming] = []
  var sent: [Sent] = []
  var published: [(position: Int64, head: Int64)] = []
  var topics: [String] = []
  var head: () -> Int64 = { 0 }
  /// The limit that the service asked with.
  private(set) var limits: Set<Int> = []

  func wait(until microseconds: Int64?) throws(BusError) {}
  func receive(limit: Int) -> [Incoming] {
    limits.insert(limit)
    defer { incoming.removeAll() }
    return incoming
  }
  /// Peers that are gone.
  var gone: Set<Peer> = []
  func send(_ message: Outgoing, to peer: Peer) -> Bool {
    if gone.contains(peer) { return false }
    sent.append(.init(message: message, peer: peer, head: head()))
    return true
  }
  func publish(topic: String, position: Int64, json: [UInt8]) {
    published.append((position, head()))
    topics.append(topic)
  }
}

/// A service on a log in memory, a bus without wires and a clock that stands still until it is moved.
final class Bench {
  static let start = Timestamp(rfc3339: "2026-03-02T10:00:00Z")!
  let log: MemoryEventLog
  let gateway = TestGateway()
  let clock: TestClock
  let status = ServiceStatus()
  let control = ServiceControl(wake: {})
  let service: Service
  private let heartbeats: HeartbeatBook?
  var commits: [Int64] { heads.values }
  private let heads = Heads()
  private var nextID = 0
  var sequence: UInt64 = 0

  private final class Heads: @unchecked Sendable {
    // The service's thread is the test's own.
    var values: [Int64] = []
  }

  init(
    _ settings: LifecycleSettings = .sample, log: MemoryEventLog = MemoryEventLog(), at time: Timestamp = Bench.start,
    audit: AuditSettings? = nil, heartbeats: HeartbeatBook? = nil, reached: @escaping @Sendable () -> Int64? = { nil }
  ) throws {
    self.log = log
    self.heartbeats = heartbeats
    clock = TestClock(time)
    let heads = heads
    service = Service(
      log: log, gateway: gateway, clock: clock, control: control, status: status,
      logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }), heartbeats: heartbeats, audit: audit,
      tables: reached,
      onCommit: { heads.values.append($0) })
    gateway.head = { log.head }
    try service.start(settings: settings)
  }

  /// The same log, in a new process.
  func restarted(after interval: Interval = .zero, audit: AuditSettings? = nil) throws -> Bench {
    try Bench(log: log, at: clock.time + interval, audit: audit, heartbeats: heartbeats)
  }

  static func peer(_ name: String = "p", _ permissions: Permissions = .all) -> Peer {
    Peer(identity: Array(name.utf8), permissions: permissions, name: name)
  }

  // MARK: - What comes in

  func event(_ key: String, _ status: String = "firing", severity: String = "critical", id: String? = nil) -> [UInt8] {
    nextID += 1
    return Array(
      """
      {"specversion":"1.0","id":"\(id ?? "n\(nextID)")","source":"test","type":"tocsin.anomaly.v1",\
      "time":"\(clock.time.rfc3339)","data":{"event_type":"load","metric":"\(key)","status":"\(status)",\
      "severity":"\(severity)"}}
      """.utf8)
  }

  func publish(_ events: [[UInt8]], from peer: Peer = Bench.peer(), producer: String = "test") {
    sequence += 1
    gateway.incoming.append(.anomalies(peer, producer: producer, sequence: sequence, events: Frames(events)))
  }
  func fires(_ keys: String..., severity: String = "critical") { publish(keys.map { event($0, severity: severity) }) }
  func clears(_ key: String) { publish([event(key, "resolved")]) }

  func command(_ json: String, id: String = "r1", from peer: Peer = Bench.peer()) {
    gateway.incoming.append(.command(peer, requestID: id, json: Array(json.utf8)))
  }
  func ready(_ worker: String = "w", credit: Int = 10, channels: [String] = ["webhook"]) {
    gateway.incoming.append(.ready(Bench.peer(worker), worker: worker, credit: credit, channels: channels))
  }
  func receipt(_ receipt: Receipt, worker: String = "w") {
    gateway.incoming.append(.receipt(Bench.peer(worker), worker: worker, json: receipt.json.bytes))
  }
  func heartbeat(_ name: String, _ json: String = "{}", from peer: Peer = Bench.peer()) {
    gateway.incoming.append(.heartbeat(peer, name: name, json: Array(json.utf8)))
  }

  // MARK: - Time

  func step() throws { try service.step() }
  func passes(_ interval: Interval, every: Interval = .seconds(10)) throws {
    let end = clock.time + interval
    while clock.time < end {
      clock.time = min(end, clock.time + every)
      try step()
    }
  }

  // MARK: - What goes out

  var jobs: [Job] {
    gateway.sent.compactMap { sent in
      // As it comes off the wire: the tree holds texts as they were stored, unread.
      guard case .job(let json) = sent.message, let read = try? JSON(parsing: json.bytes) else { return nil }
      return try? Job(json: read)
    }
  }
  var stored: [(sequence: UInt64, json: JSON)] {
    gateway.sent.compactMap { if case .stored(let s, let json) = $0.message { (s, json) } else { nil } }
  }
  var replies: [JSON] {
    gateway.sent.compactMap { if case .reply(_, let json) = $0.message { json } else { nil } }
  }
  var errors: [String] {
    gateway.sent.compactMap { if case .error(let code, let why) = $0.message { "\(code): \(why)" } else { nil } }
  }
  var types: [String] { log.all.map(\.type.rawValue) }
  /// The facts of the auditor's own alerts: `detected deadlines_late`.
  var audit: [String] {
    log.all.compactMap { e in
      guard let event = try? e.read().event else { return nil }
      switch event {
      case .detected(let d) where d.anomaly.source == Finding.source: return "detected \(d.anomaly.metric)"
      case .cleared(let c) where c.anomaly.source == Finding.source: return "cleared \(c.anomaly.metric)"
      case .deduplicated(let d) where d.last.source == Finding.source: return "deduplicated \(d.last.metric)"
      default: return nil
      }
    }
  }
}

extension LifecycleSettings {
  /// One receiver by webhook, told of what is critical, twice: a minute apart.
  static var sample: LifecycleSettings {
    var s = LifecycleSettings()
    s.receivers = [
      Receiver(name: "team", targets: [.init(channel: "webhook", destination: "team")], patience: .hours(1))
    ]
    s.policies = [
      Policy(
        name: "p", steps: [.init(after: .zero, receivers: ["team"]), .init(after: .minutes(1), receivers: ["team"])])
    ]
    s.routes = [
      Route(matchers: [Matcher(name: "severity", value: "critical")], delivery: .policy("p")),
      Route(matchers: [], delivery: .dashboardOnly),
    ]
    s.storm = nil
    return s
  }
}
