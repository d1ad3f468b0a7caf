import Alerts

/// Who must be heard, and who is silent. Each that is expected is one entry of a heap of due times; what is heard touches nothing but its own record.
struct HeartbeatWatch: Sendable {
  /// So many are expected at once because they said so themselves; what declares itself beyond is heard, and not waited for. Names of the configuration are
  /// bounded by its own size.
  static let declaredCapacity = 10_000
  private enum State { case unheard, heard, silent }

  private struct Expected: Sendable {
    var within: Interval
    var severity: Severity
    /// It said so itself, in a heartbeat; a configuration does not take it back.
    var isDeclared: Bool
    var heardAt: Timestamp
    var state: State
  }

  private var expected: [String: Expected] = [:]
  /// What changed about who declared itself, since somebody asked.
  private var changed: Set<String> = []
  private(set) var silent = 0
  private var declared = 0

  var count: Int { expected.count }
  func expects(_ name: String) -> Bool { expected[name] != nil }

  /// What the auditor does about it.
  enum Outcome {
    case nothing
    /// Look again then.
    case later(Timestamp)
    case silent(since: Timestamp, within: Interval, wasHeard: Bool)
  }

  /// Takes up the names of a configuration. Returns those to look at, and those that nobody expects any more.
  mutating func adopt(_ names: [ExpectedHeartbeat], now: Timestamp) -> (new: [(String, Timestamp)], gone: [String]) {
    let wanted = Set(names.map(\.name))
    let gone = expected.filter { !$0.value.isDeclared && !wanted.contains($0.key) }.keys.sorted()
    for name in gone { remove(name) }
    var new: [(String, Timestamp)] = []
    for e in names {
      var known =
        expected[e.name]
        ?? Expected(within: e.within, severity: e.severity, isDeclared: false, heardAt: now, state: .unheard)
      known.within = e.within
      known.severity = e.severity
      if known.isDeclared {
        declared -= 1
        changed.insert(e.name)
      }
      known.isDeclared = false
      expected[e.name] = known
      new.append((e.name, known.heardAt + e.within))
    }
    return (new, gone)
  }

  /// What is to be kept of those that declared themselves: nil for who is not among them any more.
  mutating func takeChanges() -> [String: HeartbeatBook.Promise?] {
    guard !changed.isEmpty else { return [:] }
    defer { changed = [] }
    return Dictionary(
      uniqueKeysWithValues: changed.map { name in
        let known = expected[name].flatMap { $0.isDeclared ? $0 : nil }
        return (name, known.map { .init(within: $0.within, isSilent: $0.state == .silent) })
      })
  }

  /// What was taken could not be kept: it is given again.
  mutating func returnChanges(_ names: some Sequence<String>) { changed.formUnion(names) }

  /// It declared itself before the service started. Returns when to look after it; nil where a configuration names it, or its silence was said.
  mutating func recall(_ name: String, _ promise: HeartbeatBook.Promise, now: Timestamp) -> Timestamp? {
    guard expected[name] == nil, declared < HeartbeatWatch.declaredCapacity else { return nil }
    expected[name] = Expected(
      within: promise.within, severity: .high, isDeclared: true, heardAt: now,
      state: promise.isSilent ? .silent : .unheard)
    declared += 1
    if promise.isSilent { silent += 1 }
    return promise.isSilent ? nil : now + promise.within
  }

  /// An alert about its silence is open from before.
  mutating func recall(silent name: String, now: Timestamp) {
    if expected[name] == nil {
      expected[name] = Expected(
        within: ExpectedHeartbeat.longest, severity: .high, isDeclared: true, heardAt: now, state: .unheard)
      declared += 1
    }
    if expected[name]?.state != .silent { silent += 1 }
    expected[name]?.state = .silent
  }

  /// - Parameter declares: how long it may be silent from here on, as it says itself; zero: it takes its leave. Nil: it says nothing about that.
  /// - Returns: whether its silence is over, and when to look after it, if nobody does yet.
  mutating func heard(_ name: String, declares: Interval?, now: Timestamp) -> (isOver: Bool, lookAt: Timestamp?) {
    if let declares, expected[name]?.isDeclared != false {
      guard declares > .zero else { return (remove(name), nil) }
      let within = min(max(declares, ExpectedHeartbeat.shortest), ExpectedHeartbeat.longest)
      guard var known = expected[name] else {
        guard declared < HeartbeatWatch.declaredCapacity else { return (false, nil) }
        expected[name] = Expected(
          within: within, severity: .high, isDeclared: true, heardAt: now, state: .heard)
        declared += 1
        changed.insert(name)
        return (false, now + within)
      }
      // An entry that comes up too early is judged then; one that would come too late needs another.
      let isSooner = within < known.within || known.state == .silent
      if known.within != within { changed.insert(name) }
      known.within = within
      expected[name] = known
      return (hear(name, now: now), isSooner ? now + within : nil)
    }
    guard let known = expected[name] else { return (false, nil) }
    let wasSilent = known.state == .silent
    return (hear(name, now: now), wasSilent ? now + known.within : nil)
  }

  private mutating func hear(_ name: String, now: Timestamp) -> Bool {
    guard let state = expected[name]?.state else { return false }
    if state == .silent {
      silent -= 1
      changed.insert(name)
    }
    expected[name]?.heardAt = now
    expected[name]?.state = .heard
    return state == .silent
  }

  @discardableResult
  private mutating func remove(_ name: String) -> Bool {
    let known = expected.removeValue(forKey: name)
    if known?.isDeclared == true {
      declared -= 1
      changed.insert(name)
    }
    let wasSilent = known?.state == .silent
    if wasSilent { silent -= 1 }
    return wasSilent
  }

  /// Nobody could be heard for so long.
  mutating func excuse(_ time: Interval, now: Timestamp) {
    for name in expected.keys {
      if let heard = expected[name]?.heardAt { expected[name]?.heardAt = min(heard + time, now) }
    }
  }

  /// Its time has come.
  mutating func look(_ name: String, now: Timestamp) -> Outcome {
    guard let e = expected[name] else { return .nothing }
    if e.state == .silent { return .nothing }
    let due = e.heardAt + e.within
    guard due <= now else { return .later(due) }
    expected[name]?.state = .silent
    silent += 1
    changed.insert(name)
    return .silent(since: e.heardAt, within: e.within, wasHeard: e.state == .heard)
  }

  func severity(of name: String) -> Severity { expected[name]?.severity ?? .high }
}
