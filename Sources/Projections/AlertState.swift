import Alerts

/// An alert's row while events are folded into it: what people see, and what only these tables need beside that.
///
/// A class, so that a fold changes it in place: a storm touches one alert thousands of times in a batch.
final class AlertState {
  var summary: AlertSummary
  /// The life before this one.
  var previous: AlertID?
  var label: Labelled.Label?
  var firstAcknowledgedAt: Timestamp?
  /// Messages about it that were delivered, and that failed for good.
  var delivered = 0
  var failed = 0
  /// What the digest says of it, as it was when it opened: a digest that is made again says the same.
  let opening: [UInt8]
  /// The texts that a search finds it by, a line each.
  var search: String
  /// The frozen policy, where the configuration that the route names is known.
  var policy: FrozenPolicy?

  /// Whether any message about it has arrived anywhere.
  var wasTold: Bool { delivered > 0 }

  // What the file knows of it.
  var isStored = false
  /// Whether its whole life was folded since memory was last let go of: then whatever is told of it stands there, too.
  let isWhole: Bool
  var isChanged = true
  var storedSearch: String?

  /// The longest search text, in bytes: with it an alert that is commented on without end stays a small row.
  static let searchLimit = 16 * 1024

  init(_ e: Detected, _ opening: PreparedEvent.Opening, of row: RecordedEvent, policy: FrozenPolicy?) {
    summary = AlertSummary(
      id: AlertID(row.subject.number), version: row.version, generation: e.generation, dedupKey: e.dedupKey,
      severity: e.severity, state: .open, condition: .firing, openedAt: row.recordedAt, lastSeenAt: row.recordedAt,
      count: 1, route: e.route, steps: policy?.delays.count, anomaly: e.anomaly)
    previous = e.previous
    self.policy = policy
    isWhole = true
    search = opening.search
    self.opening = opening.text
    if let first = policy?.delays.first, first > .zero { summary.nextEscalationAt = row.recordedAt + first }
  }

  init(
    summary: AlertSummary, previous: AlertID?, label: Labelled.Label?, firstAcknowledgedAt: Timestamp?, delivered: Int,
    failed: Int, opening: [UInt8], search: String, policy: FrozenPolicy?
  ) {
    self.summary = summary
    self.previous = previous
    self.label = label
    self.firstAcknowledgedAt = firstAcknowledgedAt
    self.delivered = delivered
    self.failed = failed
    self.opening = opening
    self.search = search
    self.policy = policy
    isWhole = false
    isStored = true
    isChanged = false
    storedSearch = search
  }

  /// Folds one more event of this alert's life into it, by the same rules as the service does. Deliveries of messages about many alerts
  /// are counted by the writer.
  ///
  /// - Parameter policyOf: the frozen policy of a route.
  func apply(_ row: RecordedEvent, policyOf: (RouteTaken) throws -> FrozenPolicy?) throws {
    isChanged = true
    summary.version = row.version
    let at = row.recordedAt
    switch row.event {
    case .detected, .configured, .silenceAdded, .silenceExpired: break
    case .deduplicated(let e):
      summary.count += e.count
      summary.lastSeenAt = at
      summary.condition = .firing
      summary.anomaly = e.last
    case .severityRaised(let e):
      summary.severity = e.to
      if let route = e.route {
        summary.route = route
        policy = try policyOf(route)
        summary.steps = policy?.delays.count
      }
      // The policy begins anew.
      summary.step = nil
      summary.round = 0
      summary.exhausted = false
      summary.nextEscalationAt = nil
    case .cleared:
      summary.condition = .cleared
      summary.lastSeenAt = at
    case .reopened(let e): reopen(e, at)
    case .resolved(let e): resolve(e, row.actor, at)
    case .flapping: summary.flapping = true
    case .steady: summary.flapping = false
    case .acknowledged(let e):
      summary.state = .acknowledged
      summary.seen = true
      summary.acknowledgedBy = row.actor
      summary.acknowledgedAt = at
      summary.acknowledgedUntil = e.until
      summary.nextEscalationAt = nil
      if firstAcknowledgedAt == nil { firstAcknowledgedAt = at }
      remember(e.note)
    case .unacknowledged(let e):
      if summary.state == .acknowledged { summary.state = .open }
      clearAcknowledgement()
      remember(e.note)
    case .snoozed(let e):
      summary.snoozedUntil = e.until
      summary.nextEscalationAt = nil
      remember(e.note)
    case .unsnoozed: summary.snoozedUntil = nil
    case .commented(let e): remember(e.text)
    case .assigned(let e):
      summary.assignee = e.to
      remember(e.note)
    case .labelled(let e):
      label = e.label
      remember(e.note)
    case .silenced(let e):
      if !summary.silencedBy.contains(e.silence) { summary.silencedBy.append(e.silence) }
      summary.nextEscalationAt = nil
    case .unsilenced(let e): summary.silencedBy.removeAll { $0 == e.silence }
    case .inhibited(let e):
      summary.inhibitedBy = e.by
      summary.nextEscalationAt = nil
    case .uninhibited: summary.inhibitedBy = nil
    case .escalated(let e):
      summary.exhausted = false
      reach(e.step, e.round, at)
      if let until = e.waitsUntil, summary.nextEscalationAt != nil { summary.nextEscalationAt = until }
    case .exhausted:
      summary.exhausted = true
      summary.nextEscalationAt = nil
    case .notificationRequested(let e):
      // The first step of an alert that opens is told without an event of its own.
      if e.purpose == .firing, let step = e.step, let round = e.round,
        summary.step.map({ (round, step) > (summary.round, $0) }) ?? true
      {
        reach(step, round, at)
      }
    case .notificationDelivered: delivered += 1
    case .notificationFailed: failed += 1
    case .notificationAttempted, .notificationCancelled: break
    }
  }

