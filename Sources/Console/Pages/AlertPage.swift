import Foundation
import Alerts
import HTTPTypes
import Hummingbird
import Projections

/// One alert: what is known, what happened, who was told, and what a responder can do.
struct AlertPage: Sendable {
  let site: Site

  /// Lines of history on one page; the API has the rest.
  static let timelineLimit = 1000
  static let nameCookie = "tocsin_name"

  /// - Parameters:
  ///   - refused: why a form was not carried out: shown above, with what was typed kept.
  ///   - form: the form that was refused.
  func show(
    _ request: Request, _ context: ConsoleContext, refused: String? = nil, form: Form? = nil,
    status: HTTPResponse.Status = .ok
  ) throws -> Response {
    let alert = try AlertPage.find(context, site.reader)
    let words = site.words
    let timeline = try site.reader.timeline(alert.id, limit: AlertPage.timelineLimit + 1)
    let notifications = try site.reader.notifications(alert: alert.id)
    let shown = AlertView(alert: alert, words: words, failed: notifications.count { $0.state == .failed })
    let others = try site.reader.otherLives(of: alert.id, limit: 8)
    let positions = Set(timeline.map(\.position))
    let isOver = alert.state == .resolved
    let label = timeline.last { $0.type == .labelled }?.sentence ?? ""
    let may = context.identity.role >= .responder
    let done = Form(query: request)["done"].flatMap { AlertPage.done[$0] }
    let content = Templates.shared.render(
      "alert",
      view([
        "id": alert.id.description, "severity": alert.severity.name, "headline": alert.headline,
        "state": alert.stateForPeople, "stateClass": alert.state.rawValue, "marks": shown.marks,
        "openedAt": alert.openedAt.rfc3339, "openedLocal": words.moment(alert.openedAt),
        "age": words.age(alert.openedAt), "next": shown.next,
        "chart": Chart(alert.anomaly)?.svg(words), "figures": shown.figures, "facts": shown.facts,
        "causes": shown.causes, "raw": AlertPage.pretty(alert.anomaly.cloudEvent),
        "timeline": timeline.prefix(AlertPage.timelineLimit).map { entry in
          view([
            "position": String(entry.position), "kind": AlertPage.kind(entry.type), "at": entry.occurredAt.rfc3339,
            "full": words.exact(entry.occurredAt), "local": words.moment(entry.occurredAt), "sentence": entry.sentence,
            "actor": entry.actor, "cause": entry.cause.map(String.init),
            "causeHref": entry.cause.map { positions.contains($0) ? "#e\($0)" : "/events/\($0)" },
          ])
        },
        "timelineCut": timeline.count > AlertPage.timelineLimit
          ? "The first \(AlertPage.timelineLimit) events; the API has them all." : nil,
        "may": may, "token": context.formToken, "version": String(alert.version),
        "askName": context.identity.name == nil, "by": form?["by"] ?? AlertPage.responder(request) ?? "",
        "note": form?["note"] ?? "", "canAcknowledge": alert.state == .open,
        "canUnacknowledge": alert.state == .acknowledged, "canResolve": !isOver, "canHandle": !isOver,
        "canEscalate": alert.state == .open && alert.route.policy != nil && !alert.exhausted,
        "canUnsnooze": alert.snoozedUntil != nil, "assignee": alert.assignee ?? "",
        "isTrue": label.contains("true positive") || label.contains("a real"), "isFalse": label.contains("false"),
        "silenceHref": AlertPage.silenceLink(alert), "route": AlertPage.route(alert), "anyTold": !notifications.isEmpty,
        "told": notifications.map { NotificationView(row: $0, words: words).item }, "hasOthers": !others.isEmpty,
        "others": others.map {
          view([
            "id": $0.id.description, "severity": $0.severity.name, "state": $0.stateForPeople,
            "when": words.moment($0.openedAt),
          ])
        },
      ]))
    return site.page(
      .init(
        title: "\(alert.id) \(alert.headline)", section: "Alerts", content: content, isLive: true, done: done,
        refused: refused, status: status), context)
  }

