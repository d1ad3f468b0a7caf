import Alerts
import EventLog
import Lifecycle

/// What must hold, judged by a model that knows nothing of the engine: it reads the facts one by one, and what the world saw.
struct Promises {
  private struct Alert {
    var isResolved = false
    var isAcknowledged = false
    var isSnoozed = false
    var silences = 0
    var isInhibited = false
    var isExhausted = false
    var hasPolicy = false
    var isHeld: Bool { isResolved || isAcknowledged || isSnoozed || silences > 0 || isInhibited }
  }

  private(set) var faults: [String] = []
  private var alerts: [AlertID: Alert] = [:]
  private var read: Int64 = 0
  private var versions: [Subject: Int] = [:]
  private var requested: [String: NotificationRequested] = [:]
  private var ends: [String: String] = [:]
  private var unsure: Set<String> = []
  private var firing = 0
  /// By alert and target: whether an end was requested since it was last told, as the facts say.
  private var owed: [String: Bool] = [:]
  /// By alert and target: the key of an end that is requested and not settled.
  private var endsUnderWay: [String: String] = [:]
  private var doneBy: [AlertID: Set<String>] = [:]

  mutating func fail(_ promise: Int, _ what: String) {
    if faults.count < 20 { faults.append("promise \(promise): \(what)") }
  }

  // MARK: - Facts

  mutating func readOn(_ log: SimulatedLog) throws {
    try log.disk.replay(after: read) { stored in
      take(try stored.read())
      return true
    }
  }

  private mutating func take(_ e: RecordedEvent) {
    if e.position != read + 1 { fail(6, "position \(e.position) follows \(read)") }
    read = e.position
    let version = (versions[e.subject] ?? 0) + 1
    if e.version != version { fail(6, "\(e.subject) jumps to version \(e.version) after \(version - 1)") }
    versions[e.subject] = e.version
    explain(e)
    if e.subject.kind == .alert { follow(e, AlertID(e.subject.number)) }
    deliveries(e)
  }

  private mutating func explain(_ e: RecordedEvent) {
    if let cause = e.cause {
      if cause >= e.position || cause < 1 { fail(6, "event \(e.position) names \(cause) as its cause") }
      return
    }
    switch e.event {
    case .detected, .configured, .silenceAdded, .silenceExpired, .silenced: return
    case .notificationRequested(let n) where n.purpose == .digest || n.purpose == .notice: return
    default: fail(6, "event \(e.position), \(e.type.rawValue) of \(e.subject), has no cause")
    }
  }

  private mutating func follow(_ e: RecordedEvent, _ id: AlertID) {
    var a = alerts[id] ?? Alert()
    switch e.event {
    case .detected(let d):
      firing += 1
      a.hasPolicy = d.route.policy != nil
    case .deduplicated(let d): firing += d.count
    case .severityRaised(let r):
      if let route = r.route { a.hasPolicy = route.policy != nil }
      a.isExhausted = false
    case .reopened:
      firing += 1
      a.isResolved = false
      a.isAcknowledged = false
      a.isSnoozed = false
      a.isExhausted = false
    case .resolved:
      if a.isResolved { fail(4, "\(id) is resolved twice") }
      a.isResolved = true
      a.isSnoozed = false
      a.silences = 0
      a.isInhibited = false
    case .acknowledged:
      if a.isResolved { fail(4, "\(id) is acknowledged although resolved") }
      a.isAcknowledged = true
      doneBy[id, default: []].insert("acknowledge \(e.actor)")
    case .unacknowledged: a.isAcknowledged = false
    case .snoozed: a.isSnoozed = true
    case .unsnoozed: a.isSnoozed = false
    case .silenced: a.silences += 1
    case .unsilenced: a.silences -= 1
    case .inhibited: a.isInhibited = true
    case .uninhibited: a.isInhibited = false
    case .escalated:
      a.isExhausted = false
      if a.isResolved { fail(4, "\(id) escalates although resolved") }
    case .exhausted: a.isExhausted = true
    case .notificationRequested(let n):
      if n.purpose == .firing, a.isHeld { fail(4, "\(id) is told as firing although it is held, at \(e.position)") }
      if n.purpose == .resolved {
        if !a.isResolved { fail(4, "\(id)'s end is told although it fires") }
        let place = "\(id) \(n.channel) \(n.destination)"
        if owed[place] == false { fail(4, "\(id)'s end is told twice to \(n.destination), at \(e.position)") }
        owed[place] = false
        endsUnderWay[place] = n.key
      }
    default: break
    }
    alerts[id] = a
  }

