import Alerts
import Bus
import Console
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import Projections
import Synchronization

/// A console over a log that the test has written, with doubles for the bus. Its files are gone when the test is over.
final class ConsoleFixture: Sendable {
  let folder: String
  let log = SampleLog()
  let commands = CommandDouble()
  let anomalies = AnomalyDouble()
  let now: Timestamp
  let settings: ConsoleSettings
  private let unready = Mutex<String?>(nil)
  private let windows = Mutex<[WindowReport]>([])
  private let changes = Mutex<[@Sendable (inout ConsoleDependencies) -> Void]>([])

  init(now: Timestamp = Timestamp(seconds: 1_763_625_600), _ configure: (inout ConsoleSettings) -> Void = { _ in })
    throws
  {
    folder = NSTemporaryDirectory() + "tocsin-console-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder + "/outbox", withIntermediateDirectories: true)
    self.now = now
    var settings = ConsoleSettings()
    settings.outbox = folder + "/outbox"
    configure(&settings)
    self.settings = settings
    SampleAlerts.write(into: log, now: now)
    try project()
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  /// Brings the tables up to the log.
  func project() throws {
    try ProjectionStore(path: folder + "/projections.sqlite", logger: ConsoleFixture.quiet).catchUp(from: log)
  }

  func setWindows(_ reports: [WindowReport]) { windows.withLock { $0 = reports } }
  /// What this test's console has instead of the double.
  func change(_ body: @escaping @Sendable (inout ConsoleDependencies) -> Void) { changes.withLock { $0.append(body) } }

  func setUnready(_ why: String?) { unready.withLock { $0 = why } }

  var dependencies: ConsoleDependencies {
    let now = now
    var dependencies = ConsoleDependencies(
      settings: settings, reader: ProjectionReader(path: folder + "/projections.sqlite"), log: log, commands: commands,
      anomalies: anomalies, live: { [log] in log.follow() }, unready: { [self] in unready.withLock { $0 } },
      workers: {
        [
          WorkerReport(name: "detector/warehouse-1", at: now - .seconds(4), json: ["checks": 12, "lag_seconds": 3]),
          WorkerReport(name: "notifier/1", at: now - .minutes(9), json: ["delivered": 40]),
        ]
      },
      digest: { request in
        DigestView(
          subject: "Week of 10 November", ending: request.ending ?? "2025-11-17", text: "two alerts\n",
          html: "<!doctype html><p>two <b>alerts</b></p>", markdown: "# two alerts\n", json: ["alerts": 2])
      },
      windows: { [self] in windows.withLock { $0 } },
      check: { query, _ in
        let metric = query.first { $0.name == "metric" }?.value ?? ""
        if let kind = CheckRefusal.Kind(rawValue: metric) { throw CheckRefusal(kind, "no") }
        let asked = query.map { "\($0.name)=\($0.value)" }.joined(separator: " ")
        return ["asked": .string(asked), "is_anomaly": true]
      },
      now: { now }, zone: .utc, version: "0.0-test")
    for change in changes.withLock({ $0 }) { change(&dependencies) }
    return dependencies
  }

  static let quiet: Logger = {
    var logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
    logger.logLevel = .critical
    return logger
  }()

  var console: Console { Console(dependencies, logger: ConsoleFixture.quiet) }

  /// Sends a request as a browser on this machine would.
  func ask(
    _ uri: String, _ method: HTTPRequest.Method = .get, _ headers: [String: String] = [:], body: String? = nil
  ) async throws -> Answer {
    var fields = HTTPFields()
    for (name, value) in headers { if let name = HTTPField.Name(name) { fields[name] = value } }
    if fields[.accept] == nil { fields[.accept] = "text/html" }
    let sent = fields
    let app = Application(router: console.router(), logger: ConsoleFixture.quiet)
    return try await app.test(.router) { client in
      try await client.execute(
        uri: uri, method: method, headers: sent, body: body.map { ByteBuffer(string: $0) }
      ) { response in
        Answer(status: Int(response.status.code), headers: response.headers, text: String(buffer: response.body))
      }
    }
  }

  /// Posts a form with its token, as a page of ours would.
  func post(_ uri: String, _ form: [String: String], _ headers: [String: String] = [:]) async throws -> Answer {
    let token = String(repeating: "a", count: 32)
    let safe = CharacterSet.alphanumerics
    let pairs = form.merging(["token": token]) { $1 }.map {
      "\($0.key)=\($0.value.addingPercentEncoding(withAllowedCharacters: safe) ?? "")"
    }
    return try await ask(
      uri, .post,
      headers.merging(["Cookie": "tocsin_form=\(token)", "Content-Type": "application/x-www-form-urlencoded"]) { $1 },
      body: pairs.joined(separator: "&"))
  }
}

struct Answer: Sendable {
  var status: Int
  var headers: HTTPFields
  var text: String
  func header(_ name: String) -> String? { HTTPField.Name(name).flatMap { headers[$0] } }
  var json: JSON { (try? JSON(parsing: text)) ?? .null }
}

/// Takes commands and answers as it was told to.
final class CommandDouble: CommandPort {
  private let taken = Mutex<[Command]>([])
  private let answer = Mutex<Result<Reply, BusError>>(.success(Reply(.success(["ok": true]))))
  var commands: [Command] { taken.withLock { $0 } }
  func answer(_ result: Result<JSON, CommandError>) { answer.withLock { $0 = .success(Reply(result)) } }
  func fail(_ error: BusError) { answer.withLock { $0 = .failure(error) } }
  func send(_ command: Command) async throws -> Reply {
    taken.withLock { $0.append(command) }
    return try answer.withLock { $0 }.get()
  }
}

final class AnomalyDouble: AnomalyPort {
  private let taken = Mutex<[Anomaly]>([])
  var published: [Anomaly] { taken.withLock { $0 } }
  func publish(_ anomalies: [Anomaly]) async throws { taken.withLock { $0 += anomalies } }
  func heartbeat(_ json: JSON) async {}
}
