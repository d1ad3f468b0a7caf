import Alerts
import Foundation
import GRDB
import Testing

@testable import Detectors

private func verdictWorker(
  _ connections: [Connection], _ source: DataSource, _ port: RecordingPort, _ clock: StandingClock,
  labels: [String: String] = [:], rules: [SeverityRule] = []
) throws -> DetectorWorker {
  var settings = DetectionSettings()
  settings.connections = connections
  var event = EventSettings(name: "dbt", source: source, schedule: .every(.minutes(1)))
  event.labels = labels
  event.severities = rules
  settings.events = [event]
  let plan = DetectionPlan(settings)
  #expect(plan.faults == [])
  return DetectorWorker(
    name: "w", plan: plan, port: port, state: try DetectorState(path: nil), log: silence, clock: { clock.now })
}

@Suite struct DbtTests {
  private static let samples = "\(RealServer.folder)/Samples/dbt"
  private let folder: Folder
  private let port = RecordingPort()
  private let clock = StandingClock("2026-03-01T07:00:00Z")

  init() throws {
    folder = try Folder()
    try copy("manifest.json")
  }

  private func copy(_ name: String, as other: String? = nil) throws {
    let path = "\(folder.path)/\(other ?? name)"
    try? FileManager.default.removeItem(atPath: path)
    try FileManager.default.copyItem(atPath: "\(DbtTests.samples)/\(name)", toPath: path)
  }

  private func worker(_ options: [String: JSON] = [:], rules: [SeverityRule] = []) throws -> DetectorWorker {
    let all = options.merging(["path": .string(folder.path)]) { a, _ in a }
    return try verdictWorker(
      [Connection(name: "dbt", kind: "dbt", options: all.mapValues { Option($0) })], DataSource(connection: "dbt"),
      port,
      clock, labels: ["team": "data"], rules: rules)
  }

  @Test func `what fails fires with its owner, tags and severity, and pass clears`() async throws {
    try copy("run_results.json")
    let worker = try worker()
    #expect(await worker.runOnce().map(\.outcome) == [.checked])
    let fired = port.take()
    #expect(
      fired.map(\.metric).sorted() == [
        "accepted_values_orders_state__paid__open", "not_null_orders_customer", "unique_orders_id",
      ])
    let unique = try #require(fired.first { $0.metric == "unique_orders_id" })
    // Its own word under meta, for severity and owner.
    #expect(unique.severity == .critical)
    #expect(unique.label("owner") == "ana@example.org")
    #expect(unique.label("tags") == "daily,revenue")
    #expect(unique.label("team") == "data")
    #expect(unique.dimensions == [.init("column", "id"), .init("model", "orders")])
    #expect(unique.value == 1)
    #expect(unique.summary == "the dbt test unique_orders_id fails: 1 row")
    let customer = try #require(fired.first { $0.metric == "not_null_orders_customer" })
    #expect(customer.severity == .high)
    // The group's owner, where the test and its model name none.
    #expect(customer.label("owner") == "finance@example.org")
    #expect(customer.label("tags") == "crm,daily,revenue")
    #expect(fired.first { $0.metric.hasPrefix("accepted") }?.severity == .medium)

    // Nothing new: nothing said, nothing read twice.
    #expect(await worker.runOnce().map(\.outcome) == [.nothingDue])
    #expect(port.take() == [])

