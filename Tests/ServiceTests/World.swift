import Alerts
import Bus
import EventLog
import Foundation
import Lifecycle
import Logging
import Testing

@testable import Service

/// A gateway without a wire.
final class WorldGateway: GatewayPort {
  var incoming: [Incoming] = []
  var outgoing: [Outgoing] = []
  func wait(until microseconds: Int64?) throws(BusError) {}
  func receive(limit: Int) -> [Incoming] {
    defer { incoming.removeFirst(min(limit, incoming.count)) }
    return Array(incoming.prefix(limit))
  }
  func send(_ message: Outgoing, to peer: Peer) -> Bool {
    outgoing.append(message)
    return true
  }
  func publish(topic: String, position: Int64, json: [UInt8]) {}
}

/// Time that a test sets.
final class WorldClock: ServiceClock {
  var time = Timestamp(rfc3339: "2026-03-02T10:00:00Z") ?? .epoch
  func now() -> Timestamp { time }
}

/// A service on a log on disk, in a folder of its own that goes with it.
final class World {
  let folder: URL
  let clock = WorldClock()
  var gateway = WorldGateway()
  /// Nil while no process has the log open.
  private var process: (service: Service, log: SQLiteEventLog)?
  var service: Service { process!.service }
  var log: SQLiteEventLog { process!.log }
  var settings: LifecycleSettings
  private var control = ServiceControl(wake: {})
  private let segmentSize: Int?
  private var next = 0

  var path: String { folder.appendingPathComponent("tocsin.sqlite").path }
  var snapshot: String { path + ".snapshot" }

  /// - Parameter segmentSize: of the intake's segments; nil: there are none.
  init(segmentSize: Int? = nil, settings: LifecycleSettings = World.settings) throws {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent("tocsin-service-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    self.settings = settings
    self.segmentSize = segmentSize
    try reopen()
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  private func service(_ log: SQLiteEventLog) -> Service {
    let service = Service(
      log: log, gateway: gateway, clock: clock, control: control, status: ServiceStatus(),
      logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }),
      snapshots: SnapshotFile(logPath: path))
    if let segmentSize { service.intake = Intake(shelf: IntakeShelf(logPath: path), segmentSize: segmentSize) }
    return service
  }

  static var settings: LifecycleSettings {
    var s = LifecycleSettings()
    s.receivers = [Receiver(name: "ops", targets: [.init(channel: "slack", destination: "#ops")])]
    s.policies = [
      Policy(
        name: "urgent",
        steps: [.init(after: .zero, receivers: ["ops"]), .init(after: .minutes(15), receivers: ["ops"])])
    ]
    s.routes = [
      Route(matchers: [Matcher(name: "severity", value: "critical")], delivery: .policy("urgent")),
      Route(matchers: [], delivery: .dashboardOnly),
    ]
    s.storm = nil
    return s
  }

  // MARK: - When

  func anomaly(_ id: String, _ key: String, _ severity: Severity = .critical, _ status: Anomaly.Status = .firing)
    -> [UInt8]
  {
    var a = Anomaly(id: id, source: "detector/a", time: clock.time, eventType: "host", metric: key)
    a.severity = severity
    a.status = status
    return a.cloudEvent
  }

  /// Hands it to the service in one message. Returns what was answered.
  @discardableResult
  func publish(_ events: [[UInt8]]) throws -> JSON {
    next += 1
    gateway.outgoing = []
    gateway.incoming.append(
      .anomalies(Peer(identity: [1]), producer: "detector/a", sequence: UInt64(next), events: Frames(events)))
    try service.step()
    for case .stored(_, let json) in gateway.outgoing { return json }
    return .null
  }

  /// Hands a command to the service, which must take it.
  func command(_ json: String) throws {
    next += 1
    gateway.outgoing = []
    gateway.incoming.append(
      .command(Peer(identity: [1], permissions: .all), requestID: "r\(next)", json: Array(json.utf8)))
    try service.step()
    for case .reply(_, let reply) in gateway.outgoing { #expect(reply["ok"]?.bool == true, "\(reply.text)") }
  }

  /// Opens, repeats and ends alerts, a commit each time, until the log has so many events.
  func fill(_ events: Int64) throws {
    var i = 0
    while log.head < events {
      i += 1
      clock.time = clock.time + .seconds(1)
      try publish((0..<50).map { anomaly("\(i)/\($0)", "k\((i * 31 + $0 * 7) % 200)", i % 5 == 0 ? .critical : .low) })
      clock.time = clock.time + .seconds(1)
      try publish(
        (0..<10).map { anomaly("\(i)/r\($0)", "k\((i * 31 + $0 * 7) % 200)", .low, .resolved) })
    }
  }

  /// The process ends, in good order or not, and another one starts.
  func restarts(inGoodOrder: Bool) throws {
    if inGoodOrder { try stop() }
    try reopen()
  }

  func stop() throws {
    control.stop()
    try service.run()
  }

  /// Changes files while no process has them open, and starts again.
  func stopped(_ body: (_ path: String) throws -> Void) throws {
    process = nil
    try body(path)
    try reopen()
  }

  func reopen() throws {
    gateway = WorldGateway()
    control = ServiceControl(wake: {})
    // One writer at a time: the one before must be gone.
    process = nil
    let log = try SQLiteEventLog(path: path)
    process = (service(log), log)
    try service.start(settings: settings)
  }

  // MARK: - Then

  /// What a replay of everything gives.
  func replayed() throws -> Engine {
    var engine = Engine()
    try log.replay(after: 0) {
      engine.replay(try $0.read())
      return true
    }
    engine.recover(now: clock.time)
    return engine
  }

  func expectAsReplayed(sourceLocation: SourceLocation = #_sourceLocation) throws {
    var live = service.engine
    live.recover(now: clock.time)
    let difference = live.difference(from: try replayed())
    #expect(difference == nil, "\(difference ?? "")", sourceLocation: sourceLocation)
  }
}
