import Alerts

@testable import EventLog

extension EventLogReader {
  /// Rows as they stand, their data unread.
  func stored(after position: Int64, limit: Int) throws -> [StoredEvent] {
    try read { log in
      var rows: [StoredEvent] = []
      try log.each(after: position, missing: { _ in }) { e in
        rows.append(e)
        return rows.count < limit
      }
      return rows
    }
  }

  /// Positions that ``each(after:limit:bytes:_:)`` gives.
  func positions(after position: Int64, limit: Int, bytes: Int) throws -> [Int64] {
    var positions: [Int64] = []
    try each(after: position, limit: limit, bytes: bytes) { positions.append($0.position) }
    return positions
  }
}
