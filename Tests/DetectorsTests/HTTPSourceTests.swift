import Alerts
import Foundation
import Testing

@testable import Detectors

/// Debian's own Prometheus, with a past that was written for it.
@Suite(.serialized) final class PrometheusTests {
  private static let server = Result {
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
    let path = FileManager.default.temporaryDirectory.path + "/tocsin-openmetrics-\(UUID().uuidString)"
    try (text + "# EOF\n").write(toFile: path, atomically: true, encoding: .utf8)
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try RealServer("prometheus.py", [path])
  }
  private let prometheus: any MetricSource
  init() throws {
    let server = try PrometheusTests.server.get()
    prometheus = try connected("prometheus", ["url": .string("http://127.0.0.1:\(server.port)/")])
  }

  @Test func `each metric is evaluated at the end of each window, by label`() async throws {
    let s = source(
      [.init(column: "sum by (shop) (increase(orders_total[$window]))", alias: "orders")], dimensions: ["shop"])
    let rows = try await prometheus.read(request(s, .day, from: "2026-03-01", to: "2026-03-05")).rows
    #expect(rows.count { $0.dimensions == ["a"] } == 4)
    #expect(rows.first?.time.rfc3339 == "2026-03-01T00:00:00Z")
    let a = rows.filter { $0.dimensions == ["a"] }.compactMap { $0.values[0] }
    #expect(a.allSatisfy { abs($0 - 2880) < 30 }, "\(a)")
    // The third day of b: no sample, no row. That is not a zero.
    #expect(rows.filter { $0.dimensions == ["b"] }.map(\.time.rfc3339).contains("2026-03-03T00:00:00Z") == false)
  }

  @Test func `hours, points, several metrics, NaN, and a change of the clock`() async throws {
    let s = source([.init(column: "queue", alias: "q"), .init(column: "2 * queue", alias: "twice")])
    let hours = try await prometheus.read(request(s, .hour, from: "2026-03-01", to: "2026-03-02T02:00:00Z")).rows
    #expect(hours.count == 26)
    #expect(hours[0].values == [7, 14])
    #expect(hours[23].values == [nil, nil])
    let points = try await prometheus.read(request(s, .exact, from: "2026-03-01", to: "2026-03-01T00:10:00Z")).rows
    #expect(points.map(\.values) == Array(repeating: [7, 14], count: 10))
    let spring = PrometheusSource.stretches(
      request(s, .day, from: "2026-03-26T23:00:00Z", to: "2026-03-31T22:00:00Z", zone: "Europe/Berlin"))
    #expect(spring.map(\.starts.count) == [2, 3])
    #expect(spring.map(\.step) == [.days(1), .days(1)])
  }

  @Test func `more points than one answer may have are asked in pieces`() throws {
    let r = request(source(), .step(.minutes(1)), from: "2026-03-01", to: "2026-03-18")
    let stretches = PrometheusSource.stretches(r)
    #expect(stretches.map(\.starts.count) == [10_000, 10_000, 4480])
    #expect(stretches[1].first - stretches[0].first == .minutes(10_000))
  }

  @Test(arguments: [
    ("sum(", SourceError.Kind.query, "parse error"), ("orders_total", .query, "several series"),
    ("\"text\"", .query, "string"),
  ])
  func `an expression that can't be`(_ expression: String, _ kind: SourceError.Kind, _ word: String) async throws {
    let s = source([.init(column: expression, alias: "v")])
    let r = request(s, .hour, from: "2026-03-01", to: "2026-03-02")
    let prometheus = prometheus
    let error = await #expect(throws: SourceError.self) { try await prometheus.read(r) }
    #expect(error?.kind == kind)
    #expect(error?.message.contains(word) == true, "\(String(describing: error))")
  }

  @Test func `nobody there, the row limit, and nothing at all`() async throws {
    let s = source([.init(column: "queue", alias: "v")])
    let gone = try connected("prometheus", ["url": "http://127.0.0.1:1"])
    let error = await #expect(throws: SourceError.self) { try await gone.read(request(s, .hour, from: "2026-03-01")) }
    #expect(error?.kind == .unreachable)
    var r = request(s, .hour, from: "2026-03-01", to: "2026-03-02")
    r.rowLimit = 5
    let (limited, prometheus) = (r, prometheus)
    #expect(await #expect(throws: SourceError.self) { try await prometheus.read(limited) }?.kind == .too_many_rows)
    let nothing = source([.init(column: "no_such_metric", alias: "v")])
    #expect(try await prometheus.read(request(nothing, .hour, from: "2026-03-01", to: "2026-03-02")).rows == [])
  }
}

/// Against a stand-in that checks the protocol as ClickHouse documents it: Debian has no ClickHouse.
@Suite(.serialized) final class ClickHouseTests {
  private static let server = Result {
    let path = FileManager.default.temporaryDirectory.path + "/tocsin-clickhouse-\(UUID().uuidString).sql"
    let sql = """
      CREATE TABLE events (at TEXT, country TEXT, amount REAL);
      INSERT INTO events VALUES ('2026-03-01 00:30:00', 'DE', 1), ('2026-03-01 23:30:00', 'DE', 2), ('2026-03-02 12:00:00', 'DE', 4),
        ('2026-03-02 12:00:00', 'FR', NULL);
      """
    try sql.write(toFile: path, atomically: true, encoding: .utf8)
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try RealServer("clickhouse.py", [path])
  }
  private let server: RealServer
  init() throws { server = try ClickHouseTests.server.get() }

