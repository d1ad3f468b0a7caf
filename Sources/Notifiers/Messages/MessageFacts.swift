package import Alerts

/// What a message has to say, apart from how any channel says it: everything that a person needs to decide.
///
/// Pure: made of the job alone, but for links that are signed elsewhere.
package struct MessageFacts: Sendable, Equatable {
  package struct Row: Sendable, Equatable {
    package var name: String
    package var value: String
    package init(_ name: String, _ value: String) {
      self.name = name
      self.value = value
    }
  }
  /// One alert of a summary.
  package struct Member: Sendable, Equatable {
    package var id: String
    package var severity: String
    package var state: String
    package var headline: String
    package var subject: String
    package var link: String?
  }

  /// A summary names this many alerts and counts the rest: what fits on a phone's screen.
  package static let membersNamed = 5
  /// Rows of further members that the detector sent (`explanation`, `root_causes`) are cut to this many.
  static let causesNamed = 3

  package var purpose: Purpose
  /// `CRITICAL`, `ACKNOWLEDGED`, `RESOLVED`, …: the first word that a person reads.
  package var label: String
  package var headline: String
  package var severity: String
  package var id: String
  /// Why this message comes now: `Step 2 of 3 of policy "critical": nobody has acknowledged for 15m.`
  package var lead: String
  /// The reason alone, without a full stop: `nobody acknowledged for 15m`. Empty where there is none but that it opened.
  package var reason: String
  package var rows: [Row]
  package var members: [Member]
  /// Alerts of a summary beyond those named.
  package var more: Int
  package var link: String?
  package var runbook: String?
  /// A signed link to a page with an acknowledge button.
  package var acknowledgeLink: String?
  /// What to type, for those without links.
  package var how: String?
  /// It tells of an end alone.
  package var isOver = false
  /// Nobody has said that it is over: nothing more was heard of it.
  package var isStale = false

  package init(_ job: Job, acknowledgeLink: String? = nil) {
    purpose = job.purpose
    id = job.alert?.id.description ?? job.subject.description
    members = []
    more = 0
    rows = []
    reason = job.purpose == .firing ? MessageFacts.reason(job) ?? "" : ""
    guard let alert = job.alert else {
      severity = job.members.map(\.severity).max()?.name ?? "low"
      if job.purpose == .summary {
        let count = max(job.memberCount, job.members.count)
        isOver = job.tally.map { $0.ended == count } ?? job.members.allSatisfy { $0.state == .resolved }
        label = isOver ? "RESOLVED" : severity.uppercased()
        headline = MessageFacts.summaryHeadline(job, count: count)
        lead =
          job.occasion?.kind == .storm
          ? "So much came at once that one message tells of it."
          : "These alerts belong together and are told in one message."
        if let tally = job.tally, tally.ended > 0, !isOver {
          lead += " \(Format.number(Double(tally.ended))) of them \(tally.ended == 1 ? "is" : "are") over."
        }
        members = job.members.prefix(MessageFacts.membersNamed).map { MessageFacts.member($0, console: job.consoleURL) }
        more = count - members.count
        link = job.consoleURL.map { "\(MessageFacts.base($0))/" }
        how = "tocsin alerts list"
      } else {
        label = job.purpose == .digest ? "DIGEST" : "NOTICE"
        headline = job.content?["subject"]?.string ?? "A word from Tocsin"
        lead = job.content?["text"]?.string ?? ""
        let page = job.subject.kind == .silence ? "/silences" : "/"
        link = job.consoleURL.map { "\(MessageFacts.base($0))\(page)" }
      }
      return
    }
    severity = alert.severity.name
    headline = alert.headline
    isOver = job.purpose == .resolved
    isStale = isOver && alert.resolvedHow == .stale
    label = MessageFacts.label(job.purpose, alert)
    lead = MessageFacts.lead(job, alert)
    rows = MessageFacts.rows(alert)
    link = job.consoleURL.map { "\(MessageFacts.base($0))/alerts/\(alert.id)" }
    runbook = MessageFacts.runbook(alert)
    if alert.state == .open, job.purpose != .resolved {
      self.acknowledgeLink = acknowledgeLink
      how = "tocsin alerts ack \(alert.id)"
    }
  }

  /// The form that templates read.
  package var values: [String: Any] {
    var v: [String: Any] = [
      "purpose": purpose.rawValue, "mark": mark, "label": label, "headline": headline, "severity": severity, "id": id,
      "lead": lead,
      "reason": reason, "has_reason": !reason.isEmpty,
      "rows": rows, "has_rows": !rows.isEmpty,
      "more": more > 0 ? "\(more)" : "",
      "has_more": more > 0, "color": color,
    ]
    v["members"] = members.map { m in
      var member: [String: Any] = [
        "id": m.id, "severity": m.severity, "label": m.severity.uppercased(), "state": m.state, "headline": m.headline,
        "subject": m.subject, "color": MessageFacts.color(m.severity),
      ]
      if let link = m.link { member["link"] = link }
      return member
    }
    if let link { v["link"] = link }
    if let runbook { v["runbook"] = runbook }
    if let acknowledgeLink { v["acknowledge_link"] = acknowledgeLink }
    if let how { v["how"] = how }
    return v
  }
}

