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
  /// When the present step was told.
  var steppedAt: Timestamp?
  /// The texts that a search finds it by, a line each.
  var search: String
  /// The frozen policy, where the configuration that the route names is known.
  var policy: FrozenPolicy?

  /// Whether any message about it has arrived anywhere.
  var wasTold: Bool { delivered > 0 }

  // What the file knows of it.
  var isStored = false
  var isChanged = true
  var storedSearch: String?

  /// The longest search text, in bytes: with it an alert that is commented on without end stays a small row.
  static let searchLimit = 16 * 1024

  init(_ e: Detected, of row: RecordedEvent, policy: FrozenPolicy?) {
    summary = AlertSummary(
      id: AlertID(row.subject.number), version: row.version, generation: e.generation, dedupKey: e.dedupKey,
      severity: e.severity, state: .open, condition: .firing, openedAt: row.occurredAt, lastSeenAt: row.occurredAt,
      count: 1, route: e.route, steps: policy?.delays.count, anomaly: e.anomaly)
    previous = e.previous
    self.policy = policy
    search = AlertState.words(of: e.anomaly)
    rearm()
  }

  init(
    summary: AlertSummary, previous: AlertID?, label: Labelled.Label?, firstAcknowledgedAt: Timestamp?, delivered: Int,
    failed: Int, steppedAt: Timestamp?, search: String, policy: FrozenPolicy?
  ) {
    self.summary = summary
    self.previous = previous
    self.label = label
    self.firstAcknowledgedAt = firstAcknowledgedAt
    self.delivered = delivered
    self.failed = failed
    self.steppedAt = steppedAt
    self.search = search
    self.policy = policy
    isStored = true
    isChanged = false
    storedSearch = search
  }

  /// Folds one more event of this alert's life into it. Deliveries of messages about many alerts are counted by the writer.
  func apply(_ row: RecordedEvent) {
    isChanged = true
    summary.version = row.version
    let at = row.occurredAt
    switch row.event {
    case .detected: break
    case .deduplicated(let e):
      summary.count += e.count
      summary.lastSeenAt = max(summary.lastSeenAt, e.lastTime)
      summary.condition = .firing
      summary.anomaly = e.last
    case .severityRaised(let e): summary.severity = e.to
    case .cleared:
      summary.condition = .cleared
      summary.lastSeenAt = max(summary.lastSeenAt, at)
    case .reopened(let e):
      summary.state = .open
      summary.condition = .firing
      summary.severity = e.severity
      summary.resolvedHow = nil
      summary.resolvedAt = nil
      summary.resolvedBy = nil
      clearAcknowledgement()
      summary.count += 1
      summary.lastSeenAt = max(summary.lastSeenAt, at)
      summary.anomaly = e.anomaly
      summary.step = nil
      summary.round = 0
      summary.exhausted = false
      steppedAt = nil
    case .resolved(let e):
      summary.state = .resolved
      summary.resolvedHow = e.how
      summary.resolvedAt = at
      summary.resolvedBy = e.how == .responder ? row.actor : nil
      summary.seen = summary.seen || e.seen
      if e.how == .cleared { summary.condition = .cleared }
      summary.snoozedUntil = nil
      remember(e.note)
    case .flapping: summary.flapping = true
    case .steady: summary.flapping = false
    case .acknowledged(let e):
      summary.state = .acknowledged
      summary.seen = true
      summary.acknowledgedBy = row.actor
      summary.acknowledgedAt = at
      summary.acknowledgedUntil = e.until
      if firstAcknowledgedAt == nil { firstAcknowledgedAt = at }
      remember(e.note)
    case .unacknowledged(let e):
      if summary.state == .acknowledged { summary.state = .open }
      clearAcknowledgement()
      remember(e.note)
    case .snoozed(let e):
      summary.snoozedUntil = e.until
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
    case .unsilenced(let e): summary.silencedBy.removeAll { $0 == e.silence }
    case .inhibited(let e): summary.inhibitedBy = e.by
    case .uninhibited(let e): if summary.inhibitedBy == e.by { summary.inhibitedBy = nil }
    case .escalated(let e): stepped(e.step, e.round, at)
    case .exhausted: summary.exhausted = true
    case .notificationRequested(let e):
      if e.purpose == .firing, let step = e.step { stepped(step, e.round ?? 0, at) }
    case .notificationDelivered: delivered += 1
    case .notificationFailed: failed += 1
    case .notificationAttempted, .notificationCancelled, .configured, .silenceAdded, .silenceExpired: break
    }
    rearm()
  }

  private func clearAcknowledgement() {
    summary.acknowledgedBy = nil
    summary.acknowledgedAt = nil
    summary.acknowledgedUntil = nil
  }

  private func stepped(_ step: Int, _ round: Int, _ at: Timestamp) {
    if summary.step != step || summary.round != round { steppedAt = at }
    summary.step = step
    summary.round = round
  }

  /// When the policy moves on if nobody does anything, as far as the policy is known.
  private func rearm() {
    let held =
      summary.state != .open || summary.exhausted || summary.snoozedUntil != nil || !summary.silencedBy.isEmpty
      || summary.inhibitedBy != nil
    guard !held, let policy else {
      summary.nextEscalationAt = nil
      return
    }
    summary.nextEscalationAt = policy.next(
      after: summary.step, round: summary.round, openedAt: summary.openedAt, steppedAt: steppedAt)
  }

  // MARK: - Search

  private func remember(_ text: String?) {
    guard let text, !text.isEmpty, search.utf8.count + text.utf8.count < AlertState.searchLimit else { return }
    search += "\n" + text
  }

  private static func words(of a: Anomaly) -> String {
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
  /// How often the whole is gone through again after the first time.
  var repeats: Int

  func next(after step: Int?, round: Int, openedAt: Timestamp, steppedAt: Timestamp?) -> Timestamp? {
    guard let first = delays.first else { return nil }
    guard let step, let steppedAt else { return openedAt + first }
    if step + 1 < delays.count { return steppedAt + delays[step + 1] }
    guard round < repeats else { return nil }
    return steppedAt + max(first, delays.last ?? first)
  }

  /// Reads one policy out of the settings that a `configured` event holds.
  init?(_ json: JSON) {
    guard let steps = json["steps"]?.array else { return nil }
    delays = steps.map { step in
      step["after_us"]?.int.map { Interval(microseconds: $0) } ?? step["after"]?.string.flatMap { Interval($0) }
        ?? .zero
    }
    repeats = (json["repeats"] ?? json["repeat"])?.int.map { Int($0) } ?? 0
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
