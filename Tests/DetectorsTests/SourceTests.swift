import Alerts
import Foundation
import GRDB
import Testing

@testable import Detectors

/// A folder that is gone when the test ends.
final class Folder: Sendable {
  let path: String
  init() throws {
    path = FileManager.default.temporaryDirectory.path + "/tocsin-detectors-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }
  deinit { try? FileManager.default.removeItem(atPath: path) }
  func write(_ name: String, _ text: String) throws -> String {
    try text.write(toFile: "\(path)/\(name)", atomically: true, encoding: .utf8)
    return "\(path)/\(name)"
  }
}

func source(
  _ metrics: [DataSource.Metric] = [.init(column: "value", alias: "value")], date: String? = nil,
  dimensions: [String] = []
) -> DataSource {
  var source = DataSource(connection: "c")
  source.metrics = metrics
  source.dateColumn = date
  source.dimensions = dimensions
  return source
}

func request(
  _ source: DataSource, _ bucket: Bucket = .exact, from: String? = nil, to: String = "2030-01-01", zone: String = "UTC"
) -> SourceRequest {
  SourceRequest(
    source: source, calendar: WindowCalendar(bucket, zone: Zone(name: zone) ?? .utc),
    from: from.flatMap { Timestamp(rfc3339: $0) }, to: Timestamp(rfc3339: to) ?? .epoch, timeout: .seconds(5))
}

@Suite struct TextSourceTests {
  private func csv(_ text: String, _ r: SourceRequest) throws -> SourceReading {
    try TextSource.read(Array(text.utf8), r)
  }

  @Test func `timestamp and value, with what goes wrong counted by line`() throws {
    let text = """
      timestamp,value
      2026-01-01 00:00:00,1.5
      2026-01-01 01:00:00,
      garbage,3
      2026-01-01 02:00:00,abc
      2026-01-01 03:00:00,inf

      2026-01-01T04:00:00Z,"2"
      2026-01-01 05:00:00
      \u{0}\u{1},\u{FFFD}
      """
    let reading = try csv(text, request(source()))
    #expect(reading.rows.map(\.values) == [[1.5], [nil], [2]])
    #expect(reading.bad.count == 5)
    #expect(
      reading.bad.examples.map { $0.prefix(7) } == ["line 4:", "line 5:", "line 6:", "line 9:", "line 10"])
  }

  @Test(arguments: [
    "date;amount;shop\r\n2026-01-01;3;\"a;b\"\r\n2026-01-01;4;\"a;b\"\r\n",
    "\u{FEFF}date,amount,shop\n2026-01-01,3,a;b\n2026-01-01,4,a;b",
    "amount\tShop\tDATE\n3\ta;b\t2026-01-01\n4\ta;b\t2026-01-01\n",
    "{\"date\":\"2026-01-01\",\"amount\":3,\"shop\":\"a;b\"}\n\n{\"date\":1767225600,\"amount\":\"4\",\"shop\":\"a;b\",\"x\":[1]}\n",
    "[{\"date\":\"2026-01-01\",\"amount\":3,\"shop\":\"a;b\"},{\"date\":\"2026-01-01\",\"amount\":4,\"shop\":\"a;b\"}]",
  ])
  func `whatever the form, the same numbers`(_ text: String) throws {
    let s = source([.init(column: "amount", alias: "total")], date: "date", dimensions: ["shop"])
    let reading = try csv(text, request(s, .day))
    #expect(
      reading.rows == [
        .init(time: try #require(Timestamp(rfc3339: "2026-01-01")), dimensions: ["a;b"], count: 2, values: [7])
      ])
    #expect(reading.bad.count == 0)
  }

  @Test func `quotes may hold separators, quotes and line breaks`() {
    var reader = CSVReader(Array("a,\"b \"\"x\"\", c\nd\",e\r\n\n1,\"unclosed\n2".utf8))
    #expect(reader.next() == ["a", "b \"x\", c\nd", "e"])
    #expect(reader.next() == ["1", "unclosed\n2"])
    #expect(reader.line == 4)
    #expect(reader.next() == nil)
  }