  private mutating func deliveries(_ e: RecordedEvent) {
    func end(_ key: String, _ how: String) {
      if requested[key] == nil { fail(5, "\(key) is \(how) without having been requested") }
      if let before = ends[key] { fail(5, "\(key) is \(how) after it was \(before)") }
      ends[key] = how
      if let n = requested[key], n.purpose == .resolved {
        let place = "\(e.subject) \(n.channel) \(n.destination)"
        if endsUnderWay[place] == key { endsUnderWay[place] = nil }
      }
    }
    switch e.event {
    case .notificationRequested(let n):
      if requested[n.key] != nil { fail(5, "two messages have the key \(n.key)") }
      requested[n.key] = n
    case .notificationAttempted(let t):
      if t.outcomeUnknown {
        unsure.insert(t.key)
        told(t.key, e)
      }
    case .notificationDelivered(let d):
      end(d.key, "delivered")
      told(d.key, e)
    case .notificationFailed(let f): end(f.key, "failed")
    case .notificationCancelled(let c):
      end(c.key, "cancelled")
      if let n = requested[c.key], n.purpose == .resolved { owed["\(e.subject) \(n.channel) \(n.destination)"] = true }
    default: break
    }
  }

  private mutating func told(_ key: String, _ e: RecordedEvent) {
    guard let n = requested[key], n.purpose == .firing else { return }
    let place = "\(e.subject) \(n.channel) \(n.destination)"
    // An end that is under way behind it covers it.
    if endsUnderWay[place] == nil { owed[place] = true }
  }

  // MARK: - The world

  /// A message reached its receiver.
  mutating func arrived(_ key: String, times: Int) {
    if requested[key] == nil { fail(5, "a message arrived with a key that was never requested: \(key)") }
    if times > 1, !unsure.contains(key), ends[key] != "delivered" { pendingDoubles.insert(key) }
  }
  private var pendingDoubles: Set<String> = []

  /// A notifier is about to hand a message to its receiver.
  mutating func isSent(_ key: String) {
    guard let n = requested[key], n.purpose == .firing, let id = AlertID(key.prefix { $0 != "/" }), let a = alerts[id]
    else { return }
    if a.isResolved { fail(4, "\(key) is sent although \(id) is resolved") }
  }

  mutating func answered(_ reply: Bool, _ action: String, _ id: AlertID, _ by: String) {
    if reply, doneBy[id]?.contains("\(action) \(by)") != true, action == "acknowledge",
      alerts[id]?.isAcknowledged != true
    {
      fail(1, "\(by) was told that \(id) is acknowledged, and the log knows nothing of it")
    }
  }

  // MARK: - After every step

  mutating func check(_ engine: Engine, now: Timestamp, isStuck: Bool) {
    let ended = ends.count
    if requested.count != ended + engine.ledger.pending.count, !isStuck {
      fail(5, "\(requested.count) requested, \(ended) ended, \(engine.ledger.pending.count) pending")
    }
    guard !isStuck else { return }
    for (id, a) in alerts where !a.isHeld && a.hasPolicy && !a.isExhausted {
      guard let next = engine.alerts[id]?.nextEscalationAt else {
        fail(3, "\(id) is open and nobody will be told")
        continue
      }
      if next < now - .seconds(5) { fail(3, "\(id) should have escalated at \(next), and it is \(now)") }
    }
  }

  /// When nothing more comes, and every receiver is up.
  mutating func checkEnd(firing sent: Int) {
    if firing < sent { fail(1, "\(sent) firing anomalies were stored, and the log holds \(firing)") }
    if firing > sent { fail(2, "\(sent) firing anomalies were sent, and the log counts \(firing)") }
    for (place, isOwed) in owed where isOwed {
      guard let id = AlertID(place.prefix { $0 != " " }), alerts[id]?.isResolved == true else { continue }
      fail(4, "the end of \(place) is owed and was never requested")
    }
    for key in requested.keys where ends[key] == nil { fail(5, "\(key) is still pending") }
    for key in pendingDoubles where !unsure.contains(key) {
      fail(5, "\(key) arrived twice, and the history does not say that it might")
    }
  }
}
