/// An alert as the world sees it at one moment: what replies, jobs, pages and the HTTP API carry.
package struct AlertSummary: Sendable, Equatable {
  package enum State: String, Sendable { case open, acknowledged, resolved }
  package enum Condition: String, Sendable { case firing, cleared }

  package var id: AlertID
  package var version: Int
  package var generation: Int
  package var dedupKey: String
  package var severity: Severity
  package var state: State
  package var condition: Condition
  /// Set once it is resolved.
  package var resolvedHow: Resolved.How?
  /// Whether anybody acknowledged it in this life.
  package var seen: Bool
  package var acknowledgedBy: String?
  package var acknowledgedAt: Timestamp?
  package var acknowledgedUntil: Timestamp?
  package var resolvedBy: String?
  package var assignee: String?
  package var snoozedUntil: Timestamp?
  package var silencedBy: [Subject]
  package var inhibitedBy: AlertID?
  package var flapping: Bool
  package var openedAt: Timestamp
  package var lastSeenAt: Timestamp
  package var resolvedAt: Timestamp?
  /// Firing anomalies taken in during this life, the first included.
  package var count: Int
  package var route: RouteTaken
  /// The last step that was told, from 0, and how many the policy has; nil without a policy.
  package var step: Int?
  package var steps: Int?
  package var round: Int
  /// When the policy moves on, if nobody does anything.
  package var nextEscalationAt: Timestamp?
  package var exhausted: Bool
  /// The newest anomaly of this life.
  package var anomaly: Anomaly

  package init(
    id: AlertID, version: Int, generation: Int, dedupKey: String, severity: Severity, state: State,
    condition: Condition,
    resolvedHow: Resolved.How? = nil, seen: Bool = false, acknowledgedBy: String? = nil,
    acknowledgedAt: Timestamp? = nil, acknowledgedUntil: Timestamp? = nil, resolvedBy: String? = nil,
    assignee: String? = nil, snoozedUntil: Timestamp? = nil, silencedBy: [Subject] = [], inhibitedBy: AlertID? = nil,
    flapping: Bool = false, openedAt: Timestamp, lastSeenAt: Timestamp, resolvedAt: Timestamp? = nil, count: Int,
    route: RouteTaken, step: Int? = nil, steps: Int? = nil, round: Int = 0, nextEscalationAt: Timestamp? = nil,
    exhausted: Bool = false, anomaly: Anomaly
  ) {
    self.id = id
    self.version = version
    self.generation = generation
    self.dedupKey = dedupKey
    self.severity = severity
    self.state = state
    self.condition = condition
    self.resolvedHow = resolvedHow
    self.seen = seen
    self.acknowledgedBy = acknowledgedBy
    self.acknowledgedAt = acknowledgedAt
    self.acknowledgedUntil = acknowledgedUntil
    self.resolvedBy = resolvedBy
    self.assignee = assignee
    self.snoozedUntil = snoozedUntil
    self.silencedBy = silencedBy
    self.inhibitedBy = inhibitedBy
    self.flapping = flapping
    self.openedAt = openedAt
    self.lastSeenAt = lastSeenAt
    self.resolvedAt = resolvedAt
    self.count = count
    self.route = route
    self.step = step
    self.steps = steps
    self.round = round
    self.nextEscalationAt = nextEscalationAt
    self.exhausted = exhausted
    self.anomaly = anomaly
  }

  /// One line for people: the detector's own summary, or what can be said without it.
  package var headline: String {
    if let summary = anomaly.summary, !summary.isEmpty { return summary }
    guard let value = anomaly.value else { return "\(anomaly.metric) is not as expected" }
    guard let expected = anomaly.expected else { return "\(anomaly.metric) is \(Format.number(value))" }
    return "\(anomaly.metric) is \(Format.number(value)), expected \(Format.number(expected))"
  }

  /// For people: `open`, `acknowledged`, `resolved`, `cleared, never seen`, `resolved (stale)`.
  package var stateForPeople: String {
    guard state == .resolved else { return state.rawValue }
    switch resolvedHow {
    case .stale: return "resolved (stale)"
    case .cleared where !seen: return "cleared, never seen"
    default: return "resolved"
    }
  }

  package var json: JSON {
    .compact([
      "id": .string(id.description), "version": .int(version), "generation": .int(generation),
      "dedup_key": .string(dedupKey), "severity": .string(severity.name), "state": .string(state.rawValue),
      "condition": .string(condition.rawValue), "resolved_how": .text(resolvedHow?.rawValue), "seen": .bool(seen),
      "acknowledged_by": .text(acknowledgedBy), "acknowledged_at": .text(acknowledgedAt?.rfc3339),
      "acknowledged_until": .text(acknowledgedUntil?.rfc3339), "resolved_by": .text(resolvedBy),
      "assignee": .text(assignee), "snoozed_until": .text(snoozedUntil?.rfc3339),
      "silenced_by": silencedBy.isEmpty ? .null : .array(silencedBy.map { .string($0.description) }),
      "inhibited_by": .text(inhibitedBy?.description), "flapping": flapping ? true : .null,
      "opened_at": .string(openedAt.rfc3339), "last_seen_at": .string(lastSeenAt.rfc3339),
      "resolved_at": .text(resolvedAt?.rfc3339), "count": .int(count), "route": route.json,
      "step": step.map { .int($0) } ?? .null, "steps": steps.map { .int($0) } ?? .null, "round": .int(round),
      "next_escalation_at": .text(nextEscalationAt?.rfc3339), "exhausted": exhausted ? true : .null,
      "anomaly": .raw(anomaly.cloudEvent),
    ])
  }

  package init(json: JSON) throws(EventDataError) {
    id = try json.need("id") { $0.string.flatMap { AlertID($0) } }
    version = try json.needInt("version")
    generation = try json.needInt("generation")
    dedupKey = try json.needText("dedup_key")
    severity = try json.needSeverity("severity")
    state = try json.need("state") { $0.string.flatMap { State(rawValue: $0) } }
    condition = try json.need("condition") { $0.string.flatMap { Condition(rawValue: $0) } }
    resolvedHow = json.text("resolved_how").flatMap { Resolved.How(rawValue: $0) }
    seen = json["seen"]?.bool ?? false
    acknowledgedBy = json.text("acknowledged_by")
    acknowledgedAt = json["acknowledged_at"]?.timestamp
    acknowledgedUntil = json["acknowledged_until"]?.timestamp
    resolvedBy = json.text("resolved_by")
    assignee = json.text("assignee")
    snoozedUntil = json["snoozed_until"]?.timestamp
    silencedBy = (json["silenced_by"]?.array ?? []).compactMap { $0.string.flatMap { Subject($0) } }
    inhibitedBy = json.text("inhibited_by").flatMap { AlertID($0) }
    flapping = json["flapping"]?.bool ?? false
    openedAt = try json.need("opened_at") { $0.timestamp }
    lastSeenAt = try json.need("last_seen_at") { $0.timestamp }
    resolvedAt = json["resolved_at"]?.timestamp
    count = try json.needInt("count")
    route = RouteTaken(json: json["route"] ?? .null)
    step = json.integer("step")
    steps = json.integer("steps")
    round = json.integer("round") ?? 0
    nextEscalationAt = json["next_escalation_at"]?.timestamp
    exhausted = json["exhausted"]?.bool ?? false
    anomaly = try json.needAnomaly("anomaly")
  }
}