  private func clickhouse(password: String = "s3cret-word") throws -> any MetricSource {
    try connected(
      "clickhouse",
      ["url": .string("http://127.0.0.1:\(server.port)"), "user": "reader", "password": .string(password)])
  }
  private var events: DataSource {
    var s = source([.init(column: "amount", alias: "amount")], date: "at", dimensions: ["country"])
    s.table = "events"
    return s
  }

  @Test(arguments: [(Bucket.day, 3), (.hour, 4), (.week, 3), (.step(.hours(6)), 4), (.exact, 4)])
  func `windows are cut by the server`(_ bucket: Bucket, _ count: Int) async throws {
    let r = request(events, bucket, from: "2026-02-28T23:00:00Z", to: "2026-03-09", zone: "Europe/Berlin")
    let rows = try await clickhouse().read(r).rows
    #expect(rows.count == count)
    if bucket == .day {
      #expect(rows.map(\.time.rfc3339) == ["2026-02-28T23:00:00Z", "2026-03-01T23:00:00Z", "2026-03-01T23:00:00Z"])
      #expect(rows.map(\.values) == [[3], [4], [nil]])
      #expect(rows.map(\.count) == [2, 1, 1])
    }
  }

  @Test func `a query's window is a typed parameter`() async throws {
    var s = source([.init(column: "n", alias: "n")], date: "d")
    s.query = "SELECT '2026-03-01' AS d, count() AS n FROM events WHERE at >= :window_start AND at < :window_end"
    let rows = try await clickhouse().read(request(s, .day, from: "2026-03-01", to: "2026-03-02")).rows
    #expect(rows.map(\.values) == [[2]])
  }

  @Test func `what it refuses`() async throws {
    let r = request(events, .day)
    var error = await #expect(throws: SourceError.self) { try await clickhouse(password: "wr0ng-word").read(r) }
    #expect(error?.kind == .refused)
    #expect(error?.message.contains("wr0ng-word") == false)
    var s = events
    s.table = "nothing"
    error = await #expect(throws: SourceError.self) { try await clickhouse().read(request(s, .day)) }
    #expect(error?.kind == .query)
    s.query = "SELECT sleep(3)"
    var slow = request(s, .day)
    slow.timeout = .seconds(1)
    let (late, source) = (slow, try clickhouse())
    error = await #expect(throws: SourceError.self) { try await source.read(late) }
    #expect(error?.kind == .timeout)
    var limited = r
    limited.rowLimit = 1
    let bounded = limited
    error = await #expect(throws: SourceError.self) { try await source.read(bounded) }
    #expect(error?.kind == .too_many_rows)
  }
}

@Suite struct StreamTests {
  private func pipe() throws -> (read: Int32, write: FileHandle) {
    var ends: [Int32] = [0, 0]
    #expect(Foundation.pipe(&ends) == 0)
    return (ends[0], FileHandle(fileDescriptor: ends[1], closeOnDealloc: true))
  }

  private func rows(_ stream: StreamSource, atLeast n: Int) async throws -> [SourceReading.Row] {
    for _ in 0..<200 {
      let rows = try await stream.read(request(source())).rows
      if rows.count >= n { return rows }
      try await Task.sleep(for: .milliseconds(10))
    }
    return []
  }

  @Test func `rows come while the program before the pipe runs, and its end is told`() async throws {
    let (read, write) = try pipe()
    let stream = StreamSource(descriptor: read)
    try write.write(contentsOf: Data("timestamp,value\n2026-01-01,1\n2026-01-02,".utf8))
    #expect(try await rows(stream, atLeast: 1).map(\.values) == [[1]])
    try write.write(contentsOf: Data("2\n2026-01-03,3".utf8))
    #expect(try await rows(stream, atLeast: 2).map(\.values) == [[1], [2]])
    try write.close()
    // The last line, that no line break ends, and then nothing more.
    var last: [SourceReading.Row] = []
    for _ in 0..<200 where last.count < 3 {
      try await Task.sleep(for: .milliseconds(10))
      last = try await stream.read(request(source())).rows
    }
    #expect(last.map(\.values) == [[1], [2], [3]])
    let error = await #expect(throws: SourceError.self) { try await stream.read(request(source())) }
    #expect(error?.message.contains("ended") == true)
  }

  @Test func `the newest part alone when there is too much`() async throws {
    let (read, write) = try pipe()
    let stream = StreamSource(descriptor: read, whole: true, limit: 64 << 10)
    let n = 5000
    let writer = Task.detached {
      var text = "timestamp,value,filler\n"
      for i in 0..<n {
        text += "\(1_700_000_000 + i),\(i),xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n"
        if text.utf8.count > 20_000 || i == n - 1 {
          try write.write(contentsOf: Data(text.utf8))
          text = ""
        }
      }
      try write.close()
    }
    var r = request(source())
    r.timeout = .seconds(60)
    let rows = try await stream.read(r).rows
    try await writer.value
    #expect(rows.last?.values == [Double(n - 1)])
    #expect(rows.count < n)
    #expect(rows.count > 500)
  }
}
