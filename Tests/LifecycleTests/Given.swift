import Alerts
import Testing

@testable import Lifecycle

/// An engine in virtual time, and everything that it said: given / when / then.
struct Given {
  var engine = Engine()
  private(set) var log: [RecordedEvent] = []
  var now = Given.start
  private var nextID = 0
  /// Facts up to here were looked at by a test.
  private var seen = 0
  /// A state that was kept some time ago, and how many facts the log had then.
  private var snapshot: (count: Int, bytes: [UInt8])?
  /// The facts that the log's rows give, so far.
  private var rows: [Fact] = []
  private var reader = FactReader()

  static let start = Timestamp(rfc3339: "2026-03-02T10:00:00Z")!

  init(_ settings: LifecycleSettings = .plain) {
    engine.adopt(settings, now: now)
    commit()
    seen = log.count
  }

  mutating func commit() { log += engine.takeBatch(now: now) }

  /// What was said since the last look, without saying it twice.
  mutating func news() -> [RecordedEvent] {
    commit()
    defer { seen = log.count }
    return Array(log[seen...])
  }

  /// The facts since the last look in short: `detected`, `requested firing ops/email`, …
  mutating func said() -> [String] { news().map(\.short) }

  // MARK: - When

  @discardableResult
  mutating func fires(
    _ key: String = "cpu", _ severity: Severity? = .critical, source: String = "detector/a",
    labels: [String: String] = [:]
  ) -> AlertID {
    observe(key, .firing, severity, source: source, labels: labels)
    return engine.lives[StableHash("default|=\(key)")]?.alert ?? AlertID(0)
  }

  mutating func clears(_ key: String = "cpu") { observe(key, .resolved, nil) }

  @discardableResult
  mutating func observe(
    _ key: String, _ status: Anomaly.Status, _ severity: Severity?, source: String = "detector/a",
    labels: [String: String] = [:], value: Double? = nil
  ) -> Engine.Taken {
    nextID += 1
    var a = Anomaly(id: "\(nextID)", source: source, time: now, eventType: "host", metric: key)
    a.givenKey = key
    a.status = status
    a.severity = severity
    a.value = value
    a.dimensions = labels.sorted { $0.key < $1.key }.map { .init($0.key, $0.value) }
    let taken = engine.take(a, now: now)
    commit()
    return taken
  }

  /// Several anomalies in one commit.
  mutating func burst(_ keys: [String], _ severity: Severity? = .critical) {
    for key in keys {
      nextID += 1
      var a = Anomaly(id: "\(nextID)", source: "detector/a", time: now, eventType: "host", metric: key)
      a.givenKey = key
      a.severity = severity
      engine.take(a, now: now)
    }
    engine.fire(now: now)
    commit()
  }

  @discardableResult
  mutating func command(
    _ action: Command.Action, _ alert: AlertID? = nil, by: String = "ana", version: Int? = nil, note: String? = nil
  ) -> Reply {
    let value = alert.flatMap { engine.alerts[$0] }.flatMap { lastValue(of: $0) }
    let reply = engine.obey(
      Command(action, alert: alert, by: by, note: note, version: version), now: now, lastValue: { value })
    commit()
    return reply
  }

  /// As the service finds it in the log.
  private func lastValue(of a: AlertState) -> Double? {
    guard let e = log.first(where: { $0.position == a.anomalyPosition }) else { return nil }
    return switch e.event {
    case .detected(let d): d.anomaly.value
    case .deduplicated(let d): d.last.value
    case .reopened(let r): r.anomaly.value
    default: nil
    }
  }

  /// Time goes by; every deadline on the way fires at its own moment.
  mutating func passes(_ interval: Interval) {
    let end = now + interval
    while let next = engine.nextDeadline, next <= end {
      now = max(now, next)
      engine.fire(now: now)
      commit()
    }
    now = end
  }

  /// The service was away for so long: nothing fires until it is back.
  mutating func sleeps(_ interval: Interval) {
    now = now + interval
    engine.fire(now: now)
    commit()
  }

  /// Stops and starts the service: only what is in the log survives.
  mutating func restarts(
    after interval: Interval = .zero, replaying isReplayed: (RecordedEvent) -> Bool = { _ in true }
  ) {
    now = now + interval
    commit()
    var fresh = Engine()
    for e in log where isReplayed(e) { fresh.replay(e) }
    fresh.recover(now: now)
    engine = fresh
    engine.fire(now: now)
    commit()
  }

  /// As a service would that forgot to arm its timers again.
  mutating func restartsWithoutTimers() {
    commit()
    var fresh = Engine()
    for e in log { fresh.replay(e) }
    engine = fresh
  }

  static let channels = ["email", "slack", "pagerduty", "webhook"]

  mutating func lease(_ channels: [String] = Given.channels) -> Ledger.Pending? {
    let p = engine.lease(to: "w", channels: channels, now: now)
    commit()
    return p
  }

  @discardableResult
  mutating func receipt(
    _ p: Ledger.Pending, _ outcome: Receipt.Outcome, retryAfter: Interval? = nil, unknown: Bool = false
  ) -> Bool {
    engine.receive(
      Receipt(
        key: p.key, attempt: p.attempts + 1, outcome: outcome, status: 200, message: "said", retryAfter: retryAfter,
        outcomeUnknown: unknown), from: "notifier/w", now: now)
    commit()
    return engine.ledger.find(p.key) == nil
  }

