package import Alerts

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

  /// - Parameter actor: of the row before: most rows in a row have the same, and share its text.
  init(_ v: EventView, actor: inout String) {
    if !actor.utf8.elementsEqual(v.actor) { actor = String(decoding: v.actor, as: UTF8.self) }
    self.init(
      position: v.position, subject: v.subject, version: v.version, type: v.type, occurredAt: v.occurredAt,
      recordedAt: v.recordedAt, actor: actor, cause: v.cause, data: Array(v.data))
  }

  package init(_ v: EventView) {
    var actor = ""
    self.init(v, actor: &actor)
  }

  /// Lends the row as it lies here.
  package func withView<T>(_ body: (EventView) throws -> T) rethrows -> T {
    var actor = actor
    return try actor.withUTF8 { actor in
      try data.withUnsafeBufferPointer { data in
        try body(
          EventView(
            position: position, subject: subject, version: version, type: type, occurredAt: occurredAt,
            recordedAt: recordedAt, actor: actor, cause: cause, data: data))
      }
    }
  }

  /// As this Tocsin writes it: in the newest form of its type.
  package init(_ e: RecordedEvent) {
    let type = e.type
    var data: [UInt8] = []
    Upcasting.standard.write(e.event, as: type, to: &data)
    self.init(
      position: e.position, subject: e.subject, version: e.version, type: type, occurredAt: e.occurredAt,
      recordedAt: e.recordedAt, actor: e.actor, cause: e.cause, data: data)
  }

  /// As ``EventView/read(actor:_:)``.
  package func read(_ upcasting: Upcasting = .standard) throws(EventLogError) -> RecordedEvent {
    var actor = actor
    do { return try withView { try $0.read(actor: &actor, upcasting) } } catch let error as EventLogError {
      throw error
    } catch { throw EventLogError(.corrupt, "event \(position) can't be read: \(error)", at: position) }
  }
}

extension EventView {
  /// Reads the data, in whatever form it was written.
  ///
  /// - Parameter actor: of the row before: most rows in a row have the same, and share its text.
  /// - Throws: ``EventLogError/Kind/corrupt``, with the position, if the data is not what the type must hold.
  func read(actor known: inout String, _ upcasting: Upcasting = .standard) throws(EventLogError) -> RecordedEvent {
    let event: AlertEvent
    do {
      // Anomalies are kept as they came.
      let json = try JSON(parsing: data, leaving: upcasting.form(of: type) == 1 ? EventView.kept : [])
      event = try AlertEvent(type: type, data: try upcasting.current(json, of: type))
    } catch let error as EventLogError {
      throw EventLogError(
        error.kind, "event \(position) of \(subject): \(error.message)", mend: error.mend, at: position)
    } catch {
      throw EventLogError(
        .corrupt, "event \(position) (\(type.rawValue) of \(subject)) can't be read: \(error)",
        mend: "run `tocsin log verify` to see how much of the log is affected, and restore it from a backup",
        at: position)
    }
    if !known.utf8.elementsEqual(actor) { known = String(decoding: actor, as: UTF8.self) }
    return RecordedEvent(
      position: position, subject: subject, version: version, occurredAt: occurredAt, recordedAt: recordedAt,
      actor: known, cause: cause, event: event)
  }

  private static let kept: [StaticString] = ["anomaly", "last"]
}
