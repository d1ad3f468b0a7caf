import Alerts
import Foundation
import Testing

@testable import Detectors

/// Debian's own Prometheus, with a past that was written for it.
@Suite(.serialized) final class PrometheusTests {
  private let prometheus: any MetricSource
  init() throws {
    let server = try Servers.prometheus.get()
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

/// ClickHouse's own engine, behind a door that takes what its HTTP interface takes.
@Suite(.serialized) final class ClickHouseTests {
  private let server: RealServer
  init() throws { server = try Servers.clickhouse.get() }

  private func clickhouse(password: String = "s3cret-word", _ more: [String: JSON] = [:]) throws -> any MetricSource {
    try connected(
      "clickhouse",
      ["url": .string("http://127.0.0.1:\(server.port)"), "user": "reader", "password": .string(password)]
        .merging(more) { $1 })
  }
  private func events(_ date: String = "at", table: String = "events") -> DataSource {
    var s = source([.init(column: "amount", alias: "amount")], date: date, dimensions: ["country"])
    s.table = table
    return s
  }

  @Test(
    arguments: [(Bucket.day, 3), (.hour, 4), (.week, 3), (.step(.hours(6)), 4), (.exact, 4)],
    ["at", "exactly", "seconds"])
  func `windows are cut by the server, whatever type the times have`(
    _ cut: (bucket: Bucket, count: Int), _ column: String
  )
    async throws
  {
    let r = request(events(column), cut.bucket, from: "2026-02-28T23:00:00Z", to: "2026-03-09", zone: "Europe/Berlin")
    let rows = try await clickhouse().read(r).rows
    #expect(rows.count == cut.count)
    if cut.bucket == .day {
      #expect(rows.map(\.time.rfc3339) == ["2026-02-28T23:00:00Z", "2026-03-01T23:00:00Z", "2026-03-01T23:00:00Z"])
      #expect(rows.map(\.values) == [[1], [6], [nil]])
      #expect(rows.map(\.count) == [1, 2, 1])
      #expect(rows.map(\.dimensions) == [["DE"], ["DE"], ["FR"]])
    }
  }

  @Test func `dates alone are days of the data's zone, and a filter holds`() async throws {
    var s = events("day")
    s.filter = "country = 'DE'"
    let rows = try await clickhouse().read(request(s, .day, zone: "Europe/Berlin")).rows
    #expect(rows.map(\.time.rfc3339) == ["2026-02-28T23:00:00Z", "2026-03-01T23:00:00Z"])
    #expect(rows.map(\.values) == [[3], [4]])
    #expect(try await clickhouse().read(request(events("day", table: "shop.orders"), .day)).rows.count == 3)
  }

  @Test func `a query's window is a typed parameter`() async throws {
    var s = source([.init(column: "n", alias: "n")], date: "d")
    s.query = "SELECT '2026-03-01' AS d, count() AS n FROM events WHERE at >= :window_start AND at < :window_end"
    let rows = try await clickhouse().read(request(s, .day, from: "2026-03-01", to: "2026-03-02")).rows
    #expect(rows.map(\.values) == [[2]])
  }

  @Test(arguments: [
    ("SELECT * FROM nothing", SourceError.Kind.query, "nothing"), ("SELECT nonsense FROM events", .query, "nonsense"),
    ("SELECT sleepEachRow(1) AS day, 1 AS value FROM numbers(30)", .timeout, "longer than"),
    ("DROP TABLE events", .settings, "only read"),
    ("CREATE TABLE t ENGINE = Memory AS SELECT 1", .settings, "only read"),
    ("SELECT throwIf(number = 3) AS day, number AS value FROM numbers(9)", .query, "throwIf"),
  ])
  func `a query that can't be`(_ query: String, _ kind: SourceError.Kind, _ word: String) async throws {
    var s = source(date: "day")
    s.query = query
    var r = request(s)
    r.timeout = .seconds(1)
    let (bounded, source) = (r, try clickhouse())
    let error = await #expect(throws: SourceError.self) { try await source.read(bounded) }
    #expect(error?.kind == kind, "\(String(describing: error))")
    #expect(error?.message.contains(word) == true, "\(String(describing: error))")
    // And nothing was changed.
    #expect(try await clickhouse().read(request(events(), .day)).rows.count == 3)
  }

  @Test func `who may not, and too much`() async throws {
    let r = request(events(), .day)
    var error = await #expect(throws: SourceError.self) { try await clickhouse(password: "wr0ng-word").read(r) }
    #expect(error?.kind == .refused)
    #expect(error?.message.contains("wr0ng-word") == false)
    var limited = r
    limited.rowLimit = 1
    let (bounded, source) = (limited, try clickhouse())
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
