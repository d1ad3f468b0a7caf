import Alerts

extension GroupState: Packed {
  static var carried: [String] {
    [
      "subject", "key", "configuration", "route", "place", "wait", "interval", "waiting", "told", "lastSentAt",
      "lastCriticalAt", "dueAt",
    ]
  }
  func pack(to p: inout Packer) {
    p.subject(subject)
    p.text(key)
    p.int(configuration)
    p.optional(route) { $0.int($1) }
    p.optional(place) { $0.place($1) }
    p.int(wait.microseconds)
    p.int(interval.microseconds)
    p.list(waiting.sorted()) { $0.alert($1) }
    p.list(told.sorted { $0.key < $1.key }) {
      $0.alert($1.key)
      $0.list($1.value) {
        $0.place($1.place)
        $0.bool($1.hasArrived)
      }
    }
    p.optional(lastSentAt) { $0.time($1) }
    p.optional(lastCriticalAt) { $0.time($1) }
    p.optional(dueAt) { $0.time($1) }
  }
  init(from u: inout Unpacker) {
    self.init(
      subject: u.subject(), key: u.text(), configuration: u.int(), route: u.optional { $0.int() },
      place: u.optional { $0.place() }, wait: Interval(microseconds: u.int64()),
      interval: Interval(microseconds: u.int64()), waiting: Set(u.list { $0.alert() }),
      told: Dictionary(
        u.list { u in (u.alert(), u.list { GroupState.Told(place: $0.place(), hasArrived: $0.bool()) }) },
        uniquingKeysWith: { $1 }),
      lastSentAt: u.optional { $0.time() }, lastCriticalAt: u.optional { $0.time() },
      dueAt: u.optional { $0.time() })
  }
}

extension Silence: Packed {
  static var carried: [String] {
    ["subject", "version", "matchers", "startsAt", "endsAt", "by", "comment", "command", "madeAt", "wasWarned"]
  }
  func pack(to p: inout Packer) {
    p.subject(subject)
    p.int(version)
    p.list(matchers) { $0.json($1.json) }
    p.time(startsAt)
    p.time(endsAt)
    p.text(by)
    p.optional(comment) { $0.text($1) }
    p.optional(command) { $0.text($1) }
    p.time(madeAt)
    p.bool(wasWarned)
  }
  init(from u: inout Unpacker) {
    let subject = u.subject()
    let version = u.int()
    // As the log gives them: a pattern that is none any more is left out there too.
    let matchers = u.list { $0.json() }.compactMap { Matcher(json: $0) }
    self.init(
      subject: subject, version: version, matchers: matchers, startsAt: u.time(), endsAt: u.time(), by: u.text(),
      comment: u.optional { $0.text() }, command: u.optional { $0.text() }, madeAt: u.time(), wasWarned: u.bool())
  }
}

extension Engine.Life: Packed {
  static var carried: [String] { ["alert", "generation"] }
  func pack(to p: inout Packer) {
    p.alert(alert)
    p.int(generation)
  }
  init(from u: inout Unpacker) { self.init(alert: u.alert(), generation: u.int()) }
}

extension SubjectNumbers: Packed {
  static var carried: [String] { ["highest"] }
  func pack(to p: inout Packer) { p.list(highest) { $0.int($1) } }
  init(from u: inout Unpacker) {
    self.init()
    let numbers = u.list { $0.int64() }
    if numbers.count == highest.count { highest = numbers } else { u.fail() }
  }
}

extension Storms: Packed {
  static var carried: [String] { ["recent"] }
  func pack(to p: inout Packer) {
    p.list(recent.sorted { ($0.key.channel, $0.key.destination) < ($1.key.channel, $1.key.destination) }) {
      $1.key.pack(to: &$0)
      $1.value.pack(to: &$0)
    }
  }
  init(from u: inout Unpacker) {
    self.init()
    for _ in 0..<u.count() where !u.isBroken {
      let target = Receiver.Target(from: &u)
      recent[target] = Ring(from: &u)
    }
  }
}

