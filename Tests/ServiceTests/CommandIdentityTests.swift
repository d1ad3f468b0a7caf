import Alerts
import Bus
import EventLog
import Lifecycle
import Logging
import Testing

@testable import Service

private final class CommandWire: GatewayPort {
  var incoming: [Incoming] = []
  var outgoing: [Outgoing] = []
  func wait(until microseconds: Int64?) throws(BusError) {}
  func receive(limit: Int) -> [Incoming] {
    defer { incoming = [] }
    return incoming
  }
  func send(_ message: Outgoing, to peer: Peer) -> Bool {
    outgoing.append(message)
    return true
  }
  func publish(topic: String, position: Int64, json: [UInt8]) {}
}

private final class HandClock: ServiceClock {
  var time = Timestamp(seconds: 1_800_000_000)
  func now() -> Timestamp { time }
}

/// A service over a log in memory, that can be stopped and started: only the log is left then.
private final class RestartBench {
  let log = MemoryEventLog()
  let clock = HandClock()
  private(set) var wire = CommandWire()
  private(set) var service: Service

  init() throws {
    service = RestartBench.service(log, wire, clock)
    try begin()
  }

  private static func service(_ log: MemoryEventLog, _ wire: CommandWire, _ clock: HandClock) -> Service {
    Service(
      log: log, gateway: wire, clock: clock, control: ServiceControl {}, status: ServiceStatus(),
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
  }

  /// Stops the service, and starts another over the same log.
  func start() throws {
    wire = CommandWire()
    service = RestartBench.service(log, wire, clock)
    try begin()
  }

  private func begin() throws {
    var settings = LifecycleSettings()
    settings.receivers = [Receiver(name: "ops", targets: [.init(channel: "email", destination: "ops@x.org")])]
    settings.policies = [
      Policy(
        name: "p",
        steps: [.init(after: .zero, receivers: ["ops"]), .init(after: .hours(1), receivers: ["ops"])], repeats: 9)
    ]
    settings.routes = [Route(matchers: [], delivery: .policy("p"))]
    try service.start(settings: settings)
  }

  func fires(_ id: String) throws {
    let anomaly = Anomaly(id: id, source: "detector/a", time: clock.time, eventType: "host", metric: id)
    wire.incoming.append(
      .anomalies(Peer(identity: [1]), producer: "p", sequence: 1, events: Frames([anomaly.cloudEvent])))
    try service.step()
  }

  /// Sends a command, and gives the reply.
  func send(_ json: String, request: String = "1", peer: UInt8 = 7, name: String? = nil) throws -> JSON {
    wire.outgoing = []
    wire.incoming.append(
      .command(Peer(identity: [peer], name: name), requestID: request, json: Array(json.utf8)))
    // A commit may still be on its way to the disk when the step ends.
    for _ in 0..<3 {
      try service.step()
      for message in wire.outgoing { if case .reply(_, let json) = message { return json } }
    }
    return .null
  }

  func facts(_ type: EventType) -> Int {
    var n = 0
    try? log.replay(after: 0) { e in
      if e.type == type { n += 1 }
      return true
    }
    return n
  }
}

/// A command that is sent again changes nothing, also when everything but the log was lost in between.
@Suite struct CommandIdentityTests {
  static let commands: [(String, EventType)] = [
    (#"{"command":"comment","alert":"A-1","by":"ana","note":"hm","id":"c-1"}"#, .commented),
    (#"{"command":"escalate","alert":"A-1","by":"ana","id":"c-1"}"#, .escalated),
    (#"{"command":"label","alert":"A-1","by":"ana","as":"true_positive","id":"c-1"}"#, .labelled),
    (#"{"command":"snooze","alert":"A-1","by":"ana","for":"2h","id":"c-1"}"#, .snoozed),
    (
      #"{"command":"silence","matchers":[{"name":"metric","value":"cpu"}],"by":"ana","for":"2h","id":"c-1"}"#,
      .silence_added
    ),
  ]

  @Test(arguments: commands.indices)
  func aCommandWithAnIdIsCarriedOutOnceForEver(_ i: Int) throws {
    let (json, type) = CommandIdentityTests.commands[i]
    let b = try RestartBench()
    try b.fires("cpu")
    let first = try b.send(json, request: "r1")
    #expect(first["ok"] == true, "\(first.text)")
    let facts = b.facts(type)
    for n in 1...3 {
      try b.start()
      b.clock.time = b.clock.time + .minutes(Int64(n) * 7)
      let again = try b.send(json, request: "another \(n)")
      #expect(again["ok"] == true && again["repeated"] == true, "\(again.text)")
      if type == .silence_added {
        #expect(again["silence"] == "S-1")
      } else {
        #expect(again["alert"]?["id"] == "A-1")
      }
    }
    #expect(b.facts(type) == facts)
    // Another id is another command.
    _ = try b.send(json.replacing("c-1", with: "c-2"), request: "r2")
    #expect(b.facts(type) == facts + 1)
  }

  @Test func withoutAnIdTheRequestIsRememberedForAQuarterOfAnHourAcrossARestart() throws {
    let b = try RestartBench()
    try b.fires("cpu")
    let json = #"{"command":"comment","alert":"A-1","by":"ana","note":"hm"}"#
    _ = try b.send(json)
    try b.start()
    b.clock.time = b.clock.time + .minutes(14)
    #expect(try b.send(json)["repeated"] == true)
    #expect(b.facts(.commented) == 1)
    // Whoever counts from 1 each day may say the same tomorrow.
    try b.start()
    b.clock.time = b.clock.time + .hours(24)
    #expect(try b.send(json)["repeated"] == nil)
    #expect(b.facts(.commented) == 2)
  }

  @Test func theSameIdFromAnotherKeyOrForAnotherAlertIsAnotherCommand() throws {
    let b = try RestartBench()
    try b.fires("cpu")
    try b.fires("disk")
    func json(_ alert: String) -> String {
      "{\"command\":\"comment\",\"alert\":\"\(alert)\",\"by\":\"ana\",\"note\":\"hm\",\"id\":\"x\"}"
    }
    for (alert, key) in [("A-1", "robot"), ("A-2", "robot"), ("A-1", "another")] {
      #expect(try b.send(json(alert), request: "\(alert)\(key)", name: key)["repeated"] == nil)
    }
    #expect(b.facts(.commented) == 3)
  }

  @Test func whatWasRefusedIsJudgedAnewAndWhatChangesNothingIsNotKept() throws {
    let b = try RestartBench()
    let json = #"{"command":"acknowledge","alert":"A-1","by":"ana","id":"a"}"#
    #expect(try b.send(json)["error"]?["code"] == "unknown_alert")
    try b.fires("cpu")
    #expect(try b.send(json, request: "2")["ok"] == true)
    let preview = #"{"command":"preview_silence","matchers":[{"name":"metric","value":"cpu"}],"by":"ana","id":"p"}"#
    for n in 0..<2 { #expect(try b.send(preview, request: "p\(n)")["hits"] == 1) }
    #expect(try b.send(#"{"command":"comment","alert":"A-1","by":"a","note":"x","id":""}"#)["ok"] == false)
  }

  @Test func theServiceSaysHowItIs() throws {
    let b = try RestartBench()
    try b.fires("cpu")
    b.wire.incoming.append(.heartbeat(Peer(identity: [3]), name: "detector/a", json: Array("{\"checks\":4}".utf8)))
    try b.service.step()
    let status = try b.send(#"{"command":"status","by":"doctor"}"#)
    #expect(status["ready"] == true && status["open_alerts"] == 1)
    #expect(status["workers"]?[0]?["name"] == "detector/a")
  }
}
