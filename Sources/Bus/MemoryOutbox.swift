import Synchronization

/// An outbox that is gone with its process: for tests and benchmarks, and for producers who can measure again.
package final class MemoryOutbox: ProducerOutbox {
  private struct Contents {
    var messages: [OutboxMessage] = []
    var next: UInt64 = 1
    var level = OutboxLevel()
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
        contents.next += 1
        contents.level.add(events)
      }
      return .success(first)
    }
    return try result.get()
  }

  package func load(after sequence: UInt64, messages: Int, bytes: Int) throws(BusError) -> [OutboxMessage] {
    contents.withLock { contents in
      // Ascending, so that the place of the first can be found by halves.
      var low = 0
      var high = contents.messages.count
      while low < high {
        let middle = (low + high) / 2
        if contents.messages[middle].sequence <= sequence { low = middle + 1 } else { high = middle }
      }
      var found: [OutboxMessage] = []
      var size = 0
      for message in contents.messages[low...].prefix(messages) {
        size += message.bytes
        if size > bytes, !found.isEmpty { break }
        found.append(message)
      }
      return found
    }
  }

  package func remove(_ sequences: [UInt64]) throws(BusError) {
    let gone = Set(sequences)
    contents.withLock { contents in
      contents.messages.removeAll { message in
        guard gone.contains(message.sequence) else { return false }
        contents.level.messages -= 1
        contents.level.anomalies -= message.events.count
        contents.level.bytes -= message.bytes
        return true
      }
    }
  }
}
