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
  /// The most that is taken in at once, in anomalies: bounds how long a command waits behind a flood.
  package static let drainLimit = 8192
  /// So often in a row, if what came were repeats of few alerts. Those take a fraction of the time, and the more of them one commit has, the fewer facts
  /// they come to.
  static let drainsOfRepeats = 8
  /// While the log can't be written, it is tried again this often.
  package static let retryInterval = Interval.seconds(1)
  /// A commit of more events than this is left to the log's thread while the next batch is decided. A smaller one is waited for: handing it back and
  /// forth would cost more than it gains.
  static let overlapFrom = 256
  /// After so many commits in a row that overlapped, one is waited for: what is done only when all is on the disk (a snapshot, a segment of the intake) has
  /// its turn in a flood that does not end.
  static let overlapsInARow = 32

  let log: any EventLog
  let writer: any CommitWriter
  let gateway: any GatewayPort
  let clock: any ServiceClock
  let logger: Logger
  package let status: ServiceStatus
  package let control: ServiceControl
  /// Called after each commit with the log's new head, on the service's thread: a wake-up for whoever follows the log.
  let onCommit: @Sendable (Int64) -> Void
  package internal(set) var engine = Engine()
  var intake: Intake
  private var snapshots: Snapshots?
  var workers = Workers()
  var held = HeldJobs()
  var answered = AnsweredCommands()
  var recent = RecentAnomalies()
  var scanners = Scanners()
  /// Nil: nobody may take leases (a simulation).
  let leases: LeaseBook?
  /// Nil: who said that it must be heard is forgotten with this process.
  let heartbeats: HeartbeatBook?
  var promisesAt = Timestamp.epoch
  /// Answers about leases wait for the book's own commit.
  var leaseAnswers: [(Peer, Outgoing)] = []
  /// Nil: nobody watches over this service.
  var auditor: Auditor?
  private var auditSettings: AuditSettings?
  /// The position that the tables have reached.
  let tables: @Sendable () -> Int64?

  /// What waits for the commit before it is sent.
  var answers: [(Peer, Outgoing)] = []
  var intakeBytes: [UInt8] = []
  /// Of the messages with anomalies that the batch came from: its facts hold them.
  var bytesTaken = 0
  /// What was decided together, and is answered and published together once it is on the disk.
  struct Round {
    var commit: Commit
    var events: [RecordedEvent]
    /// Of the messages that it came from.
    var bytes: Int
    var answers: [(Peer, Outgoing)]
    /// Whether the next batch may be decided meanwhile.
    var isOverlapping: Bool
  }
  /// With the writer.
  var writing: Round?
  var overlapped = 0
  /// The last position that is on the disk.
  var committed: Int64 = 0
  /// Whoever follows the log is woken when the jobs are handed out: a message is worth more than a table.
  var hasNews = false
  /// Commits that the log refused or that wait behind one it refused, at most two, to be tried again as they are: nothing of them was answered, and
  /// nothing else is decided before.
  var stuck: [Round] = []
  var stuckAt = Timestamp.epoch
  var retryAt = Timestamp.epoch
  /// Taken up in the next round that can write.
  private var waitingSettings: LifecycleSettings?
  private var isStopping = false

  /// - Parameters:
  ///   - snapshots: where the state is kept, so that a start need not replay everything; nil: it does.
  ///   - shelf: where what was taken in is kept when it no longer fits into memory; nil: the oldest of it is forgotten.
  package init(
    log: any EventLog, gateway: any GatewayPort, clock: any ServiceClock, control: ServiceControl,
    status: ServiceStatus, writer: (any CommitWriter)? = nil,
    logger: Logger, snapshots: (any SnapshotStore)? = nil, intake shelf: IntakeShelf? = nil,
    leases: LeaseBook? = nil, heartbeats: HeartbeatBook? = nil, audit: AuditSettings? = nil,
    tables: @escaping @Sendable () -> Int64? = { nil },
    onCommit: @escaping @Sendable (Int64) -> Void = { _ in }
  ) {
    auditSettings = audit
    self.tables = tables
    self.log = log
    self.writer = writer ?? DirectWriter(log)
    self.snapshots = snapshots.map { Snapshots($0) }
    intake = Intake(shelf: shelf)
    self.gateway = gateway
    self.clock = clock
    self.control = control
    self.status = status
    self.logger = logger
    self.leases = leases
    self.heartbeats = heartbeats
    self.onCommit = onCommit
  }

  // MARK: - Start

  /// Replays the log and takes up the configuration. After it, timers that fell due while nobody was there fire in the first ``step()``.
  package func start(settings: LifecycleSettings) throws {
    if let restored = snapshots?.restore(log, logger: logger) { engine = restored }
    let snapshot = engine.head
    let count = try LogReplay.run(log, after: snapshot, into: &engine)
    try intake.load(log, logger: logger)
    clock.isPast(engine.recordedUpTo)
    committed = engine.head
    let now = clock.now()
    engine.recover(now: now)
    auditor = auditSettings.map { Auditor($0, now: now) }
    auditor?.recover(engine, promises: promises(), now: now)
    engine.adopt(settings, now: now)
    logger.info(
      "the log is read",
      metadata: ["snapshot": "\(snapshot)", "events": "\(count)", "alerts": "\(engine.openCount)"])
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
    // What was decided is answered before the end.
    finishWriting(now: clock.now())
    if let failure { throw failure }
    tellFollowers()
    status.update {
      $0.isReady = false
      $0.trouble = "stopping"
    }
    if !isStuck { snapshots?.finish(engine, log, now: clock.now(), logger: logger) }
  }

  /// How long nothing has to be done, in microseconds; nil for ever.
  package func waitingTime() -> Int64? {
    if isStuck { return max(0, min((retryAt - clock.now()).microseconds, Service.retryInterval.microseconds)) }
    let next = [engine.nextDeadline, auditor?.nextLook].compactMap { $0 }.min()
    let waits = [next.map { ($0 - clock.now()).microseconds }, held.nextLook.map { $0 - clock.awake }]
    return waits.compactMap { $0 }.min().map { max(0, $0) }
  }

  /// One round: everything that has come, everything that is due, one commit.
  package func step() throws {
    for message in control.drain() { obey(message) }
    let now = clock.now()
    auditor?.begin(next: engine.nextDeadline, now: now, awake: clock.awake)
    if isStuck {
      if now >= retryAt || now < stuckAt { tryAgain(now: now) }
      if let failure { throw failure }
      if isStuck {
        refuseMeanwhile(now: now)
        answerLeases()
        audit(now: now)
        return settle()
      }
    }
    if let settings = waitingSettings {
      waitingSettings = nil
      engine.adopt(settings, now: now)
    }
    engine.fireRules(now: now)
    drain(now: now)
    if let failure { throw failure }
    takeFromTheGone(now: now)
    engine.fire(now: now)
    auditor?.end(next: engine.nextDeadline, now: now)
    audit(now: now)
    begin(now: now, overlapping: !hasWork && overlapped < Service.overlapsInARow)
    if writing?.isOverlapping == false { finishWriting(now: now) }
    if let failure { throw failure }
    answerLeases()
    if !isStuck, writing == nil { handOutJobs(now: now) }
    if let failure { throw failure }
    if !isStuck, writing == nil, intakeBytes.isEmpty {
      intake.tidy(log, now: now, logger: logger)
      snapshots?.takeIfDue(engine, log, now: now, logger: logger)
      keepPromises(now: now)
    }
    settle()
  }

  /// Takes in what has come: once, and on while it comes in masses that change little.
  private func drain(now: Timestamp) {
    for _ in 0..<Service.drainsOfRepeats {
      var anomalies = 0
      for message in gateway.receive(limit: Service.drainLimit) {
        if case .anomalies(_, _, _, let events) = message { anomalies += events.count }
        take(message, now: now)
      }
      // Whoever waits for the commit before need not wait for this one.
      if writing != nil, let outcome = writer.outcome(waiting: false) { conclude(outcome, now: now) }
      if anomalies < Service.drainLimit / 2 || engine.factsInBatch > Service.drainLimit / 4 { break }
    }
  }

  /// Whether jobs could be handed out: then a commit is waited for, so that they don't wait for the end of a flood.
  private var hasWork: Bool { engine.ledger.hasReady && workers.hasCredit }

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

  var failure: (any Error)?
  var isStuck: Bool { !stuck.isEmpty }
  /// Whether what comes is refused at the moment, because the log can't be written.
  package var isRefusing: Bool { isStuck }

  private func tellFollowers() {
    guard hasNews else { return }
    hasNews = false
    onCommit(committed)
  }

  private func settle() {
    let isStuck = isStuck
    let known = intake.count
    let (head, open, next) = (committed, engine.openCount, engine.nextDeadline)
    let (pending, deadlines) = (engine.ledger.pending.count, engine.deadlines.count)
    let audit = auditor?.report
    tellFollowers()
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
