import Alerts

/// The body that Prometheus Alertmanager posts to webhooks, version 4.
/// Source: https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
struct AlertmanagerBody {
  let json: JSON
  /// What Alertmanager writes for an end that has not come.
  private static let never = "0001-01-01T00:00:00Z"

  init(_ job: Job, _ facts: MessageFacts) {
    let summaries = job.alert.map { [$0] } ?? job.members
    let isOver = job.purpose == .resolved || (!summaries.isEmpty && summaries.allSatisfy { $0.state == .resolved })
    let status = isOver ? "resolved" : "firing"
    let alerts = summaries.map { AlertmanagerBody.alert($0, console: job.consoleURL, isOver: isOver) }
    let labels = summaries.map(AlertmanagerBody.labels)
    let common = (labels.first ?? []).filter { label in labels.allSatisfy { $0.contains { $0 == label } } }
    json = [
      "version": "4", "groupKey": .string("{}:{tocsin=\"\(job.subject)\"}"),
      "truncatedAlerts": .int(max(job.memberCount - job.members.count, 0)), "status": .string(status),
      "receiver": .string(job.receiver), "groupLabels": ["tocsin": .string(job.subject.description)],
      "commonLabels": AlertmanagerBody.object(common),
      "commonAnnotations": ["summary": .string(facts.headline)], "externalURL": .string(job.consoleURL ?? ""),
      "alerts": .array(alerts),
    ]
  }

  private static func alert(_ alert: AlertSummary, console: String?, isOver: Bool) -> JSON {
    let labels = labels(alert)
    let facts = MessageFacts(
      Job(
        key: "", subject: alert.id.subject, purpose: .firing, receiver: "", channel: "", destination: "", attempt: 1,
        requestedAt: alert.lastSeenAt, leaseUntil: alert.lastSeenAt, alert: alert, consoleURL: console))
    var annotations = [JSON.Member("summary", .string(alert.headline)), .init("description", .string(facts.lead))]
    if let runbook = facts.runbook { annotations.append(.init("runbook_url", .string(runbook))) }
    if let by = alert.acknowledgedBy { annotations.append(.init("acknowledged_by", .string(by))) }
    let isOver = isOver || alert.state == .resolved
    return [
      "status": .string(isOver ? "resolved" : "firing"), "labels": object(labels), "annotations": .object(annotations),
      "startsAt": .string(alert.openedAt.rfc3339),
      "endsAt": .string(isOver ? (alert.resolvedAt ?? alert.lastSeenAt).rfc3339 : never),
      "generatorURL": .string(facts.link ?? ""), "fingerprint": .string(fingerprint(labels)),
    ]
  }

  /// Sorted by name. A dimension yields to the names that Tocsin gives.
  private static func labels(_ alert: AlertSummary) -> [Anomaly.Label] {
    let a = alert.anomaly
    var labels: [Anomaly.Label] = [
      .init("alertname", "\(a.eventType)_\(a.metric)"), .init("event_type", a.eventType), .init("metric", a.metric),
      .init("severity", alert.severity.name), .init("tenant", a.tenant), .init("alert_id", alert.id.description),
    ]
    for label in a.dimensions + a.labels where !label.value.isEmpty {
      if !labels.contains(where: { $0.name == label.name }) { labels.append(label) }
    }
    return labels.sorted { $0.name < $1.name }
  }

  private static func object(_ labels: [Anomaly.Label]) -> JSON {
    .object(labels.map { JSON.Member($0.name, .string($0.value)) })
  }

  /// FNV-1a, 64 bits, over the sorted labels, each name and value followed by a byte 0xFF: Alertmanager's own.
  static func fingerprint(_ labels: [Anomaly.Label]) -> String {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    func add(_ byte: UInt8) { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    for label in labels {
      for byte in label.name.utf8 { add(byte) }
      add(0xFF)
      for byte in label.value.utf8 { add(byte) }
      add(0xFF)
    }
    let text = String(hash, radix: 16)
    return String(repeating: "0", count: 16 - text.count) + text
  }
}
