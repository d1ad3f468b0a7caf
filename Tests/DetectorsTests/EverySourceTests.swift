import Alerts
import Foundation
import GRDB
import Testing

@testable import Detectors

/// Ten days of a hundred views, and what may become of the eleventh.
enum ViewTables: String, CaseIterable {
  /// The eleventh is not due yet.
  case full
  /// It came, and nobody looked.
  case zero
  /// It has not come.
  case late
  /// Nothing is there any more.
  case none

  var days: [(day: String, views: Int)] {
    let ten = (1...10).map { (day: "2026-03-\($0 < 10 ? "0" : "")\($0)", views: 100) }
    return switch self {
    case .full, .late: ten
    case .zero: ten + [("2026-03-11", 0)]
    case .none: []
    }
  }

  var table: String { "views_\(rawValue)" }

  /// A table for each.
  static func sql(date: String = "date", after: String = "") -> String {
    allCases.map { c in
      let rows = c.days.map { "('\($0.day)', \($0.views))" }.joined(separator: ", ")
      let insert = rows.isEmpty ? "" : "INSERT INTO \(c.table) VALUES \(rows);\n"
      return "CREATE TABLE \(c.table) (day \(date), n integer)\(after);\n\(insert)"
    }.joined()
  }

  var csv: String { "day,n\n" + days.map { "\($0.day),\($0.views)\n" }.joined() }
  var jsonLines: String { days.map { "{\"day\":\"\($0.day)\",\"n\":\($0.views)}\n" }.joined() }
}

/// What every kind of source owes: a zero is a number, what is late is said to be missing, what is gone is a fault of the source, and so is one that can't be read. Each is an
/// anomaly of its own, and the next good reading clears it.
@Suite(.serialized) struct EverySourceTests {
  enum Kind: String, CaseIterable {
    case sqlite, postgres, odbcSQLite, odbcPostgres, odbcMariaDB, clickhouse, prometheus, csv, json, command, stdin
  }

  private let folder: Folder
  private let port = RecordingPort()
  private let clock = StandingClock("2026-03-11T06:00:00Z")
  private let state: DetectorState

  init() throws {
    folder = try Folder()
    state = try DetectorState(path: nil)
    for c in ViewTables.allCases {
      _ = try folder.write("\(c.table).csv", c.csv)
      _ = try folder.write("\(c.table).jsonl", c.jsonLines)
    }
    let queue = try DatabaseQueue(path: folder.path + "/w.sqlite")
    try queue.write { try $0.execute(sql: ViewTables.sql()) }
  }

  /// The connection of a kind, whole or broken, and where it finds a table.
  private func connection(_ kind: Kind, _ c: ViewTables, broken: Bool) throws -> (
    kind: String, [String: JSON], DataSource
  ) {
    var s = source([.init(column: "n", alias: "views")], date: "day")
    s.table = c.table
    func text(_ s: String) -> JSON { .string(s) }
    switch kind {
    case .sqlite:
      return ("sqlite", ["path": text(broken ? "\(folder.path)/gone.sqlite" : "\(folder.path)/w.sqlite")], s)
    case .odbcSQLite:
      return (
        "odbc",
        ["connection_string": text("Driver={\(broken ? "Nowhere" : "SQLite3")};Database=\(folder.path)/w.sqlite")], s
      )
    case .postgres:
      let server = try Servers.postgres.get()
      return (
        "postgres",
        [
          "host": text(broken ? "/nonexistent" : server.text("host")), "port": .int(server.port),
          "database": "postgres",
          "user": "tocsin",
        ], s
      )
    case .odbcPostgres:
      let server = try Servers.postgres.get()
      let string = "Driver={PostgreSQL Unicode};Server=127.0.0.1;Port=\(broken ? 1 : server.port);Database=postgres"
      return (
        "odbc", ["connection_string": text(string), "user": "tocsin", "password": text(server.text("password"))], s
      )
    case .odbcMariaDB:
      let server = try Servers.mariadb.get()
      let string = "Driver={MariaDB Unicode};Server=127.0.0.1;Port=\(broken ? 1 : server.port);Database=shop"
      return (
        "odbc", ["connection_string": text(string), "user": "tocsin", "password": text(server.text("password"))], s
      )
    case .clickhouse:
      let url = "http://127.0.0.1:\(broken ? 1 : try Servers.clickhouse.get().port)"
      return ("clickhouse", ["url": text(url), "user": "reader", "password": "s3cret-word"], s)
    case .prometheus:
      s.table = nil
      s.dateColumn = nil
      s.metrics = [.init(column: "last_over_time(\(c.table)[$window])", alias: "views")]
      return ("prometheus", ["url": text("http://127.0.0.1:\(broken ? 1 : try Servers.prometheus.get().port)")], s)
    case .csv, .json:
      s.table = nil
      return (
        kind.rawValue, ["path": text("\(folder.path)/\(broken ? "gone" : c.table).\(kind == .csv ? "csv" : "jsonl")")],
        s
      )
    case .command:
      s.table = nil
      return ("command", ["command": text(broken ? "echo sorry >&2; exit 3" : "cat \(folder.path)/\(c.table).csv")], s)
    case .stdin:
      s.table = nil
      return ("stdin", [:], s)
    }
  }

