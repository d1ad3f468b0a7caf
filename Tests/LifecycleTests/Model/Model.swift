import Alerts

/// What the rules say must be, for three keys, of which `k0` explains `k1`. Knows nothing of the engine: it takes steps, and says which facts
/// follow and what stands then.
struct Model {
  struct Life: Equatable {
    /// `new`, `ack` or `over`.
    var state = "new"
    var generation = 1
    var severity: Severity
    var hasPolicy: Bool
    var value: Double
    var acknowledgedBy: String?
    var acknowledgedUntil: Timestamp?
    var seen = false
    var owner: String?
    var snoozedUntil: Timestamp?
    var snoozedAtValue: Double?
    var silences: [Int] = []
    var isInhibited = false
    var how: String?
    var endedAt: Timestamp?
    var heardAt: Timestamp
    var step = -1
    var round = 0
    var due: Timestamp?
    var isExhausted = false
    var isFlapping = false
    var reopenings: [Timestamp] = []
    var isHeld: Bool {
      state != "new" || snoozedUntil != nil || !silences.isEmpty || isInhibited
    }
  }
  struct Silence {
    var scope: ModelStep.Scope
    var from: Timestamp
    var to: Timestamp
    var hasBegun = false
  }

  static let reopenWithin = Interval.minutes(10)
  /// No sum of the other times: no two things are due at the very same moment.
  static let staleAfter = Interval.hours(6) + .seconds(17)
  static let acknowledgeTimeout = Interval.hours(4)
  static let flapping = (changes: 3, within: Interval.hours(1), steadyAfter: Interval.minutes(20))
  static let delays: [Interval] = [.zero, .minutes(15), .minutes(30)]
  static let repeats = 1

  var lives: [Int: Life] = [:]
  var silences: [Int: Silence] = [:]
  var silenceCount = 0
  var now: Timestamp
  /// Facts since the last look, by key.
  var facts: [Int: [String]] = [:]

  init(now: Timestamp) { self.now = now }

  // MARK: - The table

  /// Applies the row of this state and input. Nil: refused.
  private mutating func enter(_ input: String, _ k: Int, owner: String? = nil, by: String = "") -> Bool {
    let state = state(k)
    guard let row = ModelTable.rows["\(state)|\(input)"] else { return true }
    if row.isRefused { return false }
    let wasSnoozed = lives[k]?.snoozedUntil != nil
    let changed =
      lives[k].map { l in l.snoozedUntil != nil && l.snoozedAtValue.map { $0 != l.value } ?? false } ?? false
    for fact in row.facts {
      var fact = fact
      if fact.hasPrefix("z?") {
        guard wasSnoozed else { continue }
        fact.removeFirst(2)
      } else if fact.hasPrefix("c?") {
        guard changed else { continue }
        fact.removeFirst(2)
      } else if fact.hasPrefix("o?") {
        guard lives[k]?.owner != owner else { continue }
        fact.removeFirst(2)
      }
      happen(fact, k, owner: owner, by: by)
    }
    return true
  }

  func state(_ k: Int) -> String {
    guard let l = lives[k] else { return "none" }
    if l.state == "over", !l.isFlapping, let end = l.endedAt, now - end >= Model.reopenWithin { return "none" }
    return l.state
  }

  private mutating func happen(_ fact: String, _ k: Int, owner: String?, by: String) {
    let reason = fact.split(separator: "(").dropFirst().first.map { String($0.dropLast()) } ?? ""
    switch fact.split(separator: "(")[0] {
    case "hold": hold(k)
    case "regard":
      for s in lives[k]?.silences ?? [] where silences[s].map({ !applies($0.scope, k) }) ?? true {
        say("unsilenced", k)
        lives[k]?.silences.removeAll { $0 == s }
      }
      hold(k)
    case "tell": tell(reason, k)
    case "advance": advance(reason, k)
    case "flap":
      guard let l = lives[k], !l.isFlapping else { return }
      if l.reopenings.suffix(Model.flapping.changes).count(where: { now - $0 <= Model.flapping.within })
        >= Model.flapping.changes
      {
        say("flapping", k)
        lives[k]?.isFlapping = true
      }
    default:
      say(fact.replacing("(", with: " ").replacing(")", with: ""), k)
      change(String(fact.split(separator: "(")[0]), reason, k, owner: owner, by: by)
    }
  }

