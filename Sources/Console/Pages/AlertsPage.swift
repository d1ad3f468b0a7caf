import Foundation
import Alerts
import Hummingbird
import Projections

/// The list of alerts, with its filters.
struct AlertsPage: Sendable {
  let site: Site

  static let pageSize = 100

  func show(_ request: Request, _ context: ConsoleContext) throws -> Response {
    let form = Form(query: request)
    let query = AlertsPage.query(form, context.identity)
    let page = try site.reader.alerts(query)
    let statistics = try site.reader.statistics(since: site.dependencies.now(), tenants: context.identity.tenants)
    let values = try site.reader.filterValues()
    let failed = try site.reader.failedDeliveries(of: page.alerts.map(\.id))
    let words = site.words
    let state = form["state"] ?? "unresolved"
    let severity = form["severity"] ?? ""
    let isFiltered = ["q", "state", "severity", "event_type"].contains { form[$0] != nil }

    func options(_ pairs: [(String, String)], _ chosen: String) -> [[String: Any]] {
      pairs.map { view(["value": $0.0, "name": $0.1, "on": $0.0 == chosen]) }
    }
    let types =
      context.identity.tenants == nil ? values.eventTypes : Array(Set(page.alerts.map(\.anomaly.eventType))).sorted()
    let content = Templates.shared.render(
      "alerts",
      view([
        "heading": AlertsPage.heading(state),
        "tiles": statistics.unresolvedBySeverity.map {
          view([
            "severity": $0.name, "count": $0.count, "on": severity == $0.name, "href": "/?severity=\($0.name)",
          ])
        },
        "q": form["q"] ?? "",
        "states": options(
          [
            ("unresolved", "Unresolved"), ("open", "Open"), ("acknowledged", "Acknowledged"), ("resolved", "Resolved"),
            ("all", "All states"),
          ], state),
        "severities": options(
          [("", "Any severity")] + Severity.allCases.reversed().map { ($0.name, $0.name.capitalized) }, severity),
        "eventTypes": options([("", "Any event type")] + types.map { ($0, $0) }, form["event_type"] ?? ""),
        "filtered": isFiltered, "any": !page.alerts.isEmpty, "caption": "Alerts, the worst first",
        "rows": page.alerts.map { AlertView(alert: $0, words: words, failed: failed[$0.id] ?? 0).row },
        "emptyText": isFiltered ? "No alert matches this filter." : "All quiet: no alert is open.",
        "shown": page.alerts.isEmpty
          ? "" : "\(page.alerts.count) shown\(page.next == nil ? "" : ", and there are more")",
        "nextPage": page.next.map { AlertsPage.link(form, after: $0) },
      ]))
    return site.page(
      .init(title: AlertsPage.heading(state), section: "Alerts", content: content, isLive: true, done: form["done"]),
      context)
  }

  private static func heading(_ state: String) -> String {
    switch state {
    case "open": "Open alerts"
    case "acknowledged": "Acknowledged alerts"
    case "resolved": "Resolved alerts"
    case "all": "All alerts"
    default: "Alerts"
    }
  }

  /// Also what the API's list takes: `q`, `state`, `severity`, `event_type`, `metric`, `detector`, `assignee`, `matcher`, `after`.
  static func query(_ form: Form, _ identity: Identity) -> AlertQuery {
    var query = AlertQuery()
    query.limit = pageSize
    query.order = .severity
    query.tenants = identity.tenants
    switch form["state"] ?? "unresolved" {
    case "all": break
    case "unresolved": query.states = [.open, .acknowledged]
    default: query.states = Set(form.all("state").compactMap { AlertSummary.State(rawValue: $0) })
    }
    query.severities = Set(form.all("severity").compactMap { Severity(name: $0) })
    query.eventTypes = form.all("event_type")
    query.metrics = form.all("metric")
    query.detectors = form.all("detector")
    query.assignee = form["assignee"]
    query.matchers = form.all("matcher").compactMap { Matcher($0) }
    query.text = form["q"]
    // A list of what is over is read by time.
    if query.states == [.resolved] { query.order = .newest }
    query.after = form["after"].flatMap { AlertCursor($0) }
    return query
  }

  private static func link(_ form: Form, after: AlertCursor) -> String {
    let kept = form.pairs.filter { $0.name != "after" && !$0.value.isEmpty }
    let pairs = kept.map { "\(Form.encode($0.name))=\(Form.encode($0.value))" } + ["after=\(Form.encode("\(after)"))"]
    return "/?" + pairs.joined(separator: "&")
  }
}
