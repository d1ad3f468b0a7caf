import Alerts
import Testing

@testable import Detectors

/// Debian's MariaDB, over ODBC.
@Suite(.serialized) struct MariaDBTests {
  private let source: any MetricSource
  private var orders: DataSource {
    var s = DetectorsTests.source(
      [.init(column: "amount", alias: "revenue"), .init(column: "*", alias: "orders", aggregate: "count")], date: "at",
      dimensions: ["channel"])
    s.table = "orders"
    return s
  }

  init() throws {
    let server = try Servers.mariadb.get()
    source = try connected(
      "odbc",
      [
        "connection_string": .string("Driver={MariaDB Unicode};Server=127.0.0.1;Port=\(server.port);Database=shop"),
        "user": "tocsin", "password": .string(server.text("password")),
      ])
  }

  @Test(arguments: [(Bucket.day, 4), (.hour, 4), (.week, 3), (.step(.hours(6)), 4), (.exact, 4)])
  func `windows, numbers and foreign letters`(_ bucket: Bucket, _ count: Int) async throws {
    let rows = try await source.read(request(orders, bucket, from: "2026-02-28", to: "2026-03-09")).rows
    #expect(rows.count == (bucket == .day ? 3 : count))
    if bucket == .day {
      #expect(rows.map(\.dimensions) == [["web"], ["app"], ["wéb"]])
      #expect(rows.map(\.values) == [[3.5, 2], [nil, 1], [4, 1]])
      #expect(rows.first?.time.rfc3339 == "2026-03-01T00:00:00Z")
    }
    let cut = try await source.read(request(orders, bucket, from: "2026-03-02", to: "2026-03-02T12:00:01Z")).rows
    #expect(cut.count == 2)
  }

  @Test func `a query's window is bound; a wrong one, a slow one and a wrong password are told apart`() async throws {
    var s = DetectorsTests.source([.init(column: "n", alias: "n")], date: "day")
    s.query =
      "SELECT date(at) AS day, count(*) AS n FROM orders WHERE at >= :window_start AND at < :window_end GROUP BY 1"
    let rows = try await source.read(request(s, .day, from: "2026-03-02", to: "2026-03-03")).rows
    #expect(rows.map(\.values) == [[2]])
    for (query, kind) in [
      ("SELECT nonsense", SourceError.Kind.query), ("SELECT '2026-03-01' AS day, sleep(20) AS n", .timeout),
    ] {
      s.query = query
      var r = request(s, .day)
      r.timeout = .seconds(1)
      let bounded = r
      let error = await #expect(throws: SourceError.self) { try await source.read(bounded) }
      #expect(error?.kind == kind, "\(String(describing: error))")
    }
    let server = try Servers.mariadb.get()
    let stranger = try connected(
      "odbc",
      [
        "connection_string": .string("Driver={MariaDB Unicode};Server=127.0.0.1;Port=\(server.port);Database=shop"),
        "user": "tocsin", "password": "wr0ng-word",
      ])
    let error = await #expect(throws: SourceError.self) { try await stranger.read(request(orders, .day)) }
    #expect(error?.message.contains("wr0ng-word") == false)
    #expect(error?.kind == .refused, "\(String(describing: error))")
  }
}
