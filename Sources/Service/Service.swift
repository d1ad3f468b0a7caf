package import Alerts
import Bus
import CrashPoints
package import EventLog
package import Lifecycle
package import Logging
import Synchronization

/// The shell around the engine: drain the gateway → decide → one group commit → answer → publish → hand out jobs.
///
/// One thread owns it, with the gateway's sockets and the log's writer. It sleeps in ``GatewayPort/wait(until:)`` until something comes or
/// the nearest deadline is there.
package final class Service {
  /// The most anomalies in one commit: bounds how long a command waits behind a flood.
  package static let drainLimit = 8192
  /// While the log can't be written, it is tried again this often.
  package static let retryInterval = Interval.seconds(1)

  let log: any EventLog
  let gateway: any GatewayPort
  let clock: any ServiceClock
  let logger: Logger
  package let status: ServiceStatus
  package let control: ServiceControl
  /// Called after each commit with the log's new head, on the service's thread: a wake-up for whoever follows the log.
  let onCommit: @Sendable (Int64) -> Void
  package private(set) var engine = Engine()
  var intake = Intake()
  var workers = Workers()
  var answered = AnsweredCommands()
  var recent = RecentAnomalies()
  /// Nil: nobody watches over this service.
  var auditor: Auditor?
  private var auditSettings: AuditSettings?
  /// The position that the tables have reached.
  let tables: @Sendable () -> Int64?

  /// What waits for the commit before it is sent.
  var answers: [(Peer, Outgoing)] = []
  private var intakeBytes: [UInt8] = []
  /// A commit that the log refused, to be tried again as it is: nothing of it was answered, and nothing else is decided before.
  private var stuck: Commit?
  private var stuckEvents: [RecordedEvent] = []
  private var stuckAt = Timestamp.epoch
  private var retryAt = Timestamp.epoch
  /// Taken up in the next round that can write.
  private var waitingSettings: LifecycleSettings?
  private var isStopping = false

  package init(
    log: any EventLog, gateway: any GatewayPort, clock: any ServiceClock, control: ServiceControl,
    status: ServiceStatus,
    logger: Logger, audit: AuditSettings? = nil, tables: @escaping @Sendable () -> Int64? = { nil },
    onCommit: @escaping @Sendable (Int64) -> Void = { _ in }
  ) {
    auditSettings = audit
    self.tables = tables
    self.log = log
    self.gateway = gateway
    self.clock = clock
    self.control = control
    self.status = status
    self.logger = logger
    self.onCommit = onCommit
  }

  // MARK: - Start

  /// Replays the log and takes up the configuration. After it, timers that fell due while nobody was there fire in the first ``step()``.
  package func start(settings: LifecycleSettings) throws {
    var count = 0
    try log.replay(after: 0) { stored in
      engine.replay(try stored.read())
      count += 1
      return true
    }
    try log.intake { intake.recall($0) }
    let now = clock.now()
    engine.recover(now: now)
    auditor = auditSettings.map { Auditor($0, now: now) }
    auditor?.recover(engine, now: now)
    engine.adopt(settings, now: now)
    logger.info("the log is read", metadata: ["events": "\(count)", "alerts": "\(engine.openCount)"])
    commit(now: now)
    if let failure { throw failure }
    settle()
  }

  // MARK: - The loop

  /// Runs until ``ServiceControl/stop()``.
  ///
  /// - Throws: what makes going on pointless: the sockets are gone, or the log contradicts itself.
  package func run() throws {
    while !isStopping {
      try gateway.wait(until: waitingTime())
      try step()
    }
    status.update {
      $0.isReady = false
      $0.trouble = "stopping"
    }
  }

  /// How long nothing has to be done, in microseconds; nil for ever.
  package func waitingTime() -> Int64? {
    if stuck != nil { return max(0, min((retryAt - clock.now()).microseconds, Service.retryInterval.microseconds)) }
    let next = [engine.nextDeadline, auditor?.nextLook].compactMap { $0 }.min()
    return next.map { max(0, ($0 - clock.now()).microseconds) }
  }

  /// One round: everything that has come, everything that is due, one commit.
  package func step() throws {
    for message in control.drain() { obey(message) }
    let now = clock.now()
    auditor?.begin(next: engine.nextDeadline, now: now)
    if stuck != nil {
      if now >= retryAt || now < stuckAt { commit(now: now) }
      if let failure { throw failure }
      if stuck != nil {
        refuseMeanwhile(now: now)
        audit(now: now)
        return settle()
      }
    }
    if let settings = waitingSettings {
      waitingSettings = nil
      engine.adopt(settings, now: now)
    }
    for message in gateway.receive(limit: Service.drainLimit) { take(message, now: now) }
    engine.fire(now: now)
    auditor?.end(next: engine.nextDeadline, now: now)
    audit(now: now)
    commit(now: now)
    if let failure { throw failure }
    if stuck == nil { handOutJobs(now: now) }
    if let failure { throw failure }
    settle()
  }

  private func obey(_ message: ServiceControl.Message) {
    switch message {
    case .stop: isStopping = true
    case .adopt(let settings): waitingSettings = settings
    case .audit(let settings):
      auditor?.adopt(settings, now: clock.now())
    }
  }

  func withEngine<T>(_ body: (inout Engine) -> T) -> T { body(&engine) }

  func accept(_ hash: StableHash) { Intake.write(hash, to: &intakeBytes) }

  // MARK: - Commit

  private(set) var failure: (any Error)?
  var isStuck: Bool { stuck != nil }
  /// Whether what comes is refused at the moment, because the log can't be written.
  package var isRefusing: Bool { isStuck }
  /// Whether anybody wants this message at the moment. Changes nothing: for simulations.
  package func wouldWant(_ key: String) -> Bool { engine.ledger.find(key).map { engine.unwanted($0) == nil } ?? false }

  /// Writes what was decided, and only then answers and publishes.
  func commit(now: Timestamp) {
    if stuck == nil {
      let events = engine.takeBatch(now: now)
      if events.isEmpty { return flushAnswers() }
      stuckEvents = events
      stuck = Commit(events: events.map { StoredEvent($0) }, intake: intakeBytes, recordedAt: now)
      intakeBytes.removeAll(keepingCapacity: true)
    }
    guard let commit = stuck else { return }
    CrashPoint.pass(.decide)
    do throws(EventLogError) { try log.append(commit) } catch {
      switch error.kind {
      case .unwritable:
        stuckAt = now
        retryAt = now + Service.retryInterval
        if status.snapshot.trouble != error.message {
          logger.error("nothing can be stored; what comes is refused until it can", metadata: ["why": "\(error)"])
        }
        status.update {
          $0.isReady = false
          $0.trouble = error.message
        }
      case .locked, .unreadable, .corrupt, .conflict: failure = error
      }
      return
    }
    if status.snapshot.trouble != nil { logger.info("anomalies and commands are taken") }
    CrashPoint.pass(.append)
    stuck = nil
    recent.remember(stuckEvents)
    auditor?.follow(stuckEvents)
    flushAnswers()
    publish(commit, stuckEvents)
    CrashPoint.pass(.publish)
    onCommit(engine.head)
    stuckEvents = []
  }

  private func flushAnswers() {
    if answers.isEmpty { return }
    for (peer, answer) in answers { gateway.send(answer, to: peer) }
    CrashPoint.pass(.answer)
    answers.removeAll(keepingCapacity: true)
  }

  private func publish(_ commit: Commit, _ events: [RecordedEvent]) {
    for (stored, e) in zip(commit.events, events) {
      var topic = "default/tocsin"
      if e.subject.kind == .alert, let labels = engine.alerts[AlertID(e.subject.number)]?.labels {
        topic = "\(labels["tenant"] ?? "default")/\(labels["event_type"] ?? "")"
      }
      gateway.publish(topic: topic, position: e.position, json: e.cloudEvent(data: stored.data).bytes)
    }
  }

  private func settle() {
    let isStuck = isStuck
    let known = intake.count
    let (head, open, next) = (engine.head, engine.openCount, engine.nextDeadline)
    let (pending, deadlines) = (engine.ledger.pending.count, engine.deadlines.count)
    let audit = auditor?.report
    status.update {
      if let audit { $0.audit = audit }
      if !isStuck {
        $0.isReady = true
        $0.trouble = nil
      }
      $0.head = head
      $0.openAlerts = open
      $0.pendingNotifications = pending
      $0.deadlines = deadlines
      $0.nextDeadline = next
      $0.knownAnomalies = known
    }
  }
}
