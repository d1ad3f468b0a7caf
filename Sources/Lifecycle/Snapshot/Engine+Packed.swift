package import Alerts

extension Engine: Packed {
  static var carried: [String] {
    [
      "configurations", "configuration", "alerts", "lives", "silences", "groups", "ledger", "digests", "head",
      "openCount", "numbers", "versions", "storms", "maintenance", "reachedAt", "configuredAt",
    ]
  }
  /// What follows from ``carried``, and is made again by the start: ``Engine/recover(now:)``.
  static var derived: [String] {
    [
      "deadlines", "inhibitions", "groupByKey", "settings", "routes", "lastRoute", "plainRoutes", "commonLabels",
      "lastCommon",
      "toldSets", "lastTold", "watched",
    ]
  }
  /// What lives no longer than a batch, or than the process.
  static var transient: [String] { ["counters", "batch", "repeats", "isReplaying"] }

  func pack(to p: inout Packer) {
    p.list(configurations.sorted { $0.key < $1.key }) {
      $0.int($1.key)
      $0.json($1.value.json)
    }
    p.int(configuration)
    p.list(alerts.ids.sorted()) { [alerts] p, id in alerts[id]?.pack(to: &p) }
    p.int(lives.count)
    for (key, life) in lives {
      p.hash(key)
      life.pack(to: &p)
    }
    p.list(silences.values.sorted { $0.subject < $1.subject }) { $1.pack(to: &$0) }
    p.list(groups.values.sorted { $0.subject < $1.subject }) { $1.pack(to: &$0) }
    ledger.pack(to: &p)
    p.list(digests.sorted()) { $0.text($1) }
    p.int(head)
    p.int(openCount)
    numbers.pack(to: &p)
    p.list(versions.sorted { $0.key < $1.key }) {
      $0.subject($1.key)
      $0.int($1.value)
    }
    storms.pack(to: &p)
    p.list(maintenance.sorted { $0.key < $1.key }) {
      $0.text($1.key)
      $0.subject($1.value.silence)
      $0.time($1.value.startsAt)
    }
    p.time(reachedAt)
    p.time(configuredAt)
  }

  init(from u: inout Unpacker) {
    self.init()
    for _ in 0..<u.count() where !u.isBroken {
      let number = u.int()
      configurations[number] = LifecycleSettings(json: u.json())
    }
    configuration = u.int()
    takeUpSettings()
    for _ in 0..<u.count() where !u.isBroken {
      var a = AlertState(from: &u)
      a.labels.share(common: shared(labels: a.labels.common))
      alerts[a.id] = a
      if a.handled.unlessChanged != nil { watched.insert(a.id) }
      // As a replay has them: whoever ended long enough ago leaves as time goes on.
      if let end = a.leavesAt { deadlines.add(.farewell(a.id), at: end) }
    }
    let count = u.count()
    lives.reserveCapacity(count)
    for _ in 0..<count where !u.isBroken {
      let key = u.hash()
      lives[key] = Life(from: &u)
    }
    for s in u.list({ Silence(from: &$0) }) { silences[s.subject] = s }
    for g in u.list({ GroupState(from: &$0) }) {
      groups[g.subject] = g
      groupByKey[g.key] = g.subject
    }
    ledger = Ledger(from: &u)
    digests = Set(u.list { $0.text() })
    head = u.int64()
    openCount = u.int()
    numbers = SubjectNumbers(from: &u)
    for _ in 0..<u.count() where !u.isBroken {
      let subject = u.subject()
      versions[subject] = u.int()
    }
    storms = Storms(from: &u)
    for _ in 0..<u.count() where !u.isBroken {
      let name = u.text()
      maintenance[name] = (u.subject(), u.time())
    }
    reachedAt = u.time()
    configuredAt = u.time()
  }
}

extension Engine {
  /// Raised when the bytes change their meaning although the names stay.
  private static let edition = 2

  /// What tells this form of a snapshot from any other: a property more, or less, or elsewhere, is another form.
  package static var snapshotForm: StableHash {
    let types: [any Packed.Type] = [
      Engine.self, AlertState.self, AlertState.Handled.self, AlertState.Place.self, Receiver.Target.self,
      GroupState.self, Silence.self, Life.self, SubjectNumbers.self, Storms.self, Storms.Ring.self, Ledger.self,
      Ledger.Pending.self, Ledger.Thread.self, Ledger.Totals.self,
    ]
    return StableHash("\(edition);" + types.map { $0.carried.joined(separator: ",") }.joined(separator: ";"))
  }

  /// The state as bytes; nil while something decided waits for its commit.
  ///
  /// Takes some 250 bytes for each alert in memory, and 20 for each dedup key that was ever seen.
  ///
  /// - Parameter now: what was over by then has left memory, so that whoever goes on from the state goes on from this time: ``recordedUpTo``.
  package func snapshot(now: Timestamp) -> [UInt8]? {
    guard batch.isEmpty, repeats.isEmpty else { return nil }
    var state = self
    state.reachedAt = max(reachedAt, now)
    return state.packed()
  }

  private func packed() -> [UInt8] {
    var p = Packer(reserving: alerts.count * 256 + lives.count * 24 + 4096)
    pack(to: &p)
    return p.bytes
  }

  /// The state that ``snapshot()`` wrote. It stands where a replay of the same facts would stand: the facts that came since are to be
  /// replayed, and ``recover(now:)`` is to be called. Nil if the bytes make no sense.
  package init?(snapshot bytes: UnsafeRawBufferPointer) {
    var u = Unpacker(bytes)
    self.init(from: &u)
    guard !u.isBroken, u.isAtEnd else { return nil }
  }
}
