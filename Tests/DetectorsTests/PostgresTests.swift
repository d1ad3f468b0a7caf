import Alerts
import Foundation
import Testing

@testable import Detectors

/// A real PostgreSQL, started for this suite alone, native and through Debian's ODBC driver.
@Suite(.serialized) final class PostgresTests {
  private let server: RealServer
  init() throws { server = try Servers.postgres.get() }

  private func postgres(_ more: [String: JSON] = [:]) throws -> any MetricSource {
    let options: [String: JSON] = [
      "host": .string(server.text("host")), "port": .int(server.port), "database": "postgres", "user": "tocsin",
    ]
    return try connected("postgres", options.merging(more) { $1 })
  }

  private func odbc(driver: String = "PostgreSQL Unicode", dialect: String? = nil) throws -> any MetricSource {
    var options: [String: JSON] = [
      "connection_string": .string(
        "Driver={\(driver)};Server=127.0.0.1;Port=\(server.port);Database=postgres"), "user": "tocsin",
      "password": .string(server.text("password")),
    ]
    if let dialect { options["dialect"] = .string(dialect) }
    return try connected("odbc", options)
  }

  private func orders(_ date: String, dimensions: [String] = ["Channel"]) -> DataSource {
    var s = source(
      [.init(column: "AMOUNT", alias: "revenue"), .init(column: "*", alias: "orders", aggregate: "count")], date: date,
      dimensions: dimensions)
    s.table = "ORDERS"
    return s
  }

  private func day(_ text: String) throws -> Timestamp { try #require(Timestamp(rfc3339: text)) }

  @Test(arguments: ["at", "local", "day", "seconds", "millis"])
  func `days of Berlin, the 23-hour one among them, whatever type the times have`(_ column: String) async throws {
    let r = request(
      orders(column), .day, from: "2026-03-24T23:00:00Z", to: "2026-03-30T22:00:00Z", zone: "Europe/Berlin")
    let reading = try await postgres().read(r)
    let web = reading.rows.filter { $0.dimensions == ["web"] }
    #expect(web.map(\.count) == [24, 24, 24, 24, 23, 24])
    #expect(web.map(\.values) == [[240, 24], [240, 24], [240, 24], [240, 24], [230, 23], [240, 24]])
    #expect(web.first?.time == (try day("2026-03-24T23:00:00Z")))
    #expect(web.last?.time == (try day("2026-03-29T22:00:00Z")))
    // A day without a row of the app gives no row, which is not a zero.
    #expect(reading.rows.count { $0.dimensions == ["app"] } == 5)
    #expect(
      !reading.rows.contains { $0.dimensions == ["app"] && $0.time == Timestamp(rfc3339: "2026-03-27T23:00:00Z") })
  }

  @Test(arguments: [
    (Bucket.hour, 36, "2026-03-25T00:00:00Z"), (.week, 4, "2026-03-23T00:00:00Z"),
    (.step(.hours(6)), 8, "2026-03-25T00:00:00Z"), (.exact, 36, "2026-03-25T00:30:00Z"),
  ])
  func `hours, weeks, steps and points`(_ bucket: Bucket, _ count: Int, _ first: String) async throws {
    let r = request(orders("at"), bucket, from: "2026-03-25", to: bucket == .week ? "2026-04-06" : "2026-03-26")
    let rows = try await postgres().read(r).rows
    #expect(rows.count == count)
    #expect(rows.first?.time == (try day(first)))
  }

  @Test func `a query's window is bound, not pasted in`() async throws {
    var s = source([.init(column: "revenue", alias: "revenue")], date: "day", dimensions: ["Channel"])
    s.query = """
      SELECT date_trunc('day', at) AS day, "Channel", sum(amount) AS revenue -- not :window_start
      FROM "ORDERS" WHERE at >= :window_start AND at < :window_end AND note <> ':window_end' AND 1::int = 1 GROUP BY 1, 2
      """
    let r = request(s, .day, from: "2026-03-24T23:00:00Z", to: "2026-03-25T23:00:00Z", zone: "Europe/Berlin")
    let rows = try await postgres().read(r).rows
    #expect(rows.map(\.dimensions) == [["app"], ["web"]])
    #expect(rows.map(\.values) == [[120], [240]])
  }

  @Test func `texts for times, nulls and NaN`() async throws {
    var s = source([.init(column: "v", alias: "v", aggregate: "none")], date: "ts")
    s.table = "public.schema_less"
    let rows = try await postgres().read(request(s, .exact, from: "2026-03-01", to: "2026-04-01")).rows
    #expect(rows.map(\.values) == [[1], [nil], [nil]])
    s.table = "empty_table"
    s.dateColumn = "at"
    s.metrics = [.init(column: "amount", alias: "v")]
    #expect(try await postgres().read(request(s, .day)).rows == [])
  }

  @Test(arguments: [
    (
      "SELECT 1 AS day, 2 AS value WHERE :window_start < now() AND pg_sleep(30) IS NULL", SourceError.Kind.timeout,
      "longer than"
    ),
    ("DELETE FROM \"ORDERS\"", .settings, "only read"), ("SELECT nonsense", .query, "nonsense"),
    ("SELECT * FROM pg_authid", .query, "no column"),
  ])
  func `a query that can't be`(_ query: String, _ kind: SourceError.Kind, _ word: String) async throws {
    var s = source(date: "day")
    s.query = query
    var r = request(s)
    r.timeout = .milliseconds(700)
    let source = try postgres()
    let begin = ContinuousClock.now
    let error = await #expect(throws: SourceError.self) { try await source.read(r) }
    #expect(error?.kind == kind, "\(String(describing: error))")
    #expect(error?.message.contains(word) == true, "\(String(describing: error))")
    #expect(ContinuousClock.now - begin < .seconds(5))
  }

