import Alerts
import Testing

@testable import Notifiers

@Suite struct MessageTests {
  let templates = TemplateSet()

  func text(_ job: Job) -> String { templates.render(MessageFacts(job), .text) }

  @Test("an escalation says everything that a person needs to decide")
  func firing() {
    let expected = """
      CRITICAL: total_views fell 87% below the 7-day mean

      Step 2 of 3 of policy "critical", because nobody acknowledged for 15m.

      Severity: critical
      State: open
      Value: 245, expected 1,850
      Normal range: 1,500 to 2,200
      Deviation: -86.8%
      Metric: total_views of listing_views
      Dimensions: country=DE, device=mobile
      Window: 2026-11-17
      Opened: 2026-11-18 11:06 UTC
      Seen: 3 times, last 2026-11-18 11:16 UTC
      Detector: percentage_change (detector/warehouse-1)
      Labels: team=bi
      Explained by: spend 0.45, clicks 0.1
      Likely causes: campaign/45 (parent anomalous 10 min earlier)

      Runbook: https://wiki.example.org/runbook?a=1&b=2

      Open in Tocsin: https://tocsin.example.org/alerts/A-1042
      Or acknowledge from a shell: tocsin alerts ack A-1042

      """
    #expect(text(Samples.job("email", to: "x")) == expected)
  }

  @Test("what is written without the template engine is what the template says", arguments: 0..<64)
  func plainText(_ which: Int) {
    // The same text as a user's own goes through the engine.
    let names = ["alert.text", "alert.subject", "alert.line"]
    let engine = TemplateSet(own: Dictionary(uniqueKeysWithValues: names.map { ($0, BuiltInTemplates.all[$0] ?? "") }))
    #expect(names.allSatisfy { engine.isOwn($0) && !templates.isOwn($0) })
    func bit(_ n: Int) -> Bool { which >> n & 1 == 1 }
    var anomaly = Samples.anomaly()
    if bit(0) { anomaly.more = [] }
    if bit(1) { anomaly.summary = "  two\nlines & <b>&amp;</b> {{id}} \u{e9}\r\n" }
    let state: AlertSummary.State = bit(2) ? .resolved : .open
    let alert = Samples.alert(state: state, anomaly: anomaly)
    let job = Samples.job(
      "email", to: "x", purpose: bit(2) ? .resolved : .firing, alert: alert,
      console: bit(3) ? nil : "https://tocsin.example.org/")
    var facts = MessageFacts(job, acknowledgeLink: bit(4) ? "https://tocsin.example.org/a?b=1&c=<2>" : nil)
    if bit(5) { facts.rows = [] }
    for format in [TemplateSet.Format.text, .subject, .line] {
      #expect(templates.render(facts, format) == engine.render(facts, format))
    }
  }

