import Alerts

/// What may happen to a model, and what then does.
extension Model {
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
