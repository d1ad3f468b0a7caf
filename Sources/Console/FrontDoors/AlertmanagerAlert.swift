import Alerts

/// An alert in the form of Prometheus Alertmanager, on its way in and out.
/// Source: Alertmanager's api/v2/openapi.yaml.
struct AlertmanagerAlert {
  var labels: [Anomaly.Label]
  var annotations: [(name: String, value: String)]
  var startsAt: Timestamp?
  var endsAt: Timestamp?
  var generatorURL: String?
  /// Grafana's webhook brings the values that it judged.
  var value: Double?

  /// A firing alert that its sender repeats counts as seen again once in this time.
  static let repeatInterval = Interval.minutes(5)

  struct Unreadable: Error { var message: String }

  /// Reads one of `[{"labels": {…}, "annotations": {…}, "startsAt": …, "endsAt": …, "generatorURL": …}]`.
  init(_ json: JSON) throws(Unreadable) {
    guard let members = json["labels"]?.members else { throw Unreadable(message: "labels must be an object of texts") }
    labels = []
    for member in members {
      guard let value = member.value.string else {
        throw Unreadable(message: "label \(member.name.prefix(60)) must be a text")
      }
      // An empty label is no label.
      if !value.isEmpty { labels.append(.init(member.name, value)) }
    }
    labels.sort { $0.name < $1.name }
    guard !labels.isEmpty else { throw Unreadable(message: "at least one label is needed") }
    annotations = (json["annotations"]?.texts ?? []).map { ($0.name, $0.value) }
    func time(_ name: String) throws(Unreadable) -> Timestamp? {
      guard let text = json[name]?.string, !text.isEmpty else { return nil }
      guard let t = Timestamp(rfc3339: text) else { throw Unreadable(message: "\(name) must be RFC 3339") }
      // Go writes a time that isn't set as year 1.
      return t < Anomaly.earliest ? nil : t
    }
    startsAt = try time("startsAt")
    endsAt = try time("endsAt")
    if let startsAt, let endsAt, endsAt < startsAt { throw Unreadable(message: "endsAt is before startsAt") }
    generatorURL = json["generatorURL"]?.string
    value = json["values"]?.members?.lazy.compactMap(\.value.double).first
    if json["status"]?.string == "firing" { endsAt = nil }
    if json["status"]?.string == "resolved", endsAt == nil { endsAt = startsAt }
  }

  private func label(_ name: String) -> String? { labels.first { $0.name == name }?.value }
  private func annotation(_ name: String) -> String? { annotations.first { $0.name == name }?.value }

  /// FNV-1a, 64 bits, over each sorted `name 0xFF value 0xFF`; 16 hexadecimal digits.
  static func fingerprint(_ labels: [Anomaly.Label]) -> String {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    func add(_ text: String) {
      for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
      hash = (hash ^ 0xFF) &* 0x100_0000_01b3
    }
    for label in labels.sorted(by: { $0.name < $1.name }) {
      add(label.name)
      add(label.value)
    }
    let hex = String(hash, radix: 16)
    return String(repeating: "0", count: 16 - hex.count) + hex
  }

