package import Alerts
import HeapModule

/// What is to be looked at when its time comes. An entry is never taken out when it becomes pointless: it is judged against the state of the
/// moment when it comes up, so that a late or doubled one does nothing.
package struct Deadlines: Sendable {
  package enum What: Sendable, Hashable {
    case escalation(AlertID)
    case acknowledgement(AlertID)
    case snooze(AlertID)
    case stale(AlertID)
    /// A resolved alert may leave memory.
    case farewell(AlertID)
    /// A notification's next try, or the end of its lease.
    case delivery(Int64)
    case group(Subject)
    case silence(Subject)
    /// A silence ends soon.
    case silenceWarning(Subject)
    /// A maintenance window begins: its place in the configuration in force.
    case maintenance(Int)
    /// A configuration was taken up: what is open is looked at under it.
    case configuration
    /// An acknowledgement runs out soon.
    case reminder(AlertID)
    /// Nothing has changed for long enough that it no longer flaps.
    case steady(AlertID)
  }

  private struct Entry: Comparable, Sendable {
    var due: Timestamp
    var what: What
    static func < (a: Entry, b: Entry) -> Bool { a.due < b.due }
    static func == (a: Entry, b: Entry) -> Bool { a.due == b.due && a.what == b.what }
  }

  private var heap = Heap<Entry>()

  /// What a timer that waits costs, but for the room that the heap keeps free to grow: at most as much again.
  package static let bytesPerEntry = MemoryLayout<Entry>.stride

  package init() {}
  package var count: Int { heap.count }
  package var next: Timestamp? { heap.min?.due }

  package mutating func add(_ what: What, at due: Timestamp) { heap.insert(Entry(due: due, what: what)) }

  package mutating func popDue(_ now: Timestamp) -> (due: Timestamp, what: What)? {
    guard let first = heap.min, first.due <= now else { return nil }
    _ = heap.popMin()
    return (first.due, first.what)
  }
}
