package import Alerts
import GRDB

/// Who said of itself that it must be heard, kept beside the log: a worker that falls silent while the service restarts is missed all the same.
///
/// Written only when something about a promise changes: a heartbeat that repeats it costs nothing here.
package final class HeartbeatBook {
  /// What somebody promised.
  package struct Promise: Sendable, Equatable {
    /// The longest silence.
    package var within: Interval
    /// It was broken, and an alert said so: it is not said again until the worker was heard.
    package var isSilent: Bool
    package init(within: Interval, isSilent: Bool = false) {
      self.within = within
      self.isSilent = isSilent
    }
  }
  private let queue: DatabaseQueue

  /// - Parameter path: a file that others may keep tables of their own in; nil keeps it in memory.
  package init(path: String?) throws {
    queue = try SideFile.open(
      path, label: "heartbeats",
      schema: """
        CREATE TABLE IF NOT EXISTS promises (
          name TEXT PRIMARY KEY, within INTEGER NOT NULL, is_silent INTEGER NOT NULL) WITHOUT ROWID;
        """)
  }

  package func all() throws -> [String: Promise] {
    try queue.read { db in
      var all: [String: Promise] = [:]
      for row in try Row.fetchAll(db, sql: "SELECT name, within, is_silent FROM promises") {
        all[row["name"]] = Promise(within: Interval(microseconds: row["within"]), isSilent: row["is_silent"])
      }
      return all
    }
  }

  /// - Parameter changes: nil for who has taken its leave. Written together, or not at all.
  package func write(_ changes: [String: Promise?]) throws {
    try queue.write { db in
      let put = try db.cachedStatement(sql: "INSERT OR REPLACE INTO promises VALUES (?, ?, ?)")
      let remove = try db.cachedStatement(sql: "DELETE FROM promises WHERE name = ?")
      for (name, promise) in changes.sorted(by: { $0.key < $1.key }) {
        if let promise {
          try put.execute(arguments: [name, promise.within.microseconds, promise.isSilent])
        } else {
          try remove.execute(arguments: [name])
        }
      }
    }
  }
}