  /// Delivers everything that may go now. Returns it, as `firing ops/email`.
  @discardableResult
  mutating func deliver() -> [String] {
    var sent: [String] = []
    while let p = lease() {
      sent.append("\(p.subject) \(p.purpose.rawValue) \(p.place.receiver)/\(p.place.target.channel)")
      receipt(p, .delivered)
    }
    return sent
  }

  // MARK: - Then

  func state(_ id: AlertID) -> AlertState { engine.alerts[id]! }

  /// A replay of everything said gives the very state that is here, but for what lives only in memory; so does a replay of the rows as the log keeps
  /// them, and of what was said since a snapshot.
  mutating func replayMatches(sourceLocation: SourceLocation = #_sourceLocation) {
    commit()
    var live = engine
    live.recover(now: now)
    func expect(_ replayed: Engine, _ what: String) {
      var replayed = replayed
      replayed.recover(now: now)
      let difference = live.difference(from: replayed)
      #expect(difference == nil, "\(what) differs: \(difference ?? "")", sourceLocation: sourceLocation)
    }
    for e in log[rows.count...] { rows.append(reader.fact(of: e, sourceLocation: sourceLocation)) }
    var replayed = Engine()
    for fact in rows { replayed.replay(fact) }
    expect(replayed, "a replay")

    if let snapshot {
      guard var restored = snapshot.bytes.withUnsafeBytes({ Engine(snapshot: $0) }) else {
        Issue.record("a snapshot can't be read", sourceLocation: sourceLocation)
        return
      }
      for fact in rows[snapshot.count...] { restored.replay(fact) }
      expect(restored, "a replay from a snapshot at \(snapshot.count) of \(log.count)")
    }
    guard let bytes = engine.snapshot(now: engine.recordedUpTo) else {
      Issue.record("no snapshot could be taken", sourceLocation: sourceLocation)
      return
    }
    if let restored = bytes.withUnsafeBytes({ Engine(snapshot: $0) }) {
      StoredProperties.expectSame(engine, restored, sourceLocation: sourceLocation)
    }
    snapshot = (log.count, bytes)
  }
}

extension FactReader {
  /// From the event's row, as the log keeps it. What comes out must be what the event says.
  mutating func fact(of e: RecordedEvent, sourceLocation: SourceLocation = #_sourceLocation) -> Fact {
    let data = e.event.data.bytes
    var actor = e.actor
    let fact = data.withUnsafeBufferPointer { data in
      actor.withUTF8 { actor in
        read(
          EventView(
            position: e.position, subject: e.subject, version: e.version, type: e.type, occurredAt: e.occurredAt,
            recordedAt: e.recordedAt, actor: actor, cause: e.cause, data: data))
      }
    }
    let expected = Fact(e)
    guard let fact else { return expected }
    #expect(fact == expected, sourceLocation: sourceLocation)
    return fact
  }
}

extension LifecycleSettings {
  static let plain: LifecycleSettings = {
    var s = LifecycleSettings()
    s.receivers = [
      Receiver(name: "ops", targets: [.init(channel: "email", destination: "ops@x.org")]),
      Receiver(name: "chat", targets: [.init(channel: "slack", destination: "#a")]),
      Receiver(name: "boss", targets: [.init(channel: "pagerduty", destination: "boss")]),
    ]
    s.policies = [
      Policy(
        name: "urgent",
        steps: [
          .init(after: .zero, receivers: ["ops"]), .init(after: .minutes(15), receivers: ["chat"]),
          .init(after: .minutes(30), receivers: ["boss"]),
        ], repeats: 1, acknowledgeTimeout: .hours(4))
    ]
    s.routes = [
      Route(matchers: [Matcher(name: "severity", value: "critical")], delivery: .policy("urgent")),
      Route(
        matchers: [Matcher(name: "severity", value: "high")],
        delivery: .group(["chat"], .init(by: ["event_type"], wait: .minutes(5), interval: .minutes(30)))),
      Route(matchers: [Matcher(name: "severity", value: "medium")], delivery: .notify(["ops"])),
      Route(matchers: [], delivery: .dashboardOnly),
    ]
    return s
  }()

  func with(_ change: (inout LifecycleSettings) -> Void) -> LifecycleSettings {
    var copy = self
    change(&copy)
    return copy
  }
}

extension RecordedEvent {
  var short: String {
    switch event {
    case .notificationRequested(let n):
      "requested \(n.purpose.rawValue) \(n.receiver)/\(n.channel)\(n.members.isEmpty ? "" : " ×\(n.members.count)")"
    case .notificationCancelled(let c): "cancelled: \(c.reason)"
    case .escalated(let s): "escalated \(s.step)/\(s.round) \(s.reason.rawValue)"
    case .resolved(let r): "resolved \(r.how.rawValue)"
    case .unacknowledged(let u): "unacknowledged \(u.reason.rawValue)"
    case .unsnoozed(let u): "unsnoozed \(u.reason.rawValue)"
    case .deduplicated(let d): "deduplicated ×\(d.count)"
    default: type.rawValue
    }
  }
}

extension Reply {
  var code: CommandError.Code? { if case .failure(let e) = result { e.code } else { nil } }
  var body: JSON? { if case .success(let b) = result { b } else { nil } }
}