  private mutating func change(_ fact: String, _ reason: String, _ k: Int, owner: String?, by: String) {
    guard var l = lives[k] else { return }
    switch fact {
    case "acknowledged":
      (l.state, l.seen, l.acknowledgedBy) = ("ack", true, by)
      l.acknowledgedUntil = l.hasPolicy ? now + Model.acknowledgeTimeout : nil
      l.due = nil
    case "unacknowledged": (l.state, l.acknowledgedBy, l.acknowledgedUntil) = ("new", nil, nil)
    case "snoozed": l.due = nil
    case "unsnoozed": (l.snoozedUntil, l.snoozedAtValue) = (nil, nil)
    case "assigned": l.owner = owner
    case "resolved":
      (l.state, l.endedAt, l.how, l.due) = ("over", now, reason, nil)
      resolvedBy[k] = reason == "responder" ? by : nil
      (l.snoozedUntil, l.snoozedAtValue, l.silences, l.isInhibited) = (nil, nil, [], false)
      l.acknowledgedUntil = nil
    case "severity_raised": (l.step, l.round, l.due, l.isExhausted) = (-1, 0, nil, false)
    case "reopened":
      (l.state, l.endedAt, l.how, l.acknowledgedBy, l.acknowledgedUntil) = ("new", nil, nil, nil, nil)
      l.reopenings.append(now)
      l.isExhausted = false
      if l.isFlapping {
        l.due = l.hasPolicy ? now + delay(after: max(l.step, 0)) : nil
      } else {
        (l.step, l.round, l.due) = (-1, 0, nil)
      }
    case "silenced", "inhibited": l.due = nil
    case "steady": (l.isFlapping, l.reopenings) = (false, [])
    default: break
    }
    lives[k] = l
  }

  private mutating func say(_ fact: String, _ k: Int) { facts[k, default: []].append(fact) }

  // MARK: - Holding and telling

  private func applies(_ scope: ModelStep.Scope, _ k: Int) -> Bool {
    switch scope {
    case .key(let key): key == k
    case .critical: lives[k]?.severity == .critical
    }
  }

  private mutating func hold(_ k: Int) {
    for (n, s) in silences.sorted(by: { $0.key < $1.key })
    where s.from <= now && now < s.to && applies(s.scope, k) && lives[k]?.silences.contains(n) == false {
      beginSilence(n, k)
    }
    if k == 1, lives[1]?.isInhibited == false, let root = lives[0], root.state != "over" { explain() }
  }

  private mutating func beginSilence(_ n: Int, _ k: Int) {
    _ = enter("a silence begins", k)
    lives[k]?.silences.append(n)
  }

  private mutating func explain() {
    _ = enter("explained", 1)
    lives[1]?.isInhibited = true
  }

  /// The policy begins; an alert that opens needs no fact for its first step.
  private mutating func tell(_ reason: String, _ k: Int) {
    guard let l = lives[k], !l.isHeld, l.hasPolicy else { return }
    if reason == "reopened", comesBackQuietly { return }
    if reason != "opened" { say("escalated 0/0 \(reason)", k) }
    reach(0, 0, k)
  }

  private mutating func reach(_ step: Int, _ round: Int, _ k: Int) {
    lives[k]?.step = step
    lives[k]?.round = round
    lives[k]?.isExhausted = false
    let due = now + delay(after: step)
    lives[k]?.due = due
  }

  private func delay(after step: Int) -> Interval {
    step + 1 < Model.delays.count ? Model.delays[step + 1] : Model.delays[Model.delays.count - 1]
  }

  private mutating func advance(_ reason: String, _ k: Int) {
    guard let l = lives[k], !l.isHeld else { return }
    if l.isExhausted {
      say("escalated 0/\(l.round + 1) \(reason)", k)
      reach(0, l.round + 1, k)
    } else if l.step < 0, l.round == 0, reason == "delay" {
      // The first word of a policy that had to wait for it needs no fact of its own.
      reach(0, 0, k)
    } else if l.step + 1 < Model.delays.count {
      say("escalated \(l.step + 1)/\(l.round) \(reason)", k)
      reach(l.step + 1, l.round, k)
    } else if l.round < Model.repeats {
      say("escalated 0/\(l.round + 1) \(reason)", k)
      reach(0, l.round + 1, k)
    } else {
      say("exhausted", k)
      lives[k]?.isExhausted = true
      lives[k]?.due = nil
    }
  }

  /// `k0` opened, came back or got worse, or ended: what it explains is looked at.
  private mutating func lookAtExplained(_ k: Int) {
    guard k == 0, let child = lives[1], child.state != "over" else { return }
    if lives[0]?.state == "over" {
      guard child.isInhibited else { return }
      lives[1]?.isInhibited = false
      _ = enter("no longer explained", 1)
    } else if !child.isInhibited {
      explain()
    }
  }

  // MARK: - Steps

  mutating func fires(_ k: Int, _ severity: Severity, _ value: Double) {
    switch state(k) {
    case "none":
      let generation = (lives[k]?.generation ?? 0) + 1
      lives[k] = Life(
        generation: generation, severity: severity, hasPolicy: severity == .critical, value: value, heardAt: now)
      // The row's own state is that before the life.
      enterNone(k)
    case "over":
      let isWorse = severity > (lives[k]?.severity ?? .low)
      let wasFlapping = lives[k]?.isFlapping == true
      lives[k]?.severity = severity
      lives[k]?.value = value
      lives[k]?.heardAt = now
      if isWorse { lives[k]?.hasPolicy = severity == .critical }
      // What flaps was told to flap: only a rise is told.
      comesBackQuietly = wasFlapping && !isWorse
      _ = enter(isWorse ? "fires worse" : "fires", k)
      comesBackQuietly = false
    default:
      let isWorse = severity > (lives[k]?.severity ?? .low)
      lives[k]?.value = value
      lives[k]?.heardAt = now
      if isWorse {
        lives[k]?.severity = severity
        lives[k]?.hasPolicy = severity == .critical
      }
      _ = enter(isWorse ? "fires worse" : "fires", k)
    }
    lookAtExplained(k)
  }

