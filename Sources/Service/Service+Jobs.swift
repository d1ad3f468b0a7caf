import Alerts
import Bus
import CrashPoints
import EventLog
import Lifecycle
import Logging

extension Service {
  /// How many alerts a summary shows in full.
  static let membersShown = 5

  private func giveBack(_ p: Ledger.Pending, of worker: String) {
    withEngine { $0.release(p.position) }
    workers.restore(worker)
  }

  /// Leases what is due to workers with credit. What leasing finds out (nobody wants it any more; it may have been sent before) is committed before
  /// the jobs go out.
  func handOutJobs(now: Timestamp) {
    // What the workers that turn out to be gone were meant to get is for the others, and not for the end of a lease. Each time there are fewer of them.
    while case let gone = handOutOnce(now: now), !gone.isEmpty { for name in gone { workers.forget(name) } }
  }

  /// Returns the workers that were not there any more.
  private func handOutOnce(now: Timestamp) -> Set<String> {
    var jobs: [(String, Peer, Ledger.Pending)] = []
    while true {
      var any = false
      for (name, worker) in workers.withCredit() {
        guard let p = withEngine({ $0.lease(to: name, channels: worker.channels, now: now) }) else { continue }
        workers.spend(name)
        jobs.append((name, worker.peer, p))
        any = true
      }
      if !any { break }
    }
    commit(now: now)
    // Not committed, not sent: nobody has them, and they are handed out again.
    guard failure == nil, !isStuck else {
      for (name, _, p) in jobs { giveBack(p, of: name) }
      return []
    }
    if !jobs.isEmpty {
      CrashPoint.pass(.lease)
      do { try clock.keep(now) } catch {
        logger.warning(
          "the time could not be kept: if the service ends now, a message may go out twice without its history saying so",
          metadata: ["why": "\(error)"])
      }
    }
    var gone: Set<String> = []
    for (name, peer, p) in jobs {
      // Settled meanwhile, by what another lease found out.
      guard let p = engine.ledger[p.position] else {
        workers.restore(name)
        continue
      }
      guard let job = job(p, now: now) else {
        giveBack(p, of: name)
        continue
      }
      if gateway.send(.job(job.json), to: peer) {
        auditor?.served(job.channel)
        held.gave(p.position, to: name, over: peer)
        CrashPoint.pass(.job)
      } else {
        gone.insert(name)
        withEngine { $0.release(p.position) }
      }
    }
    return gone
  }

  /// A worker says what it has in hand.
  func worker(_ name: String, holds json: JSON, over peer: Peer, now: Timestamp) {
    guard let keys = json.array else { return }
    let lost = held.said(name, holds: Set(keys.compactMap(\.string)), over: peer, now: clock.awake) { position in
      engine.ledger[position].flatMap { $0.lease?.worker == name ? $0.key : nil }
    }
    for position in lost { withEngine { $0.workerIsGone(position, name, now: now) } }
  }

  /// What workers that are gone had in hand is for others.
  func takeFromTheGone(now: Timestamp) {
    for (name, jobs) in held.takeGone(now: clock.awake) {
      workers.forget(name)
      guard !jobs.isEmpty else { continue }
      logger.warning("a notifier is gone; what it had in hand goes out again", metadata: ["worker": "\(name)"])
      for position in jobs { withEngine { $0.workerIsGone(position, name, now: now) } }
    }
  }

  private func job(_ p: Ledger.Pending, now: Timestamp) -> Job? {
    var job = Job(
      key: p.key, subject: p.subject, purpose: p.purpose, receiver: p.place.receiver, channel: p.place.target.channel,
      destination: p.place.target.destination, attempt: p.attempts + 1, requestedAt: p.requestedAt,
      leaseUntil: p.lease?.until ?? now + Engine.leaseTime, thread: engine.ledger.thread(p.subject, p.place.target),
      consoleURL: engine.settings.consoleURL, occasion: p.occasion)
    job.taken = p.taken
    do {
      switch p.purpose {
      case .summary:
        let members = try p.members.compactMap { try alert($0) }.sorted {
          ($0.severity, $1.openedAt) > ($1.severity, $0.openedAt)
        }
        job.members = try members.prefix(Service.membersShown).map { try summary($0) }
        job.memberCount = p.members.count
        job.tally = try tally(members)
      case .digest, .notice:
        if case .notificationRequested(let n)? = try log.event(at: p.position)?.read().event { job.content = n.content }
      default:
        guard let a = try alert(AlertID(p.subject.number)) else { return nil }
        job.alert = try summary(a)
      }
    } catch {
      logger.error("a notification can't be made; it is tried again", metadata: ["key": "\(p.key)", "why": "\(error)"])
      return nil
    }
    return job
  }

