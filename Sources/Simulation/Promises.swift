import Alerts
import EventLog
import Lifecycle

/// What must hold, judged by a model that knows nothing of the engine: it reads the facts one by one as the log gets them, and what the world saw,
/// and keeps its own small account of both. Each step costs what is new in it.
struct Promises {
  /// One life, as far as the promises speak of it.
  struct Alert {
    var key = ""
    var metric = ""
    var service = ""
    var severity = Severity.low
    var isResolved = false
    var isAcknowledged = false
    var wasAcknowledged = false
    var wasResolved = false
    var isSnoozed = false
    var silences: Set<Subject> = []
    var isInhibited = false
    var isExhausted = false
    var isFlapping = false
    var route = RouteTaken(configuration: 0, index: nil, match: "")
    var step = -1
    var round = 0
    /// The newest fact that holds it back, or ended it.
    var heldAt: Int64 = 0
    /// Where the step that was taken in this commit must be told, and was not yet.
    var untold: Set<Receiver.Target> = []
    var isHeld: Bool { isResolved || isAcknowledged || isSnoozed || !silences.isEmpty || isInhibited }
  }

  struct Timer: Hashable {
    enum Kind { case escalation, acknowledgement, snooze, stale, group, silence, maintenance }
    var kind: Kind
    var subject: Subject
  }

  private(set) var faults: [Simulation.Fault] = []
  /// The true time, and the service's, of the step that is judged.
  var now = Timestamp.epoch
  var serviceNow = Timestamp.epoch
  /// The service's time of the step before, and the log's head then.
  var formerNow = Timestamp.epoch
  var formerHead: Int64 = 0

  var alerts: [AlertID: Alert] = [:]
  var openByKey: [String: AlertID] = [:]
  var generations: [String: Int] = [:]
  /// Those that the commits of this step were about.
  var touched: Set<AlertID> = []
  var read: Int64 = 0
  var versions: [Subject: Int] = [:]
  var lastRecorded = Timestamp.epoch

  /// By the number of their `C-…`.
  var configurations: [Int: LifecycleSettings] = [:]
  var configuration = 0
  var settings: LifecycleSettings { configurations[configuration] ?? LifecycleSettings() }
  /// As the people of the world wrote them, by the digests under which the service takes them up.
  let written: [String: LifecycleSettings]

  var dues: [Timer: (service: Timestamp, latest: Timestamp)] = [:]
  var silences: [Subject: Silence] = [:]
  struct Silence {
    var metric: String?
    var service: String?
    var startsAt: Timestamp
    var endsAt: Timestamp
    /// The maintenance window that it is.
    var window: String?
  }
  /// The last occurrence of each maintenance window that was held.
  var windows: [String: Timestamp] = [:]

  var requested: [String: Request] = [:]
  struct Request {
    var purpose: Purpose
    var subject: Subject
    var place: String
    var target: Receiver.Target
    var position: Int64
    var requestedAt: Timestamp
    var notBefore: Timestamp?
    var step: Int?
    var round: Int?
    var members: [AlertID] = []
    var unknown = 0
    var arrivals = 0
    var end: String?
  }
  var endedCount = 0
  /// By alert and target: whether an end was requested since it was last told, as the facts say.
  var owed: [String: Bool] = [:]
  /// By alert and target: the key of an end that is requested and not settled.
  var endsUnderWay: [String: String] = [:]
  /// By group, alert and place: told as firing, and not of its end; whether a message that said so has arrived there, or may have.
  var owedInGroup: [Subject: [AlertID: [String: Bool]]] = [:]
  /// By place: messages of a group that are not settled.
  var summariesUnderWay: [String: Set<String>] = [:]
  /// Where the message of a storm's group goes.
  var stormTargets: [Subject: Receiver.Target] = [:]
  /// When each place was last told of a group.
  var summaries: [String: Timestamp] = [:]
  /// Where a delivery failed for good: what follows from it is a fallback's.
  var failures: Set<Int64> = []
  /// Times of messages *firing* to one target that were not told in a storm's.
  var tellings: [Receiver.Target: [Timestamp]] = [:]
  /// Those of this commit: they may yet be taken into a storm's message.
  var newTellings: [String: Telling] = [:]
  struct Telling {
    var target: Receiver.Target
    var at: Timestamp
    /// Of its request.
    var position: Int64
    /// In force when it was asked for.
    var rule: StormRule?
  }
  /// Steps whose message failed for good in this commit.
  var failedSteps: [(alert: AlertID, step: Int, round: Int)] = []
  var fallbacksOwed: [(alert: AlertID, target: Receiver.Target)] = []
  /// The newest message that arrived for each alert at each target, by its request's position.
  var newestArrival: [String: Int64] = [:]