  /// It comes back while it flaps, no worse than before: nobody is told.
  private var comesBackQuietly = false

  private mutating func enterNone(_ k: Int) {
    for fact in ModelTable.rows["none|fires"]?.facts ?? [] { happen(fact, k, owner: nil, by: "") }
  }

  mutating func clears(_ k: Int) {
    guard state(k) == "new" || state(k) == "ack" else { return }
    lives[k]?.heardAt = now
    _ = enter("clears", k)
    lookAtExplained(k)
  }

  /// False where it must be refused as not allowed.
  mutating func command(_ name: String, _ k: Int, by: String) -> Bool {
    if name == "escalate", let l = lives[k], l.state != "over" {
      guard l.hasPolicy else { return false }
      if l.state == "new", l.snoozedUntil == nil, l.isHeld { return false }
    }
    // A life that ended long ago takes the same commands as one that ended just now.
    let taken = command(name, k, by: by, state: lives[k]?.state ?? "none")
    lookAtExplained(k)
    return taken
  }

  private mutating func command(_ name: String, _ k: Int, by: String, state: String) -> Bool {
    if state == "over" {
      guard let row = ModelTable.rows["over|\(name)"] else { return true }
      if row.isRefused { return false }
      for fact in row.facts where !fact.hasPrefix("z?") {
        if fact == "o?assigned", lives[k]?.owner == by { continue }
        happen(fact.replacing("o?", with: ""), k, owner: by, by: by)
      }
      return true
    }
    return enter(name, k, owner: by, by: by)
  }

  /// What was so already is answered as done, whatever version the sender saw.
  func isDone(_ name: String, _ k: Int, by: String) -> Bool {
    guard let l = lives[k] else { return false }
    switch name {
    case "acknowledge": return l.state == "ack" && l.acknowledgedBy == by
    case "resolve": return l.state == "over" && l.how == "responder" && resolvedBy[k] == by
    case "assign": return l.owner == by
    default: return false
    }
  }
  /// Who resolved the newest life of each key.
  var resolvedBy: [Int: String] = [:]

  mutating func snooze(_ k: Int, _ interval: Interval, untilChange: Bool) -> Bool {
    guard lives[k]?.state != "over" else { return false }
    guard enter("snooze", k) else { return false }
    lives[k]?.snoozedUntil = now + interval
    let value = untilChange ? lives[k]?.value : nil
    lives[k]?.snoozedAtValue = value
    return true
  }

  mutating func silence(_ scope: ModelStep.Scope, after: Interval?, length: Interval) {
    silenceCount += 1
    let from = now + (after ?? .zero)
    silences[silenceCount] = Silence(scope: scope, from: from, to: from + length)
    if after == nil { begin(silenceCount) }
  }

  private mutating func begin(_ n: Int) {
    silences[n]?.hasBegun = true
    guard let scope = silences[n]?.scope else { return }
    for k in lives.keys.sorted()
    where lives[k]?.state != "over" && applies(scope, k) && lives[k]?.silences.contains(n) == false {
      beginSilence(n, k)
    }
  }

  mutating func expire(_ n: Int) {
    guard silences.removeValue(forKey: n) != nil else { return }
    for k in lives.keys.sorted() where lives[k]?.silences.contains(n) == true {
      lives[k]?.silences.removeAll { $0 == n }
      _ = enter("a silence ends", k)
    }
  }

  /// Time goes by, and what is due happens at its own moment.
  mutating func passes(_ interval: Interval) {
    let end = now + interval
    while let (due, what) = nextDue(), due <= end {
      now = due
      what(&self)
    }
    now = end
  }

  private func nextDue() -> (Timestamp, (inout Model) -> Void)? {
    var all: [(Timestamp, (inout Model) -> Void)] = []
    for (k, l) in lives {
      if let t = l.due, !l.isHeld { all.append((t, { _ = $0.enter("a step is due", k) })) }
      if l.state == "ack", let t = l.acknowledgedUntil { all.append((t, { _ = $0.enter("the time is over", k) })) }
      if let t = l.snoozedUntil { all.append((t, { _ = $0.enter("the snooze is over", k) })) }
      if l.state != "over" {
        all.append(
          (
            l.heardAt + Model.staleAfter,
            { model in
              _ = model.enter("nothing is heard", k)
              model.lookAtExplained(k)
            }
          ))
      }
      if l.isFlapping, let last = l.reopenings.last {
        all.append((max(last, l.endedAt ?? last) + Model.flapping.steadyAfter, { $0.becomeSteady(k) }))
      }
    }
    for (n, s) in silences {
      if s.hasBegun { all.append((s.to, { $0.expire(n) })) } else { all.append((s.from, { $0.begin(n) })) }
    }
    return all.min { $0.0 < $1.0 }
  }

  private mutating func becomeSteady(_ k: Int) { happen("steady", k, owner: nil, by: "") }
}