// MARK: - Words

extension MessageFacts {
  /// A sign for lists and chats. They differ in shape as well as in colour.
  var mark: String {
    if isStale { return "⌛" }
    if isOver { return "✅" }
    switch purpose {
    case .acknowledged: return "👀"
    case .reminder: return "⏰"
    case .notice, .digest: return "▫️"
    default: break
    }
    switch severity {
    case "critical": return "🔴"
    case "high": return "🔶"
    case "medium": return "🟡"
    default: return "▫️"
    }
  }

  static func base(_ url: String) -> String {
    var url = url
    while url.hasSuffix("/") { url.removeLast() }
    return url
  }

  /// `2026-11-20 06:02 UTC`
  static func time(_ t: Timestamp) -> String {
    let text = t.rfc3339
    return "\(text.prefix(10)) \(text.dropFirst(11).prefix(5)) UTC"
  }

  private static func label(_ purpose: Purpose, _ alert: AlertSummary) -> String {
    switch purpose {
    case .acknowledged: "ACKNOWLEDGED"
    case .resolved: alert.resolvedHow == .stale ? "RESOLVED AS STALE" : "RESOLVED"
    case .reminder: "REMINDER"
    default: alert.severity.name.uppercased()
    }
  }

  private static func lead(_ job: Job, _ alert: AlertSummary) -> String {
    switch job.purpose {
    case .acknowledged:
      let until = alert.acknowledgedUntil.map { ", until \(time($0))" } ?? ""
      return "Acknowledged by \(alert.acknowledgedBy ?? "somebody")\(until)."
    case .resolved:
      let after = ((alert.resolvedAt ?? job.requestedAt) - alert.openedAt).rounded
      switch alert.resolvedHow {
      case .responder: return "Resolved by \(alert.resolvedBy ?? "somebody") after \(after)."
      case .stale:
        return "Resolved as stale after \(after): nothing more was heard of it. Nobody has said that it is over."
      case .cleared where !alert.seen: return "Cleared by its detector after \(after). Nobody had acknowledged it."
      case .cleared: return "Cleared by its detector after \(after)."
      case nil: return "It is over, after \(after)."
      }
    case .reminder:
      let until = alert.acknowledgedUntil.map { " at \(time($0))" } ?? " soon"
      return
        "The acknowledgement by \(alert.acknowledgedBy ?? "somebody") runs out\(until). Then people are told again."
    default: break
    }
    var lead: String
    if let step = alert.step, let steps = alert.steps, let policy = alert.route.policy {
      lead = "Step \(step + 1) of \(steps) of policy \"\(policy)\""
      if alert.round > 0 { lead += ", round \(alert.round + 1)" }
      if let why = reason(job) { lead += ", because \(why)" }
      lead += "."
      if let next = alert.nextEscalationAt, alert.state == .open {
        lead +=
          step + 1 < steps || next > job.requestedAt ? " Next step at \(time(next)) unless it is acknowledged." : ""
      }
    } else {
      lead = "Opened \(time(alert.openedAt))."
      if let why = reason(job) { lead += " Told again, because \(why)." }
    }
    if alert.exhausted { lead += " The policy has no step left." }
    if alert.flapping { lead += " It is flapping: it opens and clears again and again." }
    return lead
  }

  /// Why it is told again; nil where the reason is that it opened.
  private static func reason(_ job: Job) -> String? {
    job.occasion.flatMap { $0.kind == .opened ? nil : $0.sentence }
  }