  /// An alert, from memory, or from the log if it has left memory since.
  private func alert(_ id: AlertID) throws -> AlertState? {
    if let known = engine.alerts[id] { return known }
    let life = try log.life(of: id.subject).map { try $0.read() }
    return engine.folded(life)
  }

  private func tally(_ members: [AlertState]) throws -> Tally {
    var tally = Tally()
    for a in members {
      tally.bySeverity[a.severity, default: 0] += 1
      if a.isResolved { tally.ended += 1 }
    }
    if let first = members.first?.labels["event_type"],
      members.allSatisfy({ $0.labels["event_type"] == first })
    {
      tally.eventType = first
    }
    return tally
  }

  private func summary(_ a: AlertState) throws -> AlertSummary {
    let policy = a.route.policy.flatMap { engine.configurations[a.route.configuration]?.policy($0) }
    return AlertSummary(
      id: a.id, version: a.version, generation: a.generation, dedupKey: "", severity: a.severity, state: a.state,
      condition: a.isFiring ? .firing : .cleared, resolvedHow: a.resolvedHow, seen: a.seen,
      acknowledgedBy: a.acknowledgedBy, acknowledgedAt: a.acknowledgedAt, acknowledgedUntil: a.acknowledgedUntil,
      resolvedBy: a.resolvedBy, assignee: a.assignee, snoozedUntil: a.snoozedUntil, silencedBy: a.silencedBy,
      inhibitedBy: a.inhibitedBy, flapping: a.isFlapping, openedAt: a.openedAt, lastSeenAt: a.lastSeenAt,
      resolvedAt: a.resolvedAt, count: a.count, route: a.route, step: a.step < 0 ? nil : a.step,
      steps: policy?.steps.count, round: a.round, nextEscalationAt: a.nextEscalationAt, exhausted: a.isExhausted,
      anomaly: try anomaly(at: a.anomalyPosition)
    ).withKey()
  }

  func anomaly(at position: Int64) throws -> Anomaly {
    if let known = recent[position] { return known }
    guard let anomaly = try log.event(at: position)?.read().anomaly else {
      throw EventLogError(.corrupt, "event \(position) should carry an anomaly, and does not")
    }
    return anomaly
  }
}

extension AlertSummary {
  fileprivate func withKey() -> AlertSummary {
    var copy = self
    copy.dedupKey = anomaly.dedupKey
    return copy
  }
}

extension RecordedEvent {
  /// The firing anomaly that this event carries.
  var anomaly: Anomaly? {
    switch event {
    case .detected(let d): d.anomaly
    case .deduplicated(let d): d.last
    case .reopened(let r): r.anomaly
    default: nil
    }
  }
}

/// The newest commits' events, so that a message that goes out at once need not read the log. Whole commits are kept and let go of: it costs
/// nothing for each event.
struct RecentAnomalies {
  /// Kept at most, but for the newest commit.
  static let capacity = 8192
  /// Bytes of messages kept at most, which the anomalies stand in; what a larger commit says is read from the log again.
  static let bytes = 16 << 20
  private var commits: [(events: [RecordedEvent], bytes: Int)] = []
  private(set) var count = 0
  private(set) var size = 0

  subscript(position: Int64) -> Anomaly? {
    for (events, _) in commits.reversed() {
      guard let first = events.first?.position, position >= first else { continue }
      let i = Int(position - first)
      return events.indices.contains(i) ? events[i].anomaly : nil
    }
    return nil
  }

  /// Returns what is forgotten for it. `bytes`: of all messages that the events came from.
  @discardableResult
  mutating func remember(_ events: [RecordedEvent], bytes: Int) -> [[RecordedEvent]] {
    guard bytes <= RecentAnomalies.bytes else { return [events] }
    commits.append((events, bytes))
    count += events.count
    size += bytes
    var old = 0
    while count > RecentAnomalies.capacity || size > RecentAnomalies.bytes, old + 1 < commits.count {
      count -= commits[old].events.count
      size -= commits[old].bytes
      old += 1
    }
    defer { commits.removeFirst(old) }
    return commits.prefix(old).map(\.events)
  }
}
