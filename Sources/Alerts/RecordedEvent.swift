/// A row of the log.
package struct RecordedEvent: Sendable, Equatable {
  /// Its place in the log: ascending, without gaps, from 1.
  package var position: Int64
  package var subject: Subject
  /// Its place in its subject's life, from 1.
  package var version: Int
  /// When it happened, by the clock of whoever saw it.
  package var occurredAt: Timestamp
  /// When the log took it.
  package var recordedAt: Timestamp
  /// Who: a responder's name, a detector's (`detector/warehouse-1`), a worker's (`notifier/1`), or `tocsin`.
  package var actor: String
  /// The position of the event that led to this one, or nil where the cause lies outside.
  package var cause: Int64?
  package var event: AlertEvent

  package init(
    position: Int64, subject: Subject, version: Int, occurredAt: Timestamp, recordedAt: Timestamp, actor: String,
    cause: Int64?, event: AlertEvent
  ) {
    self.position = position
    self.subject = subject
    self.version = version
    self.occurredAt = occurredAt
    self.recordedAt = recordedAt
    self.actor = actor
    self.cause = cause
    self.event = event
  }

  package var type: EventType { event.type }

  /// The row as `tocsin events` prints it and the feed carries it: a CloudEvent, type `tocsin.alert.detected.v1` and so on.
  package var cloudEvent: JSON { cloudEvent(data: event.data) }

  /// As ``cloudEvent``, with the event's own data already written.
  package func cloudEvent(data: [UInt8]) -> JSON { cloudEvent(data: .raw(data)) }

  private func cloudEvent(data: JSON) -> JSON {
    [
      "specversion": "1.0", "id": .string(String(position)), "source": "tocsin",
      "type": .string("tocsin.alert.\(type.rawValue).v1"), "subject": .string(subject.description),
      "time": .string(occurredAt.rfc3339),
      "data": .compact([
        "position": .int(position), "alert": .string(subject.description), "version": .int(version),
        "type": .string(type.rawValue), "occurred_at": .int(occurredAt.microseconds),
        "recorded_at": .int(recordedAt.microseconds), "actor": .string(actor), "cause": cause.map { .int($0) } ?? .null,
        "data": data,
      ]),
    ]
  }

  /// Reads ``cloudEvent`` back.
  package init(cloudEvent json: JSON) throws(EventDataError) {
    let data = try json.need("data") { $0 }
    position = try data.need("position") { $0.int }
    subject = try data.need("alert") { $0.string.flatMap { Subject($0) } }
    version = try data.needInt("version")
    occurredAt = try data.need("occurred_at") { $0.micros }
    recordedAt = try data.need("recorded_at") { $0.micros }
    actor = try data.needText("actor")
    cause = data["cause"]?.int
    let type = try data.need("type") { $0.string.flatMap { EventType(rawValue: $0) } }
    event = try AlertEvent(type: type, data: try data.need("data") { $0 })
  }
}
