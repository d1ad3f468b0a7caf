import Alerts
import Console
import Detectors
import Foundation
import Lifecycle
import Notifiers
import Projections
import Testing
import TocsinConfiguration

@Suite struct ExampleTests {
  /// As a company would write it, with every section.
  static let company = """
    timezone: Europe/Berlin
    log: sqlite:data/tocsin.sqlite
    bus: {gateway: "tcp://127.0.0.1:7801", feed: "tcp://127.0.0.1:7802"}
    console: {listen: "127.0.0.1:7800", public_url: "https://tocsin.example.org"}
    connections:
      warehouse: {kind: sqlite, path: data/warehouse.sqlite}
    people:
      ana: {email: ana@company.com, slack: U024BE7LH, phone: "+491701234567"}
      ben: {email: ben@company.com, pagerduty: ben@company.com}
    schedules:
      data-oncall: {timezone: Europe/Berlin, rotation: weekly, handover: "monday 09:00", people: [ana, ben]}
    receivers:
      director-bi:  {email: [director-bi@company.com]}
      data-team:    {email: [data-team@company.com], slack: "#data-alerts"}
      oncall:       {pagerduty: {routing_key: "${PAGERDUTY_KEY}"}, schedule: data-oncall}
    policies:
      critical:
        steps:
          - notify: [director-bi, data-team]
          - {after: 15m, notify: [oncall]}
          - {after: 30m, notify: [oncall, director-bi]}
        repeat: 3
        acknowledge_timeout: 4h
    routes:                       # first match wins, `continue: true` goes on
      - {match: {severity: critical}, policy: critical}
      - {match: {severity: high}, notify: [data-team], group: {by: [event_type], wait: 5m, interval: 30m}}
      - {match: {severity: [medium, low]}, dashboard_only: true}
    digests:
      - {period: weekly, day: monday, at: "08:00", to: [director-bi, data-team]}
    channels:
      email: {server: "smtps://smtp.company.com:465", from: "tocsin@company.com", username: t, password: "${SMTP_PASSWORD}"}
      slack: {token: "${SLACK_TOKEN}", api_url: "https://slack.com/api"}
      pagerduty: {url: "https://events.pagerduty.com"}
      outbox: {directory: data/outbox}
    """
  static let metric = """
    event_config:
      name: listing_views
      description: Property listing page views
      data_source:
        connection: warehouse
        table: DD_LISTING_STATISTICS_BLENDED
        date_column: STATISTIC_DATE
        dimensions: [DEVICE]
        metrics:
          - {column: NUMBEROFVIEWS, alias: total_views}
          - {column: NUMBEROFENQUIRIES, alias: enquiries}
      schedule: "0 6 * * *"
      detection:
        daily_checks:
          - {detector: threshold, metric: total_views, min_value: 10000, max_value: 1000000}
        weekly_checks:
          - {detector: statistical, metric: enquiries, method: zscore, threshold: 3.0}
      alerting:
        critical: {condition: "deviation > 0.5", recipients: {email: [director-bi@company.com]}}
        warning: {condition: "deviation > 0.2", dashboard_only: true}
    """
  static let keys = ["PAGERDUTY_KEY": "k", "SMTP_PASSWORD": "p", "SLACK_TOKEN": "t"]

  @Test func loadsACompanysConfiguration() throws {
    let c = try ConfigurationFixture(ExampleTests.company, metrics: ["m.yaml": ExampleTests.metric])
      .load(ExampleTests.keys)
    let policy = try #require(c.lifecycle.policy("critical"))
    #expect(policy.steps.map(\.after) == [.zero, .minutes(15), .minutes(30)])
    #expect(policy.repeats == 3)
    #expect(policy.acknowledgeTimeout == .hours(4))
    #expect(c.lifecycle.receiver("oncall")?.targets == [.init(channel: "pagerduty", destination: "oncall")])
    #expect(c.lifecycle.receiver("oncall")?.schedule == "data-oncall")
    #expect(c.lifecycle.consoleURL == "https://tocsin.example.org")
    let route = try #require(c.lifecycle.routes.last)
    #expect(route.matchers == [Matcher(name: "severity", value: "medium|low", isRegex: true)])
    #expect(c.onCall.schedule("data-oncall")?.layers.first?.people == ["ana", "ben"])
    #expect(c.digests.first?.timeZone == "Europe/Berlin")
    #expect(c.console.outbox == "data/outbox")
  }

  @Test func printsWhatItReadsBack() throws {
    let c = try ConfigurationFixture(ExampleTests.company).load(ExampleTests.keys)
    let text = Outline.text(c.effective)
    #expect(
      text.contains(
        "policies:\n  critical:\n    steps:\n      - after: \"0\"\n        notify: [director-bi, data-team]\n"))
    #expect(try JSON(parsing: c.effective.text)["timezone"] == "Europe/Berlin")
  }

  /// The configuration that the project ships loads without a fault and without any account.
  @Test func loadsTheDefault() throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let c = try Configuration.load(directory: root.appendingPathComponent("config").path, environment: [:])
    #expect(c.lifecycle.policy("critical")?.steps.last?.after == .minutes(30))
    // Critical at once and with escalation, high in batches, what is less on the console and in the digest.
    func way(_ severity: Severity) -> Route.Delivery? {
      c.lifecycle.routes.first { route in
        route.matchers.allSatisfy { $0.matches { $0 == "severity" ? severity.name : nil } }
      }?.delivery
    }
    let ways: [Route.Delivery?] = [way(.critical), way(.high), way(.medium), way(.low)]
    #expect(ways[0] == .policy("critical"))
    guard case .group(["data-team"], let grouping)? = ways[1] else { return #expect(Bool(false), "\(ways)") }
    #expect(grouping.by == ["event_type"] && grouping.wait == .minutes(5) && grouping.interval == .minutes(30))
    #expect(ways[2] == .dashboardOnly && ways[3] == .dashboardOnly)
    #expect(!c.detection.events.isEmpty)
    #expect(c.notifiers.outbox == "data/outbox")
    #expect(c.console.host == "127.0.0.1")
  }
}