    try copy("run_results_next.json", as: "run_results.json")
    clock.set("2026-03-02T07:00:00Z")
    _ = await worker.runOnce()
    let next = port.take()
    #expect(
      Set(next.filter { $0.status == .resolved }.map(\.dedupKey))
        == Set(fired.filter { $0.metric != "not_null_orders_customer" }.map(\.dedupKey)))
    // A skipped test says nothing, neither way; a model that can't be built is a fault of its own.
    let model = try #require(next.first { $0.status == .firing })
    #expect(model.metric == "orders")
    #expect(
      model.summary
        == "dbt can't build the model orders: Runtime Error in model orders (models/orders.sql) Binder Error: no column \"x\""
    )
    #expect(next.count == 3)
  }

  @Test func `rules under alerting grade dbt's verdicts too, but not those whose owner did`() async throws {
    try copy("run_results.json")
    let rules = [
      SeverityRule(
        severity: .critical, condition: "owner == \"finance@example.org\" and status == \"fail\" and value >= 1"),
      SeverityRule(severity: .low, condition: "severity in [\"high\", \"medium\"] and model == \"nothing\""),
    ]
    let worker = try worker(rules: rules)
    #expect(await worker.runOnce().map(\.outcome) == [.checked])
    let graded = port.take().map { "\($0.metric) \($0.severity?.name ?? "")" }.sorted()
    // The warning of the accepted values has no rule that holds, and is not published; the owner of the unique test has graded it.
    #expect(graded == ["not_null_orders_customer critical", "unique_orders_id critical"])
    let wrong = [SeverityRule(severity: .high, condition: "ownr == \"ana\"")]
    var settings = DetectionSettings()
    settings.connections = [Connection(name: "dbt", kind: "dbt", options: ["path": Option(.string(folder.path))])]
    settings.events = [EventSettings(name: "dbt", source: DataSource(connection: "dbt"), schedule: .every(.minutes(1)))]
    settings.events[0].severities = wrong
    #expect(DetectionPlan(settings).faults.first?.message.contains("owner") == true)
  }

  @Test func `a test that is taken out of the project is over`() async throws {
    try copy("run_results.json")
    let worker = try worker()
    _ = await worker.runOnce()
    _ = port.take()
    var manifest = try String(contentsOfFile: "\(folder.path)/manifest.json", encoding: .utf8)
    manifest = manifest.replacingOccurrences(of: "test.shop.unique_orders_id", with: "test.shop.other")
    try manifest.write(toFile: "\(folder.path)/manifest.json", atomically: true, encoding: .utf8)
    try copy("run_results_next.json", as: "run_results.json")
    _ = await worker.runOnce()
    let over = port.take().filter { $0.metric == "unique_orders_id" }
    #expect(over.map(\.status) == [.resolved])
  }

  @Test func `the freshness of sources`() async throws {
    try copy("sources.json")
    _ = await (try worker()).runOnce()
    let fired = port.take()
    #expect(fired.map(\.metric) == ["freshness of raw_orders"])
    #expect(fired.first?.summary == "the newest row of the source raw_orders is 324d14h old")
    #expect(fired.first?.dimensions == [.init("source", "shop")])
  }

  @Test func `no run, half a file, another's file and a late run are told apart`() async throws {
    let worker = try worker(["max_age": "26h"])
    func outcome() async -> (String, String?) {
      let report = await worker.runOnce()[0]
      let said = port.take().last { $0.metric == "source" }
      guard case .failed(let why) = report.outcome else { return ("", said?.label("kind")) }
      return (why, said?.status == .resolved ? "over" : said?.label("kind"))
    }
    var (why, kind) = await outcome()
    #expect(why.contains("no run_results.json"))
    #expect(kind == "unreachable")
    try "{\"results\": [".write(toFile: "\(folder.path)/run_results.json", atomically: true, encoding: .utf8)
    clock.advance(.minutes(11))
    (why, kind) = await outcome()
    #expect(why.contains("writing it"))
    try "{}".write(toFile: "\(folder.path)/run_results.json", atomically: true, encoding: .utf8)
    clock.advance(.minutes(11))
    (why, kind) = await outcome()
    #expect(kind == "query")
    try copy("run_results.json")
    (why, kind) = await outcome()
    #expect(why == "")
    clock.set("2026-03-02T09:00:00Z")
    (why, kind) = await outcome()
    #expect(kind == "late")
    #expect(why.contains("1d"))
    try copy("run_results_next.json", as: "run_results.json")
    (why, kind) = await outcome()
    #expect(why == "")
  }

  @Test func `checks on verdicts are a fault, and so is an unknown format`() {
    var settings = listings([check("threshold", nil, .point, ["max_value": 1])])
    settings.connections = [Connection(name: "c", kind: "dbt", options: ["path": Option("x")])]
    #expect(DetectionPlan(settings).faults.contains { $0.message.contains("verdicts") })
    settings = listings([])
    settings.connections = [Connection(name: "c", kind: "sqlite", options: ["path": Option("x")])]
    settings.events[0].source.options["format"] = Option("great_expectations")
    #expect(DetectionPlan(settings).faults.contains { $0.message.contains("not a format") })
    settings.connections[0].kind = "csv"
    settings.events[0].source.options["format"] = Option("elementary")
    #expect(DetectionPlan(settings).faults.contains { $0.message.contains("takes no SQL") })
  }

  @Test func `any bytes in the files are an error and no crash`() throws {
    var random = SeededRandom(seed: 7)
    let text = Array(try String(contentsOfFile: "\(DbtTests.samples)/run_results.json", encoding: .utf8).utf8)
    let manifest = try JSON(parsing: String(contentsOfFile: "\(DbtTests.samples)/manifest.json", encoding: .utf8))
    var read = 0
    for _ in 0..<300 {
      var bytes = text
      let alphabet = Array("0a\"{}[]:,\\ \u{7}é".utf8)
      bytes[Int(random.next() % UInt64(bytes.count))] = alphabet[Int(random.next() % UInt64(alphabet.count))]
      guard let json = try? JSON(parsing: bytes) else { continue }
      if let one = try? DbtArtifacts(runResults: json, manifest: manifest, sources: json) {
        read += one.reading.verdicts.isEmpty ? 0 : 1
      }
    }
    #expect(read > 10)
  }
}

/// dbt itself, on DuckDB, in a copy of a small project.
@Suite(.serialized) struct DbtRunTests {
  private static var dbt: String {
    URL(fileURLWithPath: RealServer.folder).deletingLastPathComponent().deletingLastPathComponent().path
      + "/.build/dbt/bin/dbt"
  }

