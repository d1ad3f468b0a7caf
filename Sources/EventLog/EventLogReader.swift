package import Alerts
import Foundation
import GRDB

/// Reads the log's file and its archives beside the writer, from any thread or process.
package final class EventLogReader: EventReading {
  package let path: String
  let pool: DatabasePool
  let shelf: ArchiveShelf
  /// Of the events that are read at once by whoever goes through the whole log.
  package static let pieceBytes = 16 << 20

  /// - Throws: ``EventLogError`` if there is no log at `path`.
  package init(path: String) throws(EventLogError) {
    self.path = path
    shelf = ArchiveShelf(logPath: path)
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
      try pool.read { db in
        guard try LogSchema.isLog(db, path: path) else {
          throw EventLogError(
            .unreadable, "\(path) is empty: it is no log yet",
            mend: "start the service once, or check `log:` in tocsin.yaml")
        }
      }
    } catch { throw EventLogError.explain(error, path) }
  }

  package func head() throws -> Int64 { try read { try $0.head() } }

  /// Archived events are in their places. Where one is missing, its position is passed over.
  package func events(after position: Int64, limit: Int) throws -> [RecordedEvent] {
    var events: [RecordedEvent] = []
    try each(after: position, limit: limit, bytes: .max) { events.append($0) }
    return events
  }

  /// Each is read where it lies in SQLite's memory.
  package func each(after position: Int64, limit: Int, bytes: Int, _ body: (RecordedEvent) throws -> Void) throws {
    guard limit > 0 else { return }
    try read { log in
      var (count, size) = (0, 0)
      var actor = ""
      try log.scan(after: position, missing: { _ in }) { e in
        try body(e.read(actor: &actor))
        count += 1
        size += e.data.count
        return count < limit && size < bytes
      }
    }
  }

  /// Every event after `position` in order, archived ones in their places, until the closure returns false. Reads some thousand at a time,
  /// so that a reader of hours does not keep the log's file from being tidied.
  ///
  /// - Throws: ``EventLogError`` where one is missing or can't be read.
  package func each(after position: Int64, _ body: (RecordedEvent) throws -> Bool) throws {
    var position = position
    while true {
      var rows: [StoredEvent] = []
      var size = 0
      try read { log in
        try log.each(after: position) { e in
          rows.append(e)
          size += e.data.count
          return rows.count < 4096 && size < EventLogReader.pieceBytes
        }
      }
      guard let last = rows.last else { return }
      for row in rows { if try !body(try row.read()) { return } }
      position = last.position
    }
  }

  /// The event at `position`, if there is one.
  package func event(at position: Int64) throws -> RecordedEvent? { try read { try $0.event(at: position) }?.read() }

  /// The events of one subject, oldest first.
  package func life(of subject: Subject) throws -> [RecordedEvent] {
    try read { try $0.life(of: subject) }.map { try $0.read() }
  }

  /// One view of the log: what is committed meanwhile does not show in it.
  func read<T>(_ body: (WholeLog) throws -> T) throws -> T {
    do { return try pool.read { db in try body(WholeLog(db, path: path, shelf: shelf)) } } catch {
      throw error is DatabaseError ? EventLogError.explain(error, path) : error
    }
  }
}
