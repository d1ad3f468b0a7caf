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

  /// By ``rank(of:)``.
  private var heaps = [Heap<Entry>](repeating: Heap(), count: Deadlines.ranks)

  package static let ranks = 4
  /// Of all that is due at once, what keeps people from hearing comes first, so that a service that slept through both does not ask for what they have
  /// said that they don't want to hear now: windows that begin, the rules of a configuration that was taken up, and silences, some of which end.
  private static func rank(of what: What) -> Int {
    switch what {
    case .maintenance: 0
    case .configuration: 1
    case .silence: 2
    default: 3
    }
  }
  /// So many of them, from the first, hold back by people's rules.
  package static let rules = 2

  /// So many entries there are at most for each alert, message, silence and group, and a few beside: see ``Engine/fire(now:limit:)``.
  package static func bound(things: Int) -> Int { 8 * things + 64 }

  /// What a timer that waits costs, but for the room that the heap keeps free to grow: at most as much again.
  package static let bytesPerEntry = MemoryLayout<Entry>.stride

  package init() {}
  package var count: Int { heaps.reduce(0) { $0 + $1.count } }
  package var next: Timestamp? {
    var next: Timestamp?
    for heap in heaps { if let due = heap.min?.due, next.map({ due < $0 }) ?? true { next = due } }
    return next
  }

  package mutating func add(_ what: What, at due: Timestamp) {
    heaps[Deadlines.rank(of: what)].insert(Entry(due: due, what: what))
  }

  /// The next that is due, of the first so many ranks.
  package mutating func popDue(_ now: Timestamp, ranks: Int = Deadlines.ranks) -> (due: Timestamp, what: What)? {
    for rank in 0..<ranks {
      guard let entry = heaps[rank].min, entry.due <= now else { continue }
      _ = heaps[rank].popMin()
      return (entry.due, entry.what)
    }
    return nil
  }
}