  private func run(_ project: String, _ arguments: [String]) async throws {
    let outcome = try await Subprocess.run(
      [DbtRunTests.dbt, "--no-use-colors"] + arguments + ["--project-dir", project, "--profiles-dir", project],
      environment: ["SHOP_DATABASE": project + "/shop.duckdb", "DO_NOT_TRACK": "1"], timeout: .seconds(180))
    // 1: a test failed, which is what this is about.
    #expect(outcome.status == 0 || outcome.status == 1, "\(String(decoding: outcome.output, as: UTF8.self))")
  }

  @Test(.timeLimit(.minutes(8))) func `a real run, and the run after the data was mended`() async throws {
    try #require(
      FileManager.default.isExecutableFile(atPath: DbtRunTests.dbt),
      "scripts/setup --tests installs dbt into .build/dbt")
    let folder = try Folder()
    let project = folder.path + "/project"
    try FileManager.default.copyItem(atPath: "\(RealServer.folder)/Samples/dbt_project", toPath: project)
    try await run(project, ["build"])
    let port = RecordingPort()
    let clock = StandingClock("2030-01-01")
    let worker = try verdictWorker(
      [Connection(name: "dbt", kind: "dbt", options: ["path": Option(.string(project + "/target"))])],
      DataSource(connection: "dbt"), port, clock)
    _ = await worker.runOnce()
    let fired = port.take()
    #expect(fired.map(\.metric).sorted().first == "accepted_values_orders_state__paid__open")
    #expect(fired.count == 3)
    #expect(fired.first { $0.metric == "unique_orders_id" }?.label("owner") == "ana@example.org")
    let seed = "\(project)/seeds/raw_orders.csv"
    try "id,customer,amount,state,loaded_at\n1,ana,10,paid,2026-01-01 00:00:00\n2,ben,20,open,2026-01-01 00:00:00\n"
      .write(
        toFile: seed, atomically: true, encoding: .utf8)
    try await run(project, ["build"])
    _ = await worker.runOnce()
    let over = port.take()
    #expect(over.allSatisfy { $0.status == .resolved })
    #expect(Set(over.map(\.dedupKey)) == Set(fired.map(\.dedupKey)))
  }
}

@Suite struct ElementaryTests {
  @Test func `the newest word of each test counts, with owners and tags`() async throws {
    let folder = try Folder()
    let path = folder.path + "/w.sqlite"
    let queue = try DatabaseQueue(path: path)
    func insert(_ id: String, _ test: String, _ at: String, _ status: String, _ severity: String = "ERROR") async throws
    {
      try await queue.write {
        try $0.execute(
          sql: """
            INSERT INTO elementary_test_results VALUES (?, ?, ?, ?, ?, ?, ?, 'anomaly_detection', 'volume', 'MAIN', 'ORDERS', 'ID',
            '["ana@example.org"]', '["finance", "daily"]', 3, 'the row count is 3', 'select 1')
            """, arguments: [id, test, at, status, severity, test, test])
      }
    }
    try await queue.write {
      try $0.execute(
        sql: """
          CREATE TABLE elementary_test_results (id, test_unique_id, detected_at, status, severity, test_name, test_short_name, test_type,
            test_sub_type, schema_name, table_name, column_name, owners, tags, failures, test_results_description, test_results_query)
          """)
    }
    try await insert("1", "test.a", "2026-03-01 05:00:00", "pass")
    try await insert("2", "test.a", "2026-03-01 06:00:00", "fail")
    try await insert("3", "test.b", "2026-03-01 06:00:00", "warn", "WARN")
    try await insert("4", "test.c", "2026-03-01 06:00:00", "pass")
    try await insert("5", "test.d", "2026-02-01 06:00:00", "fail")
    let port = RecordingPort()
    let clock = StandingClock("2026-03-01T07:00:00Z")
    var source = DataSource(connection: "w")
    source.options = ["format": Option("elementary")]
    let worker = try verdictWorker(
      [Connection(name: "w", kind: "sqlite", options: ["path": Option(.string(path))])], source, port, clock)
    _ = await worker.runOnce()
    let fired = port.take()
    #expect(fired.map(\.metric) == ["test.a", "test.b"])
    #expect(fired.map(\.severity) == [.high, .medium])
    #expect(fired[0].label("owner") == "ana@example.org")
    #expect(fired[0].label("tags") == "finance,daily")
    #expect(fired[0].dimensions == [.init("column", "id"), .init("model", "orders")])
    #expect(fired[0].summary == "the test test.a fails: the row count is 3")
    _ = await worker.runOnce()
    #expect(port.take() == [])
    // Written later, although the test ran before the newest one of the last reading.
    try await insert("6", "test.c", "2026-03-01 05:59:00", "fail")
    try await insert("7", "test.a", "2026-03-01 06:30:00", "pass")
    _ = await worker.runOnce()
    let next = port.take()
    #expect(next.map(\.metric) == ["test.a"])
    #expect(next.map(\.status) == [.resolved])
  }
}
