package import Alerts

/// The log as everybody but the service sees it.
package protocol EventReading: Sendable {
  /// The last committed position; 0 when empty.
  func head() throws -> Int64
  /// Events after `position`, in order, at most `limit`.
  func events(after position: Int64, limit: Int) throws -> [RecordedEvent]
  /// The same, one after the other and without a list of them, and none further once their data have `bytes` bytes together: whoever takes in the
  /// whole log need not hold a thousand of the largest events at once. At least one, if there is one.
  func each(after position: Int64, limit: Int, bytes: Int, _ body: (RecordedEvent) throws -> Void) throws
}

extension EventReading {
  /// For a log that is in memory anyway.
  package func each(after position: Int64, limit: Int, bytes: Int, _ body: (RecordedEvent) throws -> Void) throws {
    for event in try events(after: position, limit: limit) { try body(event) }
  }
}
