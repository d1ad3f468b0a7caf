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
  /// Facts that go from one to the other at once.
  private static let chunkSize = 256

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
      var chunk = pipe.empty(chunkSize)
      do {
        try log.scan(after: position) { row in
          chunk.append(try fact(row, &reader))
          if chunk.count == chunkSize {
            pipe.put(chunk)
            chunk = pipe.empty(chunkSize)
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
    while var chunk = try pipe.take() {
      chunk.withUnsafeBufferPointer { facts in for i in facts.indices { engine.replay(facts[i]) } }
      count += chunk.count
      chunk.removeAll(keepingCapacity: true)
      pipe.giveBack(chunk)
    }
    return count
  }
}

/// Facts on their way from the thread that reads them to the one that takes them up.
private final class FactPipe: Sendable {
  /// So many chunks wait at most: the reader is no further ahead than that.
  private static let capacity = 32
  private struct State {
    var chunks: [[Fact]] = []
    /// Taken up, to be filled again: fresh memory for each would cost more than what stands in it.
    var used: [[Fact]] = []
    var isOver = false
    var error: (any Error)?
  }
  private let state = Mutex(State())
  private let filled = DispatchSemaphore(value: 0)
  private let free = DispatchSemaphore(value: FactPipe.capacity)

  func put(_ chunk: [Fact]) {
    free.wait()
    state.withLock { $0.chunks.append(chunk) }
    filled.signal()
  }

  /// To be filled.
  func empty(_ capacity: Int) -> [Fact] {
    if let used = state.withLock({ $0.used.popLast() }) { return used }
    var new: [Fact] = []
    new.reserveCapacity(capacity)
    return new
  }

  func giveBack(_ chunk: [Fact]) { state.withLock { $0.used.append(chunk) } }

  func end(_ error: (any Error)?) {
    state.withLock {
      $0.isOver = true
      $0.error = error
    }
    filled.signal()
  }

  /// Nil behind the last.
  func take() throws -> [Fact]? {
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