  @Test func `without a header the time comes first`() throws {
    let reading = try csv("2026-01-01,3\n2026-01-02,4\n", request(source()))
    #expect(reading.rows.map(\.values) == [[3], [4]])
    #expect(try csv("42\n", request(source())).rows.map(\.values) == [[42]])
  }

  @Test func `a missing column is said with those that are there`() {
    let error = #expect(throws: SourceError.self) { try csv("date,b\n2026-01-01,1\n", request(source())) }
    #expect(error?.message.contains("\"value\"") == true)
    #expect(error?.message.contains("date, b") == true)
  }

  @Test func `any bytes at all are read without a crash`() throws {
    var random = SeededRandom(seed: 1)
    let alphabet = Array("\"\",;\n\r\t 0129.eE-+T:Z{}[]\\u\u{FF}".utf8) + [0, 255, 128]
    for _ in 0..<2000 {
      let n = Int(random.next() % 60)
      var bytes = Array("timestamp,value\n".utf8.prefix(Int(random.next() % 17)))
      for _ in 0..<n { bytes.append(alphabet[Int(random.next() % UInt64(alphabet.count))]) }
      _ = try? TextSource.read(bytes, request(source()))
    }
  }

  @Test func `aggregates`() throws {
    let metrics = ["sum", "avg", "min", "max", "count"].map { DataSource.Metric(column: "v", alias: $0, aggregate: $0) }
    let text = "time,v\n2026-01-01 01:00,4\n2026-01-01 02:00,\n2026-01-01 03:00,8\n2026-01-02 03:00,1\n"
    let reading = try csv(text, request(source(metrics), .day))
    #expect(reading.rows.map(\.values) == [[12, 6, 4, 8, 2], [1, 1, 1, 1, 1]])
    #expect(reading.rows.map(\.count) == [3, 1])
  }

  @Test func `local times belong to their zone`() throws {
    let reading = try csv(
      "time,value\n2026-03-29 01:30,1\n2026-03-29 03:30,2\n", request(source(), .exact, zone: "Europe/Berlin"))
    #expect(reading.rows.map(\.time.rfc3339) == ["2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z"])
  }

  @Test func `the number of windows is bounded`() {
    var r = request(source())
    r.rowLimit = 3
    let text = "time,value\n" + (1...9).map { "2026-01-0\($0),1\n" }.joined()
    let error = #expect(throws: SourceError.self) { try csv(text, r) }
    #expect(error?.kind == .too_many_rows)
  }
}

@Suite struct SQLiteSourceTests {
  private func warehouse(_ folder: Folder, _ sql: String) throws -> SQLiteSource {
    let queue = try DatabaseQueue(path: folder.path + "/w.sqlite")
    try queue.write { try $0.execute(sql: sql) }
    try queue.close()
    return SQLiteSource(path: folder.path + "/w.sqlite")
  }

  @Test func `days and devices, grouped by SQLite`() async throws {
    let folder = try Folder()
    let w = try warehouse(
      folder,
      """
      CREATE TABLE STATS (D TEXT, DEVICE TEXT, VIEWS INTEGER);
      INSERT INTO STATS VALUES ('2026-01-01','mobile',1),('2026-01-01','mobile',2),('2026-01-01','desktop',5),
        ('2026-01-02','mobile',NULL),('2026-01-03','mobile',7),('2026-01-04','mobile',9),('nonsense','mobile',1);
      """)
    var s = source([.init(column: "VIEWS", alias: "views")], date: "D", dimensions: ["DEVICE"])
    s.table = "DATAMART.STATS"
    s.filter = "DEVICE <> 'tablet'"
    await #expect(throws: SourceError.self, "its newest time is nonsense") { try await w.read(request(s, .day)) }
    try await DatabaseQueue(path: folder.path + "/w.sqlite").write {
      try $0.execute(sql: "DELETE FROM STATS WHERE D = 'nonsense'")
    }
    let reading = try await w.read(request(s, .day, from: "2026-01-01", to: "2026-01-04"))
    #expect(reading.rows.map(\.time.utcDate) == ["2026-01-01", "2026-01-01", "2026-01-02", "2026-01-03"])
    #expect(reading.rows.map(\.dimensions) == [["desktop"], ["mobile"], ["mobile"], ["mobile"]])
    #expect(reading.rows.map(\.values) == [[5], [3], [nil], [7]])
    #expect(reading.rows.map(\.count) == [1, 2, 1, 1])
  }

