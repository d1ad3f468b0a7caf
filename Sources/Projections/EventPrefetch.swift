import Alerts
import Dispatch
import EventLog
import Synchronization

/// Reads the log's next batch on another thread while the present one is folded: reading takes as long as writing does.
///
/// At most one batch ahead. Used by one thread.
final class EventPrefetch {
  private let log: any EventReading
  private let head: Int64
  private let limit: Int
  private let queue = DispatchQueue(label: "tocsin.projections.reading")
  private var ahead: Reading?

  private final class Reading: Sendable {
    let after: Int64
    private let result = Mutex<Result<EventBatch, any Error>?>(nil)
    private let isDone = DispatchSemaphore(value: 0)

    init(after: Int64) { self.after = after }

    func finish(_ value: Result<EventBatch, any Error>) {
      result.withLock { $0 = value }
      isDone.signal()
    }

    func wait() throws -> EventBatch {
      isDone.wait()
      guard let result = result.withLock({ $0 }) else { return EventBatch.nothing }
      return try result.get()
    }
  }

  /// - Parameters:
  ///   - head: how far to read.
  ///   - limit: events in a batch.
  init(_ log: some EventReading, head: Int64, limit: Int) {
    self.log = log
    self.head = head
    self.limit = limit
  }

  /// The events after `position`, and behind the scenes those after them.
  func next(after position: Int64) throws -> EventBatch {
    let present = ahead?.after == position ? ahead : nil
    ahead = nil
    let batch = try (present ?? begin(after: position)).wait()
    if let last = batch.last, last.position < head { ahead = begin(after: last.position) }
    return batch
  }

  /// Lets go of a batch that was taken in, on the other thread, which has time: giving back the memory of some thousand events takes a while.
  func release(_ batch: consuming EventBatch) {
    let spent = batch
    queue.async { withExtendedLifetime(spent) {} }
  }

  private func begin(after position: Int64) -> Reading {
    let reading = Reading(after: position)
    let (log, limit) = (log, min(limit, Int(clamping: head - position)))
    queue.async {
      reading.finish(Result { try EventBatch.read(from: log, after: position, limit: limit) })
    }
    return reading
  }
}
