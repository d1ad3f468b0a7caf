import Alerts
import EventLog

/// Some events of the log in order, with those that can't be read in their places.
struct EventBatch: Sendable {
  enum Item: Sendable {
    case event(PreparedEvent)
    case unreadable(position: Int64, why: String)
  }
  var items: [Item]
  /// How far the batch reaches, and what tells its last event from another log's; nil where there is nothing more.
  var last: (position: Int64, mark: String)? {
    switch items.last {
    case .event(let event): (event.row.position, EventBatch.mark(event.row))
    case .unreadable(let position, _): (position, "")
    case nil: nil
    }
  }

  static let nothing = EventBatch(items: [])

  /// Reads up to `limit` events, and fewer where their data have `bytes` bytes. One that can't be read, or is missing, costs itself and no other.
  ///
  /// - Throws: what the log throws where it can't be read at all.
  static func read(
    from log: any EventReading, after position: Int64, limit: Int, bytes: Int
  ) throws -> EventBatch {
    var size = max(1, limit)
    while true {
      do {
        var batch = EventBatch.nothing
        batch.items.reserveCapacity(size)
        var expected = position + 1
        try log.each(after: position, limit: size, bytes: bytes) { batch.take($0, &expected) }
        return batch
      } catch {
        // One bad event refuses its whole batch: halve until it stands alone. What is wrong with the log as a whole is not for here.
        guard isOfOneEvent(error) else { throw error }
        if size > 1 {
          size /= 2
        } else {
          // Where the log as a whole is damaged, its head can't be read either.
          _ = try log.head()
          return EventBatch(items: [.unreadable(position: position + 1, why: "\(error)")])
        }
      }
    }
  }

  private static func isOfOneEvent(_ error: any Error) -> Bool {
    if let error = error as? EventLogError { return error.kind == .corrupt || error.kind == .unreadable }
    return error is EventDataError || error is JSONError
  }

  private mutating func take(_ row: RecordedEvent, _ expected: inout Int64) {
    if row.position > expected {
      items.append(.unreadable(position: expected, why: "missing from the log, up to \(row.position - 1)"))
    }
    guard row.position >= expected else { return }
    items.append(.event(PreparedEvent(row)))
    expected = row.position + 1
  }

  static func mark(_ row: RecordedEvent) -> String { "\(row.subject) \(row.version) \(row.recordedAt.microseconds)" }

  /// The mark of the event at `position`; nil where it can't be read.
  static func mark(at position: Int64, in log: some EventReading) throws -> String? {
    guard let row = try? log.events(after: position - 1, limit: 1).first, row.position == position else { return nil }
    return mark(row)
  }
}