  @Test(arguments: [
    ("TEXT", ["'2026-01-05 10:07:00'", "'2026-01-05 10:14:59'", "'2026-01-06 10:00:00'"]),
    ("TEXT", ["'2026-01-05T10:07:00Z'", "'2026-01-05T10:14:59Z'", "'2026-01-06T10:00:00Z'"]),
    ("INTEGER", ["1767607620", "1767608099", "1767693600"]),
    ("INTEGER", ["1767607620000", "1767608099000", "1767693600000"]),
  ])
  func `times in every form fall into the same windows`(_ type: String, _ times: [String]) async throws {
    let folder = try Folder()
    let rows = times.map { "(\($0), 1)" }.joined(separator: ",")
    let w = try warehouse(folder, "CREATE TABLE t (at \(type), v REAL); INSERT INTO t VALUES \(rows);")
    var s = source([.init(column: "v", alias: "v")], date: "at")
    s.table = "t"
    func starts(_ bucket: Bucket, _ from: String, _ to: String) async throws -> [String] {
      try await w.read(request(s, bucket, from: from, to: to)).rows.map { "\($0.time.rfc3339) \($0.count)" }
    }
    #expect(try await starts(.day, "2026-01-05", "2026-01-07") == ["2026-01-05T00:00:00Z 2", "2026-01-06T00:00:00Z 1"])
    #expect(try await starts(.week, "2026-01-05", "2026-01-12") == ["2026-01-05T00:00:00Z 3"])
    #expect(try await starts(.hour, "2026-01-05", "2026-01-06") == ["2026-01-05T10:00:00Z 2"])
    #expect(
      try await starts(.step(.minutes(10)), "2026-01-05", "2026-01-06") == [
        "2026-01-05T10:00:00Z 1", "2026-01-05T10:10:00Z 1",
      ])
    #expect(try await starts(.exact, "2026-01-05T10:10:00Z", "2026-01-06") == ["2026-01-05T10:14:59Z 1"])
  }

  @Test func `expressions, and queries with bound windows`() async throws {
    let folder = try Folder()
    let w = try warehouse(
      folder,
      "CREATE TABLE t (d TEXT, kind TEXT, n INTEGER); INSERT INTO t VALUES ('2026-01-01','buy',2),('2026-01-01','view',8),('2026-01-02','view',8);"
    )
    var s = source(
      [
        .init(column: "1.0 * sum(CASE WHEN kind = 'buy' THEN n END) / sum(n)", alias: "rate"),
        .init(column: "n * 2", alias: "double"),
      ], date: "d")
    s.table = "t"
    #expect(try await w.read(request(s, .day)).rows.map(\.values) == [[0.2, 20], [nil, 16]])
    var q = source([.init(column: "total", alias: "total")], date: "day")
    q.query = "SELECT d AS day, sum(n) AS total FROM t WHERE d >= :window_start AND d < :window_end GROUP BY d"
    #expect(try await w.read(request(q, .day, from: "2026-01-02", to: "2026-01-03")).rows.map(\.values) == [[8]])
  }

  @Test(arguments: [
    ("value; DROP TABLE t", "t", nil as String?, "not an SQL expression"), ("v -- x", "t", nil, "comment"),
    ("v", "t\" WHERE 1", nil, "not a name"), ("v", "t", "1=1) OR (1=1", "SQL expression"),
    ("w", "t", nil, "no column \"w\""),
    ("v", "missing", nil, "no table"), ("(v", "t", nil, "left open"), ("v", "t", "nonsense = 1", "refused the query"),
  ])
  func `what is not SQL for a table is refused with the reason`(
    _ column: String, _ table: String, _ filter: String?, _ word: String
  ) async throws {
    let folder = try Folder()
    let w = try warehouse(folder, "CREATE TABLE t (d TEXT, v INTEGER); INSERT INTO t VALUES ('2026-01-01', 1);")
    var s = source([.init(column: column, alias: "v")], date: "d")
    s.table = table
    s.filter = filter
    let error = await #expect(throws: SourceError.self) { try await w.read(request(s, .day)) }
    #expect(error?.message.contains(word) == true, "\(error?.message ?? "")")
    #expect(
      try await DatabaseQueue(path: folder.path + "/w.sqlite").read {
        try Int.fetchOne($0, sql: "SELECT count(*) FROM t")
      } == 1)
  }

  @Test func `no file, no database, a write, and a query without end`() async throws {
    let folder = try Folder()
    var s = source([.init(column: "v", alias: "v")], date: "d")
    s.table = "t"
    var error = await #expect(throws: SourceError.self) {
      try await SQLiteSource(path: folder.path + "/none").read(request(s))
    }
    #expect(error?.kind == .unreachable)
    let text = try folder.write("text", String(repeating: "this is not a database ", count: 100))
    error = await #expect(throws: SourceError.self) { try await SQLiteSource(path: text).read(request(s)) }
    #expect(error?.message.contains("not an SQLite database") == true)
    let w = try warehouse(folder, "CREATE TABLE t (d TEXT, v INTEGER)")
    #expect(try await w.read(request(s, .day)).rows.isEmpty)
    s.query = "DELETE FROM t"
    await #expect(throws: SourceError.self) { try await w.read(request(s)) }
    s.query =
      "WITH RECURSIVE r(d, v) AS (SELECT '2026-01-01', 1 UNION ALL SELECT d, v + 1 FROM r) SELECT d, count(*) AS v FROM r"
    var r = request(s)
    r.timeout = .milliseconds(300)
    error = await #expect(throws: SourceError.self) { try await w.read(r) }
    #expect(error?.kind == .timeout)
  }
}