extension Storms.Ring: Packed {
  static var carried: [String] { ["times", "next"] }
  func pack(to p: inout Packer) {
    p.list(times) { $0.time($1) }
    p.int(next)
  }
  init(from u: inout Unpacker) {
    self.init(times: u.list { $0.time() }, next: u.int())
    if next < 0 || next > times.count { u.fail() }
  }
}

extension Ledger: Packed {
  static var carried: [String] { ["pending", "threads", "totals"] }
  /// What follows from ``carried``, and is made again.
  static var derived: [String] { ["byKey", "ready", "bySubject", "isOffering"] }

  func pack(to p: inout Packer) {
    p.list(pending.values.sorted { $0.position < $1.position }) { $1.pack(to: &$0) }
    p.list(threads.sorted { $0.key < $1.key }) {
      $0.subject($1.key)
      $0.list($1.value) { $1.pack(to: &$0) }
    }
    totals.pack(to: &p)
  }
  init(from u: inout Unpacker) {
    self.init()
    offerNothing()
    // In the order of their positions, so that each line stands as it stood.
    for p in u.list({ Pending(from: &$0) }) { put(p) }
    for _ in 0..<u.count() where !u.isBroken {
      let subject = u.subject()
      threads[subject] = u.list { Thread(from: &$0) }
    }
    totals = Totals(from: &u)
  }
}

extension Ledger.Thread: Packed {
  static var carried: [String] { ["target", "text"] }
  func pack(to p: inout Packer) {
    target.pack(to: &p)
    p.bytes(text)
  }
  init(from u: inout Unpacker) { self.init(target: Receiver.Target(from: &u), text: u.bytes()) }
}

extension Ledger.Totals: Packed {
  static var carried: [String] { ["requested", "delivered", "failed", "cancelled"] }
  func pack(to p: inout Packer) {
    p.int(requested)
    p.int(delivered)
    p.int(failed)
    p.int(cancelled)
  }
  init(from u: inout Unpacker) {
    self.init(requested: u.int(), delivered: u.int(), failed: u.int(), cancelled: u.int())
  }
}

extension Ledger.Pending: Packed {
  static var carried: [String] {
    [
      "position", "key", "subject", "purpose", "place", "step", "round", "members", "requestedAt", "urgency",
      "attempts", "unsent", "notBefore", "occasion", "mayHaveArrived", "taken",
    ]
  }
  /// Known to the running process alone: a start sets them anew.
  static var transient: [String] { ["lease", "isUnsure"] }

  func pack(to p: inout Packer) {
    p.int(position)
    p.text(key)
    p.subject(subject)
    p.text(purpose.rawValue)
    p.place(place)
    p.optional(step) { $0.int($1) }
    p.optional(round) { $0.int($1) }
    p.list(members) { $0.alert($1) }
    p.time(requestedAt)
    p.byte(urgency)
    p.int(attempts)
    p.int(unsent)
    p.time(notBefore)
    p.optional(occasion) { $0.json($1.json) }
    p.bool(mayHaveArrived)
    p.list(taken) { $0.text($1) }
  }
  init(from u: inout Unpacker) {
    let (position, key, subject) = (u.int64(), u.text(), u.subject())
    let purpose = Purpose(rawValue: u.text())
    if purpose == nil { u.fail() }
    self.init(
      position: position, key: key, subject: subject, purpose: purpose ?? .notice, place: u.place(),
      step: u.optional { $0.int() }, round: u.optional { $0.int() }, members: u.list { $0.alert() },
      requestedAt: u.time(), urgency: u.byte(), attempts: u.int(), unsent: u.int(), notBefore: u.time(),
      occasion: u.optional { $0.json() }.flatMap { Occasion(json: $0) }, mayHaveArrived: u.bool(),
      taken: u.list { $0.text() })
  }
}
