// What detectors say, as facts.

/// A life begins: a firing anomaly whose dedup key has no open alert.
package struct Detected: EventPayload {
  package static let type = EventType.detected
  /// Which life of the dedup key this is, from 1.
  package var generation: Int
  /// The life before this one, if it is known.
  package var previous: AlertID?
  package var dedupKey: String
  package var severity: Severity
  package let frozen: FrozenRoute
  package let kept: KeptAnomaly
  /// What was decided about telling people, frozen: it holds for the whole life, whatever the configuration says later.
  package var route: RouteTaken { frozen.route }
  package var anomaly: Anomaly { kept.anomaly }

  package init(
    generation: Int, previous: AlertID?, dedupKey: String, severity: Severity, route: RouteTaken, anomaly: Anomaly
  ) {
    self.init(
      generation: generation, previous: previous, dedupKey: dedupKey, severity: severity, frozen: FrozenRoute(route),
      kept: KeptAnomaly(anomaly))
  }

  package init(
    generation: Int, previous: AlertID?, dedupKey: String, severity: Severity, frozen: FrozenRoute, kept: KeptAnomaly
  ) {
    self.generation = generation
    self.previous = previous
    self.dedupKey = dedupKey
    self.severity = severity
    self.frozen = frozen
    self.kept = kept
  }

  package var json: JSON {
    .compact([
      "generation": .int(generation), "previous": .text(previous?.description), "dedup_key": .string(dedupKey),
      "severity": .string(severity.name), "route": .raw(frozen.text), "anomaly": .raw(kept.text),
    ])
  }
  /// The same text as ``json`` gives, without the tree.
  package func write(to out: inout [UInt8]) {
    out.reserveCapacity(out.count + kept.size + frozen.text.count + dedupKey.utf8.count + 128)
    JSON.write(plain: "{\"generation\":", to: &out)
    JSON.write(Int64(generation), to: &out)
    if let previous {
      JSON.write(plain: ",\"previous\":\"A-", to: &out)
      JSON.write(previous.number, to: &out)
      out.append(UInt8(ascii: "\""))
    }
    JSON.write(plain: ",\"dedup_key\":", to: &out)
    JSON.write(dedupKey, to: &out)
    JSON.write(plain: ",\"severity\":", to: &out)
    JSON.write(severity.name, to: &out)
    JSON.write(plain: ",\"route\":", to: &out)
    out.append(contentsOf: frozen.text)
    JSON.write(plain: ",\"anomaly\":", to: &out)
    kept.write(to: &out)
    out.append(UInt8(ascii: "}"))
  }
  package init(json: JSON) throws(EventDataError) {
    generation = try json.needInt("generation")
    previous = json.text("previous").flatMap { AlertID($0) }
    dedupKey = try json.needText("dedup_key")
    severity = try json.needSeverity("severity")
    frozen = FrozenRoute(RouteTaken(json: try json.need("route") { $0 }))
    kept = KeptAnomaly(try json.needAnomaly("anomaly"))
  }
}

/// A route taken and its text, once for all alerts that took it.
package final class FrozenRoute: Sendable, Equatable {
  package let route: RouteTaken
  package let text: [UInt8]
  package init(_ route: RouteTaken) {
    self.route = route
    text = route.json.bytes
  }
  package static func == (a: FrozenRoute, b: FrozenRoute) -> Bool { a === b || a.route == b.route }
}

/// The route that an alert took when it opened, and how it says to tell people.
package struct RouteTaken: Sendable, Hashable {
  /// The configuration that was in force: the number of a `C-…` subject.
  package var configuration: Int
  /// The route's place in it, from 0; nil where no route matched.
  package var index: Int?
  /// What the route matches, for people: `severity=critical`.
  package var match: String
  package var policy: String?
  /// Told in batches with the others of this group, `G-3`.
  package var group: Subject?
  /// What makes the group: the route's place and the labels' values.
  package var groupKey: String?
  package var dashboardOnly: Bool
  /// Further routes that matched, by way of `continue: true`.
  package var also: [Int]

  package init(
    configuration: Int, index: Int?, match: String, policy: String? = nil, group: Subject? = nil,
    groupKey: String? = nil, dashboardOnly: Bool = false, also: [Int] = []
  ) {
    self.configuration = configuration
    self.index = index
    self.match = match
    self.policy = policy
    self.group = group
    self.groupKey = groupKey
    self.dashboardOnly = dashboardOnly
    self.also = also
  }

  package var json: JSON {
    .compact([
      "configuration": .int(configuration), "index": index.map { .int($0) } ?? .null, "match": .string(match),
      "policy": .text(policy), "group": .text(group?.description), "group_key": .text(groupKey),
      "dashboard_only": dashboardOnly ? true : .null,
      "also": also.isEmpty ? .null : .array(also.map { .int($0) }),
    ])
  }
  package init(json: JSON) {
    self.init(
      configuration: json.integer("configuration") ?? 0, index: json.integer("index"), match: json.text("match") ?? "",
      policy: json.text("policy"), group: json.text("group").flatMap { Subject($0) },
      groupKey: json.text("group_key"), dashboardOnly: json["dashboard_only"]?.bool ?? false,
      also: (json["also"]?.array ?? []).compactMap { $0.int.map { Int($0) } })
  }
}

