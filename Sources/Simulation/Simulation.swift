import Alerts
import Bus
import EventLog
import Lifecycle
import Logging
import Service

/// The production service in virtual time, in a world that a seed draws: producers, responders, notifiers and receivers, on a bus that loses, doubles
/// and reorders, on a machine that goes down between any two writes and whose disk fills up.
///
/// After every step each promise is judged by an independent model: see ``Promises``.
package struct Simulation {
  package struct Outcome: Sendable {
    package var seed: UInt64
    package var steps = 0
    package var events: Int64 = 0
    package var anomalies = 0
    package var crashes = 0
    package var delivered = 0
    /// What did not hold, with the promise's number and the simulated time; empty if all did.
    package var faults: [String] = []
  }

  /// Runs `days` of simulated time, and then as much as it takes to come to rest.
  package static func run(seed: UInt64, days: Int, mutation: Mutation? = nil) -> Outcome {
    let world = World(seed: seed, mutation: mutation)
    return world.run(days: days)
  }
}

/// One run.
final class World {
  private static let start = Timestamp(seconds: 1_772_445_600)
  private var draw: Draw
  private let mutation: Mutation?
  private let clock = SimulatedClock(World.start)
  private let log: SimulatedLog
  private var gateway = SimulatedGateway()
  private var service: Service
  private var promises = Promises()
  private var outcome: Simulation.Outcome
  private var settings = World.settings
  private var isStuck = false

  /// A producer keeps what it sent until it is stored, and sends again after a silence.
  private struct Producer {
    var name: String
    var sequence: UInt64 = 0
    var waiting: [UInt64: (bytes: [UInt8], firing: Bool, isBad: Bool, sentAt: Timestamp)] = [:]
  }
  private struct Task {
    var job: Job
    var worker: String
    var due: Timestamp
  }
  private var producers: [Producer]
  private var nextAnomaly = 0
  private var stored = 0
  private var badSent = 0
  private var badAnswered = 0
  private var commands: [String: (action: String, id: AlertID, by: String)] = [:]
  private var nextRequest = 0
  private var tasks: [Task] = []
  private var late: [(due: Timestamp, message: Incoming)] = []
  private var arrivals: [String: Int] = [:]
  private var downUntil: [String: Timestamp] = [:]
  private var outstanding: [String: Int] = [:]
  private var fullUntil: Timestamp?
  private static let credit = 8
  private static let channels = ["email", "slack", "pagerduty"]

  init(seed: UInt64, mutation: Mutation?) {
    draw = Draw(seed: seed)
    self.mutation = mutation
    log = SimulatedLog(mutation)
    outcome = Simulation.Outcome(seed: seed)
    producers = (0..<3).map { Producer(name: "detector/\($0)") }
    service = World.service(log, gateway, clock)
    if mutation == .timersStandStill { clock.frozen = World.start + .hours(1) }
  }

  private static func service(_ log: SimulatedLog, _ gateway: SimulatedGateway, _ clock: SimulatedClock) -> Service {
    Service(
      log: log, gateway: gateway, clock: clock, control: ServiceControl(wake: {}), status: ServiceStatus(),
      logger: Logger(label: "simulation", factory: { _ in SwiftLogNoOpLogHandler() }))
  }

  // MARK: - Time

  func run(days: Int) -> Simulation.Outcome {
    attempt { try service.start(settings: settings) }
    let end = World.start + .days(Int64(days))
    while clock.time < end, promises.faults.isEmpty {
      clock.time = clock.time + pause()
      act()
      step()
    }
    if promises.faults.isEmpty { rest() }
    outcome.events = log.head
    outcome.faults = promises.faults.map { "\(clock.time): \($0)" }
    return outcome
  }

  private func pause() -> Interval {
    switch draw.below(10) {
    case 0...3: .milliseconds(Int64(draw.below(2000)))
    case 4...7: .seconds(Int64(draw.below(120)))
    case 8: .minutes(Int64(draw.below(20)))
    // The machine slept, or somebody set its clock.
    default: .minutes(Int64(draw.below(90)))
    }
  }

