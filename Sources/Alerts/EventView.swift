/// A row of the log as it lies in its reader's memory, for whoever needs a little of very many rows.
///
/// Its bytes are valid only until the closure that it is given to returns: take what you need, and keep no view.
package struct EventView {
  package var position: Int64
  package var subject: Subject
  package var version: Int
  package var type: EventType
  package var occurredAt: Timestamp
  package var recordedAt: Timestamp
  package var actor: UnsafeBufferPointer<UInt8>
  package var cause: Int64?
  /// JSON text in UTF-8, valid when it was stored.
  package var data: UnsafeBufferPointer<UInt8>

  package init(
    position: Int64, subject: Subject, version: Int, type: EventType, occurredAt: Timestamp, recordedAt: Timestamp,
    actor: UnsafeBufferPointer<UInt8>, cause: Int64?, data: UnsafeBufferPointer<UInt8>
  ) {
    self.position = position
    self.subject = subject
    self.version = version
    self.type = type
    self.occurredAt = occurredAt
    self.recordedAt = recordedAt
    self.actor = actor
    self.cause = cause
    self.data = data
  }
}
