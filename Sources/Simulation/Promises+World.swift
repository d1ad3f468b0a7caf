import Alerts
import Lifecycle

// What the world saw, beside what the log says.
extension Promises {
  /// A producer was told that its message is stored, with so many firing anomalies that it had not been told of before.
  mutating func wasStored(firing count: Int) { stored += count }

  /// Somebody was told that a command was carried out.
  mutating func wasObeyed(_ action: String, _ id: AlertID, note: String) {
    let a = alerts[id]
    let isKnown =
      switch action {
      case "comment", "label", "assign", "snooze", "silence": notes[note] != nil
      // Already so, by somebody else's hand.
      case "acknowledge": notes[note] != nil || a?.wasAcknowledged == true
      case "resolve": notes[note] != nil || a?.wasResolved == true
      default: true
      }
    if !isKnown { fail(1, "\(action) of \(id) was answered, and the log knows nothing of it") }
  }

  /// A notifier asked, and is told that the message is wanted: it will send it.
  mutating func isWanted(_ key: String) {
    guard let r = requested[key] else { return }
    let id = AlertID(r.subject.number)
    if r.purpose == .firing, let a = alerts[id], a.isHeld, a.heldAt <= formerHead {
      fail(4, "\(key) is sent although \(id) is held since \(a.heldAt)")
    }
    if r.arrivals == 0, let newest = newestArrival[r.place], newest > r.position {
      fail(5, "\(key) is sent after a later message about the same")
    }
  }

  /// A message reached its receiver.
  ///
  /// - Parameter time: the service's.
  mutating func arrived(_ key: String, at time: Timestamp) {
    guard let r = requested[key] else {
      return fail(5, "a message arrived with a key that was never requested: \(key)")
    }
    if let from = r.notBefore, time < from - .seconds(1) { fail(4, "\(key) arrives in quiet hours") }
    requested[key]?.arrivals += 1
    newestArrival[r.place] = max(newestArrival[r.place] ?? 0, r.position)
    if r.arrivals > r.unknown {
      fail(5, "\(key) arrived \(r.arrivals + 1) times, and the history says only \(r.unknown) times that it might")
    }
  }

  /// After each step: what is counted on both sides agrees.
  mutating func checkCounts(pending: Int, isStuck: Bool) {
    if firing < stored { fail(1, "\(stored) firing anomalies were answered, and the log holds \(firing)") }
    if !isStuck, requested.count != endedCount + pending {
      fail(5, "\(requested.count) messages requested, \(endedCount) ended, \(pending) pending")
    }
  }

  /// When nothing more comes, everything works, and all is told.
  mutating func checkEnd() {
    if firing > stored { fail(2, "\(stored) firing anomalies were sent, and the log counts \(firing)") }
    for (place, isOwed) in owed.sorted(by: { $0.key < $1.key }) where isOwed {
      guard let id = AlertID(place.prefix { $0 != " " }), alerts[id]?.isResolved == true else { continue }
      fail(4, "the end of \(place) is owed and was never requested")
    }
    for (group, members) in owedInGroup.sorted(by: { $0.key < $1.key }) {
      for id in members.keys.sorted() where alerts[id]?.isResolved == true {
        fail(4, "the end of \(id) is owed to those who heard of it in \(group), and was never requested")
      }
    }
    for (key, r) in requested.sorted(by: { $0.key < $1.key }) where r.end == nil { fail(5, "\(key) is still pending") }
  }
}
