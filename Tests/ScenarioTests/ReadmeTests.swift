import Alerts
import Foundation
import Testing

/// Everything that the README tells people to type, typed as it stands there.
@Suite(.serialized) struct ReadmeTests {
  @Test func everyLinkLeadsSomewhere() throws {
    let readme = try Readme()
    #expect(readme.links.count > 5)
    for link in readme.links {
      let there = FileManager.default.fileExists(atPath: World.repository.appendingPathComponent(link).path)
      #expect(there, "\(link) is not there")
    }
  }

  /// A block that no test here knows would be one that nobody has run.
  @Test func everyBlockIsRunHere() throws {
    let known = [
      "Two commands/sh", "Send an anomaly from the shell/sh", "Watch a table/yaml",
      "Wire Slack, email and PagerDuty/yaml",
      "Acknowledge/sh", "Look back/sh", "As processes of their own/sh",
    ]
    #expect(try Readme().blocks.map { "\($0.heading)/\($0.language)" } == known)
    let w = try World()
    defer { w.end() }
    for command in try Readme().block("Two commands", "sh").commands {
      let script = World.repository.appendingPathComponent(command).path
      #expect(FileManager.default.isExecutableFile(atPath: script), "\(command)")
      let syntax = try w.shell("bash -n \(script)")
      #expect(syntax.status == 0, "\(syntax.output)")
    }
  }

  @Test(.timeLimit(.minutes(4)))
  func anAnomalyFromTheShellToTheDigest() async throws {
    let readme = try Readme()
    let w = try World()
    defer { w.end() }
    try w.useCommittedConfiguration(edits: [("after: 1m", "after: 1s")])
    let sample = try w.shell("tocsin sample")
    #expect(sample.status == 0, "\(sample.output)")
    let up = try w.tocsin("up", "up")
    try await w.ready()

    // Send an anomaly from the shell.
    let sent = try w.shell(try readme.block("Send an anomaly from the shell", "sh").text)
    #expect(sent.status == 0 && sent.output.contains("1 accepted"), "\(sent.output)")
    let again = try w.shell(try readme.block("Send an anomaly from the shell", "sh").text)
    #expect(again.status == 0, "\(again.output)")
    let alert = try #require(
      try w.alerts().first { $0["anomaly"]?["data"]?["event_type"]?.string == "orders" }?["id"]?.string)

    // The messages, as their receivers would get them.
    try await w.until("all three channels were told") {
      !w.outbox("-\(alert)_firing", "_email_").isEmpty && !w.outbox("-\(alert)_firing", "_slack_").isEmpty
        && !w.outbox("-\(alert)_firing", "_pagerduty_").isEmpty
    }
    try checkMail(w, try #require(w.outbox("-\(alert)_firing", "_email_").first))
    let slack = try JSON(parsing: try w.contents("data/outbox/" + w.outbox("-\(alert)_firing", "_slack_")[0]))
    let post = try #require(slack["requests"]?[0])
    #expect(post["action"]?.string == "chat.postMessage")
    #expect(post["body"]?["channel"]?.string == "#data-alerts")
    #expect(post["body"]?["blocks"]?.array?.isEmpty == false)
    #expect(post["body"]?["text"]?.string?.contains("failed is 250") == true)
    let page = try JSON(parsing: try w.contents("data/outbox/" + w.outbox("-\(alert)_firing", "_pagerduty_")[0]))
    let event = try #require(page["requests"]?[0]?["body"])
    #expect(event["event_action"]?.string == "trigger")
    #expect(event["dedup_key"]?.string?.contains(alert) == true)
    #expect(event["payload"]?["severity"]?.string == "critical")

    // From Python, and the example for the shell.
    let python = try w.shell(
      "\(World.python) \(World.repository.path)/examples/publish_and_follow.py tcp://127.0.0.1:\(w.gateway) tcp://127.0.0.1:\(w.feed)"
    )
    #expect(python.status == 0 && python.output.contains("stored 1"), "\(python.output)")
    #expect(python.output.contains("tocsin.alert.detected.v1"), "\(python.output)")
    let example = try w.shell("sh \(World.repository.path)/examples/publish.sh")
    #expect(example.status == 0 && example.output.contains("2 accepted"), "\(example.output)")

    // Acknowledge. Each line of the README, for this alert.
    for command in try readme.block("Acknowledge", "sh").commands {
      let r = try w.shell(command.replacingOccurrences(of: "A-12", with: alert))
      #expect(r.status == 0, "\(command): \(r.output)")
      #expect(r.output.contains(alert), "\(command): \(r.output)")
    }
    let shown = try w.shell("tocsin alerts show \(alert)")
    #expect(
      shown.output.contains("resolved") && shown.output.contains("the payment provider is back"), "\(shown.output)")
    let late = try w.shell("tocsin alerts ack \(alert) --as ana")
    #expect(late.status == 1 && late.output.contains("resolved"), "\(late.output)")
    try await w.until("the end was told") {
      w.outbox("-\(alert)_resolved", "_email_").count == 1 && w.outbox("-\(alert)_resolved", "_slack_").count == 1
        && w.outbox("-\(alert)_resolved", "_pagerduty_").count == 1
    }