@Suite struct CommandSourceTests {
  @Test func `prints CSV, and knows its range`() async throws {
    let c = CommandSource(arguments: ["/bin/sh", "-c", "echo time,value; echo $TOCSIN_FROM,1; echo 2026-01-02,2"])
    let reading = try await c.read(request(source(), .exact, from: "2026-01-01"))
    #expect(reading.rows.map(\.time.utcDate) == ["2026-01-01", "2026-01-02"])
  }

  @Test func `fails with what it said`() async throws {
    let c = CommandSource(arguments: ["/bin/sh", "-c", "echo no password >&2; exit 3"])
    let error = await #expect(throws: SourceError.self) { try await c.read(request(source())) }
    #expect(error?.message.contains("status 3") == true)
    #expect(error?.message.contains("no password") == true)
    await #expect(throws: SourceError.self) {
      try await CommandSource(arguments: ["/nowhere/at-all"]).read(request(source()))
    }
  }

  @Test func `that never ends is ended, with its children`() async throws {
    let folder = try Folder()
    let c = CommandSource(arguments: ["/bin/sh", "-c", "sleep 60 & echo $! > \(folder.path)/pid; wait"])
    var r = request(source())
    r.timeout = .milliseconds(500)
    let error = await #expect(throws: SourceError.self) { try await c.read(r) }
    #expect(error?.kind == .timeout)
    let pid = try #require(Int32(try String(contentsOfFile: folder.path + "/pid", encoding: .utf8).trimmed))
    var alive = true
    for _ in 0..<100 where alive {
      // A zombie that init has yet to reap is as dead.
      let stat = (try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)) ?? ""
      alive = kill(pid, 0) == 0 && !stat.contains(") Z ")
      if alive { try await Task.sleep(for: .milliseconds(20)) }
    }
    #expect(!alive)
  }
}

@Suite struct HostSourceTests {
  @Test func `every metric of this machine is a number`() async throws {
    let metrics = HostSource.metrics.map { DataSource.Metric(column: $0, alias: $0) }
    let reading = try await HostSource().read(request(source(metrics)))
    let values = try #require(reading.rows.first?.values)
    for (metric, value) in zip(metrics, values) where metric.alias != "swap_used" {
      let v = try #require(value, "\(metric.alias)")
      #expect(v >= 0)
      if ["cpu", "memory_used", "disk_used"].contains(metric.alias) { #expect(v <= 1) }
    }
    await #expect(throws: SourceError.self) {
      try await HostSource().read(request(source([.init(column: "luck", alias: "luck")])))
    }
    await #expect(throws: SourceError.self) {
      try await HostSource(proc: "/nowhere").read(request(source([.init(column: "load1", alias: "load")])))
    }
  }
}
