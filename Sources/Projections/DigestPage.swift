import Alerts

/// A digest in words and tables, before it is given a form: text, HTML, Markdown and Slack all say the same.
package struct DigestPage: Sendable, Equatable {
  /// A bar of a chart: parts one behind the other.
  struct Bar: Sendable, Equatable {
    var label: String
    /// Nil: a part without severity.
    var parts: [(severity: Severity?, count: Int)]
    /// After the number: `8 the week before`.
    var note: String

    var total: Int { parts.reduce(0) { $0 + $1.count } }
    static func == (a: Bar, b: Bar) -> Bool {
      a.label == b.label && a.note == b.note && a.parts.elementsEqual(b.parts) { $0 == $1 }
    }
  }
  struct Fact: Sendable, Equatable {
    var name: String
    var value: String
    var note: String
    /// Something to look at.
    var isBad = false
  }
  enum Block: Sendable, Equatable {
    case text(String)
    case facts([Fact])
    case bars(String, [Bar])
    case alerts([DigestFigures.Line])
    case checks([DigestFigures.Check])
  }
  struct Section: Sendable, Equatable {
    var heading: String
    var blocks: [Block]
  }

  /// `Tocsin weekly digest: 42 alerts, 3 critical`. The subject of an email.
  package var subject: String
  var title: String
  /// The period and the zone.
  var subtitle: String
  /// The week in a sentence or two.
  var lead: String
  var sections: [Section]
  /// Where alerts can be opened; nil where the console has no address.
  var consoleURL: String?
  var zone: LocalZone

  package init(_ f: DigestFigures, consoleURL: String?) {
    self.consoleURL = consoleURL.map { url in url.hasSuffix("/") ? String(url.dropLast()) : url }
    zone = f.period.zone
    let kind = f.period.kind.rawValue
    title = "Tocsin \(kind) digest" + (f.tenant.map { " of \($0)" } ?? "")
    subtitle = "\(f.period.title), \(f.period.zone.name)"
    lead = DigestPage.lead(f)
    let critical = f.bySeverity.first { $0.name == Severity.critical.name }?.count.now ?? 0
    subject =
      "\(title): \(DigestPage.count(f.opened.now, "alert"))" + (critical > 0 ? ", \(critical) critical" : "")
      + (f.stillOpenCount > 0 ? ", \(f.stillOpenCount) still open" : "")
    sections = [DigestPage.happened(f), DigestPage.response(f), DigestPage.detectors(f), DigestPage.open(f)]
  }

  func link(_ id: AlertID) -> String? { consoleURL.map { "\($0)/alerts/\(id)" } }

  // MARK: - Words

  static func count(_ n: Int, _ one: String, _ many: String? = nil) -> String {
    n == 1 ? "1 \(one)" : "\(n == 0 ? "no" : Format.number(Double(n))) \(many ?? one + "s")"
  }

  private static func lead(_ f: DigestFigures) -> String {
    guard f.opened.now + f.anomalies.now + f.stillOpenCount > 0 else {
      return f.opened.before == 0
        ? "Nothing happened, and nothing is open."
        : "Nothing happened, after \(count(f.opened.before, "alert")) \(f.period.previousName)."
    }
    if f.opened.now == 0 {
      var text = "No alert opened"
      if f.opened.before > 0 { text += ", after \(count(f.opened.before, "alert")) \(f.period.previousName)" }
      if f.anomalies.now > 0 {
        text += "; \(count(f.anomalies.now, "anomaly", "anomalies")) came in to those of before"
      }
      return text + (f.stillOpenCount == 0 ? ". Nothing is left open." : ". \(f.stillOpenCount) still open.")
    }
    var text = "\(count(f.opened.now, "alert").capitalizedFirst) opened"
    if let change = change(f.opened) { text += " (\(change), \(f.opened.before) \(f.period.previousName))" }
    text += ", from \(count(f.anomalies.now, "anomaly", "anomalies"))."
    if let worst = f.top.first, worst.severity == .critical {
      text += " The worst: \(worst.headline) (\(worst.id))."
    }
    text += f.stillOpenCount == 0 ? " Nothing is left open." : " \(f.stillOpenCount) still open."
    return text
  }

  /// `+20%`, `×12.5`; nil where there is nothing to compare with.
  private static func change(_ c: DigestFigures.Change) -> String? {
    guard c.before > 0, c.now != c.before else { return nil }
    return Format.change(Double(c.now - c.before) / Double(c.before))
  }

  private static func compared(_ c: DigestFigures.Change, _ f: DigestFigures) -> String {
    c.now == c.before ? "as many \(f.period.previousName)" : "\(c.before) \(f.period.previousName)"
  }

  private static func bar(_ n: DigestFigures.Named, _ severity: Severity?, _ f: DigestFigures) -> Bar {
    Bar(
      label: n.name, parts: [(severity, n.count.now)],
      // Where nothing happened before there is nothing to compare with.
      note: n.count.now == n.count.before || f.opened.before == 0 ? "" : "\(n.count.before) before")
  }

  // MARK: - Sections

  private static func happened(_ f: DigestFigures) -> Section {
    var blocks: [Block] = []
    if f.opened.now > 0 {
      blocks.append(
        .bars("By severity", f.bySeverity.map { bar($0, Severity(name: $0.name), f) }))
      blocks.append(
        .bars(
          f.period.kind == .daily ? "Through the day" : "Day by day",
          f.buckets.map { b in
            Bar(label: b.label, parts: Severity.allCases.reversed().map { ($0, b.opened[$0] ?? 0) }, note: "")
          }))
      if f.byEventType.count > 0 { blocks.append(.bars("By event type", f.byEventType.map { bar($0, nil, f) })) }
      if f.byMetric.count > 1 { blocks.append(.bars("By metric", f.byMetric.map { bar($0, nil, f) })) }
    }
    if !f.top.isEmpty {
      blocks.append(.text(f.top.count == 1 ? "The worst:" : "The worst \(f.top.count):"))
      blocks.append(.alerts(f.top))
    }
    if blocks.isEmpty { blocks.append(.text("No alert opened.")) }
    return Section(heading: "What happened", blocks: blocks)
  }

  private static func durations(
    _ name: String, _ d: DigestFigures.Durations, _ before: DigestFigures.Durations, _ f: DigestFigures
  ) -> Fact {
    guard let median = d.median, let p90 = d.p90 else { return Fact(name: name, value: "–", note: "none") }
    var note = "nine in ten within \(p90.rounded)"
    if let b = before.median { note += "; median \(b.rounded) \(f.period.previousName)" }
    return Fact(name: name, value: median.rounded, note: note)
  }

  private static func response(_ f: DigestFigures) -> Section {
    var facts = [
      durations("Time to acknowledge, median", f.timeToAcknowledge, f.timeToAcknowledgeBefore, f),
      durations("Time to resolve, median", f.timeToResolve, f.timeToResolveBefore, f),
      Fact(name: "Acknowledged", value: "\(f.acknowledged.now)", note: compared(f.acknowledged, f)),
      Fact(
        name: "Never acknowledged", value: "\(f.neverAcknowledged.now)", note: compared(f.neverAcknowledged, f),
        isBad: f.neverAcknowledged.now > 0),
      Fact(name: "Cleared, never seen", value: "\(f.clearedNeverSeen.now)", note: compared(f.clearedNeverSeen, f)),
      Fact(name: "Resolved", value: "\(f.resolved.now)", note: compared(f.resolved, f)),
    ]
    for step in f.escalations {
      facts.append(Fact(name: "Escalated to \(step.name)", value: "\(step.count.now)", note: compared(step.count, f)))
    }
    if f.exhausted.now + f.exhausted.before > 0 {
      facts.append(
        Fact(
          name: "Policy exhausted, nobody came", value: "\(f.exhausted.now)", note: compared(f.exhausted, f),
          isBad: f.exhausted.now > 0))
    }
    facts.append(Fact(name: "Messages delivered", value: "\(f.delivered.now)", note: compared(f.delivered, f)))
    facts.append(
      Fact(
        name: "Messages that failed for good", value: "\(f.failed.now)", note: compared(f.failed, f),
        isBad: f.failed.now > 0))
    var blocks: [Block] = [.facts(facts)]
    for failure in f.failures {
      blocks.append(
        .text(
          "\(count(failure.count, "message")) to \(failure.receiver) by \(failure.channel) failed"
            + (failure.message.map { $0.isEmpty ? "." : ", last with: \(Sentence.cut($0))" } ?? ".")))
    }
    return Section(heading: "How we did", blocks: blocks)
  }

  private static func detectors(_ f: DigestFigures) -> Section {
    var blocks: [Block] = []
    let goal = Format.number(DigestFigures.falsePositiveGoal * 100)
    if let rate = f.falsePositiveRate {
      let percent = Format.number((rate * 1000).rounded() / 10)
      blocks.append(
        .text(
          "\(f.falsePositives) of \(f.labelled) labelled alerts were false: \(percent)%, "
            + (rate <= DigestFigures.falsePositiveGoal
              ? "within the goal of \(goal)%." : "above the goal of \(goal)%.")))
    } else {
      blocks.append(
        .text(
          "Nobody has labelled an alert as true or false, so the goal of at most \(goal)% false ones can't be judged."))
    }
    if !f.noisiest.isEmpty {
      blocks.append(.text("The checks that raised most:"))
      blocks.append(.checks(f.noisiest))
    }
    return Section(heading: "How the detectors did", blocks: blocks)
  }

  private static func open(_ f: DigestFigures) -> Section {
    guard f.stillOpenCount > 0 else {
      return Section(heading: "Still open", blocks: [.text("Nothing.")])
    }
    var blocks: [Block] = [.alerts(f.stillOpen)]
    let more = f.stillOpenCount - f.stillOpen.count
    if more > 0 { blocks.append(.text("And \(Format.number(Double(more))) more.")) }
    return Section(heading: "Still open", blocks: blocks)
  }

  // MARK: - Lines

  /// `critical  total_views fell 87% below the 7-day mean`.
  static func place(_ l: DigestFigures.Line) -> String {
    "\(l.eventType) / \(l.metric)" + (l.dimensions.isEmpty ? "" : ", \(l.dimensions)")
  }
  func detail(_ l: DigestFigures.Line) -> String {
    var text = DigestPage.place(l)
    if let deviation = l.deviation { text += ", \(Format.change(deviation)) from expected" }
    return text + "; opened \(zone.local(l.openedAt).text), \(l.state)"
  }
  static func name(_ c: DigestFigures.Check) -> String {
    "\(c.eventType) / \(c.metric)" + (c.detector.map { " (\($0))" } ?? "")
  }
  static func summary(_ c: DigestFigures.Check) -> String {
    var text = "\(count(c.alerts, "alert")), \(count(c.anomalies, "anomaly", "anomalies"))"
    if c.labelled > 0 { text += ", \(c.falsePositives) of \(c.labelled) labelled false" }
    if c.unseen > 0 { text += ", \(c.unseen) ended unseen" }
    return text
  }
}

extension String {
  var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}
