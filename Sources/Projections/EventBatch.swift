import Alerts
import EventLog

/// Some events of the log in order, with those that can't be read in their places.
struct EventBatch: Sendable {
  enum Item: Sendable {
    case event(PreparedEvent)
    case unreadable(position: Int64, why: String)
  }
  var items: [Item]
  /// How far the batch reaches, and what tells its last event from another log's.
  var last: (position: Int64, mark: String)?

  static let nothing = EventBatch(items: [], last: nil)

  /// Reads up to `limit` events, and fewer where they are large: with ``EventPrefetch`` two batches are in memory. One that can't be read, or is missing, costs itself and no other.
  ///
  /// - Throws: what the log throws where it can't be read at all.
  static func read(from log: some EventReading, after position: Int64, limit: Int) throws -> EventBatch {
    var size = max(1, limit)
    while true {
      do {
        let rows = try log.events(after: position, limit: size, bytes: EventLogReader.pieceBytes)
        return EventBatch(rows, after: position)
      } catch {
        // One bad event refuses its whole batch: halve until it stands alone. What is wrong with the log as a whole is not for here.
        guard isOfOneEvent(error) else { throw error }
        if size > 1 {
          size /= 2
        } else {
          // Where the log as a whole is damaged, its head can't be read either.
          _ = try log.head()
          return EventBatch(items: [.unreadable(position: position + 1, why: "\(error)")], last: (position + 1, ""))
        }
      }
    }
  }

  private static func isOfOneEvent(_ error: any Error) -> Bool {
    if let error = error as? EventLogError { return error.kind == .corrupt || error.kind == .unreadable }
    return error is EventDataError || error is JSONError
  }

  private init(items: [Item], last: (position: Int64, mark: String)?) {
    self.items = items
    self.last = last
  }

  private init(_ rows: [RecordedEvent], after position: Int64) {
    items = []
    items.reserveCapacity(rows.count)
    var expected = position + 1
    for row in rows {
      if row.position > expected {
        items.append(.unreadable(position: expected, why: "missing from the log, up to \(row.position - 1)"))
      }
      guard row.position >= expected else { continue }
      items.append(.event(PreparedEvent(row)))
      expected = row.position + 1
    }
    last = rows.last.map { ($0.position, EventBatch.mark($0)) }
  }

  static func mark(_ row: RecordedEvent) -> String { "\(row.subject) \(row.version) \(row.recordedAt.microseconds)" }

  /// The mark of the event at `position`; nil where it can't be read.
  static func mark(at position: Int64, in log: some EventReading) throws -> String? {
    guard let row = try? log.events(after: position - 1, limit: 1).first, row.position == position else { return nil }
    return mark(row)
  }
}
