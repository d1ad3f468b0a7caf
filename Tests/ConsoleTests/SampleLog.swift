import Alerts
import EventLog
import Synchronization

/// A log in memory that a test writes itself.
final class SampleLog: EventReading {
  private let state = Mutex<[RecordedEvent]>([])
  private let followers = Mutex<[AsyncStream<RecordedEvent>.Continuation]>([])

  func head() throws -> Int64 { state.withLock { $0.last?.position ?? 0 } }

  func events(after position: Int64, limit: Int) throws -> [RecordedEvent] {
    state.withLock { events in Array(events.filter { $0.position > position }.prefix(limit)) }
  }

  @discardableResult
  func append(
    _ event: AlertEvent, to subject: Subject, at: Timestamp, by actor: String = "tocsin", cause: Int64? = nil
  ) -> Int64 {
    let recorded = state.withLock { events in
      let version = (events.last { $0.subject == subject }?.version ?? 0) + 1
      let recorded = RecordedEvent(
        position: Int64(events.count) + 1, subject: subject, version: version, occurredAt: at, recordedAt: at,
        actor: actor, cause: cause, event: event)
      events.append(recorded)
      return recorded
    }
    for follower in followers.withLock({ $0 }) { follower.yield(recorded) }
    return recorded.position
  }

  func follow() -> AsyncStream<RecordedEvent> {
    let (stream, continuation) = AsyncStream.makeStream(of: RecordedEvent.self)
    followers.withLock { $0.append(continuation) }
    return stream
  }

  func endFollowers() { for follower in followers.withLock({ $0 }) { follower.finish() } }
}