    // Look back.
    let back = try readme.block("Look back", "sh").commands.map { $0.replacingOccurrences(of: "A-12", with: alert) }
    #expect(back.count == 3)
    let digest = try w.shell(back[0])
    #expect(digest.status == 0 && digest.output.contains("weekly digest"), "\(digest.output)")
    let today = try w.shell("tocsin digest --period daily --ending \(w.today)")
    #expect(today.status == 0, "\(today.output)")
    let events = try w.shell(back[1])
    #expect(events.status == 0, "\(events.output)")
    let types = try events.output.split(separator: "\n").map { try JSON(parsing: String($0))["type"]?.string ?? "" }
    for type in [
      "detected", "deduplicated", "escalated", "acknowledged", "snoozed", "resolved", "notification_delivered",
    ] {
      #expect(types.contains("tocsin.alert.\(type).v1"), "\(type)")
    }
    let rows = try w.shell(back[2])
    #expect(rows.status == 0 && rows.output.split(separator: "\n").count == 10, "\(rows.output)")

    // The page, the outbox's page and the API answer.
    for path in ["/", "/outbox", "/digest", "/alerts/\(alert)", "/api/v1/alerts", "/metrics"] {
      #expect(try w.get(path).status == 200, "\(path)")
    }
    #expect(try await w.stop(up) == 0, "\(w.log("up"))")
    #expect(!w.log("up").contains(" error ") && !w.log("up").contains(" critical "), "\(w.log("up"))")
  }

  /// Real MIME: Python's own parser reads it.
  private func checkMail(_ w: World, _ file: String) throws {
    try w.write(
      "mail.py",
      """
      import email, email.policy, json, sys
      m = email.message_from_binary_file(open(sys.argv[1], "rb"), policy=email.policy.default)
      print(json.dumps({"subject": m["Subject"], "to": m["To"], "id": m["Message-ID"], "type": m.get_content_type(),
        "text": m.get_body(("plain",)).get_content(), "html": m.get_body(("html",)).get_content(), "defects": len(m.defects)}))
      """)
    let r = try w.shell("\(World.python) mail.py 'data/outbox/\(file)'")
    #expect(r.status == 0, "\(r.output)")
    let mail = try JSON(parsing: r.output)
    #expect(mail["defects"]?.text == "0")
    #expect(mail["subject"]?.string?.contains("failed is 250") == true)
    #expect(mail["to"]?.string == "data-team@example.com")
    #expect(mail["text"]?.string?.contains("critical") == true)
    #expect(mail["html"]?.string?.contains("<") == true)
  }

  @Test(.timeLimit(.minutes(2)))
  func aTableIsWatched() throws {
    let w = try World()
    defer { w.end() }
    try w.useCommittedConfiguration()
    try w.write("config/metrics/listing_views.yaml", try Readme().block("Watch a table", "yaml").text)
    #expect(try w.shell("tocsin sample").status == 0)
    let check = try w.shell("tocsin config check")
    #expect(check.status == 0 && check.output.contains("no faults"), "\(check.output)")
    let found = try w.shell("tocsin detect --once --dry-run")
    #expect(found.status == 0, "\(found.output)")
    #expect(found.output.contains("total_views fell") && found.output.contains("device=mobile"), "\(found.output)")

    // A slip of the pen is said with its place.
    let wrong = try Readme().block("Watch a table", "yaml").text.replacingOccurrences(
      of: "threshold:", with: "treshold:")
    try w.write("config/metrics/listing_views.yaml", wrong)
    let refused = try w.shell("tocsin config check")
    #expect(refused.status == 78, "\(refused.output)")
    #expect(
      refused.output.contains(/listing_views\.yaml:\d+:\d+: .*treshold/)
        && refused.output.contains("did you mean threshold?"),
      "\(refused.output)")
  }

  @Test func theChannelsAreRead() throws {
    let w = try World()
    defer { w.end() }
    try w.write("config/tocsin.yaml", try Readme().block("Wire Slack, email and PagerDuty", "yaml").text)
    let secrets =
      "SLACK_TOKEN=xoxb-1-secret SMTP_PASSWORD=hunter2-secret PAGERDUTY_KEY=0123456789abcdef0123456789abcdef"
    let check = try w.shell("\(secrets) tocsin config check")
    #expect(check.status == 0 && check.output.contains("no faults"), "\(check.output)")
    let shown = try w.shell("\(secrets) tocsin config show")
    #expect(shown.status == 0 && shown.output.contains("data-team@company.com"), "\(shown.output)")
    for secret in ["xoxb-1-secret", "hunter2-secret", "0123456789abcdef"] { #expect(!shown.output.contains(secret)) }
    let missing = try w.shell("tocsin config check")
    #expect(missing.status == 78 && missing.output.contains("SLACK_TOKEN"), "\(missing.output)")
    #expect(missing.output.contains("SMTP_PASSWORD") && missing.output.contains("PAGERDUTY_KEY"), "\(missing.output)")
  }

  @Test(.timeLimit(.minutes(3)))
  func theSamePartsAsProcesses() async throws {
    let readme = try Readme()
    let w = try World()
    defer { w.end() }
    try w.useCommittedConfiguration(edits: [("after: 1m", "after: 1s")])
    #expect(try w.shell("tocsin sample").status == 0)
    for command in try readme.block("As processes of their own", "sh").commands {
      let words = command.split(separator: " ").map(String.init)
      #expect(words.first == "tocsin")
      try w.start(words[1], World.program.path, Array(words.dropFirst()))
      if words[1] == "serve" { try await w.ready() }
    }
    try await w.until("the detector has found the incident in the sample") {
      try w.alerts().contains { $0["anomaly"]?["source"]?.string?.hasPrefix("detector/") == true }
    }
    #expect(try w.shell(try readme.block("Send an anomaly from the shell", "sh").text).status == 0)
    try await w.until("the notifier told both") {
      !w.outbox("_firing", "_email_").isEmpty && !w.outbox("_firing", "_slack_").isEmpty
    }
    // Nobody takes pages: they wait, and say so.
    try await w.until("a page is asked for") {
      try w.lines("events").contains { $0["type"]?.string == "tocsin.alert.escalated.v1" }
    }
    #expect(w.outbox("_pagerduty_").isEmpty)
  }

  /// Two thousand half-hourly readings with a daily pattern, a spike and a collapse.
  static func readings() -> String {
    var seed: UInt64 = 42
    func noise() -> Double {
      seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Double(seed >> 33) / Double(1 << 31) * 30 - 15
    }
    let start = Timestamp(rfc3339: "2026-01-01T00:00:00Z") ?? .epoch
    var text = "timestamp,value\n"
    for i in 0..<2000 {
      var value = 1000 + 300 * sin(2 * Double.pi * Double(i % 48) / 48) + noise()
      if i == 1500 { value = 4000 }
      if (1700..<1706).contains(i) { value = 20 }
      text += "\(start + .minutes(30 * Int64(i))),\(value)\n"
    }
    return text
  }

  @Test(
    arguments: [
      ("adaptive", "{detector: adaptive, metric: level}"),
      ("zscore", "{detector: zscore, metric: level, season: hour, lookback_days: 14, threshold: 4}"),
    ])
  func aFileOfReadings(_ name: String, _ check: String) async throws {
    let w = try World()
    defer { w.end() }
    try w.write("readings.csv", ReadmeTests.readings())
    try w.useSmallConfiguration(more: "connections: {readings: {kind: csv, path: readings.csv}}")
    try w.write(
      "config/metrics/level.yaml",
      """
      event_config:
        name: level
        data_source:
          connection: readings
          date_column: timestamp
          metrics: [{column: value, alias: level}]
        every: 5m
        detection:
          checks:
            - \(check)
      """)
    func firing(_ output: String) throws -> Set<String> {
      Set(
        try output.split(separator: "\n").map { try JSON(parsing: String($0)) }.compactMap { line in
          guard line["data"]?["status"]?.string == "firing" else { return nil }
          return line["data"]?["window"]?["start"]?.string
        })
    }
    // The spike is reading 1500; the collapse begins at reading 1700.
    let spike = "2026-02-01T06:00:00Z"
    let collapse = "2026-02-05T10:00:00Z"
    for options in ["--once", "--from 2026-01-01 --to 2026-03-01"] {
      let found = try w.shell("tocsin detect \(options) --dry-run --json")
      #expect(found.status == 0, "\(found.output)")
      let windows = try firing(found.output)
      #expect(windows.isSuperset(of: [spike, collapse]), "\(name) \(options): \(windows.sorted())")
      #expect(windows.count <= 10, "\(name) \(options): \(windows.sorted())")
    }

    // The same, published: a second backfill is recognised.
    let service = try w.tocsin("serve", "serve")
    try await w.ready()
    for _ in 0..<2 {
      let run = try w.shell("tocsin detect --from 2026-01-01 --to 2026-03-01")
      #expect(run.status == 0, "\(run.output)")
    }
    // Whether it opened an alert, was counted in one or opened it again.
    let events = try w.lines("events").map(\.text)
    for window in [spike, collapse] {
      #expect(events.contains { $0.contains("\"\(window)/level/level/") }, "\(window)")
    }
    let metrics = try w.get("/metrics").body
    #expect(metrics.contains(/tocsin_anomalies_duplicate_total [1-9]/), "\(metrics.prefix(2000))")
    #expect(try await w.stop(service) == 0)
  }
}