  @Test("each purpose leads with its news")
  func leads() {
    func lead(_ purpose: Purpose, _ change: (inout AlertSummary) -> Void = { _ in }) -> String {
      var alert = Samples.alert(state: purpose == .resolved ? .resolved : purpose == .firing ? .open : .acknowledged)
      change(&alert)
      return MessageFacts(Samples.job("email", to: "x", purpose: purpose, alert: alert)).lead
    }
    #expect(lead(.acknowledged) == "Acknowledged by ana.")
    #expect(lead(.resolved) == "Resolved by ben after 42m.")
    #expect(lead(.resolved) { $0.resolvedHow = .cleared } == "Cleared by its detector after 42m.")
    #expect(
      lead(.resolved) {
        $0.resolvedHow = .cleared; $0.seen = false
      }.contains("Nobody had acknowledged it"))
    #expect(lead(.resolved) { $0.resolvedHow = .stale }.hasPrefix("Resolved as stale"))
    #expect(lead(.reminder) { $0.acknowledgedUntil = Samples.now }.contains("runs out at 2026-11-18 11:21 UTC"))
    #expect(
      lead(.firing) {
        $0.round = 1; $0.step = 0
      }.hasPrefix("Step 1 of 3 of policy \"critical\", round 2, because"))
    #expect(
      lead(.firing) { $0.step = nil }
        == "Opened 2026-11-18 11:06 UTC. Told again, because nobody acknowledged for 15m.")
    #expect(lead(.firing) { $0.exhausted = true }.hasSuffix("The policy has no step left."))
  }

  @Test("an alert with next to nothing known makes a message too, without a console and without holes")
  func bare() {
    var anomaly = Anomaly(id: "1", source: "s", time: Samples.now, eventType: "e", metric: "m")
    anomaly.more = [.init("links", ["runbook": "javascript:alert(1)"])]
    let job = Samples.job("email", to: "x", alert: Samples.alert(step: nil, anomaly: anomaly), console: nil)
    let all = TemplateSet.Format.allCases.map { templates.render(MessageFacts(job), $0) }
    #expect(all.allSatisfy { !$0.contains("javascript") && !$0.contains("{{") && !$0.contains("nil") && !$0.isEmpty })
    #expect(text(job).contains("m is not as expected"))
    #expect(!text(job).contains("Open in Tocsin"))
  }

  @Test("a group's message: five named, the rest counted")
  func summary() {
    let text = text(Samples.summary("email", to: "x"))
    #expect(text.contains("HIGH: 12 alerts in listing_views: 3 high, 9 medium"))
    #expect(text.contains("- HIGH A-1: total_views fell"))
    #expect(text.contains("- MEDIUM A-5: "))
    #expect(!text.contains("A-6"))
    #expect(text.contains("... and 7 more."))
    // Nothing is said of alerts that nobody told it of.
    var vague = Samples.summary("email", to: "x")
    vague.tally = nil
    #expect(MessageFacts(vague).headline == "12 alerts")
  }

  @Test("a user's own template is used; a broken one is reported and the built-in one stands in")
  func own() {
    let own = TemplateSet(own: [
      "alert.subject": "{{id}} is {{severity}} & more", "alert.slack": "{{lead}} <b>&</b>", "alert.text": "{{#rows}}",
      "alert.html": "{{> alert.html}}", "poem": "x", "summary.line": String(repeating: "x", count: 300_000),
    ])
    let facts = MessageFacts(Samples.job("email", to: "x"))
    #expect(own.render(facts, .subject) == "A-1042 is critical & more")
    #expect(own.render(facts, .slack).hasSuffix("<b>&</b>"))
    #expect(own.render(facts, .text) == templates.render(facts, .text))
    #expect(own.render(facts, .html) == templates.render(facts, .html))
    #expect(
      own.faults.map(\.key) == ["alert.html", "alert.text", "poem", "summary.line"].map { "templates/\($0).mustache" })
    #expect(templates.faults.isEmpty)
  }

  @Test(
    "every message is a template of its own: whatever the user writes is what goes out", arguments: TemplateSet.names)
  func everyTemplate(_ name: String) throws {
    let parts = name.split(separator: ".").map(String.init)
    let purpose: Purpose =
      switch parts[0] {
      case "summary": .summary
      case "notice": .notice
      case "digest": .digest
      default: .firing
      }
    let own = TemplateSet(own: [name: "mine: {{headline}}{{ending}}"])
    #expect(own.faults.isEmpty)
    let content: JSON = [
      "subject": "words & more", "text": "text", "html": "<p>text</p>",
      "slack": [["type": "section", "text": ["text": "x"]]],
      "ending": "2026-11-15",
    ]
    func job(_ channel: String, _ to: String) -> Job {
      if purpose == .summary { return Samples.summary(channel, to: to) }
      var job = Samples.job(
        channel, to: to, purpose: purpose, alert: purpose == .firing ? Samples.alert() : nil,
        thread: parts[1] == "reply" ? ["channel": "C1", "ts": "1.1"] : nil,
        content: purpose == .firing ? nil : content)
      if purpose == .notice { job.subject = Subject(.silence, 7) }
      return job
    }
    var slack = SlackSettings()
    slack.token = "xoxb"
    let message: RenderedMessage =
      switch parts[1] {
      case "slack", "reply": try SlackChannel(slack, templates: own).render(job("slack", "#x"), now: Samples.now)
      case "line": try OutboxChannel(templates: own).render(job("outbox", "x"), now: Samples.now)
      default: try EmailChannel(nil, templates: own).render(job("email", "a@x.org"), now: Samples.now)
      }
    let body = message.parts.map { String(decoding: $0.body, as: UTF8.self) }.joined()
    #expect(body.contains("mine: ") || message.title.hasPrefix("mine: "), "\(body.prefix(2000))")
  }

  @Test("a digest's mail has the user's own words around it, and without any the very bytes that were ordered")
  func ownDigest() throws {
    let content: JSON = [
      "subject": "Week & more", "text": "a < b\n", "html": "<p>a &lt; b</p>\n", "period": "weekly",
      "ending": "2026-11-15",
    ]
    #expect(templates.render(digest: content, .subject) == "Week & more")
    #expect(templates.render(digest: content, .text) == "a < b\n")
    #expect(templates.render(digest: content, .html) == "<p>a &lt; b</p>\n")
    #expect(templates.render(digest: ["subject": "x"], .html) == nil)
    let own = TemplateSet(own: [
      "digest.subject": "[BI] {{subject}}", "digest.html": "<h1>{{subject}}, {{period}} to {{ending}}</h1>{{{html}}}",
    ])
    #expect(own.render(digest: content, .subject) == "[BI] Week & more")
    #expect(own.render(digest: content, .html) == "<h1>Week &amp; more, weekly to 2026-11-15</h1><p>a &lt; b</p>\n")
    #expect(own.render(digest: content, .text) == "a < b\n")
    // With the figures a digest can be written anew.
    let figures = TemplateSet(own: [
      "digest.slack":
        "*{{title}}*: {{#figures}}{{opened.now}} opened, {{opened.before}} before{{#top}}; {{headline}}{{/top}}{{/figures}}"
    ])
    let full: JSON = [
      "subject": "Week", "text": "x", "title": "Week <47>",
      "slack": [["type": "header", "text": ["text": "a & b"]], ["type": "section", "text": ["text": "*c*"]]],
      "figures": ["opened": ["now": 1234, "before": 7], "top": [["headline": "<b>"], ["headline": "d"]]],
    ]
    #expect(figures.render(digest: full, .slack) == "*Week &lt;47&gt;*: 1,234 opened, 7 before; &lt;b&gt;; d")
    #expect(templates.render(digest: full, .slack) == "a &amp; b\n\n*c*")
    let job = Samples.job("slack", to: "#x", purpose: .digest, alert: nil, content: full)
    #expect(SlackMessage(job, templates: templates).blocks == full["slack"]?.array, "the very blocks that were ordered")
    let mine = SlackMessage(job, templates: figures).blocks
    #expect(mine.map { $0["type"]?.string } == ["header", "section", "actions"])
    #expect(mine[1]["text"]?["text"]?.string?.hasPrefix("*Week &lt;47&gt;*: 1,234 opened") == true)
  }

  @Test("cutting: at a word or a line, never over the limit, never in the middle of a character")
  func cut() {
    #expect(Cut.text("short", to: 5) == "short")
    #expect(Cut.text("one two three four", to: 15) == "one two three…")
    #expect(Cut.text("a first line of some length\nsecond", to: 30) == "a first line of some length…")
    for limit in 1...40 {
      let cut = Cut.text("👩‍👩‍👧‍👦👩‍👩‍👧‍👦 family and more of them all", to: limit)
      #expect(cut.utf16.count <= limit)
    }
  }
}
