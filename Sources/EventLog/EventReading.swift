package import Alerts

/// The log as everybody but the service sees it.
package protocol EventReading: Sendable {
  /// The last committed position; 0 when empty.
  func head() throws -> Int64
  /// Events after `position`, in order, at most `limit`.
  func events(after position: Int64, limit: Int) throws -> [RecordedEvent]
}
