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

  /// One thread has SQLite hand out the rows; the other takes them up. Between the two they must be made facts, and whichever has time does it: the first one copies
  /// rows as they are while the second one waits for them, and makes facts of them itself when that one is behind.
  private static func runOnTwo(_ log: any EventLog, after position: Int64, into engine: inout Engine) throws -> Int {
    let pipe = ReplayPipe()
    // The log is not safe for two threads at once, and is used by one: this one waits for the other to end.
    nonisolated(unsafe) let log = log
    let thread = Thread {
      var reader = FactReader()
      var chunk = pipe.empty()
      var makesFacts = false
      do {
        try log.scan(after: position) { row in
          if makesFacts { chunk.append(try fact(row, &reader)) } else { chunk.append(row) }
          guard chunk.isFull else { return true }
          pipe.put(chunk)
          chunk = pipe.empty()
          makesFacts = pipe.isBehind
          return pipe.isWanted
        }
        pipe.put(chunk)
        pipe.end(nil)
      } catch { pipe.end(error) }
    }
    thread.name = "tocsin replay"
    thread.stackSize = 8 << 20
    thread.start()
    var count = 0
    var reader = FactReader()
    do {
      while let chunk = try pipe.take() {
        count += chunk.count
        try chunk.takeAll(facts: { engine.replay($0) }, rows: { engine.replay(try fact($0, &reader)) })
        pipe.giveBack(chunk)
      }
    } catch {
      // The log is the other thread's until that has come to its end.
      pipe.refuse()
      while (try? pipe.take()) != nil {}
      throw error
    }
    return count
  }
}

/// Chunks on their way from the thread that reads to the one that takes up.
private final class ReplayPipe: Sendable {
  /// So many chunks wait at most: the reader is no further ahead than that.
  private static let capacity = 8
  private struct State {
    var chunks: [ReplayChunk] = []
    /// Taken up, to be filled again: fresh memory for each would cost more than what stands in it.
    var used: [ReplayChunk] = []
    var isRefused = false
    var isOver = false
    var error: (any Error)?
  }
  private let state = Mutex(State())
  private let filled = DispatchSemaphore(value: 0)
  private let free = DispatchSemaphore(value: ReplayPipe.capacity)

  func put(_ chunk: ReplayChunk) {
    free.wait()
    state.withLock { $0.chunks.append(chunk) }
    filled.signal()
  }

  /// Whether some wait already, so that the thread that takes them up has enough to do.
  var isBehind: Bool { state.withLock { $0.chunks.count > 1 } }

  /// Whether anybody still takes what is read.
  var isWanted: Bool { state.withLock { !$0.isRefused } }

  func refuse() { state.withLock { $0.isRefused = true } }

  /// To be filled.
  func empty() -> ReplayChunk { state.withLock { $0.used.popLast() } ?? ReplayChunk() }

  func giveBack(_ chunk: ReplayChunk) {
    chunk.clear()
    state.withLock { $0.used.append(chunk) }
  }

  func end(_ error: (any Error)?) {
    state.withLock {
      $0.isOver = true
      $0.error = error
    }
    filled.signal()
  }

  /// Nil behind the last, however often it is asked.
  func take() throws -> ReplayChunk? {
    if !state.withLock({ $0.isOver && $0.chunks.isEmpty }) { filled.wait() }
    let (chunk, error) = state.withLock { s in (s.chunks.isEmpty ? nil : s.chunks.removeFirst(), s.error) }
    if let chunk {
      free.signal()
      return chunk
    }
    if let error { throw error }
    return nil
  }
}
