package import Alerts

/// The durable log, as its one writer sees it. SQLite keeps it on disk; an in-memory twin passes the same tests.
///
/// Not safe for use from several threads at once: the service's thread owns it.
package protocol EventLog: AnyObject {
  /// The last committed position; 0 when empty.
  var head: Int64 { get }

  /// Appends a commit, whole or not at all. When it returns, the commit is synced to disk.
  ///
  /// - Throws: ``EventLogError``. After any error nothing of the commit is in the log, and the same commit may be tried again.
  func append(_ commit: Commit) throws(EventLogError)

  /// Reads events in order, from `position` + 1 on. The closure returns false to stop.
  func replay(after position: Int64, _ body: (StoredEvent) throws -> Bool) throws

  /// The event at `position`, or nil.
  func event(at position: Int64) throws -> StoredEvent?

  /// The events of one subject, oldest first.
  func life(of subject: Subject) throws -> [StoredEvent]

  /// Hashes of the anomalies that commits took in, newest commit first, until the closure returns false.
  func intake(_ body: (UnsafeRawBufferPointer) -> Bool) throws
}

/// What one group commit adds.
package struct Commit: Sendable {
  /// Positions follow the log's head without a gap.
  package var events: [StoredEvent]
  /// 16 bytes for each anomaly that was taken in: see ``AnomalyHash``.
  package var intake: [UInt8]
  package var recordedAt: Timestamp

  package init(events: [StoredEvent], intake: [UInt8] = [], recordedAt: Timestamp) {
    self.events = events
    self.intake = intake
    self.recordedAt = recordedAt
  }
}

/// A row as it stands in the table: its data is not read yet.
package struct StoredEvent: Sendable, Equatable {
  package var position: Int64
  package var subject: Subject
  package var version: Int
  package var type: EventType
  package var occurredAt: Timestamp
  package var recordedAt: Timestamp
  package var actor: String
  package var cause: Int64?
  /// JSON text in UTF-8.
  package var data: [UInt8]

  package init(
    position: Int64, subject: Subject, version: Int, type: EventType, occurredAt: Timestamp, recordedAt: Timestamp,
    actor: String, cause: Int64?, data: [UInt8]
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

  package init(_ e: RecordedEvent) {
    self.init(
      position: e.position, subject: e.subject, version: e.version, type: e.type, occurredAt: e.occurredAt,
      recordedAt: e.recordedAt, actor: e.actor, cause: e.cause, data: e.event.data.bytes)
  }

  /// - Throws: ``EventLogError/corrupt`` if the data is not what the type must hold.
  package func read() throws(EventLogError) -> RecordedEvent {
    let event: AlertEvent
    do { event = try AlertEvent(type: type, data: try JSON(parsing: data)) } catch {
      throw EventLogError(
        .corrupt, "event \(position) (\(type.rawValue) of \(subject)) can't be read: \(error)",
        mend: "run `tocsin log verify` to see how much of the log is affected, and restore it from a backup")
    }
    return RecordedEvent(
      position: position, subject: subject, version: version, occurredAt: occurredAt, recordedAt: recordedAt,
      actor: actor, cause: cause, event: event)
  }
}

/// What went wrong with the log, and what to do next.
package struct EventLogError: Error, Sendable, CustomStringConvertible {
  package enum Kind: Sendable {
    /// Another service has it open.
    case locked
    /// The disk is full, the file system read-only, or the file locked: the same again later may work.
    case unwritable
    /// It is not a log, or not one that this version can read.
    case unreadable
    /// What stands in it contradicts itself.
    case corrupt
    /// Version or position is not the next one: a programmer's error, or two writers.
    case conflict
  }
  package var kind: Kind
  package var message: String
  package var mend: String?
  package init(_ kind: Kind, _ message: String, mend: String? = nil) {
    self.kind = kind
    self.message = message
    self.mend = mend
  }
  package var description: String { mend.map { "\(message)\n  \($0)" } ?? message }
}
