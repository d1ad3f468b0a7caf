import Alerts

/// What pages show of an alert.
struct AlertView {
  let alert: AlertSummary
  let words: Words
  /// Messages about it that failed for good.
  var failed = 0

  /// A row of a list.
  var row: [String: Any] {
    let a = alert.anomaly
    return view([
      "id": alert.id.description, "severity": alert.severity.name, "headline": alert.headline,
      "eventType": a.eventType, "dims": a.dimensions.map { "\($0.name) \($0.value)" },
      "value": a.value.map(Format.number), "expected": a.expected.map(Format.number),
      "change": a.deviation.map(Format.change), "state": alert.stateForPeople, "stateClass": alert.state.rawValue,
      "stateBy": who, "marks": marks, "openedAt": alert.openedAt.rfc3339, "openedLocal": words.exact(alert.openedAt),
      "age": words.age(alert.openedAt), "count": Format.number(Double(alert.count)), "next": nextShort, "step": step,
      "dim": alert.state != .open,
    ])
  }

  var who: String? {
    switch alert.state {
    case .open: alert.assignee.map { "assigned to \($0)" }
    case .acknowledged: alert.acknowledgedBy.map { "by \($0)" }
    case .resolved: alert.resolvedBy.map { "by \($0)" }
    }
  }

  /// What holds messages back, and what else a responder must know at a glance.
  var marks: [String] {
    let lost = failed == 0 ? [] : ["\(failed) message\(failed == 1 ? "" : "s") could not be delivered"]
    guard alert.state != .resolved else { return lost }
    var marks: [String] = []
    if alert.condition == .cleared { marks.append("cleared") }
    if let until = alert.snoozedUntil { marks.append("snoozed until \(words.moment(until))") }
    if !alert.silencedBy.isEmpty {
      marks.append("silenced by \(alert.silencedBy.map(\.description).joined(separator: ", "))")
    }
    if let by = alert.inhibitedBy { marks.append("held back by \(by)") }
    if alert.flapping { marks.append("flapping") }
    if alert.exhausted { marks.append("nobody left to tell") }
    return marks + lost
  }

  var step: String? {
    guard alert.state == .open, let step = alert.step, let steps = alert.steps else { return nil }
    return "step \(step + 1) of \(steps)\(alert.round > 0 ? ", round \(alert.round + 1)" : "")"
  }

  var nextShort: String? {
    if alert.state == .acknowledged, let until = alert.acknowledgedUntil {
      return "reminds \(words.until(until))"
    }
    guard alert.state == .open else { return nil }
    if let next = alert.nextEscalationAt { return "escalates \(words.until(next))" }
    return alert.route.dashboardOnly ? "console only" : nil
  }

  /// A sentence about what happens when nobody does anything.
  var next: String? {
    switch alert.state {
    case .open:
      if let next = alert.nextEscalationAt {
        let step = step.map { "At \($0) of policy “\(alert.route.policy ?? "")”. " } ?? ""
        return "\(step)Escalates \(words.until(next)), at \(words.moment(next)), unless somebody acknowledges it."
      }
      if alert.exhausted { return "Everybody in the policy has been told, and nobody has acknowledged it." }
      return alert.route.dashboardOnly ? "Shown here and in the digest only; nobody is told." : nil
    case .acknowledged:
      let since = alert.acknowledgedAt.map { " at \(words.moment($0))" } ?? ""
      let until = alert.acknowledgedUntil.map { ", which holds until \(words.moment($0))" } ?? ""
      return "Acknowledged by \(alert.acknowledgedBy ?? "somebody")\(since)\(until)."
    case .resolved:
      let at = alert.resolvedAt.map { " at \(words.moment($0))" } ?? ""
      switch alert.resolvedHow {
      case .stale: return "Resolved\(at) because nothing was heard of it any more."
      case .cleared: return "The detector reported its end\(at)."
      default: return "Resolved\(at)\(alert.resolvedBy.map { " by \($0)" } ?? "")."
      }
    }
  }

  /// The large figures on its own page.
  var figures: [[String: Any]] {
    let a = alert.anomaly
    var figures: [(String, String)] = []
    if let v = a.value { figures.append(("value", Format.number(v))) }
    if let e = a.expected { figures.append(("expected", Format.number(e))) }
    if let d = a.deviation { figures.append(("change", Format.change(d))) }
    if let l = a.lower, let u = a.upper { figures.append(("usual range", "\(Format.number(l)) – \(Format.number(u))")) }
    if let s = a.score { figures.append(("score", Format.number(s))) }
    figures.append(("seen", "\(Format.number(Double(alert.count)))×"))
    return figures.map { view(["name": $0.0, "value": $0.1]) }
  }

  var facts: [[String: Any]] {
    let a = alert.anomaly
    var facts: [(String, String, String?)] = [("Event type", a.eventType, nil), ("Metric", a.metric, nil)]
    for d in a.dimensions { facts.append((d.name, d.value, nil)) }
    if let w = a.window { facts.append(("Window", "\(words.moment(w.start)) – \(words.moment(w.end))", nil)) }
    facts.append(("Last seen", "\(words.moment(alert.lastSeenAt)), \(words.age(alert.lastSeenAt)) ago", nil))
    if let detector = a.detector { facts.append(("Detector", detector, nil)) }
    facts.append(("Source", a.source, nil))
    if a.tenant != "default" { facts.append(("Tenant", a.tenant, nil)) }
    if alert.generation > 1 { facts.append(("Life", "number \(alert.generation) of this problem", nil)) }
    if let assignee = alert.assignee { facts.append(("Assigned to", assignee, nil)) }
    for label in a.labels { facts.append((label.name, label.value, nil)) }
    for member in a.more {
      switch member.name {
      case "links":
        for (name, url) in member.value.texts { facts.append((name, url, AlertView.safe(url))) }
      case "explanation":
        for m in member.value.members ?? [] {
          let value = m.value.double.map { $0.magnitude <= 1 ? "\(Format.number($0 * 100))% of it" : Format.number($0) }
          facts.append(("Explained by \(m.name)", value ?? AlertView.plain(m.value), nil))
        }
        if let text = member.value.string { facts.append(("Explanation", text, nil)) }
      case "series", "root_causes": break
      default: facts.append((member.name, AlertView.plain(member.value), nil))
      }
    }
    return facts.map { view(["name": $0.0, "value": $0.1, "href": $0.2]) }
  }

  var causes: [String: Any]? {
    guard let list = alert.anomaly.more.first(where: { $0.name == "root_causes" })?.value.array, !list.isEmpty else {
      return nil
    }
    return [
      "items": list.prefix(10).map { cause in
        view([
          "entity": cause["entity"]?.string ?? AlertView.plain(cause),
          "score": cause["score"]?.double.map(Format.number),
          "why": cause["why"]?.string,
        ])
      }
    ]
  }

  private static func plain(_ json: JSON) -> String {
    let text = json.string ?? json.text
    return text.count > 400 ? text.prefix(400) + "…" : text
  }

  /// Only addresses that a browser opens as pages: `javascript:` and its like stay text.
  private static func safe(_ url: String) -> String? {
    let lower = url.lowercased()
    return lower.hasPrefix("https://") || lower.hasPrefix("http://") ? url : nil
  }
}
