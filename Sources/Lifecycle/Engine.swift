package import Alerts

/// Everything that is decided, in one value: state in memory, facts out.
///
/// Each input method judges it against the state and `now`, and appends facts to a batch, each of which changes the state at once
/// by ``apply(_:)``, the same function that replays the log. The shell takes the batch with ``takeBatch(now:)`` and commits it before
/// it answers anybody. No I/O, no clock, no randomness: the same inputs give the same facts.
package struct Engine: Sendable {
  /// Open alerts, and ended ones that may still reopen or owe somebody a word.
  package internal(set) var alerts: [AlertID: AlertState] = [:]
  /// The newest life of every dedup key that was ever seen. 48 bytes a key.
  package internal(set) var lives: [StableHash: Life] = [:]
  package internal(set) var silences: [Subject: Silence] = [:]
  package internal(set) var groups: [String: GroupState] = [:]
  package internal(set) var ledger = Ledger()
  package internal(set) var deadlines = Deadlines()
  /// By the number of their `C-…` subject.
  package internal(set) var configurations: [Int: LifecycleSettings] = [:]
  package internal(set) var configuration = 0
  /// Keys of digests that were ordered, for ever: a few hundred a year.
  package internal(set) var digests: Set<String> = []
  /// The position of the newest fact, in the batch or committed.
  package internal(set) var head: Int64 = 0
  package internal(set) var counters = Counters()
  /// Alerts that are not resolved.
  package internal(set) var openCount = 0

  var numbers: [Subject.Kind: Int64] = [:]
  var versions: [Subject: Int] = [:]
  var batch: [RecordedEvent] = []
  var repeats: [AlertID: Repeats] = [:]
  var repeatOrder: [AlertID] = []
  private var isReplaying = false

  package struct Life: Sendable, Equatable {
    package var alert: AlertID
    package var generation: Int
  }

  /// Repeats of one alert inside a batch: one fact in the end.
  struct Repeats: Sendable {
    var count: Int
    var firstTime: Timestamp
    var lastTime: Timestamp
    var worst: Severity
    var last: Anomaly
  }

  /// What happened since the process began, for metrics.
  package struct Counters: Sendable {
    package var opened = 0
    package var repeated = 0
    package var cleared = 0
    package var ignored = 0
    package var lateTimers = 0
  }

  package init() {}

  package var settings: LifecycleSettings { configurations[configuration] ?? LifecycleSettings() }

  // MARK: - Facts

  /// Appends a fact and lets it change the state. Returns its position.
  @discardableResult
  mutating func emit(
    _ event: AlertEvent, about subject: Subject, now: Timestamp, occurredAt: Timestamp? = nil, actor: String = "tocsin",
    cause: Int64? = nil
  ) -> Int64 {
    if subject.kind == .alert { closeRepeats(of: AlertID(subject.number), now: now) }
    let e = RecordedEvent(
      position: head + 1, subject: subject, version: version(of: subject) + 1, occurredAt: occurredAt ?? now,
      recordedAt: now, actor: actor, cause: cause, event: event)
    apply(e)
    batch.append(e)
    return e.position
  }

  func version(of subject: Subject) -> Int {
    subject.kind == .alert ? alerts[AlertID(subject.number)]?.version ?? 0 : versions[subject] ?? 0
  }

  mutating func newSubject(_ kind: Subject.Kind) -> Subject { Subject(kind, (numbers[kind] ?? 0) + 1) }

  /// The facts since the last call, for one commit.
  package mutating func takeBatch(now: Timestamp) -> [RecordedEvent] {
    for id in repeatOrder { closeRepeats(of: id, now: now) }
    repeatOrder.removeAll(keepingCapacity: true)
    defer { batch.removeAll(keepingCapacity: true) }
    return batch
  }

  mutating func closeRepeats(of id: AlertID, now: Timestamp) {
    guard let r = repeats.removeValue(forKey: id) else { return }
    emit(
      .deduplicated(
        Deduplicated(count: r.count, firstTime: r.firstTime, lastTime: r.lastTime, worst: r.worst, last: r.last)),
      about: id.subject, now: now, occurredAt: r.lastTime, actor: r.last.source,
      cause: alerts[id]?.decisivePosition)
  }

  // MARK: - Replay

  /// Takes up a fact of the log, at the start.
  package mutating func replay(_ e: RecordedEvent) {
    isReplaying = true
    apply(e)
    isReplaying = false
  }

  /// After the last replayed fact: arms every timer again, and notes which messages may have been on their way.
  package mutating func recover(now: Timestamp) {
    deadlines = Deadlines()
    for (id, a) in alerts { arm(id, a, before: nil) }
    for s in silences.values where !s.hasExpired { deadlines.add(.silence(s.subject), at: max(s.startsAt, .epoch)) }
    for (key, g) in groups { if let due = g.dueAt { deadlines.add(.group(key), at: due) } }
    for (position, p) in ledger.pending {
      // Leases are not in the log: whatever was requested may have been with a worker when the service stopped.
      var p = p
      p.maybeSent = true
      ledger[position] = p
      deadlines.add(.delivery(position), at: p.notBefore)
    }
  }

  /// Puts an alert that has left memory back into it, from the facts of its life, so that a command can be judged.
  package mutating func recall(_ life: [RecordedEvent]) {
    guard let first = life.first, var state = AlertState(opening: first), alerts[state.id] == nil else { return }
    for e in life.dropFirst() {
      state.evolve(e) { Routing.policy(of: $0, in: configurations[$0.configuration] ?? .init()) }
    }
    alerts[state.id] = state
    deadlines.add(.farewell(state.id), at: state.lastSeenAt)
  }

  // MARK: - State

  mutating func apply(_ e: RecordedEvent) {
    head = e.position
    let s = e.subject
    numbers[s.kind] = max(numbers[s.kind] ?? 0, s.number)
    switch s.kind {
    case .alert: applyToAlert(e)
    case .configuration:
      versions[s] = e.version
      if case .configured(let c) = e.event {
        configurations[Int(s.number)] = LifecycleSettings(json: c.settings)
        configuration = Int(s.number)
      }
    case .silence:
      versions[s] = e.version
      applyToSilence(e)
    case .group, .digest: versions[s] = e.version
    }
    applyToLedger(e)
  }

  private mutating func applyToAlert(_ e: RecordedEvent) {
    let id = AlertID(e.subject.number)
    if case .detected(let d) = e.event {
      guard var state = AlertState(opening: e) else { return }
      let settings = configurations[d.route.configuration] ?? .init()
      if let first = Routing.policy(of: d.route, in: settings)?.steps.first, first.after > .zero {
        state.nextEscalationAt = e.recordedAt + first.after
      }
      alerts[id] = state
      openCount += 1
      lives[state.key] = Life(alert: id, generation: d.generation)
      joinGroup(id, state, now: e.recordedAt)
      if !isReplaying { arm(id, state, before: nil) }
      return
    }
    guard let before = alerts[id] else { return }
    let configurations = configurations
    alerts[id]?.evolve(e) { Routing.policy(of: $0, in: configurations[$0.configuration] ?? .init()) }
    guard let after = alerts[id] else { return }
    if before.isResolved != after.isResolved { openCount += after.isResolved ? -1 : 1 }
    switch e.event {
    case .severityRaised, .reopened, .resolved: joinGroup(id, after, now: e.recordedAt)
    default: break
    }
    if !isReplaying { arm(id, after, before: before) }
  }

  /// Adds a deadline for each due time that is new.
  private mutating func arm(_ id: AlertID, _ a: AlertState, before: AlertState?) {
    if let t = a.nextEscalationAt, t != before?.nextEscalationAt { deadlines.add(.escalation(id), at: t) }
    if let t = a.acknowledgedUntil, t != before?.acknowledgedUntil { deadlines.add(.acknowledgement(id), at: t) }
    if let t = a.snoozedUntil, t != before?.snoozedUntil { deadlines.add(.snooze(id), at: t) }
    if let t = a.resolvedAt, t != before?.resolvedAt { deadlines.add(.farewell(id), at: t + settings.reopenWithin) }
    if before == nil || before?.isResolved == true, !a.isResolved, let stale = settings.staleAfter {
      deadlines.add(.stale(id), at: a.lastSeenAt + stale)
    }
  }
}