  /// Nothing new comes, everything works, and time goes by until all is told.
  private func rest() {
    log.trouble = .none
    fullUntil = nil
    downUntil = [:]
    for i in 0..<400 where promises.faults.isEmpty {
      clock.time = clock.time + (i < 100 ? .seconds(30) : .minutes(15))
      resend(all: true)
      for channel in World.channels { ready(channel) }
      work(calm: true)
      step(calm: true)
      work(calm: true)
    }
    // Policies that run for ever would never rest: everything is ended.
    for id in (1...max(1, nextAnomaly)).map({ AlertID(Int64($0)) }) where service.engine.alerts[id]?.isResolved == false
    {
      command("resolve", id, by: "zoe")
    }
    for _ in 0..<200 where promises.faults.isEmpty {
      clock.time = clock.time + .minutes(5)
      resend(all: true)
      for channel in World.channels { ready(channel) }
      step(calm: true)
      work(calm: true)
      step(calm: true)
    }
    guard promises.faults.isEmpty else { return }
    if let left = producers.first(where: { !$0.waiting.isEmpty }) {
      promises.fail(1, "\(left.name) still waits for \(left.waiting.count) answers")
    }
    promises.checkEnd(firing: stored)
    if badAnswered < badSent { promises.fail(8, "\(badSent) unreadable anomalies, \(badAnswered) of them rejected") }
  }

  // MARK: - One step

  private func step(calm: Bool = false) {
    outcome.steps += 1
    if !calm { trouble() }
    for (i, l) in late.enumerated().reversed() where l.due <= clock.time {
      gateway.incoming.append(l.message)
      late.remove(at: i)
    }
    // A service that has just come up looks at what fell due before it waits for anything.
    for _ in 0..<3 {
      let before = outcome.crashes
      attempt { try service.step() }
      if gateway.isDown { restart() }
      if outcome.crashes == before { break }
    }
    isStuck = service.isRefusing
    receive()
    attempt { try promises.readOn(log) }
    promises.check(service.engine, now: clock.time, isStuck: isStuck)
    if outcome.steps % 64 == 0 || calm && outcome.steps % 16 == 0 { compareReplay() }
  }

  private func trouble() {
    if let until = fullUntil {
      if clock.time >= until {
        fullUntil = nil
        log.trouble = .none
      }
    } else if draw.once(in: 150) {
      log.trouble = .full
      fullUntil = clock.time + .minutes(Int64(draw.below(10)))
    } else if draw.once(in: 60) {
      log.trouble = draw.once(in: 2) ? .crashBefore : .crashAfter
    } else if draw.once(in: 80) {
      gateway.untilCrash = draw.below(6)
    }
    for channel in World.channels where draw.once(in: 200) {
      downUntil[channel] = clock.time + .minutes(Int64(draw.below(240)))
    }
  }

  private func attempt(_ body: () throws -> Void) {
    do { try body() } catch {
      if log.trouble == .none, mutation == nil { promises.fail(8, "the service gave up: \(error)") }
      if log.trouble == .none, mutation != nil { promises.fail(7, "the service gave up: \(error)") }
      restart()
    }
  }

  /// The machine goes down. What the service held in memory is gone, and so is what was under way to it.
  private func restart() {
    outcome.crashes += 1
    log.crash()
    fullUntil = nil
    receive()
    gateway = SimulatedGateway()
    service = World.service(log, gateway, clock)
    outstanding = [:]
    do { try service.start(settings: settings) } catch {
      promises.fail(7, "the log can't be read at a start: \(error)")
    }
  }

  private func compareReplay() {
    guard !isStuck, promises.faults.isEmpty else { return }
    var fresh = Engine()
    do {
      try log.replay(after: 0) { stored in
        fresh.replay(try stored.read())
        return true
      }
    } catch { return promises.fail(7, "a fact can't be read: \(error)") }
    let now = clock.now()
    fresh.recover(now: now)
    var live = service.engine
    live.recover(now: now)
    if let difference = live.difference(from: fresh) { promises.fail(7, "a replay differs: \(difference)") }
  }

  // MARK: - What people and programs do

  private func act() {
    for _ in 0..<(1 + draw.below(4)) {
      switch draw.below(10) {
      case 0...4: observe(draw.below(producers.count), draw.once(in: 12) ? 30 : 1)
      case 5: someCommand()
      case 6, 7: ready(draw.pick(World.channels))
      case 8: resend(all: false)
      default: work(calm: false)
      }
    }
    work(calm: false)
  }

