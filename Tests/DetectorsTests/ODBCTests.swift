import Alerts
import Foundation
import GRDB
import Testing

@testable import Detectors

@Suite struct ODBCTests {
  private func warehouse(_ folder: Folder) throws -> any MetricSource {
    let queue = try DatabaseQueue(path: folder.path + "/w.sqlite")
    try queue.write {
      try $0.execute(
        sql: """
          CREATE TABLE views (day TEXT, device TEXT, n INTEGER);
          INSERT INTO views VALUES ('2026-03-01', 'mobile', 3), ('2026-03-01', 'mobile', 4), ('2026-03-01', 'desktop', 5),
            ('2026-03-02', 'mobile', NULL), ('2026-03-03', 'möbile', 9);
          """)
    }
    return try connected("odbc", ["connection_string": .string("Driver={SQLite3};Database=\(folder.path)/w.sqlite")])
  }

  private var views: DataSource {
    var s = source([.init(column: "n", alias: "n")], date: "day", dimensions: ["device"])
    s.table = "views"
    return s
  }

  @Test func `Debian's SQLite driver reads days`() async throws {
    let folder = try Folder()
    let source = try warehouse(folder)
    let reading = try await source.read(request(views, .day, from: "2026-03-01", to: "2026-03-03"))
    #expect(reading.rows.map(\.dimensions) == [["desktop"], ["mobile"], ["mobile"]])
    #expect(reading.rows.map(\.values) == [[5], [7], [nil]])
    #expect(reading.rows.map(\.count) == [1, 2, 1])
    let all = try await source.read(request(views, .week))
    #expect(all.rows.map(\.dimensions) == [["desktop"], ["mobile"], ["mobile"], ["möbile"]])
    #expect(all.rows.first?.time.rfc3339 == "2026-02-23T00:00:00Z")
  }

  @Test func `a query over ODBC, and what goes wrong`() async throws {
    let folder = try Folder()
    let source = try warehouse(folder)
    var s = views
    s.table = nil
    s.query =
      "SELECT day, device, sum(n) AS n FROM views WHERE day >= :window_start AND day < :window_end GROUP BY 1, 2"
    let rows = try await source.read(request(s, .day, from: "2026-03-03", to: "2026-03-04")).rows
    #expect(rows.map(\.values) == [[9]])
    s.query = "SELECT nonsense FROM views"
    var error = await #expect(throws: SourceError.self) { try await source.read(request(s, .day)) }
    #expect(error?.kind == .query)
    let unknown = try connected("odbc", ["dsn": "nowhere", "password": "s3cret-word"])
    error = await #expect(throws: SourceError.self) { try await unknown.read(request(s, .day)) }
    #expect(error?.kind == .settings)
    #expect(error?.message.contains("s3cret-word") == false)
  }

  @Test func `each dialect cuts each window, or says that it can't`() throws {
    for dialect in SQLDialect.allCases {
      for bucket in [Bucket.exact, .day, .week, .hour, .step(.minutes(5))] {
        if dialect == .ansi, bucket != .exact, bucket != .day {
          #expect(throws: SourceError.self) { try dialect.statement(request(views, bucket)) }
        } else {
          let (sql, parameters) = try dialect.statement(request(views, bucket, from: "2026-01-01")).template
            .rendered { _, _ in "?" }
          #expect(parameters == [.windowEnd, .windowStart])
          #expect(sql.contains("GROUP BY"))
        }
      }
    }
    #expect(SQLDialect(database: "Microsoft SQL Server") == .ansi)
    #expect(SQLDialect(database: "PostgreSQL") == .postgres)
  }

  @Test func `options that make no sense are told at once`() {
    #expect(throws: SourceError.self) { try connected("odbc", [:]) }
    #expect(throws: SourceError.self) { try connected("odbc", ["dsn": "a", "connection_string": "b"]) }
    #expect(throws: SourceError.self) { try connected("odbc", ["dsn": "a", "dialect": "klingon"]) }
    #expect(throws: SourceError.self) { try connected("postgres", [:]) }
    #expect(throws: SourceError.self) { try connected("postgres", ["url": "postgresql://x/y", "database": "z"]) }
    #expect(throws: SourceError.self) { try connected("prometheus", ["url": "ftp://x"]) }
    #expect(throws: SourceError.self) { try connected("clickhouse", ["url": "http://u:p@x"]) }
  }
}

@Suite struct SQLTemplateTests {
  @Test(arguments: [
    ("a :window_start b", "a ? b", 1),
    ("':window_start' \":window_end\" :window_end", "':window_start' \":window_end\" ?", 1),
    ("a -- :window_start\n:window_end", "a -- :window_start\n?", 1),
    ("/* :window_end */ :window_end", "/* :window_end */ ?", 1),
    ("x::window_start", "x::window_start", 0), (":window_start2 :window", ":window_start2 :window", 0),
    (":window_start:window_end", "??", 2), ("'open :window_start", "'open :window_start", 0), ("", "", 0),
    ("/* open", "/* open", 0), (":window_end", "?", 1), ("é:window_end", "é?", 1),
  ])
  func `parameters stand where they are no text`(_ sql: String, _ rendered: String, _ count: Int) {
    let out = SQLTemplate(sql).rendered { _, _ in "?" }
    #expect(out.sql == rendered)
    #expect(out.parameters.count == count)
  }

  @Test func `a wall clock is the zone's, and a date alone at midnight`() throws {
    let zone = try #require(Zone(name: "Europe/Berlin"))
    func text(_ t: String) -> String { SQLStatement.wallClock(Timestamp(rfc3339: t) ?? .epoch, zone) }
    #expect(text("2026-03-27T23:00:00Z") == "2026-03-28")
    #expect(text("2026-07-01T12:00:00Z") == "2026-07-01 14:00:00")
    #expect(text("2026-07-01T12:00:00.5Z") == "2026-07-01 14:00:01")
  }
}
