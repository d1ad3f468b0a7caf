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

  /// Who resolved the newest life of each key.
  var resolvedBy: [Int: String] = [:]
  /// It comes back while it flaps, no worse than before: nobody is told.
  var comesBackQuietly = false

  init(now: Timestamp) { self.now = now }

  // MARK: - The table

  /// Applies the row of this state and input. Nil: refused.
  mutating func enter(_ input: String, _ k: Int, owner: String? = nil, by: String = "") -> Bool {
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

  mutating func happen(_ fact: String, _ k: Int, owner: String?, by: String) {
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

  mutating func change(_ fact: String, _ reason: String, _ k: Int, owner: String?, by: String) {
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

  mutating func say(_ fact: String, _ k: Int) { facts[k, default: []].append(fact) }

  // MARK: - Holding and telling

  func applies(_ scope: ModelStep.Scope, _ k: Int) -> Bool {
    switch scope {
    case .key(let key): key == k
    case .critical: lives[k]?.severity == .critical
    }
  }

  mutating func hold(_ k: Int) {
    for (n, s) in silences.sorted(by: { $0.key < $1.key })
    where s.from <= now && now < s.to && applies(s.scope, k) && lives[k]?.silences.contains(n) == false {
      beginSilence(n, k)
    }
    if k == 1, lives[1]?.isInhibited == false, let root = lives[0], root.state != "over" { explain() }
  }

  mutating func beginSilence(_ n: Int, _ k: Int) {
    _ = enter("a silence begins", k)
    lives[k]?.silences.append(n)
  }

  mutating func explain() {
    _ = enter("explained", 1)
    lives[1]?.isInhibited = true
  }

  /// The policy begins; an alert that opens needs no fact for its first step.
  mutating func tell(_ reason: String, _ k: Int) {
    guard let l = lives[k], !l.isHeld, l.hasPolicy else { return }
    if reason == "reopened", comesBackQuietly { return }
    if reason != "opened" { say("escalated 0/0 \(reason)", k) }
    reach(0, 0, k)
  }

  mutating func reach(_ step: Int, _ round: Int, _ k: Int) {
    lives[k]?.step = step
    lives[k]?.round = round
    lives[k]?.isExhausted = false
    let due = now + delay(after: step)
    lives[k]?.due = due
  }

  func delay(after step: Int) -> Interval {
    step + 1 < Model.delays.count ? Model.delays[step + 1] : Model.delays[Model.delays.count - 1]
  }

  mutating func advance(_ reason: String, _ k: Int) {
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
  mutating func lookAtExplained(_ k: Int) {
    guard k == 0, let child = lives[1], child.state != "over" else { return }
    if lives[0]?.state == "over" {
      guard child.isInhibited else { return }
      lives[1]?.isInhibited = false
      _ = enter("no longer explained", 1)
    } else if !child.isInhibited {
      explain()
    }
  }
}
