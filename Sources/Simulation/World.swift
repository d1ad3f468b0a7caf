import Alerts
import Bus
import EventLog
import HeapModule
import Lifecycle
import Logging
import Service

/// One run: the service and everything around it.
final class World {
  /// Each close to a day when clocks change, or to the end of a year.
  static let starts: [Timestamp] = [
    Timestamp(seconds: 1_772_445_600), Timestamp(seconds: 1_774_692_000), Timestamp(seconds: 1_792_800_000),
    Timestamp(seconds: 1_798_668_000),
  ]
  /// How long the world rests before everything is ended; and how long it may take to come to rest after that, which is longer than any receiver's
  /// patience.
  private static let rest = (before: Interval.hours(2), after: Interval.hours(30))
  /// Timers that a step arms after it has looked at all: a lease for each job that it hands out, and what that finds out.
  private static let timersBetween = 192
  /// How many steps lie between two comparisons with a replay.
  private static let compareEvery = 512

  var draw: Draw
  let load: Load
  let mutation: Mutation?
  let clock: SimulatedClock
  let writes = Writes()
  let log: SimulatedLog
  var gateway: SimulatedGateway
  var service: Service
  var control = ServiceControl(wake: {})
  var promises: Promises
  var outcome: Simulation.Outcome
  private(set) var tables: Tables?
  private(set) var snapshots: SimulatedSnapshots?
  /// Who declared itself, which in this world nobody does.
  private var heartbeats: HeartbeatBook?
  var writer: SimulatedWriter?
  /// One is taken at the end of the next step at which that can be.
  var wantsSnapshot = false

  private struct Plan: Comparable {
    var due: Timestamp
    /// What was planned first comes first.
    var order: Int
    var act: (World) -> Void
    static func < (a: Plan, b: Plan) -> Bool { (a.due, a.order) < (b.due, b.order) }
    static func == (a: Plan, b: Plan) -> Bool { a.due == b.due && a.order == b.order }
  }
  private var plans = Heap<Plan>()
  private var planned = 0
  /// Steps at one instant, one after the other.
  private var stepsAtOnce = 0

  /// The configuration on disk, by its number in ``SimulatedSettings``.
  var variant = 0
  var isStuck = false
  /// Since when, in the service's time.
  var stuckSince: Timestamp?
  /// The service's machine is off.
  var isOff = false
  var isAsleep = false
  var isDown: Bool { isOff || isAsleep }
  /// Something was decided that is not on disk.
  var isBehind: Bool { isStuck || writer?.isBusy == true }
  /// Nothing goes wrong any more, and nothing new comes.
  var isCalm = false
  /// A replay of the facts, kept up with them.
  private var shadow = Engine()
  private var shadowed: Int64 = 0

  var producers = (0..<3).map { Producer(name: "detector/\($0)") }
  var nextAnomaly = 0
  var nextFlooded = 0
  var requests: [String: Request] = [:]
  var nextRequest = 0
  var workers: [Worker] = [
    Worker(name: "a", channels: ["email", "slack"]), Worker(name: "b", channels: ["email", "slack", "webhook"]),
    Worker(name: "c", channels: ["pagerduty"]), Worker(name: "d", channels: ["webhook", "pagerduty", "email"]),
  ]
  var questions: [String: (worker: Int, task: Int)] = [:]
  var nextTask = 0
  var downUntil: [String: Timestamp] = [:]
  var slowUntil: [String: Timestamp] = [:]
  /// Receipts that nobody can read, sent and refused. Some are lost on their way, and none may be obeyed.
  var badReceipts = 0
  var badReceiptsRefused = 0
  private var wakes = 0

  init(seed: UInt64, load: Load, mutation: Mutation?) {
    draw = Draw(seed: seed)
    self.load = load
    self.mutation = mutation
    clock = SimulatedClock(World.starts[Int(seed % UInt64(World.starts.count))], mutation)
    log = SimulatedLog(writes, mutation)
    outcome = Simulation.Outcome(seed: seed)
    var written: [String: LifecycleSettings] = [:]
    for n in 0..<SimulatedSettings.count {
      written[World.settings(n, mutation).digest] = SimulatedSettings.variant(n)
    }
    promises = Promises(written: written)
    gateway = SimulatedGateway(writes, after: 0, answersAtOnce: mutation == .storedTooSoon)
    // Until it is started.
    service = Service(
      log: log, gateway: gateway, clock: clock, control: control, status: ServiceStatus(), logger: World.logger)
  }

