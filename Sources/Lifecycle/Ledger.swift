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
    /// How often it came back from a worker, each time with its own number.
    package var attempts = 0
    /// Of these, how often without a try: its destination took no more for a while.
    package var unsent = 0
    package var notBefore: Timestamp
    /// Why a message *firing* is owed.
    package var occasion: Occasion?
    package var lease: Lease?
    /// It may have arrived although nobody said so: a lease ran out, or a connection ended after the last byte.
    package var mayHaveArrived = false
    /// Of its destination's addresses, those that have it: see ``NotificationAttempted/taken``.
    package var taken: [String] = []
    /// It may have been with a worker when the service stopped. Not in the log: set at a start.
    package var isUnsure = false
    /// Tries so far.
    package var tries: Int { attempts - unsent }
  }
  package struct Lease: Sendable, Equatable {
    package var worker: String
    package var until: Timestamp
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
  /// Of keys that don't begin with their subject.
  private var byKey: [String: Int64] = [:]
  private var ready: [String: Heap<Ready>] = [:]
  /// What deliveries about a subject to a place returned, for the messages that follow.
  var threads: [Subject: [Thread]] = [:]
  struct Thread: Sendable, Equatable {
    var target: Receiver.Target
    /// An object as JSON text: a million of them are kept, and few are ever read.
    var text: [UInt8]
  }
  package internal(set) var totals = Totals()
  /// Positions in their order. Messages about one subject to one target make a line: only the first is ever leased.
  private var bySubject: [Subject: Line] = [:]
  /// While the past passes by nobody asks for jobs, and nothing is offered.
  private var isOffering = true

  package init() {}

  package func find(_ key: String) -> Pending? { position(of: key, near: nil).flatMap { pending[$0] } }

  /// A key begins with its subject, about which little is owed at once: it needs no table of its own.
  ///
  /// - Parameter near: most likely its subject.
  private func position(of key: String, near: Subject?) -> Int64? {
    if let near, let position = position(of: key, in: near) { return position }
    if let subject = Ledger.subject(of: key), subject != near, let position = position(of: key, in: subject) {
      return position
    }
    return byKey.isEmpty ? nil : byKey[key]
  }

  private func position(of key: String, in subject: Subject) -> Int64? {
    guard let line = bySubject[subject] else { return nil }
    if pending[line.first]?.key == key { return line.first }
    for position in line.rest where pending[position]?.key == key { return position }
    return nil
  }

  /// `A-1042/firing/…` is about A-1042.
  private static func subject(of key: String) -> Subject? {
    var key = key
    return key.withUTF8 { text in
      guard text.count > 2, let kind = Subject.Kind(rawValue: text[0]), text[1] == UInt8(ascii: "-") else { return nil }
      var number: Int64 = 0
      for i in 2..<min(text.count, 21) {
        if text[i] == UInt8(ascii: "/") { return Subject(kind, number) }
        guard text[i] &- 48 < 10, i < 20 else { return nil }
        number = number * 10 + Int64(text[i] &- 48)
      }
      return nil
    }
  }
  package subscript(_ position: Int64) -> Pending? {
    get { pending[position] }
    set {
      if let newValue, pending[position] != nil { pending[position] = newValue }
    }
  }
  package func about(_ subject: Subject) -> [Pending] {
    guard let line = bySubject[subject] else { return [] }
    return line.all.compactMap { pending[$0] }
  }

  package func owes(_ subject: Subject) -> Bool { bySubject[subject] != nil }

  /// Positions in their order. Most often there is one: no memory of its own for that.
  private struct Line: Sendable {
    var first: Int64
    var rest: [Int64] = []
    var all: [Int64] { [first] + rest }
  }

  package func thread(_ subject: Subject, _ target: Receiver.Target) -> JSON? {
    threads[subject]?.first { $0.target == target }.flatMap { try? JSON(parsing: $0.text) }
  }
  /// - Parameter provider: a JSON object; anything else is let go.
  package mutating func remember(_ provider: [UInt8], _ subject: Subject, _ target: Receiver.Target) {
    guard provider.first == UInt8(ascii: "{") else { return }
    Ledger.remember(provider, target, in: &threads[subject, default: []])
  }
  private static func remember(_ provider: [UInt8], _ target: Receiver.Target, in threads: inout [Thread]) {
    guard let i = threads.firstIndex(where: { $0.target == target }) else {
      return threads.append(Thread(target: target, text: provider))
    }
    if hasSameNames(threads[i].text, provider) {
      threads[i].text = provider
      return
    }
    // What came before, and what is newer, under each name.
    var members = (try? JSON(parsing: threads[i].text))?.members ?? []
    for m in (try? JSON(parsing: provider))?.members ?? [] {
      members.removeAll { $0.name == m.name }
      members.append(m)
    }
    threads[i].text = JSON.object(members).bytes
  }
  /// Most deliveries to a place return the same members each time: then the newer object takes the place of the older one.
  private static func hasSameNames(_ a: [UInt8], _ b: [UInt8]) -> Bool {
    a.withUnsafeBufferPointer { a in
      b.withUnsafeBufferPointer { b in
        var (a, b) = (JSONScanner(a), JSONScanner(b))
        while true {
          switch (a.next(), b.next()) {
          case (nil, nil): return !a.isLost && !b.isLost
          case (let x?, let y?): if !x.name.elementsEqual(y.name) { return false }
          default: return false
          }
        }
      }
    }
  }
  package mutating func forget(_ subject: Subject) { threads[subject] = nil }

  package mutating func add(_ p: Pending) {
    totals.requested += 1
    put(p)
  }

  /// Those of one line must come in the order of their positions.
  mutating func put(_ p: Pending) {
    pending[p.position] = p
    if Ledger.subject(of: p.key) != p.subject { byKey[p.key] = p.position }
    if bySubject[p.subject]?.rest.append(p.position) == nil { bySubject[p.subject] = Line(first: p.position) }
    offer(p)
  }

  /// The first of those about this subject that wait for this target.
  private func first(_ subject: Subject, _ target: Receiver.Target) -> Pending? {
    guard let line = bySubject[subject] else { return nil }
    if let p = pending[line.first], p.place.target == target { return p }
    for position in line.rest { if let p = pending[position], p.place.target == target { return p } }
    return nil
  }

  /// - Parameter near: the subject of the fact that says so, which is most likely the message's.
  /// - Returns: what it was; nil if it was settled before, or was never owed.
  @discardableResult
  package mutating func settle(_ key: String, as end: End, near: Subject? = nil) -> Pending? {
    guard let position = position(of: key, near: near), let p = pending.removeValue(forKey: position) else {
      return nil
    }
    switch end {
    case .delivered: totals.delivered += 1
    case .failed: totals.failed += 1
    case .cancelled: totals.cancelled += 1
    }
    if !byKey.isEmpty { byKey[p.key] = nil }
    guard var line = bySubject.removeValue(forKey: p.subject), !line.rest.isEmpty else { return p }
    if line.first == position { line.first = line.rest.removeFirst() } else { line.rest.removeAll { $0 == position } }
    bySubject[p.subject] = line
    if let next = first(p.subject, p.place.target) { offer(next) }
    return p
  }

  /// Puts it where a worker finds it, if it is the first of its line. Doubled entries are harmless: each is judged when it comes up.
  package mutating func offer(_ p: Pending) {
    guard isOffering, p.lease == nil, first(p.subject, p.place.target)?.position == p.position else { return }
    ready[p.place.target.channel, default: Heap()].insert(Ready(urgency: p.urgency, position: p.position))
  }

  /// Whether a worker might find something.
  package var hasReady: Bool { ready.values.contains { !$0.isEmpty } }

  /// From now on nothing is offered, until ``offerAll()``.
  mutating func offerNothing() { isOffering = false }

  /// Offers what is owed, whatever was offered before.
  mutating func offerAll() {
    isOffering = true
    ready = [:]
    for p in pending.values { offer(p) }
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
        self.first(p.subject, p.place.target)?.position == p.position
      else {
        _ = ready[channel]?.popMin()
        continue
      }
      return first
    }
    return nil
  }
}