  private func observe(_ p: Int, _ count: Int) {
    for _ in 0..<count {
      nextAnomaly += 1
      producers[p].sequence += 1
      let isBad = draw.once(in: 40)
      let isFiring = !draw.once(in: 4)
      let key = "k\(draw.below(count > 1 ? 60 : 12))"
      let severity = draw.pick(["critical", "critical", "high", "medium", "low"])
      let bytes: [UInt8]
      if isBad {
        bytes = Array(draw.pick(["{\"specversion\":", "[]", "{\"id\":\"x\"}", "\u{0}\u{1}"]).utf8)
      } else {
        var a = Anomaly(
          id: "\(nextAnomaly)", source: producers[p].name, time: clock.now(), eventType: "sim", metric: key)
        a.status = isFiring ? .firing : .resolved
        a.severity = Severity(name: severity)
        a.labels = [.init("service", draw.pick(["db", "web", "mail"]))]
        a.givenKey = key
        bytes = a.cloudEvent
      }
      outcome.anomalies += 1
      producers[p].waiting[producers[p].sequence] = (bytes, isFiring && !isBad, isBad, clock.time)
      send(p, producers[p].sequence)
    }
  }

  private func peer(_ name: String) -> Peer { Peer(identity: Array(name.utf8)) }

  /// Over a wire that loses, doubles and delays.
  private func transmit(_ message: Incoming) {
    switch draw.below(20) {
    case 0: break
    case 1:
      gateway.incoming.append(message)
      gateway.incoming.append(message)
    case 2: late.append((clock.time + .seconds(Int64(draw.below(600))), message))
    case 3: gateway.incoming.insert(message, at: 0)
    default: gateway.incoming.append(message)
    }
  }

  private func send(_ p: Int, _ sequence: UInt64) {
    guard let m = producers[p].waiting[sequence] else { return }
    transmit(.anomalies(peer(producers[p].name), producer: producers[p].name, sequence: sequence, events: [m.bytes]))
  }

  private func resend(all: Bool) {
    for p in producers.indices {
      for (sequence, m) in producers[p].waiting.sorted(by: { $0.key < $1.key })
      where all || clock.time - m.sentAt > .seconds(30) {
        producers[p].waiting[sequence]?.sentAt = clock.time
        if all {
          gateway.incoming.append(
            .anomalies(peer(producers[p].name), producer: producers[p].name, sequence: sequence, events: [m.bytes]))
        } else {
          send(p, sequence)
        }
      }
    }
  }

  private func someCommand() {
    let open = service.engine.alerts.ids.sorted()
    guard !open.isEmpty else { return }
    let action = draw.pick([
      "acknowledge", "acknowledge", "unacknowledge", "resolve", "snooze", "unsnooze", "comment", "escalate", "silence",
    ])
    command(action, draw.pick(open), by: draw.pick(["ana", "ben"]))
  }

  private func command(_ action: String, _ id: AlertID, by: String) {
    nextRequest += 1
    var members: [JSON.Member] = [
      .init("command", .string(action)), .init("alert", .string(id.description)), .init("by", .string(by)),
    ]
    if action == "snooze" || action == "silence" { members.append(.init("for", .string("\(1 + draw.below(50))m"))) }
    if action == "comment" { members.append(.init("note", "looking")) }
    if action == "silence" {
      let matcher = Matcher(name: "metric", value: "k\(draw.below(12))")
      members.append(.init("matchers", .array([matcher.json])))
    }
    commands["\(nextRequest)"] = (action, id, by)
    transmit(.command(peer(by), requestID: "\(nextRequest)", json: JSON.object(members).bytes))
  }

  // MARK: - Notifiers and receivers

  private func ready(_ channel: String) {
    outstanding[channel] = tasks.count { $0.worker == channel }
    let free = max(0, World.credit - (outstanding[channel] ?? 0))
    gateway.incoming.append(
      .ready(
        peer("notifier/\(channel)"), worker: channel, credit: mutation == .creditIgnored ? free + 50 : free,
        channels: [channel]))
  }

  private func work(calm: Bool) {
    let due = tasks.filter { calm || $0.due <= clock.time }
    tasks.removeAll { calm || $0.due <= clock.time }
    for task in due { attempt(task, calm: calm) }
  }

  private func attempt(_ task: Task, calm: Bool) {
    var key = task.job.key
    // The machine that the service runs on answers, or has been down and knows nothing: then the message goes.
    if mutation != .workerDoesNotAsk, !isStuck, !service.wouldWant(key) { return }
    if mutation == .keysChange { key += "/\(task.job.attempt)" }
    if let until = downUntil[task.job.channel], until > clock.time {
      let isUnknown = draw.once(in: 4)
      if isUnknown { arrive(key) }
      return receipt(task, .retry, isUnknown: isUnknown)
    }
    if !calm, draw.once(in: 25) { return receipt(task, .failed) }
    // While the service can't write, nobody answers, and the message goes: at least once.
    if !isStuck { promises.isSent(task.job.key) }
    arrive(key)
    // The notifier goes down before it can say so.
    if !calm, draw.once(in: 20) { return }
    receipt(task, .delivered)
  }

