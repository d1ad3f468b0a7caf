package import Alerts
import HeapModule

/// Every message that is owed and not yet delivered, failed or cancelled. Bounded by what was requested: nothing is ever dropped here.
package struct Ledger: Sendable {
  package struct Pending: Sendable, Equatable {
    /// The position of its `notification_requested`.
    package var position: Int64
    package var key: String
    package var subject: Subject
    package var purpose: Purpose
    package var place: AlertState.Place
    package var step: Int?
    package var round: Int?
    package var members: [AlertID]
    package var requestedAt: Timestamp
    package var urgency: UInt8
    /// Tries so far.
    package var attempts = 0
    package var notBefore: Timestamp
    package var lease: Lease?
    /// It may have arrived although nobody said so: a lease ran out, or a connection ended after the last byte.
    package var mayHaveArrived = false
    /// It may have been with a worker when the service stopped. Not in the log: set at a start.
    package var isUnsure = false
  }
  package struct Lease: Sendable, Equatable {
    package var worker: String
    package var until: Timestamp
  }
  /// Messages about one subject to one target go out in order: only the first is ever leased.
  private struct Line: Hashable, Sendable {
    var subject: Subject
    var target: Receiver.Target
  }
  private struct Ready: Comparable, Sendable {
    var urgency: UInt8
    var position: Int64
    static func < (a: Ready, b: Ready) -> Bool {
      a.urgency != b.urgency ? a.urgency > b.urgency : a.position < b.position
    }
  }

  package enum End: Sendable { case delivered, failed, cancelled }
  /// Since the log began. What was requested is delivered, failed, cancelled or pending, and nothing else.
  package struct Totals: Sendable, Equatable {
    package var requested = 0
    package var delivered = 0
    package var failed = 0
    package var cancelled = 0
  }

  package private(set) var pending: [Int64: Pending] = [:]
  private var byKey: [String: Int64] = [:]
  private var lines: [Line: [Int64]] = [:]
  private var ready: [String: Heap<Ready>] = [:]
  /// What deliveries about a subject to a place returned, for the messages that follow.
  private var threads: [Subject: [Thread]] = [:]
  private struct Thread: Sendable, Equatable {
    var target: Receiver.Target
    var json: JSON
  }
  package private(set) var totals = Totals()
  private var bySubject: [Subject: [Int64]] = [:]

  package init() {}

  package func find(_ key: String) -> Pending? { byKey[key].flatMap { pending[$0] } }
  package subscript(_ position: Int64) -> Pending? {
    get { pending[position] }
    set {
      if let newValue, pending[position] != nil { pending[position] = newValue }
    }
  }
  package func about(_ subject: Subject) -> [Pending] { (bySubject[subject] ?? []).compactMap { pending[$0] } }

  package func thread(_ subject: Subject, _ target: Receiver.Target) -> JSON? {
    threads[subject]?.first { $0.target == target }?.json
  }
  package mutating func remember(_ provider: JSON, _ subject: Subject, _ target: Receiver.Target) {
    var known = threads[subject] ?? []
    let i = known.firstIndex { $0.target == target } ?? known.count
    if i == known.count { known.append(Thread(target: target, json: .object([]))) }
    var members = known[i].json.members ?? []
    for m in provider.members ?? [] {
      members.removeAll { $0.name == m.name }
      members.append(m)
    }
    known[i].json = .object(members)
    threads[subject] = known
  }
  package mutating func forget(_ subject: Subject) { threads[subject] = nil }

  package mutating func add(_ p: Pending) {
    totals.requested += 1
    pending[p.position] = p
    byKey[p.key] = p.position
    bySubject[p.subject, default: []].append(p.position)
    let line = Line(subject: p.subject, target: p.place.target)
    lines[line, default: []].append(p.position)
    if lines[line]?.first == p.position { offer(p) }
  }

  package mutating func settle(_ position: Int64, as end: End) {
    guard let p = pending.removeValue(forKey: position) else { return }
    switch end {
    case .delivered: totals.delivered += 1
    case .failed: totals.failed += 1
    case .cancelled: totals.cancelled += 1
    }
    byKey[p.key] = nil
    bySubject[p.subject]?.removeAll { $0 == position }
    if bySubject[p.subject]?.isEmpty == true { bySubject[p.subject] = nil }
    let line = Line(subject: p.subject, target: p.place.target)
    lines[line]?.removeAll { $0 == position }
    if let next = lines[line]?.first, let p = pending[next] { offer(p) } else { lines[line] = nil }
  }

  /// Puts it where a worker finds it, if it is the first of its line. Doubled entries are harmless: each is judged when it comes up.
  package mutating func offer(_ p: Pending) {
    guard p.lease == nil, lines[Line(subject: p.subject, target: p.place.target)]?.first == p.position else { return }
    ready[p.place.target.channel, default: Heap()].insert(Ready(urgency: p.urgency, position: p.position))
  }

  /// The most urgent message on one of these channels that may go now.
  package mutating func take(channels: [String], now: Timestamp) -> Pending? {
    var best: (channel: String, entry: Ready)?
    for channel in channels {
      if let first = first(on: channel, now: now), best == nil || first < best!.entry { best = (channel, first) }
    }
    guard let best else { return nil }
    _ = ready[best.channel]?.popMin()
    return pending[best.entry.position]
  }

  /// Channels on which a message could go now.
  package mutating func channelsWaiting(now: Timestamp) -> [String] {
    ready.keys.sorted().filter { first(on: $0, now: now) != nil }
  }

  /// The most urgent message of a channel that may go now. What stands before it and may not is let go of: it is offered again when it may.
  private mutating func first(on channel: String, now: Timestamp) -> Ready? {
    while let first = ready[channel]?.min {
      guard let p = pending[first.position], p.lease == nil, p.notBefore <= now,
        lines[Line(subject: p.subject, target: p.place.target)]?.first == p.position
      else {
        _ = ready[channel]?.popMin()
        continue
      }
      return first
    }
    return nil
  }
}
