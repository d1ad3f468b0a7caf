import Alerts

extension Engine {
  /// Where this state differs from another, in words; nil if they are the same. What lives only in memory (leases, the heap of deadlines, the batch)
  /// is left out. For checks that a replay gives what was there.
  package func difference(from other: Engine) -> String? {
    for id in Set(alerts.ids).union(other.alerts.ids).sorted() where alerts[id] != other.alerts[id] {
      return "\(id): \(Engine.words(alerts[id], other.alerts[id]))"
    }
    if lives != other.lives { return "the lives of dedup keys" }
    if silences != other.silences { return "silences: \(silences) ≠ \(other.silences)" }
    for subject in Set(groups.keys).union(other.groups.keys).sorted() where groups[subject] != other.groups[subject] {
      return "group \(subject): \(Engine.words(groups[subject], other.groups[subject]))"
    }
    func durable(_ p: Ledger.Pending) -> Ledger.Pending {
      var p = p
      p.lease = nil
      p.isUnsure = false
      return p
    }
    if ledger.pending.mapValues(durable) != other.ledger.pending.mapValues(durable) {
      return "what is owed: \(ledger.pending.keys.sorted()) ≠ \(other.ledger.pending.keys.sorted())"
    }
    if ledger.totals != other.ledger.totals { return "totals: \(ledger.totals) ≠ \(other.ledger.totals)" }
    if configurations != other.configurations || configuration != other.configuration { return "configurations" }
    if settings != other.settings { return "the settings in force" }
    if digests != other.digests { return "digests" }
    if head != other.head { return "head: \(head) ≠ \(other.head)" }
    if openCount != other.openCount { return "open alerts: \(openCount) ≠ \(other.openCount)" }
    if numbers != other.numbers { return "numbers: \(numbers) ≠ \(other.numbers)" }
    if storms != other.storms { return "storms" }
    return nil
  }

  /// Of two that differ, what they say differently.
  private static func words<T>(_ a: T?, _ b: T?) -> String {
    guard let a, let b else { return a.map { "\($0) ≠ absent" } ?? b.map { "absent ≠ \($0)" } ?? "both absent" }
    return zip(Mirror(reflecting: a).children, Mirror(reflecting: b).children).compactMap { a, b in
      let (x, y) = ("\(a.value)", "\(b.value)")
      return x == y ? nil : "\(a.label ?? "?"): \(x) ≠ \(y)"
    }.joined(separator: "; ")
  }
}
