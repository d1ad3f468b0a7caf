import Alerts
import Bus
import Foundation
import HTTPTypes
import Hummingbird
import Projections

/// PagerDuty's Events API v2 (`POST /v2/enqueue`), for every tool that can page through it.
///
/// Its clients prove themselves by `routing_key` alone: with users configured it must be the token of a responder.
struct PagerDutyIngest: Sendable {
  let dependencies: ConsoleDependencies
  init(_ dependencies: ConsoleDependencies) { self.dependencies = dependencies }

  /// 512 KB, as PagerDuty's own.
  static let sizeLimit = 512_000
  static let keyLimit = 255
  static let summaryLimit = 1024

  func add(to router: Router<ConsoleContext>) {
    router.post("/v2/enqueue") { request, _ in try await enqueue(request) }
  }

  private static func invalid(_ errors: [String]) -> Response {
    APIRoutes.json(
      [
        "status": "invalid event", "message": "Event object is invalid",
        "errors": .array(errors.map { .string($0) }),
      ], .badRequest)
  }

  private static func done(_ key: String) -> Response {
    APIRoutes.json(["status": "success", "message": "Event processed", "dedup_key": .string(key)], .accepted)
  }

  private func enqueue(_ request: Request) async throws -> Response {
    let body = try await APIRoutes.body(request, limit: PagerDutyIngest.sizeLimit)
    guard let routing = body["routing_key"]?.string, !routing.isEmpty else {
      return PagerDutyIngest.invalid(["'routing_key' is missing or blank"])
    }
    var by = "pagerduty"
    if !dependencies.settings.users.isEmpty {
      guard let user = AccessPolicy(dependencies.settings).user(token: routing), user.role >= .responder,
        user.tenants == nil || user.tenants?.contains("default") == true
      else { return PagerDutyIngest.invalid(["'routing_key' is not known here"]) }
      by = user.name
    }
    let given = body["dedup_key"]?.string ?? ""
    guard given.utf8.count <= PagerDutyIngest.keyLimit else {
      return PagerDutyIngest.invalid(["'dedup_key' is longer than \(PagerDutyIngest.keyLimit) characters"])
    }
    switch body["event_action"]?.string {
    case "trigger": return try await trigger(body, key: given.isEmpty ? UUID().uuidString.lowercased() : given)
    case "acknowledge":
      if given.isEmpty { return PagerDutyIngest.invalid(["'dedup_key' is missing or blank"]) }
      if let alert = try find(given), alert.state == .open {
        _ = try await dependencies.commands.send(Command(.acknowledge, alert: alert.id, by: by))
      }
      // PagerDuty drops what it knows no incident for, and says nothing.
      return PagerDutyIngest.done(given)
    case "resolve":
      if given.isEmpty { return PagerDutyIngest.invalid(["'dedup_key' is missing or blank"]) }
      if let alert = try find(given) { try await clear(alert, key: given) }
      return PagerDutyIngest.done(given)
    default: return PagerDutyIngest.invalid(["'event_action' must be trigger, acknowledge or resolve"])
    }
  }

  private func find(_ key: String) throws -> AlertSummary? {
    var query = AlertQuery()
    query.dedupKey = "default|=pagerduty/\(key)"
    query.states = [.open, .acknowledged]
    query.limit = 1
    return try dependencies.reader.alerts(query).alerts.first
  }

  private func trigger(_ body: JSON, key: String) async throws -> Response {
    let payload = body["payload"]
    var errors: [String] = []
    for name in ["summary", "source", "severity"] where payload?[name]?.string?.isEmpty ?? true {
      errors.append("'payload.\(name)' is missing or blank")
    }
    if let severity = payload?["severity"]?.string, !["critical", "error", "warning", "info"].contains(severity) {
      errors.append(
        "'payload.severity' is invalid (must be one of the following: 'critical', 'warning', 'error' or 'info')")
    }
    guard errors.isEmpty, let payload else { return PagerDutyIngest.invalid(errors) }
    func text(_ name: String) -> String? { payload[name]?.string.flatMap { $0.isEmpty ? nil : $0 } }
    var links: [JSON.Member] = []
    for (i, link) in (body["links"]?.array ?? []).prefix(20).enumerated() {
      if let href = link["href"]?.string { links.append(.init(link["text"]?.string ?? "link \(i + 1)", .string(href))) }
    }
    if let url = body["client_url"]?.string { links.append(.init(body["client"]?.string ?? "client", .string(url))) }
    let data = JSON.compact([
      "event_type": .string(text("class") ?? text("group") ?? "event"),
      "metric": .string(text("component") ?? text("source") ?? "event"),
      "dimensions": ["source": .text(text("source"))], "severity": .text(text("severity")),
      "summary": .string(String((text("summary") ?? "").prefix(PagerDutyIngest.summaryLimit))),
      "labels": .compact([
        "group": .text(text("group")), "class": .text(text("class")), "component": .text(text("component")),
      ]),
      "details": payload["custom_details"] ?? .null, "links": links.isEmpty ? .null : .object(links),
      "dedup_key": .string("pagerduty/\(key)"),
    ])
    do { try await publish(data, id: "\(key)/\(UUID().uuidString)") } catch let error as AnomalyError {
      return PagerDutyIngest.invalid([error.message])
    }
    return PagerDutyIngest.done(key)
  }

  private func clear(_ alert: AlertSummary, key: String) async throws {
    let data = JSON.compact([
      "event_type": .string(alert.anomaly.eventType), "metric": .string(alert.anomaly.metric), "status": "resolved",
      "dedup_key": .string("pagerduty/\(key)"), "summary": .text(alert.anomaly.summary),
    ])
    try await publish(data, id: "\(key)/\(alert.id)/resolved")
  }

  private func publish(_ data: JSON, id: String) async throws {
    let now = dependencies.now()
    let event: JSON = [
      "specversion": "1.0", "id": .string(id), "source": "pagerduty", "type": .string(Anomaly.type),
      "time": .string(now.rfc3339), "data": data,
    ]
    try await dependencies.anomalies.publish([try Anomaly(parsing: event.bytes, now: now)])
  }
}
