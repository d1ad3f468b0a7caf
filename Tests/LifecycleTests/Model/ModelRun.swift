import Alerts
import Lifecycle

/// An engine and the model side by side, through the same steps.
struct ModelRun {
  /// What is wrong with the engine on purpose: a comparison that never fails proves nothing.
  enum Mutant: String, CaseIterable {
    case repeatsEndAcknowledgements, theResolvedIsAcknowledged, staleVersionsAreTaken, snoozesSurviveARise
    case reopensTooLate, neverStale, acknowledgementsNeverEnd, nothingFlaps, nothingExplains, policiesGoOnceOnly
    case silencesAreLostAtARestart, timersAreLostAtARestart, valuesAreNotLookedAt
  }

  private var given: Given
  private var model: Model
  private let mutant: Mutant?
  private var ids: [Int: [AlertID]] = [:]
  private var looked = 0

  private static let moment = Interval(microseconds: 1_000_003)

  static let settings = LifecycleSettings.plain.with {
    $0.storm = nil
    $0.staleAfter = Model.staleAfter
    $0.flapping = FlappingRule(
      changes: Model.flapping.changes, within: Model.flapping.within, steadyAfter: Model.flapping.steadyAfter)
    $0.inhibitions = [
      InhibitionRule(
        name: "k0 explains k1", source: [Matcher(name: "metric", value: "k0")],
        target: [Matcher(name: "metric", value: "k1")])
    ]
  }

  private init(_ mutant: Mutant?) {
    self.mutant = mutant
    given = Given(
      ModelRun.settings.with {
        switch mutant {
        case .reopensTooLate: $0.reopenWithin = .minutes(40)
        case .neverStale: $0.staleAfter = nil
        case .acknowledgementsNeverEnd: $0.policies[0].acknowledgeTimeout = nil
        case .nothingFlaps: $0.flapping = nil
        case .nothingExplains: $0.inhibitions = []
        case .policiesGoOnceOnly: $0.policies[0].repeats = 0
        default: break
        }
      })
    model = Model(now: given.now)
    looked = given.log.count
  }

  /// Where the engine first differs from the model: the number of the step, and how. Nil: nowhere.
  static func run(_ steps: [ModelStep], _ mutant: Mutant? = nil) -> (step: Int, what: String)? {
    var run = ModelRun(mutant)
    for (i, step) in steps.enumerated() {
      if let what = run.take(step) { return (i, what) }
    }
    return nil
  }

  /// The fewest steps that still differ, found by leaving out ever smaller parts.
  /// Source: Andreas Zeller and Ralf Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", 2002.
  static func shrunk(_ steps: [ModelStep], _ mutant: Mutant? = nil) -> [ModelStep] {
    guard let first = run(steps, mutant) else { return steps }
    var steps = Array(steps.prefix(first.step + 1))
    var size = max(1, steps.count / 2)
    while size >= 1 {
      var i = 0
      var removed = false
      while i < steps.count {
        var fewer = steps
        fewer.removeSubrange(i..<min(i + size, steps.count))
        if run(fewer, mutant) != nil {
          steps = fewer
          removed = true
        } else {
          i += size
        }
      }
      if !removed || size > 1 { size /= 2 }
    }
    return steps
  }

  // MARK: - One step

  private mutating func take(_ step: ModelStep) -> String? {
    model.facts = [:]
    // A moment goes by before each step: what two steps begin is never due at the same time.
    given.passes(ModelRun.moment)
    model.passes(ModelRun.moment)
    var wanted: CommandError.Code?
    var reply: Reply?
    switch step {
    case .fires(let k, let severity, let value):
      let (before, snooze) = (
        id(k).flatMap { given.engine.alerts[$0] }, id(k).flatMap { given.engine.alerts[$0]?.snoozedUntil }
      )
      given.observe("k\(k)", .firing, severity, value: value)
      model.fires(k, severity, value)
      learn(k)
      if mutant == .repeatsEndAcknowledgements, before?.acknowledgedBy != nil, let id = id(k) {
        given.command(.unacknowledge, id)
      }
      if mutant == .snoozesSurviveARise, let snooze, snooze > given.now, let id = id(k),
        given.engine.alerts[id]?.snoozedUntil == nil
      {
        given.command(.snooze(snooze - given.now), id)
      }
    case .clears(let k):
      given.observe("k\(k)", .resolved, nil)
      model.clears(k)
    case .command(let name, let k, let by, let seen):
      guard let id = id(k) else {
        return given.command(action(name, by), AlertID(999), by: by).code == .unknown_alert
          ? nil : "a command about an unknown alert was not refused as unknown_alert"
      }
      var version: Int?
      let life = given.log.filter { $0.subject == id.subject }
      switch seen {
      case .none: break
      case .present: version = life.last?.version
      case .old: version = max(1, (life.last?.version ?? 1) / 2)
      }
      let decisive = life.last { ModelTable.decisive.contains($0.type.rawValue) }?.version ?? 0
      if let version, version < decisive, !model.isDone(name, k, by: by) {
        wanted = .stale_version
      } else if !model.command(name, k, by: by) {
        wanted = .not_allowed_in_state
      }
      reply = command(action(name, by), id, by, mutant == .staleVersionsAreTaken ? nil : version)
    case .snooze(let k, let interval, let untilChange):
      guard let id = id(k) else { return nil }
      if !model.snooze(k, interval, untilChange: untilChange) { wanted = .not_allowed_in_state }
      let unlessChanged: Double? = untilChange && mutant != .valuesAreNotLookedAt ? 0 : nil
      reply = command(.snooze(interval, unlessChanged: unlessChanged), id, "ana", nil)
    case .acknowledgesFormer(let k):
      guard let former = ids[k]?.dropLast().last else { return nil }
      wanted = .not_allowed_in_state
      reply = command(.acknowledge, former, "ana", nil)
    case .silence(let scope, let after, let length):
      let starts = after.map { given.now + $0 }
      reply = given.command(
        .silence(matchers: [scope.matcher], startsAt: starts, endsAt: (starts ?? given.now) + length))
      model.silence(scope, after: after, length: length)
    case .expires(let n):
      let isMade = n <= model.silenceCount
      reply = given.command(.expireSilence(Subject(.silence, Int64(n))))
      if !isMade { wanted = .invalid }
      model.expire(n)
    case .passes(let interval):
      given.passes(interval)
      model.passes(interval)
    case .restarts: restart()
    }
    if reply?.code != wanted {
      return "the reply was \(reply?.code?.rawValue ?? "ok"), and should be \(wanted?.rawValue ?? "ok")"
    }
    given.deliver()
    return difference()
  }