  static func find(_ context: ConsoleContext, _ reader: ProjectionReader) throws -> AlertSummary {
    let text = context.parameters.get("id") ?? ""
    let missing = Problem(.notFound, "there is no alert \(text.prefix(40))", code: "unknown_alert")
    guard let id = AlertID(text), let alert = try reader.alert(id) else { throw missing }
    guard context.identity.sees(alert.anomaly.tenant) else { throw missing }
    return alert
  }

  static func responder(_ request: Request) -> String? {
    request.cookies[nameCookie]?.value.removingPercentEncoding
  }

  /// What the page says after a form: fixed words, so that a link can't put others there.
  static let done: [String: String] = [
    "acknowledge": "Acknowledged: the policy stops here.", "unacknowledge": "The acknowledgement is taken back.",
    "resolve": "Resolved.", "snooze": "Snoozed.", "unsnooze": "Awake again.", "assign": "Assigned.",
    "comment": "Comment added.", "label": "Thank you: noted.", "escalate": "Escalated.",
  ]

  private static func silenceLink(_ alert: AlertSummary) -> String {
    let a = alert.anomaly
    let matchers = [("event_type", a.eventType), ("metric", a.metric)] + a.dimensions.map { ($0.name, $0.value) }
    let text = matchers.map { Matcher(name: $0.0, value: $0.1).description }.joined(separator: "\n")
    return "/silences?matchers=\(Form.encode(text))#add-h"
  }

  private static func route(_ alert: AlertSummary) -> String {
    let r = alert.route
    guard r.index != nil else { return "No route matched when it opened." }
    let way =
      r.dashboardOnly
      ? "console and digest only"
      : r.policy.map { "policy “\($0)”" } ?? (r.group != nil ? "in batches" : "told at once")
    return "Route \(r.match.isEmpty ? "for everything" : r.match): \(way) (configuration C-\(r.configuration))."
  }

  private static func kind(_ type: EventType) -> String {
    switch type {
    case .detected, .reopened, .severity_raised: "fire"
    case .resolved, .cleared: "good"
    case .acknowledged, .assigned, .commented, .labelled, .snoozed, .unsnoozed, .unacknowledged: "person"
    case .escalated, .exhausted: "escalate"
    case .notification_failed: "bad"
    default: "quiet"
    }
  }

  private static func pretty(_ bytes: [UInt8]) -> String {
    (try? JSON(parsing: bytes))?.pretty ?? String(decoding: bytes, as: UTF8.self)
  }
}

/// What pages show of a message.
struct NotificationView {
  let row: NotificationRow
  let words: Words

  var item: [String: Any] {
    view([
      "state": row.state.rawValue, "receiver": row.receiver, "channel": row.channel,
      "destination": row.destination == row.receiver ? "" : row.destination.replacing(",", with: ", "),
      "detail": detail,
      "subject": row.subject.description, "href": row.subject.kind == .alert ? "/alerts/\(row.subject)" : nil,
    ])
  }

  private var detail: String {
    var parts = ["\(row.purpose.rawValue)\(row.step.map { ", step \($0 + 1)" } ?? "")"]
    switch row.state {
    case .delivered:
      parts.append(row.finishedAt.map { "at \(words.moment($0))" } ?? "")
      if let latency = row.latency { parts.append("took \(Format.number((latency.seconds * 1000).rounded())) ms") }
    case .pending where row.isHeld:
      parts.append(row.nextAt.map { "waits until \(words.moment($0)), \(words.until($0))" } ?? "waits")
    case .pending:
      parts.append(row.nextAt.map { "next try \(words.until($0))" } ?? "asked for at \(words.moment(row.requestedAt))")
    case .failed, .cancelled: parts.append(row.finishedAt.map { "at \(words.moment($0))" } ?? "")
    }
    if row.attempts > 1 { parts.append("\(row.attempts) tries") }
    if row.state != .delivered {
      if let status = row.lastStatus { parts.append("answer \(status)") }
      if let message = row.message, !message.isEmpty { parts.append(message) }
    }
    if row.outcomeUnknown { parts.append("may have arrived twice") }
    return parts.filter { !$0.isEmpty }.joined(separator: " · ")
  }
}
