package import Alerts

/// Everything that is decided, in one value: state in memory, facts out.
///
/// Each input method judges it against the state and `now`, and appends facts to a batch, each of which changes the state at once
/// by ``apply(_:)``, the same function that replays the log. The shell takes the batch with ``takeBatch(now:)`` and commits it before
/// it answers anybody. No I/O, no clock, no randomness: the same inputs give the same facts. What is not in the facts (leases, deadlines,
/// indexes) follows from them, or is let go of at a start.
package struct Engine: Sendable {
  /// Open alerts, and ended ones that may still reopen or owe somebody a word.
  package internal(set) var alerts = AlertTable()
  /// The newest life of every dedup key that was ever seen. 48 bytes a key.
  package internal(set) var lives: [StableHash: Life] = [:]
  package internal(set) var silences: [Subject: Silence] = [:]
  package internal(set) var groups: [Subject: GroupState] = [:]
  package internal(set) var ledger = Ledger()
  package internal(set) var deadlines = Deadlines()
  /// By the number of their `C-…` subject.
  package internal(set) var configurations: [Int: LifecycleSettings] = [:] { didSet { takeUpSettings() } }
  package internal(set) var configuration = 0 { didSet { takeUpSettings() } }
  /// The configuration in force.
  package private(set) var settings = LifecycleSettings()
  /// Keys of digests that were ordered, for ever: a few hundred a year.
  package internal(set) var digests: Set<String> = []
  /// The position of the newest fact, in the batch or committed.
  package internal(set) var head: Int64 = 0
  package internal(set) var counters = Counters()
  /// Alerts that are not resolved.
  package internal(set) var openCount = 0

  /// The highest number of each kind of subject that was ever given.
  var numbers = SubjectNumbers()
  var versions: [Subject: Int] = [:]
  var groupByKey: [String: Subject] = [:]
  var storms = Storms()
  var inhibitions = InhibitionIndex()
  /// Windows of the configuration that are silenced, by their name: the silence, and when it began.
  var maintenance: [String: (silence: Subject, startsAt: Timestamp)] = [:]
  var batch: [RecordedEvent] = []
  var repeats = RepeatsInBatch()
  /// Alerts that are snoozed until their value changes: what comes of them is read, and not only noted.
  var watched: Set<AlertID> = []
  var isReplaying = false
  /// When the newest fact was recorded; after a start from a snapshot, when that was taken, if later.
  var reachedAt = Timestamp.epoch
  package var recordedUpTo: Timestamp { reachedAt }
  /// When the configuration in force was taken up.
  var configuredAt = Timestamp.epoch
  /// What many alerts have in common, once in memory.
  private var routes: [RouteTaken: FrozenRoute] = [:]
  private var lastRoute: FrozenRoute?
  /// What a route of the configuration in force comes to, where that does not depend on the alert.
  var plainRoutes: [Int: FrozenRoute] = [:]
  private var commonLabels: Set<String> = []
  private var lastCommon = ""
  private var toldSets: Set<[AlertState.Place]> = []
  private(set) var lastTold: [AlertState.Place] = []
  private static let sharedLimit = 50_000

  package struct Life: Sendable, Equatable {
    package var alert: AlertID
    package var generation: Int
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

  /// What ``settings`` follow from has changed. An initializer has to say so itself: it sets properties without their observers.
  mutating func takeUpSettings() { settings = configurations[configuration] ?? LifecycleSettings() }

  func policy(of route: RouteTaken) -> Policy? {
    route.policy.flatMap { configurations[route.configuration]?.policy($0) }
  }

  // MARK: - Facts

  /// Appends a fact and lets it change the state. Returns its position.
  @discardableResult
  mutating func emit(
    _ event: AlertEvent, about subject: Subject, now: Timestamp, occurredAt: Timestamp? = nil, actor: String = "tocsin",
    cause: Int64? = nil
  ) -> Int64 {
    if subject.kind == .alert, !repeats.isEmpty { closeRepeats(of: AlertID(subject.number), now: now) }
    let e = RecordedEvent(
      position: head + 1, subject: subject, version: version(of: subject) + 1, occurredAt: occurredAt ?? now,
      recordedAt: now, actor: actor, cause: cause, event: event)
    apply(Fact(e))
    batch.append(e)
    return e.position
  }

  func version(of subject: Subject) -> Int {
    subject.kind == .alert ? alerts.look(AlertID(subject.number)) { $0.version } ?? 0 : versions[subject] ?? 0
  }

  func newSubject(_ kind: Subject.Kind) -> Subject { Subject(kind, (numbers[kind] ?? 0) + 1) }

  /// How many facts ``takeBatch(now:)`` would give.
  package var factsInBatch: Int { batch.count + repeats.count }

  /// The facts since the last call, for one commit.
  package mutating func takeBatch(now: Timestamp) -> [RecordedEvent] {
    for r in repeats.takeAll() { emit(r, now: now) }
    defer { batch.removeAll(keepingCapacity: true) }
    return batch
  }

  mutating func closeRepeats(of id: AlertID, now: Timestamp) {
    if let r = repeats.take(id) { emit(r, now: now) }
  }

  private mutating func emit(_ r: RepeatsInBatch.Repeats, now: Timestamp) {
    emit(
      .deduplicated(
        Deduplicated(
          count: r.count, firstTime: r.firstTime, lastTime: r.lastTime, worst: r.worst,
          kept: KeptAnomaly(text: r.last, seenAt: r.lastTime))),
      about: r.id.subject, now: now, occurredAt: r.lastTime, actor: r.source,
      cause: alerts[r.id]?.decisivePosition)
  }

  // MARK: - State

  mutating func apply(_ e: Fact) {
    head = e.position
    reachedAt = max(reachedAt, e.recordedAt)
    let s = e.subject
    numbers.note(s)
    if s.kind != .alert { versions[s] = e.version }
    switch s.kind {
    case .alert: applyToAlert(e)
    case .configuration:
      if case .configured(let c) = e.event {
        configurations[Int(s.number)] = LifecycleSettings(json: c.value.settings)
        configuration = Int(s.number)
        configuredAt = e.recordedAt
        if !isReplaying {
          armAll(now: e.recordedAt)
          deadlines.add(.configuration, at: e.recordedAt)
        }
      }
    case .silence: applyToSilence(e)
    case .group, .digest: break
    }
    applyToLedger(e)
  }

  private mutating func applyToAlert(_ e: Fact) {
    let id = AlertID(e.subject.number)
    if case .detected(let d) = e.event {
      guard var state = AlertState(opening: e) else { return }
      // A replay's reader shares them itself.
      if !isReplaying {
        state.share(route: shared(d.route))
        state.labels.share(common: shared(labels: state.labels.common))
      }
      if d.route.route.policy != nil, let first = policy(of: d.route.route)?.steps.first, first.after > .zero {
        state.nextEscalationAt = e.recordedAt + first.after
      }
      alerts.put(state)
      openCount += 1
      lives[state.key] = Life(alert: id, generation: d.generation)
      joinGroups(id, now: e.recordedAt)
      if !isReplaying {
        inhibitions.add(state)
        arm(id, nil)
      }
      return
    }
    switch e.event {
    case .deduplicated, .commented, .labelled, .notificationAttempted, .notificationDelivered, .notificationFailed,
      .notificationCancelled:
      // No due time changes by these, and nothing is held or let go.
      alerts[id]?.evolve(e) { _ in nil }
      return
    default: break
    }
    guard let wasHeld = alerts.look(id, { $0.isHeld }) else { return }
    // In a replay nothing is armed, and the copy would be most of the work.
    let before = isReplaying ? nil : due(id)
    let configurations = configurations
    alerts[id]?.evolve(e) { route in route.policy.flatMap { configurations[route.configuration]?.policy($0) } }
    watch(e, id)
    switch e.event {
    case .severityRaised(let r):
      if let route = r.route.map({ shared(FrozenRoute($0)) }) { alerts[id]?.share(route: route) }
      if !isReplaying, let a = alerts[id] { inhibitions.update(a) }
      if r.route != nil { leaveFormerGroups(id, now: e.recordedAt) }
      joinGroups(id, now: e.recordedAt, wasFree: !wasHeld)
    case .resolved:
      openCount -= 1
      let until = e.recordedAt + settings.reopenWithin
      alerts[id]?.handled.reopenUntil = until
      if !isReplaying, let a = alerts[id] { inhibitions.remove(a) }
      endInGroups(id, now: e.recordedAt)
    case .reopened:
      openCount += 1
      if !isReplaying, let a = alerts[id] { inhibitions.add(a) }
      reopenInGroups(id, now: e.recordedAt)
    case .unsilenced, .unsnoozed, .unacknowledged, .uninhibited:
      // What still fires is told again, also in its groups.
      if wasHeld, alerts.look(id, { $0.isHeld }) == false { joinGroups(id, now: e.recordedAt) }
    default: break
    }
    if !isReplaying { arm(id, before) }
  }

  private mutating func watch(_ e: Fact, _ id: AlertID) {
    switch e.event {
    case .snoozed(let s) where s.unlessChanged != nil: watched.insert(id)
    case .snoozed, .unsnoozed, .resolved, .reopened: if !watched.isEmpty { watched.remove(id) }
    default: break
    }
  }

  // MARK: - Shared values

  /// The one that others hold already, if there is one that says the same.
  mutating func shared(_ route: FrozenRoute) -> FrozenRoute {
    // A replay's reader shares them itself.
    if let lastRoute, lastRoute === route { return route }
    let known = routes[route.route] ?? route
    if known === route {
      if routes.count >= Engine.sharedLimit { routes.removeAll() }
      routes[route.route] = route
    }
    lastRoute = known
    return known
  }

  mutating func shared(labels common: String) -> String {
    // Whoever looks the texts through says it in the same text as before.
    if common == lastCommon { return lastCommon }
    lastCommon = known(labels: common)
    return lastCommon
  }

  private mutating func known(labels common: String) -> String {
    if commonLabels.count >= Engine.sharedLimit { commonLabels.removeAll() }
    return commonLabels.insert(common).memberAfterInsert
  }

  func isLastTold(_ place: AlertState.Place) -> Bool { lastTold.count == 1 && lastTold[0] == place }

  mutating func shared(_ places: [AlertState.Place]) -> [AlertState.Place] {
    if places.isEmpty { return [] }
    if lastTold == places { return lastTold }
    if toldSets.count >= Engine.sharedLimit { toldSets.removeAll() }
    lastTold = toldSets.insert(places).memberAfterInsert
    return lastTold
  }
}
