import Alerts
import EventLog
import Synchronization

/// A log in memory, as a reader sees it. `broken` positions can't be read.
final class SampleLog: EventReading {
  private let state: Mutex<[RecordedEvent]>
  private let broken: Set<Int64>

  init(_ events: [RecordedEvent], broken: Set<Int64> = []) {
    state = Mutex(events)
    self.broken = broken
  }

  func head() throws -> Int64 { state.withLock { $0.last?.position ?? 0 } }

  func events(after position: Int64, limit: Int) throws -> [RecordedEvent] {
    let found = state.withLock { events in
      let start = events.firstIndex { $0.position > position } ?? events.count
      return Array(events[start..<min(events.count, start + limit)])
    }
    if found.contains(where: { broken.contains($0.position) }) { throw EventDataError("anomaly") }
    return found
  }

  func append(_ events: [RecordedEvent]) { state.withLock { $0 += events } }
}

/// SplitMix64 (Steele, Lea, Flood: "Fast Splittable Pseudorandom Number Generators", 2014).
struct Seeded: RandomNumberGenerator {
  var state: UInt64
  init(_ seed: UInt64) { state = seed }
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
  mutating func chance(_ p: Double) -> Bool { Double.random(in: 0..<1, using: &self) < p }
}
