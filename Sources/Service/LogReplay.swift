import Alerts
import Dispatch
package import EventLog
import Foundation
package import Lifecycle
import Synchronization

/// Reads the log's events into an engine.
package enum LogReplay {
  /// From so many events on, rows are read on one thread while another takes them up.
  package static let threadThreshold: Int64 = 20_000

  /// - Parameter threshold: from so many events on, on two threads.
  /// - Returns: how many there were.
  package static func run(
    _ log: any EventLog, after position: Int64, into engine: inout Engine,
    onTwoFrom threshold: Int64 = LogReplay.threadThreshold
  ) throws -> Int {
    if log.head - position >= threshold { return try runOnTwo(log, after: position, into: &engine) }
    var reader = FactReader()
    var count = 0
    try log.scan(after: position) { row in
      engine.replay(try fact(row, &reader))
      count += 1
      return true
    }
    return count
  }

  private static func fact(_ row: EventView, _ reader: inout FactReader) throws -> Fact {
    if let fact = reader.read(row) { return fact }
    return Fact(try StoredEvent(row).read())
  }

  private static func runOnTwo(_ log: any EventLog, after position: Int64, into engine: inout Engine) throws -> Int {
    let pipe = FactPipe()
    // The log is not safe for two threads at once, and is used by one: this one waits for the other to end.
    nonisolated(unsafe) let log = log
    let thread = Thread {
      var reader = FactReader()
      var chunk = pipe.empty()
      do {
        try log.scan(after: position) { row in
          chunk.append(try fact(row, &reader))
          if chunk.isFull {
            pipe.put(chunk)
            chunk = pipe.empty()
          }
          return true
        }
        pipe.put(chunk)
        pipe.end(nil)
      } catch { pipe.end(error) }
    }
    thread.name = "tocsin replay"
    thread.stackSize = 8 << 20
    thread.start()
    var count = 0
    while let chunk = try pipe.take() {
      count += chunk.count
      chunk.takeAll { engine.replay($0) }
      pipe.giveBack(chunk)
    }
    return count
  }
}

/// Some facts in a piece of memory that is used again and again: each is made where it stands, and taken out from there, never copied.
///
/// Unchecked: one thread at a time has it, the one that fills it or the one that empties it.
private final class FactChunk: @unchecked Sendable {
  static let size = 256
  private let facts = UnsafeMutablePointer<Fact>.allocate(capacity: FactChunk.size)
  private(set) var count = 0

  var isFull: Bool { count == FactChunk.size }

  /// There must be room.
  func append(_ fact: consuming Fact) {
    precondition(!isFull, "a chunk of facts is handed on when it is full")
    (facts + count).initialize(to: fact)
    count += 1
  }

  func takeAll(_ body: (borrowing Fact) -> Void) {
    for i in 0..<count { body((facts + i).move()) }
    count = 0
  }

  deinit {
    facts.deinitialize(count: count)
    facts.deallocate()
  }
}

/// Facts on their way from the thread that reads them to the one that takes them up.
private final class FactPipe: Sendable {
  /// So many chunks wait at most: the reader is no further ahead than that.
  private static let capacity = 32
  private struct State {
    var chunks: [FactChunk] = []
    /// Taken up, to be filled again: fresh memory for each would cost more than what stands in it.
    var used: [FactChunk] = []
    var isOver = false
    var error: (any Error)?
  }
  private let state = Mutex(State())
  private let filled = DispatchSemaphore(value: 0)
  private let free = DispatchSemaphore(value: FactPipe.capacity)

  func put(_ chunk: FactChunk) {
    free.wait()
    state.withLock { $0.chunks.append(chunk) }
    filled.signal()
  }

  /// To be filled.
  func empty() -> FactChunk { state.withLock { $0.used.popLast() } ?? FactChunk() }

  func giveBack(_ chunk: FactChunk) { state.withLock { $0.used.append(chunk) } }

  func end(_ error: (any Error)?) {
    state.withLock {
      $0.isOver = true
      $0.error = error
    }
    filled.signal()
  }

  /// Nil behind the last.
  func take() throws -> FactChunk? {
    filled.wait()
    let (chunk, error) = state.withLock { s in (s.chunks.isEmpty ? nil : s.chunks.removeFirst(), s.error) }
    if let chunk {
      free.signal()
      return chunk
    }
    if let error { throw error }
    return nil
  }
}