  /// As the bus takes it. `alertname` is the metric, and the event type unless `event_type` says otherwise; labels are dimensions.
  func anomaly(source: String, now: Timestamp) throws(AnomalyError) -> Anomaly {
    let fingerprint = AlertmanagerAlert.fingerprint(labels)
    let name = label("alertname") ?? label("metric") ?? "alert"
    let isOver = endsAt.map { $0 <= now } ?? false
    let began = startsAt ?? endsAt ?? now
    let bucket = now.microseconds / AlertmanagerAlert.repeatInterval.microseconds
    let moment = isOver ? "resolved/\(endsAt?.rfc3339 ?? "")" : "firing/\(bucket)"
    let known: Set<String> = ["alertname", "severity", "event_type", "metric", "tenant"]
    let severity =
      label("severity").flatMap { Severity(name: $0) } ?? Severity(name: AlertmanagerAlert.near(label("severity")))
    var links: [JSON.Member] = []
    if let generatorURL, !generatorURL.isEmpty { links.append(.init("source", .string(generatorURL))) }
    if let runbook = annotation("runbook_url") { links.append(.init("runbook", .string(runbook))) }
    let data = JSON.compact([
      "tenant": .string(label("tenant") ?? "default"), "event_type": .string(label("event_type") ?? name),
      "metric": .string(label("metric") ?? name),
      "dimensions": .object(labels.filter { !known.contains($0.name) }.map { JSON.Member($0.name, .string($0.value)) }),
      "status": isOver ? "resolved" : "firing", "severity": .text(severity?.name), "value": .number(value),
      "summary": .text(annotation("summary") ?? annotation("description") ?? annotation("message")),
      "dedup_key": .string("\(source)/\(fingerprint)"), "links": links.isEmpty ? .null : .object(links),
      "alertmanager": .compact([
        "labels": .object(labels.map { JSON.Member($0.name, .string($0.value)) }),
        "annotations": .object(annotations.map { JSON.Member($0.name, .string($0.value)) }),
        "startsAt": .string(began.rfc3339), "generatorURL": .text(generatorURL),
      ]),
    ])
    let event: JSON = [
      "specversion": "1.0", "id": .string("\(fingerprint)/\(began.rfc3339)/\(moment)"), "source": .string(source),
      "type": .string(Anomaly.type), "time": .string(now.rfc3339), "data": data,
    ]
    return try Anomaly(parsing: event.bytes, now: now)
  }

  /// Words for severities that Prometheus rules use, beside ours.
  private static func near(_ word: String?) -> String {
    switch word?.lowercased() {
    case "page", "emergency", "fatal": "critical"
    case "major": "high"
    case "warn", "minor", "ticket": "medium"
    case "notice", "debug", "none": "low"
    default: ""
    }
  }

  // MARK: - Out

  /// The labels of any alert of ours, as Alertmanager's clients match them.
  static func labels(_ alert: AlertSummary) -> [Anomaly.Label] {
    let a = alert.anomaly
    if let given = a.more.first(where: { $0.name == "alertmanager" })?.value["labels"]?.texts, !given.isEmpty {
      return given.map { Anomaly.Label($0.name, $0.value) }
    }
    var labels: [Anomaly.Label] = [.init("alertname", a.metric), .init("event_type", a.eventType)]
    for label in a.dimensions + a.labels where !labels.contains(where: { $0.name == label.name }) {
      labels.append(label)
    }
    if !labels.contains(where: { $0.name == "severity" }) { labels.append(.init("severity", alert.severity.name)) }
    if a.tenant != "default" { labels.append(.init("tenant", a.tenant)) }
    return labels.sorted { $0.name < $1.name }
  }

  static func gettable(_ alert: AlertSummary, now: Timestamp) -> JSON {
    let labels = labels(alert)
    let given = alert.anomaly.more.first { $0.name == "alertmanager" }?.value
    var annotations = given?["annotations"]?.members ?? []
    if !annotations.contains(where: { $0.name == "summary" }) {
      annotations.append(.init("summary", .string(alert.headline)))
    }
    annotations.append(.init("tocsin_id", .string(alert.id.description)))
    annotations.append(.init("tocsin_state", .string(alert.stateForPeople)))
    let isHeld = !alert.silencedBy.isEmpty || alert.inhibitedBy != nil || alert.snoozedUntil != nil
    return [
      "labels": .object(labels.map { JSON.Member($0.name, .string($0.value)) }), "annotations": .object(annotations),
      "generatorURL": given?["generatorURL"] ?? "", "startsAt": given?["startsAt"] ?? .string(alert.openedAt.rfc3339),
      // An alert that fires has no end yet: as far ahead as Alertmanager's own resolve timeout.
      "endsAt": .string((alert.resolvedAt ?? now + repeatInterval).rfc3339),
      "updatedAt": .string(alert.lastSeenAt.rfc3339), "fingerprint": .string(fingerprint(labels)),
      "receivers": [["name": .string(receiver(alert))]],
      "status": [
        "state": isHeld ? "suppressed" : "active",
        "silencedBy": .array(alert.silencedBy.map { .string($0.description) }),
        "inhibitedBy": .array(alert.inhibitedBy.map { [.string($0.description)] } ?? []), "mutedBy": [],
      ],
    ]
  }

  static func receiver(_ alert: AlertSummary) -> String {
    alert.route.policy ?? (alert.route.dashboardOnly ? "dashboard" : alert.route.group == nil ? "notify" : "group")
  }
}