/// More firing anomalies of an open alert, all that one commit took in.
package struct Deduplicated: EventPayload {
  package static let type = EventType.deduplicated
  package var count: Int
  package var firstTime: Timestamp
  package var lastTime: Timestamp
  /// The worst severity among them.
  package var worst: Severity
  package let kept: KeptAnomaly
  /// The newest of them.
  package var last: Anomaly { kept.anomaly }

  package init(count: Int, firstTime: Timestamp, lastTime: Timestamp, worst: Severity, last: Anomaly) {
    self.init(count: count, firstTime: firstTime, lastTime: lastTime, worst: worst, kept: KeptAnomaly(last))
  }

  package init(count: Int, firstTime: Timestamp, lastTime: Timestamp, worst: Severity, kept: KeptAnomaly) {
    self.count = count
    self.firstTime = firstTime
    self.lastTime = lastTime
    self.worst = worst
    self.kept = kept
  }
  package var json: JSON {
    [
      "count": .int(count), "first_time": .micros(firstTime), "last_time": .micros(lastTime),
      "worst": .string(worst.name), "last": .raw(kept.text),
    ]
  }
  /// The same text as ``json`` gives, without the tree.
  package func write(to out: inout [UInt8]) {
    out.reserveCapacity(out.count + kept.size + 160)
    JSON.write(plain: "{\"count\":", to: &out)
    JSON.write(Int64(count), to: &out)
    JSON.write(plain: ",\"first_time\":", to: &out)
    JSON.write(firstTime.microseconds, to: &out)
    JSON.write(plain: ",\"last_time\":", to: &out)
    JSON.write(lastTime.microseconds, to: &out)
    JSON.write(plain: ",\"worst\":", to: &out)
    JSON.write(worst.name, to: &out)
    JSON.write(plain: ",\"last\":", to: &out)
    kept.write(to: &out)
    out.append(UInt8(ascii: "}"))
  }
  package init(json: JSON) throws(EventDataError) {
    count = try json.needInt("count")
    firstTime = try json.need("first_time") { $0.micros }
    lastTime = try json.need("last_time") { $0.micros }
    worst = try json.needSeverity("worst")
    kept = KeptAnomaly(try json.needAnomaly("last"))
  }
}

/// It got worse. Breaks an acknowledgement and a snooze, which say so in events of their own.
package struct SeverityRaised: EventPayload {
  package static let type = EventType.severity_raised
  package var from: Severity
  package var to: Severity
  /// The route for the new severity, from the configuration that the alert was opened under; nil if it stays the same.
  package var route: RouteTaken?
  package init(from: Severity, to: Severity, route: RouteTaken? = nil) {
    self.from = from
    self.to = to
    self.route = route
  }
  package var json: JSON {
    .compact(["from": .string(from.name), "to": .string(to.name), "route": route?.json ?? .null])
  }
  package init(json: JSON) throws(EventDataError) {
    from = try json.needSeverity("from")
    to = try json.needSeverity("to")
    route = json["route"].map { RouteTaken(json: $0) }
  }
}

/// The detector says that it is over.
package struct Cleared: EventPayload {
  package static let type = EventType.cleared
  package let kept: KeptAnomaly
  package var anomaly: Anomaly { kept.anomaly }
  package init(anomaly: Anomaly) { kept = KeptAnomaly(anomaly) }
  package var json: JSON { ["anomaly": .raw(kept.text)] }
  package init(json: JSON) throws(EventDataError) { kept = KeptAnomaly(try json.needAnomaly("anomaly")) }
}

/// It fires again soon after it ended: the same life goes on, unacknowledged.
package struct Reopened: EventPayload {
  package static let type = EventType.reopened
  package var severity: Severity
  package let kept: KeptAnomaly
  package var anomaly: Anomaly { kept.anomaly }
  package init(severity: Severity, anomaly: Anomaly) {
    self.severity = severity
    kept = KeptAnomaly(anomaly)
  }
  package var json: JSON { ["severity": .string(severity.name), "anomaly": .raw(kept.text)] }
  package init(json: JSON) throws(EventDataError) {
    severity = try json.needSeverity("severity")
    kept = KeptAnomaly(try json.needAnomaly("anomaly"))
  }
}

/// The life ends.
package struct Resolved: EventPayload {
  package static let type = EventType.resolved
  package enum How: String, Sendable {
    /// Somebody said so.
    case responder
    /// The detector reported it.
    case cleared
    /// Nothing was heard of it for too long.
    case stale
  }
  package var how: How
  /// Whether anybody had acknowledged it. A cleared one that nobody had is *cleared, never seen*.
  package var seen: Bool
  package var note: String?
  package init(how: How, seen: Bool, note: String? = nil) {
    self.how = how
    self.seen = seen
    self.note = note
  }
  package var json: JSON { .compact(["how": .string(how.rawValue), "seen": .bool(seen), "note": .text(note)]) }
  package init(json: JSON) throws(EventDataError) {
    how = try json.need("how") { $0.string.flatMap { How(rawValue: $0) } }
    seen = json["seen"]?.bool ?? false
    note = json.text("note")
  }
}

/// It opens and clears so often that every further change would be noise.
package struct Flapping: EventPayload {
  package static let type = EventType.flapping
  package var changes: Int
  package init(changes: Int) { self.changes = changes }
  package var json: JSON { ["changes": .int(changes)] }
  package init(json: JSON) throws(EventDataError) { changes = try json.needInt("changes") }
}

package struct Steady: EventPayload {
  package static let type = EventType.steady
  package init() {}
  package var json: JSON { [:] }
  package init(json: JSON) throws(EventDataError) {}
}

extension JSON {
  /// An anomaly that was valid when it was stored. It is not judged again: rules may have become stricter since.
  func needAnomaly(_ name: String) throws(EventDataError) -> Anomaly {
    guard let member = self[name], let anomaly = try? Anomaly(stored: member.bytes) else {
      throw EventDataError(name)
    }
    return anomaly
  }
}