  /// The newest life of a key.
  private func id(_ k: Int) -> AlertID? { ids[k]?.last }

  private mutating func learn(_ k: Int) {
    guard let id = given.engine.lives[StableHash("default|=k\(k)")]?.alert, ids[k]?.last != id else { return }
    ids[k, default: []].append(id)
  }

  private func action(_ name: String, _ by: String) -> Command.Action {
    switch name {
    case "acknowledge": .acknowledge
    case "unacknowledge": .unacknowledge
    case "resolve": .resolve
    case "unsnooze": .unsnooze
    case "escalate": .escalate
    case "assign": .assign(to: by)
    case "label": .label(.true_positive)
    default: .comment("a word")
    }
  }

  /// As the service does it: what has left memory is recalled from the log first.
  private mutating func command(_ action: Command.Action, _ id: AlertID, _ by: String, _ version: Int?) -> Reply {
    if given.engine.alerts[id] == nil { given.engine.recall(given.log.filter { $0.subject == id.subject }) }
    let reply = given.command(action, id, by: by, version: version)
    if mutant == .theResolvedIsAcknowledged, action == .acknowledge, reply.code == .not_allowed_in_state {
      return Reply(.success([:]))
    }
    return reply
  }

  private mutating func restart() {
    switch mutant {
    case .silencesAreLostAtARestart: given.restarts { e in e.subject.kind != .silence }
    case .timersAreLostAtARestart: given.restartsWithoutTimers()
    default: given.restarts()
    }
  }

  // MARK: - The comparison

  private mutating func difference() -> String? {
    let news = given.log[looked...]
    looked = given.log.count
    for k in 0..<3 {
      guard let id = id(k) else { continue }
      let said = news.filter { $0.subject == id.subject && !$0.type.rawValue.hasPrefix("notification") }.map(\.fact)
      let wanted = model.facts[k] ?? []
      if said != wanted { return "k\(k): it says \(said), and should say \(wanted)" }
      if let what = difference(k, id) { return "k\(k): \(what)" }
    }
    return nil
  }

  private func difference(_ k: Int, _ id: AlertID) -> String? {
    guard let l = model.lives[k] else { return "there is an alert, and should be none" }
    guard let a = given.engine.alerts[id] else {
      return model.state(k) == "none" ? nil : "it has left memory, and should be \(l.state)"
    }
    func compare<T: Equatable>(_ name: String, _ actual: T, _ should: T) -> String? {
      actual == should ? nil : "\(name) is \(actual), and should be \(should)"
    }
    let state = a.isResolved ? "over" : a.acknowledgedBy != nil ? "ack" : "new"
    let acknowledgedBy = a.isResolved ? nil : a.acknowledgedBy
    let all: [() -> String?] = [
      { compare("state", state, l.state) }, { compare("generation", a.generation, l.generation) },
      { compare("severity", a.severity, l.severity) },
      { compare("acknowledged by", acknowledgedBy, l.state == "ack" ? l.acknowledgedBy : nil) },
      { compare("acknowledged until", a.acknowledgedUntil, l.acknowledgedUntil) },
      { compare("seen", a.seen, l.seen) }, { compare("owner", a.assignee, l.owner) },
      { compare("snoozed until", a.snoozedUntil, l.snoozedUntil) },
      { compare("silenced by", a.silencedBy.map { Int($0.number) }.sorted(), l.silences.sorted()) },
      { compare("inhibited", a.inhibitedBy != nil, l.isInhibited) },
      { compare("ended how", a.resolvedHow?.rawValue, l.how) }, { compare("ended at", a.resolvedAt, l.endedAt) },
      { compare("flapping", a.isFlapping, l.isFlapping) }, { compare("step", a.step, l.step) },
      { compare("round", a.round, l.round) }, { compare("next step", a.nextEscalationAt, l.due) },
      { compare("exhausted", a.isExhausted, l.isExhausted) }, { compare("held", a.isHeld, l.isHeld) },
      { compare("condition", a.isFiring, l.state != "over" || l.how == "responder") },
    ]
    for look in all { if let what = look() { return what } }
    return nil
  }
}

extension RecordedEvent {
  /// A fact as the model says it.
  fileprivate var fact: String {
    switch event {
    case .deduplicated: "deduplicated"
    default: short
    }
  }
}
