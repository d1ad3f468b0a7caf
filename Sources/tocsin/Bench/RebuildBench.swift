import Alerts
import EventLog
import Foundation
import Projections

/// How fast the tables are built anew from a log, beside raw SQLite that inserts that log's rows.
struct RebuildBench {
  let log: String
  /// Rows per second.
  let raw: Double

  func run(_ table: inout BenchTable) throws {
    let store = try ProjectionStore(path: log + ".projections", logger: BenchLog.quiet)
    let start = ContinuousClock.now
    let events = try store.rebuild(from: try EventLogReader(path: log)) { _, _ in }
    let rate = Double(events) / max((ContinuousClock.now - start) / .seconds(1), 1e-9)
    table.add(
      "projections rebuilt, events", "\(Format.number(rate.rounded()))/s",
      limit: "\(Format.number(raw.rounded()))/s raw SQLite", ratio: rate / raw)
  }
}