  private func arrive(_ key: String) {
    arrivals[key, default: 0] += 1
    outcome.delivered += 1
    promises.arrived(key, times: arrivals[key] ?? 1)
  }

  private func receipt(_ task: Task, _ outcome: Receipt.Outcome, isUnknown: Bool = false) {
    let receipt = Receipt(
      key: task.job.key, attempt: task.job.attempt, outcome: outcome, status: nil, message: "simulated",
      outcomeUnknown: isUnknown)
    transmit(.receipt(peer("notifier/\(task.worker)"), worker: task.worker, json: receipt.json.bytes))
  }

  // MARK: - What the service said

  private func receive() {
    for (peer, message) in gateway.outgoing {
      let name = String(decoding: peer.identity, as: UTF8.self)
      switch message {
      case .stored(let sequence, let json): wasStored(name, sequence, json)
      case .reply(let request, let json):
        guard let c = commands.removeValue(forKey: request) else { continue }
        attempt { try promises.readOn(log) }
        promises.answered(json["ok"]?.bool == true, c.action, c.id, c.by)
      case .job(let json):
        // As a notifier reads it: from its bytes.
        guard let read = try? JSON(parsing: json.bytes), let job = try? Job(json: read) else {
          promises.fail(8, "a job that can't be read: \(json.text.prefix(200))")
          continue
        }
        let worker = String(name.dropFirst("notifier/".count))
        tasks.append(Task(job: job, worker: worker, due: clock.time + .milliseconds(Int64(draw.below(90_000)))))
        if tasks.count(where: { $0.worker == worker }) > World.credit {
          promises.fail(9, "\(worker) was given more than it asked for")
        }
      case .error: break
      }
    }
    gateway.outgoing = []
  }

  private func wasStored(_ name: String, _ sequence: UInt64, _ json: JSON) {
    guard let p = producers.firstIndex(where: { $0.name == name }),
      let m = producers[p].waiting.removeValue(forKey: sequence)
    else { return }
    if m.firing { stored += 1 }
    guard m.isBad else { return }
    badSent += 1
    if mutation != .badInputIgnored, json["rejected"]?.array?.count == 1 { badAnswered += 1 }
  }

  private static var settings: LifecycleSettings {
    var s = LifecycleSettings()
    s.staleAfter = .hours(8)
    s.storm = StormRule(after: 8, within: .minutes(1))
    s.flapping = FlappingRule(changes: 3, within: .hours(1), steadyAfter: .minutes(20))
    s.receivers = [
      Receiver(name: "ops", targets: [.init(channel: "email", destination: "ops@example.org")], fallback: "boss"),
      Receiver(name: "chat", targets: [.init(channel: "slack", destination: "#ops")]),
      Receiver(name: "boss", targets: [.init(channel: "pagerduty", destination: "boss")], patience: .hours(2)),
    ]
    s.policies = [
      Policy(
        name: "urgent",
        steps: [
          .init(after: .zero, receivers: ["ops"]), .init(after: .minutes(15), receivers: ["chat", "ops"]),
          .init(after: .minutes(30), receivers: ["boss"]),
        ], repeats: 2, acknowledgeTimeout: .hours(3))
    ]
    s.routes = [
      Route(matchers: [Matcher(name: "severity", value: "critical")], delivery: .policy("urgent")),
      Route(
        matchers: [Matcher(name: "severity", value: "high")], delivery: .group(["chat"], .init(by: ["event_type"]))),
      Route(matchers: [Matcher(name: "severity", value: "medium")], delivery: .notify(["ops"])),
      Route(matchers: [], delivery: .dashboardOnly),
    ]
    s.inhibitions = [
      InhibitionRule(
        name: "k0 explains", source: [Matcher(name: "metric", value: "k0")],
        target: [Matcher(name: "metric", value: "k[1-3]", isRegex: true)])
    ]
    s.dependencies = [DependencyRule(label: "service", parents: [.init(child: "web", parents: ["db"])])]
    s.maintenance = [
      MaintenanceWindow(
        name: "nightly", matchers: [Matcher(name: "metric", value: "k4")], minuteOfDay: 120, duration: .hours(1),
        timeZone: "Europe/Berlin")
    ]
    s.notices = ["chat"]
    return s
  }
}
