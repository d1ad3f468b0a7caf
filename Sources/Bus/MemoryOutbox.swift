import Synchronization

/// An outbox that is gone with its process: for tests and benchmarks, and for producers who can measure again.
package final class MemoryOutbox: ProducerOutbox {
  private struct Contents {
    /// Ascending. Those that are stored are emptied where they stand, and leave once all before them have.
    var messages: [OutboxMessage] = []
    var isStored: [Bool] = []
    /// The first that is not stored.
    var first = 0
    var next: UInt64 = 1
    var level = OutboxLevel()

    /// The place of the first message after `sequence`, found by halves.
    func place(after sequence: UInt64) -> Int {
      var low = first
      var high = messages.count
      while low < high {
        let middle = (low + high) / 2
        if messages[middle].sequence <= sequence { low = middle + 1 } else { high = middle }
      }
      return low
    }

    mutating func remove(_ sequence: UInt64) {
      guard sequence > 0 else { return }
      let i = place(after: sequence - 1)
      guard i < messages.count, messages[i].sequence == sequence, !isStored[i] else { return }
      level.messages -= 1
      level.anomalies -= messages[i].events.count
      level.bytes -= messages[i].bytes
      messages[i].events = []
      isStored[i] = true
    }

    mutating func forgetStored() {
      while first < messages.count, isStored[first] { first += 1 }
      guard first > 64, first * 2 > messages.count else { return }
      messages.removeFirst(first)
      isStored.removeFirst(first)
      first = 0
    }
  }
  private let contents = Mutex(Contents())
  private let limit: Int

  package init(bytes limit: Int = OutboxLevel.bytesLimit) { self.limit = limit }

  package var place: String { "in memory" }
  package var waiting: OutboxLevel { contents.withLock { $0.level } }

  package func close() {}

  package func append(_ messages: [[[UInt8]]]) throws(BusError) -> UInt64 {
    let limit = limit
    let result: Result<UInt64, BusError> = contents.withLock { contents in
      do throws(BusError) {
        try contents.level.check(messages, limit: limit, place: "in memory")
      } catch {
        return .failure(error)
      }
      let first = contents.next
      for events in messages {
        contents.messages.append(OutboxMessage(sequence: contents.next, events: events))
        contents.isStored.append(false)
        contents.next += 1
        contents.level.add(events)
      }
      return .success(first)
    }
    return try result.get()
  }

  package func load(after sequence: UInt64, messages: Int, bytes: Int) throws(BusError) -> [OutboxMessage] {
    contents.withLock { contents in
      var found: [OutboxMessage] = []
      var size = 0
      var i = contents.place(after: sequence)
      while i < contents.messages.count, found.count < messages {
        if !contents.isStored[i] {
          size += contents.messages[i].bytes
          if size > bytes, !found.isEmpty { break }
          found.append(contents.messages[i])
        }
        i += 1
      }
      return found
    }
  }

  package func remove(_ sequences: [UInt64]) throws(BusError) {
    contents.withLock { contents in
      for sequence in sequences { contents.remove(sequence) }
      contents.forgetStored()
    }
  }
}
