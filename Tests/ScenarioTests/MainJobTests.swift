import Alerts
import Foundation
import Testing

/// The main job with whole processes: two detectors, one service, two notifiers, a real SMTP server, a local Slack and PagerDuty.
@Suite(.serialized) struct MainJobTests {
  /// The delay of the policy's second step, in seconds: long enough for a busy machine to do what must happen before it.
  static let delay = 12

  private func configuration(_ w: World) -> String {
    """
    log: sqlite:data/tocsin.sqlite
    bus: {gateway: "tcp://127.0.0.1:\(w.gateway)", feed: "tcp://127.0.0.1:\(w.feed)"}
    console: {listen: "127.0.0.1:\(w.console)"}
    connections:
      orders: {kind: command, command: [cat, orders.json], keeps_history: false}
      payments: {kind: command, command: [cat, payments.json], keeps_history: false}
    receivers:
      data-team: {email: [data-team@example.com], slack: "#data-alerts"}
      oncall: {pagerduty: {routing_key: "0123456789abcdef0123456789abcdef"}}
    policies:
      critical:
        steps:
          - notify: [data-team]
          - {after: \(MainJobTests.delay)s, notify: [oncall]}
    routes:
      - {match: {severity: critical}, policy: critical}
      - {match: {}, dashboard_only: true}
    digests:
      - {period: weekly, day: monday, at: "08:00", to: [data-team]}
    channels:
      email: {server: "smtp://127.0.0.1:\(w.smtp)", from: "tocsin@example.com", tls: none}
      slack: {token: "xoxb-secret-token", api_url: "http://127.0.0.1:\(w.http)/api"}
      pagerduty: {url: "http://127.0.0.1:\(w.http)"}
    """
  }

  private func metric(_ name: String) -> String {
    """
    event_config:
      name: \(name)
      data_source:
        connection: \(name)
        metrics: [{column: value, alias: failed}]
      every: 1s
      detection:
        checks:
          - {detector: threshold, metric: failed, max_value: 100}
      alerting:
        critical: {condition: "value > 100"}
    """
  }

  @Test(.timeLimit(.minutes(6)))
  func aCriticalAlertFromDetectionToTheDigest() async throws {
    let w = try World()
    defer { w.end() }
    try w.write("config/tocsin.yaml", configuration(w))
    for name in ["orders", "payments"] {
      try w.write("config/metrics/\(name).yaml", metric(name))
      try w.write("\(name).json", #"{"value": 3}"#)
    }
    try await w.receivers()
    let service = try w.tocsin("serve", "serve")
    try await w.until("the service is ready") { w.isReady() }
    try w.tocsin("notify-1", "notify", "--name", "one", "--channels", "email")
    try w.tocsin("notify-2", "notify", "--name", "two", "--channels", "slack,pagerduty")
    let orders = try w.tocsin("detect-1", "detect", "--name", "one", "--only", "orders")
    try w.tocsin("detect-2", "detect", "--name", "two", "--only", "payments")

    // A critical anomaly: stored, mailed, posted.
    try w.write("orders.json", #"{"value": 250}"#)
    try await w.until("the first step was told") { w.count("email") == 1 && w.count("slack") == 1 }
    #expect(w.count("pagerduty") == 0)

    // The service dies before the second step is due, and comes back after.
    kill(service.processIdentifier, SIGKILL)
    service.waitUntilExit()
    try await Task.sleep(for: .seconds(MainJobTests.delay + 1))
    #expect(w.count("pagerduty") == 0)
    try w.tocsin("serve", "serve")
    try await w.until("what fell due meanwhile was fired") { w.count("pagerduty") == 1 }

    // Another one, acknowledged before its second step.
    try w.write("payments.json", #"{"value": 300}"#)
    try await w.until("the second alert's first step was told") { w.count("email") == 2 && w.count("slack") == 2 }
    let ack = try w.run("alerts", "ack", "A-2", "--as", "ana")
    #expect(ack.status == 0, "\(ack.output)")
    try await w.until("Slack shows who took it") { w.arrived.contains { $0["method"]?.string == "update" } }
    try await Task.sleep(for: .seconds(MainJobTests.delay + 3))

    // Both end: one by a responder (its detector is dead, or it would open again at once), one because the detector says so.
    kill(orders.processIdentifier, SIGKILL)
    orders.waitUntilExit()
    try await Task.sleep(for: .seconds(1))
    let resolve = try w.run("alerts", "resolve", "A-1", "--as", "ben")
    #expect(resolve.status == 0, "\(resolve.output)")
    try w.write("payments.json", #"{"value": 3}"#)
    try await w.until("the ends were told") {
      w.count("email") == 4 && w.actions == ["trigger", "resolve"] && w.emails("A-1").count == 2
        && w.emails("A-2").count == 2
    }

    // Every message, and nothing else.
    #expect(w.actions == ["trigger", "resolve"])
    let keys = Set(w.of("pagerduty").compactMap { $0["key"]?.string })
    #expect(keys.count == 1)
    for id in ["A-1", "A-2"] {
      let mails = w.emails(id)
      #expect(mails.count == 2)
      #expect(mails.allSatisfy { $0["auto"]?.string == "auto-generated" })
      #expect(mails.allSatisfy { $0["types"]?.text.contains("text/html") == true })
      #expect(Set(mails.compactMap { $0["id"]?.string }).count == 2)
    }
    #expect(w.count("other") == 0)
    let posts = w.of("slack").filter { $0["method"]?.string == "postMessage" && $0["thread"]?.isNull != false }
    #expect(posts.count == 2, "one message for each alert; what follows updates it or stands in its thread")

    // The history explains it, and the digest counts it.
    let shown = try w.run("alerts", "show", "A-2")
    #expect(shown.status == 0 && shown.output.contains("ana"), "\(shown.output)")
    let events = try w.run("events", "--alert", "A-1")
    for type in ["detected", "escalated", "notification_delivered", "resolved"] {
      #expect(events.output.contains("tocsin.alert.\(type).v1"), "\(type)")
    }
    let digest = try w.run("digest", "--period", "daily", "--ending", w.today, "--format", "json")
    #expect(digest.status == 0, "\(digest.output)")
    let figures = try JSON(parsing: digest.output)
    #expect(figures.text.contains("orders") && figures.text.contains("payments"))

    // Rebuilt tables say the same.
    let rebuilt = try w.run("projections", "rebuild")
    #expect(rebuilt.status == 0, "\(rebuilt.output)")

    // No secret anywhere.
    for name in ["serve", "notify-1", "notify-2", "detect-1"] { #expect(!w.log(name).contains("xoxb-secret-token")) }
    #expect(!(try w.run("events")).output.contains("xoxb-secret-token"))
    #expect(!(try w.run("events")).output.contains("0123456789abcdef"))
  }
}

extension World {
  func of(_ kind: String) -> [JSON] { arrived.filter { $0["kind"]?.string == kind } }
  /// Slack's updates of a message that is there are not counted.
  func count(_ kind: String) -> Int {
    of(kind).count { kind != "slack" || ($0["method"]?.string == "postMessage" && $0["thread"]?.isNull != false) }
  }
  var actions: [String] { of("pagerduty").compactMap { $0["action"]?.string } }
  func emails(_ alert: String) -> [JSON] {
    of("email").filter { $0["subject"]?.string?.hasSuffix("· \(alert)") == true }
  }
  var today: String { Timestamp(microseconds: Int64(Date().timeIntervalSince1970 * 1e6)).utcDate }
}