  private static let logger = Logger(label: "simulation", factory: { _ in SwiftLogNoOpLogHandler() })

  /// A process of its own.
  func makeService() {
    let writer = SimulatedWriter(log, isBelieved: mutation == .overlapIsBelieved) { [unowned self] in writeSlowly() }
    outcome.overlapped += self.writer?.overlapped ?? 0
    self.writer = writer
    service = Service(
      log: log, gateway: gateway, clock: clock, control: control, status: ServiceStatus(), writer: writer,
      logger: World.logger, snapshots: snapshots, heartbeats: heartbeats, audit: auditSettings)
  }

  // MARK: - Time

  var now: Timestamp { clock.boot }

  func after(_ interval: Interval, _ act: @escaping (World) -> Void) {
    planned += 1
    plans.insert(Plan(due: now + interval, order: planned, act: act))
  }

  /// Again and again, so often in a day on average, until the world comes to rest.
  func often(_ perDay: Double, _ act: @escaping (World) -> Void) {
    guard perDay > 0 else { return }
    let mean = 86_400_000_000 / perDay
    let pause = Interval(microseconds: Int64(mean * 2 * draw.fraction()))
    after(pause) { world in
      guard !world.isCalm else { return }
      act(world)
      world.often(perDay, act)
    }
  }

  /// - Parameter facts: so many of the newest are kept for whoever looks for the cause of a fault.
  func run(days: Double, facts: Int) -> Simulation.Outcome {
    do {
      tables = try Tables(log.disk, drifts: mutation == .tablesDrift)
      heartbeats = try HeartbeatBook(path: nil)
      snapshots = try SimulatedSnapshots(believesAll: mutation == .snapshotsAreBelieved)
    } catch { promises.fail(7, "tables and snapshots can't be made: \(error)") }
    start()
    planEverything()
    pass(until: now + Interval(microseconds: Int64(days * 86_400_000_000)))
    calmDown()
    pass(until: now + World.rest.before)
    endEverything()
    let end = now + World.rest.after
    while !isAtRest, now < end, promises.faults.isEmpty { pass(until: now + .minutes(15)) }
    if promises.faults.isEmpty { judgeEnd() }
    outcome.events = log.head
    outcome.writes = writes.count
    outcome.overlapped += writer?.overlapped ?? 0
    outcome.faults = promises.faults
    if !promises.faults.isEmpty { outcome.last = last(facts) }
    tables?.discard()
    snapshots?.discard()
    return outcome
  }

  /// From one event to the next, whichever comes first: a plan of the world's, or a deadline of the service's.
  private func pass(until end: Timestamp) {
    while promises.faults.isEmpty {
      var next = plans.min?.due ?? .distantFuture
      var isDeadline = false
      if !isDown, let wait = service.waitingTime() {
        // As with a socket: a thousandth of a second at least.
        let wake = now + Interval(microseconds: max(1000, wait))
        if wake <= next {
          next = wake
          isDeadline = true
        }
      }
      guard next <= end else { break }
      if next > now { clock.boot = next }
      var isBusy = isDeadline
      while let first = plans.min, first.due <= now {
        _ = plans.popMin()
        first.act(self)
        isBusy = true
      }
      if isBusy, !isDown { step() }
    }
    if promises.faults.isEmpty, now < end { clock.boot = end }
  }

  /// Nothing is owed to anybody, and nothing is on its way.
  private var isAtRest: Bool {
    let engine = service.engine
    return !isDown && !isBehind && requests.isEmpty && engine.openCount == 0 && engine.ledger.pending.isEmpty
      && producers.allSatisfy { $0.waiting.isEmpty } && !engine.groups.values.contains { $0.dueAt != nil }
      && !engine.alerts.values.contains { $0.isFlapping }
  }

  // MARK: - One step

