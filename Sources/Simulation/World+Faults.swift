import Alerts
import Bus
import EventLog
import Lifecycle
import Service

// What goes wrong with the machine, its clock, its disk, its configuration and its wires.
extension World {
  func planEverything() {
    for i in producers.indices {
      often(load.anomalies / 3) { $0.observe(i, 1) }
      often(load.bursts / 3) { $0.observe(i, 20) }
    }
    often(load.commands) { $0.somebodyActs() }
    often(load.edits) { $0.edit() }
    often(load.crashes) { $0.planCrash() }
    often(load.fullDisks) { $0.fillDisk() }
    often(load.sleeps) { $0.sleep() }
    often(load.clockJumps) { $0.setClock() }
    often(load.outages) { $0.failReceiver() }
    often(load.lostWorkers) { $0.loseWorker() }
    often(max(4, load.crashes)) { $0.growTables() }
    often(load.floods) { $0.flood() }
    often(load.snapshots) { $0.wantsSnapshot = true }
    often(load.spoiltSnapshots) { $0.spoilSnapshot() }
    for i in workers.indices { keepAsking(i) }
  }

  // MARK: - The machine

  /// Between two writes: before or after the next commit, between two messages of those that follow one, or while nothing happens.
  private func planCrash() {
    switch draw.below(8) {
    case 0: goDown()
    case 1, 2: log.trouble = .crashBefore
    case 3, 4: log.trouble = .crashAfter
    default: gateway.untilCrash = draw.below(9)
    }
  }

  /// What the service held in memory is gone, and so is what was under way to it.
  func goDown() {
    guard !isOff else { return }
    outcome.crashes += 1
    // What went out before is out.
    readOn()
    hear()
    isOff = true
    stuckSince = nil
    let isOnDisk = draw.once(in: 2)
    attempt { try writer?.goDown(isOnDisk: isOnDisk) }
    log.crash()
    gateway = newGateway()
    after(draw.once(in: 8) ? .minutes(Int64(draw.below(90))) : .seconds(Int64(draw.below(40)))) { $0.start() }
  }

  func start() {
    isOff = false
    isAsleep = false
    clock.restart()
    promises.now = now
    control = ServiceControl(wake: {})
    gateway = newGateway()
    makeService()
    let crashes = outcome.crashes
    attempt { try service.start(settings: settingsOnDisk) }
    if gateway.isDown { goDown() }
    promises.serviceNow = clock.now()
    promises.rebase()
    guard outcome.crashes == crashes else { return readOn() }
    judgeSnapshot()
    compareReplay()
    readOn()
    if promises.faults.isEmpty { step() }
  }

  private func newGateway() -> SimulatedGateway {
    SimulatedGateway(writes, after: log.disk.head, answersAtOnce: mutation == .storedTooSoon)
  }

  private func sleep() {
    guard !isDown else { return }
    outcome.sleeps += 1
    isAsleep = true
    after(.minutes(Int64(5 + draw.below(600)))) { world in
      world.isAsleep = false
      world.auditJump()
    }
  }

  private func setClock() {
    outcome.clockJumps += 1
    switch draw.below(4) {
    case 0: clock.error = clock.error + .hours(-1)
    case 1: clock.error = clock.error + .seconds(Int64(draw.below(7200)))
    case 2: clock.error = clock.error + .seconds(-Int64(draw.below(600)))
    default: clock.error = .zero
    }
    // Further off than this no clock of a simulated world is.
    if clock.error.microseconds.magnitude > 3 * 3_600_000_000 { clock.error = .zero }
    if !isDown { auditJump() }
  }

  private func fillDisk() {
    guard log.trouble == .none else { return }
    outcome.fullDisks += 1
    log.trouble = .full
    after(draw.once(in: 4) ? .minutes(Int64(draw.below(120))) : .seconds(Int64(draw.below(90)))) { world in
      if world.log.trouble == .full { world.log.trouble = .none }
    }
  }

  // MARK: - The configuration

  var settingsOnDisk: LifecycleSettings { World.settings(variant, mutation) }

  /// What the service reads, which is what people wrote unless a mutation has it otherwise.
  static func settings(_ variant: Int, _ mutation: Mutation?) -> LifecycleSettings {
    var s = SimulatedSettings.variant(variant)
    if mutation == .stormsAreNotTold { s.storm = nil }
    if mutation == .onCallElsewhere { s.onCall.schedules[0].timeZone = "Pacific/Auckland" }
    if mutation == .policyIsSlow {
      for i in s.policies.indices {
        for j in s.policies[i].steps.indices { s.policies[i].steps[j].after = s.policies[i].steps[j].after * 2 }
      }
    }
    return s
  }

  private func edit() {
    outcome.edits += 1
    variant = draw.below(SimulatedSettings.count)
    control.adopt(settingsOnDisk)
  }

  // MARK: - Wires

  /// To the service, over a wire that loses, doubles, delays and reorders.
  func transmit(_ message: Incoming) {
    if isCalm { return arrive(message) }
    switch draw.below(30) {
    case 0: break
    case 1:
      arrive(message)
      arrive(message)
    case 2: after(.seconds(Int64(draw.below(600)))) { $0.arrive(message) }
    case 3:
      if gateway.incoming.isEmpty { arrive(message) } else { gateway.incoming.insert(message, at: 0) }
    // An old one, out of some buffer, days later.
    case 4 where draw.once(in: 4):
      arrive(message)
      after(.hours(Int64(1 + draw.below(200)))) { $0.arrive(message) }
    default: arrive(message)
    }
  }

  /// A machine that is off hears nothing; one that sleeps finds what its sockets kept.
  func arrive(_ message: Incoming) {
    guard gateway.incoming.count < SimulatedGateway.waitingLimit, !gateway.isDown else { return }
    gateway.incoming.append(message)
  }

  // MARK: - Other programs

  private func growTables() {
    if draw.once(in: 3) { tables?.crash() }
    // Somebody throws them away: they are made again.
    if draw.once(in: 40) { tables?.drop() }
    attempt { try tables?.grow(batch: 1 + draw.below(400)) }
  }

  // MARK: - The end

  func calmDown() {
    isCalm = true
    clock.error = .zero
    downUntil = [:]
    slowUntil = [:]
    gateway.untilCrash = nil
    log.trouble = .none
    isAsleep = false
    auditJump()
    if let auditSettings { control.adopt(auditSettings) }
  }

  /// Policies that run for ever would never rest: everything is ended.
  func endEverything() {
    for id in promises.alerts.keys.sorted() where promises.alerts[id]?.isResolved == false {
      command("resolve", id, by: "zoe")
    }
  }
}