  /// One turn of the schedule on a table.
  private func run(_ kind: Kind, _ c: ViewTables, broken: Bool = false) async throws -> [String] {
    let (name, options, table) = try connection(kind, c, broken: broken)
    var settings = DetectionSettings()
    settings.connections = [Connection(name: "c", kind: name, options: options.mapValues { Option($0) })]
    var event = EventSettings(name: "listings", source: table, schedule: .cron("0 6 * * *", zone: nil))
    event.source.connection = "c"
    event.source.options = ["retries": Option(0), "timeout": Option("20s")]
    event.checks = [check("threshold", "views", .daily, ["min_value": 50])]
    settings.events = [event]
    var kinds = SourceKinds.standard
    if kind == .stdin {
      let stream = try await piped(c, broken: broken)
      kinds = SourceKinds(builders: ["stdin": { _ in stream }])
    }
    let plan = DetectionPlan(settings, kinds: kinds)
    #expect(plan.faults == [])
    let clock = clock
    let worker = DetectorWorker(
      name: "w", plan: plan, port: port, state: state, log: silence, clock: { clock.now })
    _ = await worker.runOnce()
    return port.take().map { a in
      let what = a.label("kind") ?? a.value.map { "\($0)" } ?? "-"
      return "\(a.metric) \(a.status.rawValue)\(a.status == .firing ? " \(what)" : "")"
    }
  }

  /// A stream that has brought its rows; a broken one has ended, and was read before.
  private func piped(_ c: ViewTables, broken: Bool) async throws -> StreamSource {
    var ends: [Int32] = [0, 0]
    #expect(Foundation.pipe(&ends) == 0)
    let write = FileHandle(fileDescriptor: ends[1], closeOnDealloc: false)
    try write.write(contentsOf: Data(c.csv.utf8))
    let stream = StreamSource(descriptor: ends[0])
    if broken { try write.close() }
    let wanted = c.days.count
    for _ in 0..<500 {
      guard let n = try? await stream.read(request(source([.init(column: "n", alias: "n")], date: "day"))).rows.count
      else {
        break
      }
      if n >= wanted, !broken, wanted > 0 { break }
      try await Task.sleep(for: .milliseconds(wanted == 0 ? 50 : 5))
      if wanted == 0, !broken { break }
    }
    return stream
  }

  @Test(arguments: Kind.allCases) func `zero, late, emptied and broken are four things`(_ kind: Kind) async throws {
    #expect(try await run(kind, .full) == [])
    clock.set("2026-03-12T06:00:00Z")
    // Broken first: the window stays due, and nothing is said of the numbers.
    let broken = try await run(kind, .full, broken: true)
    #expect(broken == ["source firing \(kind == .command ? "refused" : "unreachable")"])
    clock.advance(.minutes(11))
    #expect(try await run(kind, .none) == ["source firing empty"])
    clock.advance(.minutes(11))
    #expect(try await run(kind, .late) == ["source resolved", "row_count firing 0.0"])
    // A zero clears what said that it was missing, and is judged as the number that it is.
    #expect(try await run(kind, .zero).sorted() == ["row_count resolved", "views firing 0.0"])
  }

  @Test func `this host: what can't be read is a fault, and no zero`() async throws {
    for (proc, kind) in [("/proc", String?.none), ("\(folder.path)/proc", "unreachable")] {
      var settings = DetectionSettings()
      settings.connections = [Connection(name: "c", kind: "host", options: ["proc": Option(.string(proc))])]
      var event = EventSettings(
        name: "host", source: source([.init(column: "memory_used", alias: "memory")]), schedule: .every(.minutes(1)))
      event.source.options = ["retries": Option(0)]
      event.checks = [check("threshold", "memory", .point, ["min_value": 0, "max_value": 1])]
      settings.events = [event]
      let clock = clock
      let worker = DetectorWorker(
        name: "w", plan: DetectionPlan(settings), port: port, state: try DetectorState(path: nil), log: silence,
        clock: { clock.now })
      _ = await worker.runOnce()
      #expect(port.take().map { $0.label("kind") } == (kind.map { [$0] } ?? []))
    }
  }
}