  var audit = Audited()

  /// What commands said, to find it in the facts.
  var notes: [String: (count: Int, at: Timestamp, incarnation: Int)] = [:]
  /// How often the service was started.
  var incarnation = 0

  /// Firing anomalies that the log counts.
  var firing = 0
  /// Firing anomalies that were answered `stored`.
  var stored = 0

  init(written: [String: LifecycleSettings]) { self.written = written }

  mutating func fail(_ promise: Int, _ what: String) {
    if faults.count < 20 { faults.append(Simulation.Fault(promise: promise, what: what, at: now)) }
  }

  // MARK: - Facts

  /// Takes in what the log got since the last call.
  mutating func readOn(_ log: MemoryEventLog) throws {
    guard log.head > read else { return }
    try log.replay(after: read) { stored in
      let e = try stored.read()
      take(e)
      return true
    }
    settle()
  }

  private mutating func take(_ e: RecordedEvent) {
    if e.position != read + 1 { fail(6, "position \(e.position) follows \(read)") }
    read = e.position
    let version = (versions[e.subject] ?? 0) + 1
    if e.version != version { fail(6, "\(e.subject) jumps to version \(e.version) after \(version - 1)") }
    versions[e.subject] = e.version
    if e.recordedAt < lastRecorded - .hours(25) { fail(3, "time goes back from \(lastRecorded) to \(e.recordedAt)") }
    lastRecorded = e.recordedAt
    explain(e)
    switch e.event {
    case .configured(let c): configured(c, Int(e.subject.number))
    case .silenceAdded(let s): silenceAdded(s, e)
    case .silenceExpired(let s): silenceExpired(s, e)
    default: break
    }
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

  private mutating func configured(_ c: Configured, _ number: Int) {
    guard let known = written[c.digest] else {
      return fail(6, "C-\(number) is a configuration that nobody wrote")
    }
    configurations[number] = known
    configuration = number
    for (id, a) in alerts where !a.isResolved { armStale(id, from: lastSeen[id] ?? serviceNow) }
    forgetWindows()
  }
  /// What explains each alert that is inhibited.
  var inhibitors: [AlertID: AlertID] = [:]
  /// When each open alert was last heard of, as the log says.
  var lastSeen: [AlertID: Timestamp] = [:]

  /// After each commit.
  private mutating func settle() {
    for id in touched.sorted() { settle(id) }
    touched.removeAll(keepingCapacity: true)
    for (alert, step, round) in failedSteps {
      guard let a = alerts[alert], !a.isHeld, a.step == step, a.round == round, !a.isExhausted else { continue }
      fail(3, "a message of \(alert)'s step \(step) failed for good, and the next step did not come at once")
    }
    failedSteps.removeAll(keepingCapacity: true)
    for (alert, target) in fallbacksOwed {
      fail(3, "a message of \(alert) failed for good, and the fallback at \(target.destination) was not asked")
    }
    fallbacksOwed.removeAll(keepingCapacity: true)
    for (id, source) in inhibitors where alerts[source]?.isResolved != false {
      fail(3, "\(id) is held back because of \(source), which has ended: nobody will be told")
    }
    settleTellings()
  }

  private mutating func settle(_ id: AlertID) {
    guard let a = alerts[id] else { return }
    if !a.isHeld, !a.untold.isEmpty {
      fail(3, "\(id)'s step \(a.step) is not told to \(a.untold.map(\.destination).sorted())")
    }
    alerts[id]?.untold = []
    guard a.route.policy != nil, !a.isHeld, !a.isExhausted else {
      dues[Timer(kind: .escalation, subject: id.subject)] = nil
      return
    }
    if dues[Timer(kind: .escalation, subject: id.subject)] == nil { fail(3, "\(id) is open and nobody will be told") }
  }
}
