import Alerts
import Foundation

@testable import EventLog

/// A folder of its own for each test, gone when the test is over.
final class TemporaryFolder {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "tocsin-log-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  var log: String { path + "/tocsin.sqlite" }
  func file(_ name: String) -> String { "\(path)/\(name)" }
}

/// Makes events in order, each with its subject's next version.
struct Pen {
  var position: Int64 = 0
  var versions: [Subject: Int] = [:]
  var now = Timestamp(seconds: 1_760_000_000)

  mutating func event(
    _ event: AlertEvent, about subject: Subject, cause: Int64? = nil, actor: String = "tocsin"
  ) -> StoredEvent {
    position += 1
    versions[subject, default: 0] += 1
    return StoredEvent(
      RecordedEvent(
        position: position, subject: subject, version: versions[subject] ?? 0, occurredAt: now, recordedAt: now,
        actor: actor, cause: cause, event: event))
  }

  /// A life of three events: detected, acknowledged, resolved.
  mutating func life(_ number: Int64) -> [StoredEvent] {
    let subject = Subject(.alert, number)
    let first = event(Pen.detected(number), about: subject, actor: "detector/test")
    return [
      first, event(.acknowledged(Acknowledged(note: "looking")), about: subject, cause: first.position, actor: "ana"),
      event(.resolved(Resolved(how: .responder, seen: true)), about: subject, cause: first.position + 1, actor: "ana"),
    ]
  }

  mutating func comment(_ number: Int64, _ text: String = "…") -> StoredEvent {
    event(.commented(Commented(text: text)), about: Subject(.alert, number), actor: "ana")
  }

  /// A commit of comments about one alert, with an anomaly's hash.
  mutating func commit(events count: Int = 3, about number: Int64 = 1, text: String = "…") -> Commit {
    let events = (0..<count).map { _ in comment(number, text) }
    var intake: [UInt8] = []
    withUnsafeBytes(of: UInt64(position).littleEndian) { intake.append(contentsOf: $0) }
    withUnsafeBytes(of: UInt64(7).littleEndian) { intake.append(contentsOf: $0) }
    return Commit(events: events, intake: intake, recordedAt: now)
  }

  static func anomaly(_ number: Int64) -> Anomaly {
    Anomaly(
      id: "a-\(number)", source: "detector/test", time: Timestamp(seconds: 1_760_000_000), eventType: "listing_views",
      metric: "total_views")
  }

  static func detected(_ number: Int64) -> AlertEvent {
    .detected(
      Detected(
        generation: 1, previous: nil, dedupKey: "default|listing_views|total_views|n=\(number)", severity: .high,
        route: RouteTaken(configuration: 1, index: 0, match: "everything"), anomaly: anomaly(number)))
  }
}

extension EventLog {
  func all(after position: Int64 = 0) throws -> [StoredEvent] {
    var events: [StoredEvent] = []
    try replay(after: position) { e in
      events.append(e)
      return true
    }
    return events
  }

  func takenIn() throws -> [[UInt8]] {
    var found: [[UInt8]] = []
    try intake { bytes in
      found.append(Array(bytes))
      return true
    }
    return found
  }
}

/// The error that the body throws, if it is the log's.
func logError(_ body: () throws -> Void) -> EventLogError? {
  do {
    try body()
    return nil
  } catch { return error as? EventLogError }
}