/// How numbers are written for people, everywhere the same.
package enum Format {
  /// At most four significant digits below 10,000, whole and grouped by commas above: `0.0312`, `87.5`, `1,850`, `1,234,567`.
  package static func number(_ value: Double) -> String {
    guard value.isFinite else { return "–" }
    let magnitude = value.magnitude
    if magnitude >= 1e15 { return value.description }
    if magnitude >= 10_000 || value == value.rounded() {
      let digits = String(Int64(magnitude.rounded()))
      var grouped = ""
      for (i, c) in digits.enumerated() {
        if i > 0, (digits.count - i) % 3 == 0 { grouped.append(",") }
        grouped.append(c)
      }
      return (value < 0 && digits != "0" ? "-" : "") + grouped
    }
    var scale = 1.0
    var m = magnitude
    while m < 1000, scale < 1e9 {
      m *= 10
      scale *= 10
    }
    return ((value * scale).rounded() / scale).description
  }

  /// `-86.8%`, with its sign; a change beyond 1,000 % as a factor, `×12.5`.
  package static func change(_ fraction: Double) -> String {
    guard fraction.isFinite else { return "–" }
    if fraction > 10 { return "×\(number(1 + fraction))" }
    let percent = (fraction * 1000).rounded() / 10
    return "\(percent > 0 ? "+" : "")\(number(percent))%"
  }
}
