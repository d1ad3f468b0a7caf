package import Alerts
import GRDB

/// How far the service's time has come while it was ahead of the wall clock, kept beside the log: see ``SteadyTime/toKeep(_:wall:)``.
package final class TimeBook {
  private let queue: DatabaseQueue

  /// - Parameter path: a file that others may keep tables of their own in; nil keeps it in memory.
  package init(path: String?) throws {
    queue = try SideFile.open(
      path, label: "time",
      schema: "CREATE TABLE IF NOT EXISTS time (id INTEGER PRIMARY KEY CHECK (id = 1), reached INTEGER NOT NULL)")
  }

  /// Nil: never ahead.
  package func reached() throws -> Timestamp? {
    try queue.read { try Int64.fetchOne($0, sql: "SELECT reached FROM time").map { Timestamp(microseconds: $0) } }
  }

  package func write(_ reached: Timestamp) throws {
    try queue.write {
      try $0.execute(sql: "INSERT OR REPLACE INTO time VALUES (1, ?)", arguments: [reached.microseconds])
    }
  }
}
