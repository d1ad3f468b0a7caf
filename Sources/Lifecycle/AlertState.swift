package import Alerts

/// One alert, as decisions need it. Everything else about it stands in the log.
///
/// Two axes that never overwrite each other: ``isFiring`` belongs to the detectors, ``acknowledgedBy``, ``assignee`` and
/// ``snoozedUntil`` to people. ``silencedBy`` and ``inhibitedBy`` are reasons why nobody is told, beside both.
package struct AlertState: Sendable, Equatable {
  package var id: AlertID
  package var version: Int
  /// The version of the newest fact that changes what a command would mean; a command that saw less is stale.
  package var decisiveVersion: Int
  package var generation: Int
  package var key: StableHash
  package var labels: PackedLabels
  package var severity: Severity
  package var isFiring = true
  package var isResolved = false
  package var resolvedHow: Resolved.How?
  package var seen = false
  package var isFlapping = false
  package var isExhausted = false
  package var acknowledgedBy: String?
  package var acknowledgedAt: Timestamp?
  package var acknowledgedUntil: Timestamp?
  package var assignee: String?
  package var resolvedBy: String?
  package var snoozedUntil: Timestamp?
  package var silencedBy: [Subject] = []
  package var inhibitedBy: AlertID?
  package var openedAt: Timestamp
  package var lastSeenAt: Timestamp
  package var resolvedAt: Timestamp?
  package var count = 1
  package var route: RouteTaken
  /// The step that was told last, from 0; -1 before the first.
  package var step = -1
  package var round = 0
  /// When the policy moves on, unless something holds it.
  package var nextEscalationAt: Timestamp?
  /// The position of the newest event that carries an anomaly.
  package var anomalyPosition: Int64
  /// The position of the newest event that changes what is told: the cause of what follows from it.
  package var decisivePosition: Int64
  /// Places that were told that it fires, and are owed its end.
  package var told: [Place] = []

  /// Where a message goes: a receiver's channel.
  package struct Place: Sendable, Hashable {
    package var receiver: String
    package var target: Receiver.Target
  }

  /// Why nobody is told at the moment, or nil.
  package var held: String? {
    if isResolved { return "resolved" }
    if let by = acknowledgedBy { return "acknowledged by \(by)" }
    if snoozedUntil != nil { return "snoozed" }
    if let s = silencedBy.first { return "silenced by \(s)" }
    if let by = inhibitedBy { return "inhibited by \(by)" }
    return nil
  }

  package var state: AlertSummary.State {
    isResolved ? .resolved : acknowledgedBy != nil ? .acknowledged : .open
  }
}

extension AlertState {
  /// A life's first event makes the state.
  package init?(opening e: RecordedEvent) {
    guard case .detected(let d) = e.event else { return nil }
    self.init(
      id: AlertID(e.subject.number), version: e.version, decisiveVersion: e.version, generation: d.generation,
      key: StableHash(d.dedupKey), labels: PackedLabels(d.anomaly), severity: d.severity, openedAt: e.recordedAt,
      lastSeenAt: e.recordedAt, route: d.route, anomalyPosition: e.position, decisivePosition: e.position)
  }

  /// Takes up one more fact. `policy` is the one of the route that is in force (after the fact, if the fact changes the route).
  package mutating func evolve(_ e: RecordedEvent, policy: (RouteTaken) -> Policy?) {
    version = e.version
    if e.type.isDecisive {
      decisiveVersion = e.version
      decisivePosition = e.position
    }
    switch e.event {
    case .detected, .commented, .labelled, .configured, .silenceAdded, .silenceExpired: break
    case .deduplicated(let d):
      count += d.count
      lastSeenAt = e.recordedAt
      anomalyPosition = e.position
    case .severityRaised(let r):
      severity = r.to
      if let route = r.route { self.route = route }
    case .cleared:
      isFiring = false
      lastSeenAt = e.recordedAt
    case .reopened(let r):
      isFiring = true
      isResolved = false
      resolvedHow = nil
      resolvedAt = nil
      resolvedBy = nil
      acknowledgedBy = nil
      acknowledgedAt = nil
      acknowledgedUntil = nil
      snoozedUntil = nil
      isExhausted = false
      step = -1
      round = 0
      severity = r.severity
      count += 1
      lastSeenAt = e.recordedAt
      anomalyPosition = e.position
    case .resolved(let r):
      isResolved = true
      isFiring = r.how == .responder ? isFiring : false
      resolvedHow = r.how
      resolvedAt = e.recordedAt
      resolvedBy = r.how == .responder ? e.actor : nil
      nextEscalationAt = nil
      snoozedUntil = nil
      acknowledgedUntil = nil
      silencedBy = []
      inhibitedBy = nil
    case .flapping: isFlapping = true
    case .steady: isFlapping = false
    case .acknowledged(let a):
      acknowledgedBy = e.actor
      acknowledgedAt = e.recordedAt
      acknowledgedUntil = a.until
      seen = true
      nextEscalationAt = nil
    case .unacknowledged:
      acknowledgedBy = nil
      acknowledgedAt = nil
      acknowledgedUntil = nil
    case .snoozed(let s):
      snoozedUntil = s.until
      nextEscalationAt = nil
    case .unsnoozed: snoozedUntil = nil
    case .assigned(let a): assignee = a.to
    case .silenced(let s):
      if !silencedBy.contains(s.silence) { silencedBy.append(s.silence) }
      nextEscalationAt = nil
    case .unsilenced(let s): silencedBy.removeAll { $0 == s.silence }
    case .inhibited(let i):
      inhibitedBy = i.by
      nextEscalationAt = nil
    case .uninhibited: inhibitedBy = nil
    case .escalated(let s):
      isExhausted = false
      reach(step: s.step, round: s.round, at: e.recordedAt, policy: policy(route))
    case .exhausted:
      isExhausted = true
      nextEscalationAt = nil
    case .notificationRequested(let n):
      // The first step of an alert that opens is told without an event of its own.
      if n.purpose == .firing, let s = n.step, let r = n.round, (r, s) > (step < 0 ? -1 : round, step) {
        reach(step: s, round: r, at: e.recordedAt, policy: policy(route))
      }
    case .notificationAttempted, .notificationDelivered, .notificationFailed, .notificationCancelled: break
    }
  }

  private mutating func reach(step: Int, round: Int, at time: Timestamp, policy: Policy?) {
    self.step = step
    self.round = round
    nextEscalationAt = held == nil ? policy.map { time + Escalation.delay(after: step, in: $0) } : nil
  }
}