  @Test func `a server that is not there, and one that refuses, without the password in the words`() async throws {
    let r = request(orders("at"))
    let tcp: [String: JSON] = ["host": "127.0.0.1", "password": "wr0ng-word"]
    var error = await #expect(throws: SourceError.self) { try await postgres(tcp).read(r) }
    #expect(error?.kind == .refused)
    #expect(error?.message.contains("wr0ng-word") == false)
    error = await #expect(throws: SourceError.self) { try await postgres(["host": "/nonexistent"]).read(r) }
    #expect(error?.kind == .unreachable)
    let url = "postgresql://tocsin:\(server.text("password"))@127.0.0.1:\(server.port)/postgres"
    #expect(try await connected("postgres", ["url": .string(url)]).read(r).rows.isEmpty == false)
  }

  @Test func `a column and a table that are not there are said with those that are`() async throws {
    var s = orders("at")
    s.metrics = [.init(column: "amuont", alias: "x")]
    var error = await #expect(throws: SourceError.self) { try await postgres().read(request(s)) }
    #expect(error?.message.contains("did you mean amount") == true, "\(String(describing: error))")
    s.table = "oders"
    error = await #expect(throws: SourceError.self) { try await postgres().read(request(s)) }
    #expect(error?.message.contains("no table oders") == true)
    s.table = "orders\"; DROP TABLE x; --"
    error = await #expect(throws: SourceError.self) { try await postgres().read(request(s)) }
    #expect(error?.kind == .settings)
  }

  @Test func `the number of rows is bounded`() async throws {
    var r = request(orders("at"), .hour)
    r.rowLimit = 10
    let source = try postgres()
    let error = await #expect(throws: SourceError.self) { try await source.read(r) }
    #expect(error?.kind == .too_many_rows)
  }

  @Test(arguments: ["postgres", "odbc"])
  func `Elementary's results, native and over ODBC`(_ kind: String) async throws {
    let source = kind == "odbc" ? try odbc() : try postgres()
    let database = try #require(source as? any SQLDatabase)
    let elementary = ElementarySource(database: database, schema: "elementary", longestSilence: nil)
    let reading = try await elementary.verdicts(since: .epoch, now: try day("2026-03-02"), timeout: .seconds(5))
    #expect(reading.verdicts.map(\.check) == ["test.shop.other", "test.shop.volume"])
    #expect(reading.verdicts.map(\.status) == [.pass, .bad(.high)])
    #expect(reading.verdicts[1].value == 3)
    #expect(reading.verdicts[1].at == (try day("2026-03-01T06:00:00Z")))
    let later = try await elementary.verdicts(
      since: try day("2026-03-03T07:00:00Z"), now: try day("2026-03-04"), timeout: .seconds(5))
    #expect(later.verdicts == [])
  }

  // MARK: The same over ODBC

  @Test(arguments: ["PostgreSQL Unicode", "PostgreSQL ANSI"])
  func `a table over ODBC, in the dialect that the driver names`(_ driver: String) async throws {
    let source = try odbc(driver: driver)
    let s = orders("local")
    var lower = s
    lower.metrics[0].column = "amount"
    let r = request(lower, .day, from: "2026-03-24T23:00:00Z", to: "2026-03-30T22:00:00Z", zone: "Europe/Berlin")
    let native = try await postgres().read(
      request(s, .day, from: "2026-03-24T23:00:00Z", to: "2026-03-30T22:00:00Z", zone: "Europe/Berlin"))
    #expect(try await source.read(r).rows == native.rows)
  }

  @Test(arguments: [Bucket.hour, .week, .step(.hours(6)), .exact])
  func `ODBC cuts the same windows as PostgreSQL's own source`(_ bucket: Bucket) async throws {
    var s = orders("local")
    s.metrics[0].column = "amount"
    let r = request(s, bucket, from: "2026-03-30", to: "2026-04-02")
    let own = try await postgres().read(r).rows
    #expect(try await odbc().read(r).rows == own)
    #expect(own.count > 1)
  }

  @Test func `ODBC binds a query's window, reads long and foreign text, and stops in time`() async throws {
    var s = source([.init(column: "revenue", alias: "revenue")], date: "day", dimensions: ["note"])
    s.query = """
      SELECT CAST(day AS text) AS day, note || repeat('x', 5000) AS note, sum(amount) AS revenue FROM "ORDERS"
      WHERE day >= CAST(:window_start AS date) AND day < CAST(:window_end AS date) GROUP BY 1, 2
      """
    let rows = try await odbc().read(request(s, .day, from: "2026-03-25", to: "2026-03-26")).rows
    #expect(rows.map(\.values) == [[360]])
    #expect(rows.first?.dimensions == ["Grüße, \"quoted\"" + String(repeating: "x", count: 5000)])
    s.query = "SELECT 'x' AS day, 'x' AS note, 1 AS revenue FROM (SELECT pg_sleep(30)) z"
    var r = request(s)
    r.timeout = .seconds(1)
    let source = try odbc()
    let begin = ContinuousClock.now
    let error = await #expect(throws: SourceError.self) { try await source.read(r) }
    #expect(error?.kind == .timeout)
    #expect(ContinuousClock.now - begin < .seconds(8))
  }
}
