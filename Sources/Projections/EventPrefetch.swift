import Alerts
import Dispatch
import EventLog
import Synchronization

/// Reads the log's next batches on another thread while the present one is folded: reading takes as long as writing does.
///
/// So many batches ahead that the reader does not stand still while rows are written, and few enough that they stay in the processor's cache. Used by one thread.
final class EventPrefetch {
  /// Batches that are read and not asked for yet, at the most.
  static let depth = 16
  /// Events in a batch, at the most: some megabytes, that are still in the processor's cache when they are folded.
  static let batchLimit = 500
  /// Bytes of one batch's data: together they hold as much as anybody else who goes through the log.
  static let batchBytes = EventLogReader.pieceBytes / depth

  private let log: any EventReading
  private let head: Int64
  private let limit: Int
  private let queue = DispatchQueue(label: "tocsin.projections.reading")
  private var ahead: Ahead?
  private var expected: Int64 = -1

  /// - Parameters:
  ///   - head: how far to read.
  ///   - limit: events in a batch.
  init(_ log: some EventReading, head: Int64, limit: Int) {
    self.log = log
    self.head = head
    self.limit = limit
  }

  deinit { ahead?.stop() }

  /// The events after `position`, and behind the scenes those after them.
  func next(after position: Int64) throws -> EventBatch {
    let reading: Ahead
    if let ahead, position == expected {
      reading = ahead
    } else {
      ahead?.stop()
      reading = Ahead(log, after: position, head: head, limit: limit, on: queue)
      ahead = reading
    }
    do {
      let batch = try reading.next()
      expected = batch.last?.position ?? -1
      if expected >= head { expected = -1 }
      return batch
    } catch {
      expected = -1
      throw error
    }
  }

  /// Lets go of a batch that was taken in, on the other thread, which has time: giving back the memory of some thousand events takes a while.
  func release(_ batch: consuming EventBatch) {
    let spent = batch
    queue.async { withExtendedLifetime(spent) {} }
  }
}

/// Batches that are read one after the other from a position on, until they are at the log's end, or enough of them wait.
private final class Ahead: Sendable {
  private let log: any EventReading
  private let head: Int64
  private let limit: Int
  private let queue: DispatchQueue
  private let state: Mutex<State>
  private let isThere = DispatchSemaphore(value: 0)

  private struct State {
    /// Where the next batch begins.
    var after: Int64
    var waiting: [Result<EventBatch, any Error>] = []
    var isReading = true
    /// Nothing comes after what waits.
    var isOver = false
  }

  init(_ log: any EventReading, after position: Int64, head: Int64, limit: Int, on queue: DispatchQueue) {
    self.log = log
    self.head = head
    self.limit = limit
    self.queue = queue
    state = Mutex(State(after: position))
    queue.async { self.read() }
  }

  func stop() { state.withLock { $0.isOver = true } }

  /// Waits for the next batch. Not to be asked again after the last one, or after an error.
  func next() throws -> EventBatch {
    isThere.wait()
    let (result, goesOn) = state.withLock { s in
      let result = s.waiting.removeFirst()
      let goesOn = !s.isReading && !s.isOver
      if goesOn { s.isReading = true }
      return (result, goesOn)
    }
    if goesOn { queue.async { self.read() } }
    return try result.get()
  }

  private func read() {
    let (position, isOver) = state.withLock { ($0.after, $0.isOver) }
    guard !isOver else { return }
    let result = Result {
      try EventBatch.read(
        from: log, after: position, limit: min(limit, Int(clamping: head - position)), bytes: EventPrefetch.batchBytes)
    }
    let last = try? result.get().last?.position
    let goesOn = state.withLock { s in
      s.waiting.append(result)
      if let last, last < head { s.after = last } else { s.isOver = true }
      s.isReading = !s.isOver && s.waiting.count < EventPrefetch.depth
      return s.isReading
    }
    isThere.signal()
    // Each by itself, so that spent batches come to their turn between them.
    if goesOn { queue.async { self.read() } }
  }
}
