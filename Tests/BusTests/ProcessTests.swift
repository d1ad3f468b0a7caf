import Alerts
import Bus
import Foundation
import Synchronization
import Testing

/// Other processes, in another language too, against a real gateway.
@Suite struct ProcessTests {
  static var root: URL {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "../..").standardized
  }
  static var products: URL { Bundle(for: Marker.self).bundleURL }
  private final class Marker {}

  @Test func aPythonProgramPublishesAndFollows() async throws {
    let gateway = try Gateway.onAnyPort()
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
    process.arguments = [
      Self.root.appending(path: "examples/publish_and_follow.py").path, gateway.endpoint, gateway.feedEndpoint,
    ]
    let output = Pipe()
    process.standardOutput = output
    process.standardError = output
    try process.run()
    defer { if process.isRunning { process.terminate() } }
    let all = try gateway.receive(count: 1, milliseconds: 10_000)
    guard case .anomalies(let peer, "example/python", 1, let events)? = all.first else {
      Issue.record("\(all)")
      return
    }
    let anomaly = try Anomaly(
      parsing: try #require(events.first), now: Timestamp(seconds: Int64(Date().timeIntervalSince1970)))
    #expect(anomaly.metric == "answers")
    gateway.send(.stored(sequence: 1, json: ["accepted": 1, "duplicates": 0, "rejected": []]), to: peer)
    gateway.publish(
      topic: "default/example", position: 7, json: Array(#"{"type":"tocsin.alert.detected.v1"}"#.utf8))
    let ended = await eventually { !process.isRunning }
    #expect(ended)
    let text = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
    #expect(process.terminationStatus == 0, "\(text)")
    #expect(text.contains("stored 1"))
    #expect(text.contains("default/example 7 tocsin.alert.detected.v1"))
  }

  /// `tocsin publish` is killed while the service is silent; the next run of the same producer sends what it had taken, under the same
  /// sequences.
  @Test func anOutboxSurvivesAKill() async throws {
    let program = Self.products.appending(path: "tocsin")
    try #require(FileManager.default.isExecutableFile(atPath: program.path), "build the program first: swift build")
    let service = try TestService()
    service.manners.withLock { $0.answersAnomalies = false }
    let directory = try TemporaryDirectory()
    let lines = (0..<2500).map { #"{"event_type":"e","metric":"m","value":\#($0)}"# + "\n" }.joined()
    let file = directory.path + "/lines"
    try Data(lines.utf8).write(to: URL(fileURLWithPath: file))
    func start(_ file: String) throws -> (Process, Pipe) {
      let process = Process()
      process.executableURL = program
      process.arguments = [
        "publish", "--gateway", service.settings.gateway, "--outbox", directory.path, "--producer", "p", "--file", file,
        "--timeout", "20s",
      ]
      let output = Pipe()
      process.standardOutput = output
      process.standardError = output
      try process.run()
      return (process, output)
    }
    let (first, _) = try start(file)
    let arrived = await eventually {
      service.seen.withLock { $0.stored["p"]?.values.reduce(0) { $0 + $1.count } } == 2500
    }
    #expect(arrived)
    kill(first.processIdentifier, SIGKILL)
    #expect(await eventually { !first.isRunning })

    service.manners.withLock { $0.answersAnomalies = true }
    let (second, output) = try start("/dev/null")
    #expect(await eventually(seconds: 25) { !second.isRunning })
    let text = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
    #expect(second.terminationStatus == 0, "\(text)")
    #expect(text.contains("2500 were left by an earlier run"))
    #expect(text.contains("0 accepted, 2500 duplicates, 0 rejected"))
    #expect(service.seen.withLock { $0.conflicts } == 0)
  }

  @Test func aThousandIdleConnectionsCostNobodyAnything() throws {
    let gateway = try Gateway.onAnyPort()
    let context = try Context()
    let clients = try (0..<1000).map { _ in try TestClient(gateway.endpoint, context: context) }
    for (i, client) in clients.enumerated() { client.send("TOCSIN1", "heartbeat", "w\(i)", "{}") }
    #expect(try gateway.receive(count: 1000, milliseconds: 20_000).count == 1000)
    // All are still there, and one that speaks is heard.
    clients[500].send("TOCSIN1", "command", "r", "{}")
    let heard = try gateway.receive(count: 1, milliseconds: 10_000)
    let peer = try #require(heard.first?.peer)
    gateway.send(.reply(requestID: "r", json: ["ok": true]), to: peer)
    #expect(clients[500].receive(milliseconds: 10_000)?[1] == "reply")
  }

  @Test func theBenchmarkMeasures() throws {
    let result = try BusBenchmark.run(seconds: 0.2)
    #expect(result.gateway > 0)
    #expect(result.raw > 0)
  }
}