  func step() {
    outcome.steps += 1
    promises.now = now
    // What is stuck, or on its way to the disk, was decided at the step before.
    if !isBehind {
      promises.formerNow = promises.serviceNow
      promises.formerHead = log.disk.head
    }
    promises.serviceNow = clock.now()
    let crashes = outcome.crashes
    let heard = gateway.incoming.compactMap { message -> String? in
      guard case .anomalies(_, let producer, _, _) = message else { return nil }
      return producer
    }
    attempt { try service.step() }
    if gateway.isDown { goDown() }
    guard outcome.crashes == crashes else { return readOn() }
    isStuck = service.isRefusing
    followAudit(heard: heard)
    readOn()
    followJobs()
    hear()
    judge()
    takeSnapshot()
  }

  func readOn() { attempt { try promises.readOn(log.disk) } }

  func attempt(_ body: () throws -> Void) {
    do { try body() } catch {
      if log.trouble == .crashBefore || log.trouble == .crashAfter || writes.count == writes.last { return goDown() }
      promises.fail(8, "the service gave up: \(error)")
    }
  }

  private func judge() {
    promises.checkCounts(pending: service.engine.ledger.pending.count, isStuck: isBehind)
    if !isBehind {
      promises.checkTimers()
      promises.checkWindows()
      if load.isAudited, !isCalm { promises.checkAudit() }
      // Commits that were stuck are published when they are written.
      if gateway.published != log.disk.head || gateway.gap != nil {
        promises.fail(1, "the feed is at \(gateway.published), the log at \(log.disk.head)")
      }
    }
    judgeBounds()
    follow()
    if outcome.steps % World.compareEvery == 0 { compareReplay() }
  }

  /// Every queue has a bound.
  private func judgeBounds() {
    for level in service.levels where level.count > level.bound {
      promises.fail(9, "\(level.name): \(level.count), and the bound is \(level.bound)")
    }
    let engine = service.engine
    let things = engine.alerts.count + engine.ledger.pending.count + engine.silences.count + engine.groups.count
    // Those that came up since the service last looked are on top.
    let bound = Deadlines.bound(things: things) + World.timersBetween
    if engine.deadlines.count > bound {
      promises.fail(9, "\(engine.deadlines.count) timers for \(things) things that could want one")
    }
    if !isStuck, let wait = service.waitingTime(), wait == 0 { wakes += 1 } else { wakes = 0 }
    if wakes > 100 { promises.fail(9, "the service wakes again and again, and does nothing") }
  }

  private func last(_ facts: Int) -> [String] {
    var lines: [String] = []
    try? log.disk.replay(after: max(0, log.disk.head - Int64(facts))) { e in
      let data = String(String(decoding: e.data, as: UTF8.self).prefix(300))
      lines.append("\(e.position) \(e.recordedAt) \(e.subject) \(e.type.rawValue) \(e.actor) ← \(e.cause ?? 0) \(data)")
      return true
    }
    return lines
  }

  // MARK: - Replay

  /// Lets the second engine take up what is new.
  private func follow() {
    guard log.disk.head > shadowed else { return }
    attempt {
      try log.disk.replay(after: shadowed) { stored in
        shadow.replay(try stored.read())
        return true
      }
    }
    shadowed = log.disk.head
  }

  func compareReplay() {
    follow()
    guard !service.isRefusing, !isBehind, promises.faults.isEmpty else { return }
    let now = clock.now()
    var (live, replayed) = (service.engine, shadow)
    live.recover(now: now)
    replayed.recover(now: now)
    if let difference = live.difference(from: replayed) {
      promises.fail(7, "a replay differs: \(difference.prefix(1500))")
    }
  }

  // MARK: - The end

  private func judgeEnd() {
    promises.now = now
    for p in producers where !p.waiting.isEmpty {
      promises.fail(1, "\(p.name) still waits for \(p.waiting.count) answers")
    }
    promises.checkEnd()
    let found = service.status.snapshot.audit
    if found.count > 0 { promises.fail(4, "the auditor still finds \(found.items.map(\.text))") }
    compareReplay()
    attempt {
      if let difference = try tables?.differ() {
        promises.fail(7, "tables that grew differ from rebuilt ones: \(difference)")
      }
    }
  }
}