  private func reopen(_ e: Reopened, _ at: Timestamp) {
    summary.state = .open
    summary.condition = .firing
    summary.severity = e.severity
    summary.resolvedHow = nil
    summary.resolvedAt = nil
    summary.resolvedBy = nil
    clearAcknowledgement()
    summary.snoozedUntil = nil
    summary.count += 1
    summary.lastSeenAt = at
    summary.anomaly = e.anomaly
    summary.exhausted = false
    if summary.flapping {
      // Its flapping was told. If it stays this time, the policy goes on from where it was.
      summary.nextEscalationAt = policy.map { at + $0.delay(after: max(summary.step ?? 0, 0)) }
    } else {
      summary.step = nil
      summary.round = 0
      summary.nextEscalationAt = nil
    }
  }

  private func resolve(_ e: Resolved, _ actor: String, _ at: Timestamp) {
    summary.state = .resolved
    summary.resolvedHow = e.how
    summary.resolvedAt = at
    summary.resolvedBy = e.how == .responder ? actor : nil
    summary.seen = summary.seen || e.seen
    if e.how != .responder { summary.condition = .cleared }
    summary.acknowledgedUntil = nil
    summary.snoozedUntil = nil
    summary.silencedBy = []
    summary.inhibitedBy = nil
    summary.nextEscalationAt = nil
    remember(e.note)
  }

  private func clearAcknowledgement() {
    summary.acknowledgedBy = nil
    summary.acknowledgedAt = nil
    summary.acknowledgedUntil = nil
  }

  private func reach(_ step: Int, _ round: Int, _ at: Timestamp) {
    summary.step = step
    summary.round = round
    let isHeld =
      summary.state != .open || summary.snoozedUntil != nil || !summary.silencedBy.isEmpty || summary.inhibitedBy != nil
    summary.nextEscalationAt = isHeld ? nil : policy.map { at + $0.delay(after: step) }
  }

  // MARK: - Search

  private func remember(_ text: String?) {
    guard let text, !text.isEmpty, search.utf8.count + text.utf8.count < AlertState.searchLimit else { return }
    search += "\n" + text
  }

  static func words(of a: Anomaly) -> String {
    var text = Sentence.cut(a.summary ?? "")
    text += "\n\(a.eventType) \(a.metric)"
    if let detector = a.detector { text += " \(detector)" }
    if a.tenant != "default" { text += " \(a.tenant)" }
    for d in a.dimensions { text += "\n\(d.name) \(d.value)" }
    for l in a.labels { text += "\n\(l.name) \(l.value)" }
    guard text.utf8.count > searchLimit else { return text }
    return String(text.prefix(searchLimit / 4))
  }
}

/// What a policy said about time when the alert opened.
struct FrozenPolicy: Equatable, Sendable {
  /// Each step's delay: after the step before; for the first, after the opening.
  var delays: [Interval]

  /// How long a policy of one immediate step waits before it repeats, or counts as exhausted.
  static let repeatDelay = Interval.minutes(30)

  /// How long after `step` the policy moves on: the next step's own delay; after the last step, its delay once more.
  func delay(after step: Int) -> Interval {
    if delays.indices.contains(step + 1) { return delays[step + 1] }
    let last = delays.last ?? .zero
    return last > .zero ? last : FrozenPolicy.repeatDelay
  }

  /// Reads one policy out of the settings that a `configured` event holds.
  init?(_ json: JSON) {
    guard let steps = json["steps"]?.array else { return nil }
    delays = steps.map { step in
      step["after_us"]?.int.map { Interval(microseconds: $0) } ?? step["after"]?.string.flatMap { Interval($0) }
        ?? .zero
    }
  }

  /// Every policy in those settings, by name.
  static func all(in settings: JSON) -> [String: FrozenPolicy] {
    var policies: [String: FrozenPolicy] = [:]
    for json in settings["policies"]?.array ?? [] {
      if let name = json["name"]?.string, let policy = FrozenPolicy(json) { policies[name] = policy }
    }
    for member in settings["policies"]?.members ?? [] {
      if let policy = FrozenPolicy(member.value) { policies[member.name] = policy }
    }
    return policies
  }
}