  private static func rows(_ alert: AlertSummary) -> [Row] {
    let a = alert.anomaly
    var rows: [Row] = []
    func add(_ name: String, _ value: String?) {
      if let value, !value.isEmpty { rows.append(Row(name, value)) }
    }
    add("Severity", alert.severity.name)
    add("State", alert.stateForPeople)
    if let value = a.value {
      let expected = a.expected.map { ", expected \(Format.number($0))" } ?? ""
      add("Value", "\(Format.number(value))\(expected)")
    }
    if let lower = a.lower, let upper = a.upper {
      add("Normal range", "\(Format.number(lower)) to \(Format.number(upper))")
    }
    add("Deviation", a.deviation.map(Format.change))
    add("Score", a.score.map(Format.number))
    add("Metric", "\(a.metric) of \(a.eventType)")
    add("Dimensions", a.dimensions.map { "\($0.name)=\($0.value)" }.joined(separator: ", "))
    add("Window", a.window.map(window))
    add("Opened", time(alert.openedAt))
    add(
      "Seen", alert.count == 1 ? "once" : "\(Format.number(Double(alert.count))) times, last \(time(alert.lastSeenAt))")
    add("Detector", a.detector.map { "\($0) (\(a.source))" } ?? a.source)
    add("Labels", a.labels.map { "\($0.name)=\($0.value)" }.joined(separator: ", "))
    add("Tenant", a.tenant == "default" ? nil : a.tenant)
    add("Assigned to", alert.assignee)
    add("Explained by", explanation(a))
    add("Likely causes", causes(a))
    return rows
  }

  private static func window(_ w: Anomaly.Window) -> String {
    let day: Int64 = 86_400_000_000
    if w.start.utcDay.microseconds == 0, w.end - w.start == .days(1) { return w.start.utcDate }
    if w.start.utcDay.microseconds == 0, w.end.utcDay.microseconds == 0, w.end.microseconds - w.start.microseconds > day
    {
      return "\(w.start.utcDate) to \((w.end - .days(1)).utcDate)"
    }
    return "\(time(w.start)) to \(time(w.end))"
  }

  private static func explanation(_ a: Anomaly) -> String? {
    guard let members = a.more.first(where: { $0.name == "explanation" })?.value.members else { return nil }
    let parts = members.compactMap { m in m.value.double.map { (m.name, $0) } }
      .sorted { $0.1.magnitude > $1.1.magnitude }
    return parts.prefix(causesNamed).map { "\($0.0) \(Format.number($0.1))" }.joined(separator: ", ")
  }

  private static func causes(_ a: Anomaly) -> String? {
    guard let items = a.more.first(where: { $0.name == "root_causes" })?.value.array else { return nil }
    return items.prefix(causesNamed).compactMap { item in
      item["entity"]?.string.map { entity in item["why"]?.string.map { "\(entity) (\($0))" } ?? entity }
    }.joined(separator: ", ")
  }

  /// Only addresses that a browser opens safely: a detector's link may come from anywhere.
  private static func runbook(_ alert: AlertSummary) -> String? {
    guard let link = alert.anomaly.more.first(where: { $0.name == "links" })?.value["runbook"]?.string,
      link.hasPrefix("https://") || link.hasPrefix("http://")
    else { return nil }
    return link
  }

  private static func member(_ alert: AlertSummary, console: String?) -> Member {
    let a = alert.anomaly
    let dimensions = a.dimensions.map { "\($0.name)=\($0.value)" }.joined(separator: ", ")
    return Member(
      id: alert.id.description, severity: alert.severity.name, state: alert.stateForPeople, headline: alert.headline,
      subject: dimensions.isEmpty ? a.eventType : "\(a.eventType), \(dimensions)",
      link: console.map { "\(base($0))/alerts/\(alert.id)" })
  }

  /// `1,000 alerts in listing_views: 1 critical, 999 high`
  private static func summaryHeadline(_ job: Job, count: Int) -> String {
    // Of the alerts that it does not name it knows only what it was told.
    let types = Set(job.members.map(\.anomaly.eventType))
    let type = job.tally?.eventType ?? (job.members.count == count && types.count == 1 ? types.first : nil)
    let alerts = count == 1 ? "1 alert" : "\(Format.number(Double(count))) alerts"
    let place = type.map { " in \($0)" } ?? ""
    if let tally = job.tally, tally.ended == count { return "\(alerts)\(place) \(count == 1 ? "is" : "are") over" }
    return alerts + place + (job.tally.map { ": \($0.words)" } ?? "")
  }

  /// Distinct in lightness as well as in hue, so that they differ in greyscale; each has contrast 4.5:1 or better with white.
  var color: String {
    if isStale { return MessageFacts.color("") }
    if isOver { return "#1a7f37" }
    return purpose == .acknowledged ? "#0550ae" : MessageFacts.color(severity)
  }

  private static func color(_ severity: String) -> String {
    switch severity {
    case "critical": "#8b0000"
    case "high": "#bc4c00"
    case "medium": "#7d5a00"
    default: "#57606a"
    }
  }
}
