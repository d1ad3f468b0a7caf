import Alerts
import Foundation
import Testing

@testable import Detectors

/// DuckDB by its own client: any program that prints CSV or JSON is a source, and does the work itself.
@Suite struct DuckDBTests {
  @Test(arguments: ["-csv", "-jsonlines", "-json"])
  func `windows are cut, and the range is kept, by duckdb itself`(_ form: String) async throws {
    let folder = try Folder()
    let duckdb = "\(RealServer.programs)/duckdb"
    let database = "\(folder.path)/shop.duckdb"
    let made = try await Subprocess.run(
      [
        duckdb, database,
        """
        CREATE TABLE orders AS SELECT TIMESTAMP '2026-03-01' + INTERVAL (i) HOUR AS placed, 2.5 AS amount,
          CASE WHEN i % 2 = 0 THEN 'web' ELSE 'a "b", c' END AS channel FROM range(240) t(i)
        """,
      ], environment: [:], timeout: .seconds(60))
    try #require(made.status == 0, "scripts/setup --tests installs duckdb: \(made.errors)")
    let sql = """
      SELECT strftime(date_trunc('day', placed), '%Y-%m-%d') AS day, channel, sum(amount) AS revenue FROM orders
      WHERE placed >= getenv('TOCSIN_FROM')::TIMESTAMP AND placed < getenv('TOCSIN_TO')::TIMESTAMP GROUP BY ALL ORDER BY ALL
      """
    let source = try connected(
      "command", ["command": .array([.string(duckdb), "-readonly", .string(form), .string(database), .string(sql)])])
    let s = DetectorsTests.source([.init(column: "revenue", alias: "revenue")], date: "day", dimensions: ["channel"])
    let rows = try await source.read(request(s, .day, from: "2026-03-04", to: "2026-03-06")).rows
    #expect(rows.map(\.dimensions) == [["a \"b\", c"], ["web"], ["a \"b\", c"], ["web"]])
    #expect(rows.allSatisfy { $0.values == [30] && $0.count == 1 })
    #expect(rows.first?.time.rfc3339 == "2026-03-04T00:00:00Z")
  }
}
