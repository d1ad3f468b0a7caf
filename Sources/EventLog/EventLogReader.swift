package import Alerts
import Foundation
import GRDB

/// Reads the log's file beside its writer, from any thread or process.
package final class EventLogReader: EventReading {
  package let path: String
  private let pool: DatabasePool

  /// - Throws: ``EventLogError`` if there is no log at `path`.
  package init(path: String) throws(EventLogError) {
    self.path = path
    guard FileManager.default.fileExists(atPath: path) else {
      throw EventLogError(
        .unreadable, "there is no log at \(path)", mend: "start the service once, or check `log:` in tocsin.yaml")
    }
    do {
      var configuration = GRDB.Configuration()
      configuration.readonly = true
      configuration.label = "event log reader"
      configuration.maximumReaderCount = 4
      configuration.busyMode = .timeout(5)
      pool = try DatabasePool(path: path, configuration: configuration)
      try pool.read { db in try LogSchema.prepare(db, path: path) }
    } catch { throw SQLiteEventLog.explain(error, path) }
  }

  package func head() throws -> Int64 {
    do {
      return try pool.read { db in try Int64.fetchOne(db, sql: "SELECT max(position) FROM events") ?? 0 }
    } catch { throw SQLiteEventLog.explain(error, path) }
  }

  package func events(after position: Int64, limit: Int) throws -> [RecordedEvent] {
    try stored(after: position, limit: limit).map { try $0.read() }
  }

  /// As ``events(after:limit:)``, their data unread.
  package func stored(after position: Int64, limit: Int) throws -> [StoredEvent] {
    guard limit > 0 else { return [] }
    do {
      return try pool.read { db in
        var rows: [StoredEvent] = []
        try EventRows.each(db, after: position) { e in
          rows.append(e)
          return rows.count < limit
        }
        return rows
      }
    } catch { throw SQLiteEventLog.explain(error, path) }
  }

  /// The event at `position`, if there is one.
  package func event(at position: Int64) throws -> RecordedEvent? {
    do { return try pool.read { db in try EventRows.one(db, at: position) }?.read() } catch {
      throw SQLiteEventLog.explain(error, path)
    }
  }

  /// The events of one subject, oldest first.
  package func life(of subject: Subject) throws -> [RecordedEvent] {
    do { return try pool.read { db in try EventRows.life(db, of: subject) }.map { try $0.read() } } catch {
      throw SQLiteEventLog.explain(error, path)
    }
  }
}
