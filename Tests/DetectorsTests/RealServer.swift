import Alerts
import Foundation

@testable import Detectors

/// A real server for the tests, run by a script of Servers/ that ends it when this process lets go of its input, however that comes about.
final class RealServer: Sendable {
  let info: JSON
  private let process: Process
  private let input: Pipe

  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path

  /// Programs of PyPI that the tests run: `scripts/setup --tests` installs them.
  static let programs =
    URL(fileURLWithPath: folder).deletingLastPathComponent().deletingLastPathComponent().path + "/.build/pypi/bin"

  /// `python`: which one, where the script needs packages of its own.
  init(_ script: String, _ arguments: [String], python: String = "/usr/bin/python3") throws {
    let process = Process()
    let input = Pipe()
    let output = Pipe()
    process.executableURL = URL(fileURLWithPath: python)
    process.arguments = ["\(RealServer.folder)/Servers/\(script)"] + arguments
    process.standardInput = input
    process.standardOutput = output
    try process.run()
    self.process = process
    self.input = input
    var line = Data()
    while !line.contains(10) {
      let more = output.fileHandleForReading.availableData
      if more.isEmpty { break }
      line += more
    }
    guard let info = try? JSON(parsing: String(decoding: line, as: UTF8.self)) else {
      throw SourceError(.unreachable, "\(script) did not start: scripts/setup --tests installs what it needs")
    }
    self.info = info
  }

  var port: Int64 { info["port"]?.int ?? 0 }
  func text(_ name: String) -> String { info[name]?.string ?? "" }

  /// Ends it, and waits until its script has cleaned up.
  func end() {
    try? input.fileHandleForWriting.close()
    for _ in 0..<600 where process.isRunning { usleep(20_000) }
  }

  deinit { end() }
}

/// One of each for the whole run: a database takes seconds to start.
enum Servers {
  static let postgres = Result {
    let shop = try String(contentsOfFile: "\(RealServer.folder)/Samples/shop.sql", encoding: .utf8)
    return try with(shop + ViewTables.sql()) { try RealServer("postgres.py", [$0]) }
  }
  static let mariadb = Result {
    let orders = """
      CREATE TABLE orders (at datetime, channel varchar(20), amount decimal(10, 2));
      INSERT INTO orders VALUES ('2026-03-01 00:30:00', 'web', 1.5), ('2026-03-01 23:30:00', 'web', 2), ('2026-03-02 12:00:00', 'wéb', 4),
        ('2026-03-02 12:00:00', 'app', NULL);

      """
    return try with(orders + ViewTables.sql()) { try RealServer("mariadb.py", [$0]) }
  }
  /// ClickHouse's own engine.
  static let clickhouse = Result {
    let events = """
      CREATE DATABASE shop;
      CREATE TABLE events (at DateTime('UTC'), day Date, exactly DateTime64(3, 'UTC'), seconds UInt32, country LowCardinality(String),
        amount Nullable(Float64)) ENGINE = MergeTree ORDER BY at;
      INSERT INTO events SELECT t, t, t, t, c, v FROM (SELECT toDateTime(r.1, 'UTC') AS t, r.2 AS c, r.3 AS v FROM (SELECT arrayJoin(
        [('2026-03-01 00:30:00', 'DE', 1.), ('2026-03-01 23:30:00', 'DE', 2.), ('2026-03-02 12:00:00', 'DE', 4.),
         ('2026-03-02 12:00:00', 'FR', NULL)]) AS r));
      CREATE TABLE shop.orders ENGINE = MergeTree ORDER BY at AS SELECT * FROM events;

      """
    return try with(events + ViewTables.sql(date: "Date", after: " ENGINE = Memory")) {
      try RealServer("clickhouse.py", [$0], python: "\(RealServer.programs)/python")
    }
  }

  /// Debian's own, with a past that was written for it.
  static let prometheus = Result {
    // Two counters that rise by 2 and by 1 a minute, and a gauge, for four days; the second shop is silent on the third.
    var text = "# TYPE orders counter\n"
    let start = 1_772_323_200  // 2026-03-01T00:00:00Z
    for (shop, rate) in [("a", 2), ("b", 1)] {
      for minute in stride(from: 0, through: 4 * 1440, by: 5) where shop == "a" || minute / 1440 != 2 {
        text += "orders_total{shop=\"\(shop)\"} \(minute * rate) \(start + minute * 60)\n"
      }
    }
    text += "# TYPE queue gauge\n"
    for minute in stride(from: 0, through: 4 * 1440, by: 5) {
      text += "queue \(minute == 1440 ? "NaN" : "7") \(start + minute * 60)\n"
    }
    // A sample at noon of each day, and none of what there never was.
    for c in ViewTables.allCases where !c.days.isEmpty {
      text += "# TYPE \(c.table) gauge\n"
      for (i, day) in c.days.enumerated() { text += "\(c.table) \(day.views) \(start + i * 86_400 + 43_200)\n" }
    }
    let path = FileManager.default.temporaryDirectory.path + "/tocsin-openmetrics-\(UUID().uuidString)"
    try (text + "# EOF\n").write(toFile: path, atomically: true, encoding: .utf8)
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try RealServer("prometheus.py", [path])
  }

  private static func with<T>(_ sql: String, _ body: (String) throws -> T) throws -> T {
    let path = FileManager.default.temporaryDirectory.path + "/tocsin-sql-\(UUID().uuidString)"
    try sql.write(toFile: path, atomically: true, encoding: .utf8)
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try body(path)
  }
}

/// A connection of a kind with options, as the configuration would make it.
func connected(_ kind: String, _ options: [String: JSON], _ source: DataSource = source()) throws -> any MetricSource {
  var faults: [Fault] = []
  let connection = Connection(name: "c", kind: kind, options: options.mapValues { Option($0) })
  guard let built = SourceKinds.standard.source(connection, source, &faults) else {
    throw SourceError(.settings, faults.map(\.description).joined(separator: "; "))
  }
  return built
}
