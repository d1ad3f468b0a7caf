import Alerts
import Foundation
import Testing

/// What people and other programs do wrong, to whole processes: each is told what, where and what to do, and nothing else suffers.
@Suite(.serialized) struct BadInputTests {
  @Test func aWrongConfigurationIsRefusedWithEveryFault() throws {
    let w = try World()
    defer { w.end() }
    try w.write(
      "config/tocsin.yaml",
      """
      log: sqlite:data/tocsin.sqlite
      recievers:
        data-team: {email: [data-team@example.com]}
      receivers:
        data-team: {email: [data-team@example.com]}
      routes:
        - {match: {severity: critical}, notify: [data-taem]}
        - {match: {}, dashboard_only: maybe}
      channels:
        slack: {token: "${NO_SUCH_VARIABLE}"}
      """)
    try w.write("config/metrics/orders.yaml", "event_config:\n  name: orders\n  every: often\n")
    for verb in ["serve", "up", "detect", "notify", "config check"] {
      let r = try w.shell("tocsin \(verb)", seconds: 20)
      #expect(r.status == 78, "\(verb): \(r.output)")
      for place in [
        "tocsin.yaml:2:1: ", "tocsin.yaml:7:", "tocsin.yaml:8:", "tocsin.yaml:10:", "metrics/orders.yaml:3:",
      ] { #expect(r.output.contains(place), "\(verb) says nothing about \(place): \(r.output)") }
      #expect(
        r.output.contains("did you mean \"receivers\"?") && r.output.contains("did you mean \"data-team\"?"),
        "\(r.output)")
      #expect(r.output.contains("NO_SUCH_VARIABLE"))
    }
    #expect(!FileManager.default.fileExists(atPath: w.folder.appendingPathComponent("data/tocsin.sqlite").path))

    try w.write("config/tocsin.yaml", "routes:\n  - {match: {severity: critical}\nreceivers: {}\n")
    let broken = try w.shell("tocsin serve", seconds: 20)
    #expect(broken.status == 78 && broken.output.contains(/tocsin\.yaml:\d+:\d+:/), "\(broken.output)")

    let nowhere = try w.shell("tocsin serve --config nowhere", seconds: 20)
    #expect(nowhere.status == 78 && nowhere.output.contains("nowhere"), "\(nowhere.output)")
  }

  @Test func anUnreadableRowDoesNotHideItsNeighbours() throws {
    let w = try World()
    defer { w.end() }
    try w.useSmallConfiguration(more: "connections: {readings: {kind: csv, path: readings.csv}}")
    try w.write(
      "config/metrics/level.yaml",
      """
      event_config:
        name: level
        data_source: {connection: readings, date_column: timestamp, metrics: [{column: value, alias: level}]}
        every: 5m
        detection:
          checks: [{detector: threshold, metric: level, max_value: 100, severity: high}]
      """)
    try w.write(
      "readings.csv",
      """
      timestamp,value
      2026-01-01T00:00:00Z,5
      2026-01-01T00:10:00Z,not a number
      yesterday,7
      "an open quote,8
      """ + "\"\n2026-01-01T00:20:00Z,250\n2026-01-01T00:30:00Z,6\n")
    let r = try w.shell("tocsin detect --once --dry-run")
    #expect(r.status == 0, "\(r.output)")
    #expect(r.output.contains("2026-01-01T00:20:00Z") && r.output.contains("1 anomalies"), "\(r.output)")
    #expect(r.output.contains(/[1-9] rows can't be read: .*line [345]/), "\(r.output)")

    try FileManager.default.removeItem(at: w.folder.appendingPathComponent("readings.csv"))
    let gone = try w.shell("tocsin detect --once --dry-run")
    #expect(gone.status == 1 && gone.output.contains("there is no file readings.csv"), "\(gone.output)")
  }

  @Test(.timeLimit(.minutes(2)))
  func garbageOnTheBusIsAnsweredAndItsNeighboursAreTaken() async throws {
    let w = try World()
    defer { w.end() }
    try w.useSmallConfiguration()
    let service = try w.tocsin("serve", "serve")
    try await w.ready()
    let r = try w.shell("\(World.python) '\(World.server("garbage.py"))' tcp://127.0.0.1:\(w.gateway)", seconds: 100)
    #expect(r.status == 0, "\(r.output)")
    var answers: [String: [String]] = [:]
    for line in r.output.split(separator: "\n") {
      let json = try JSON(parsing: String(line))
      answers[json["case"]?.string ?? ""] = json["answer"]?.array?.compactMap(\.string)
    }
    for (name, expected) in [
      ("noise", ["error"]), ("empty frames", ["error"]), ("another protocol", ["error", "version"]),
      ("unknown kind", ["error", "malformed"]), ("too few frames", ["error", "malformed"]),
      ("no number", ["error", "malformed"]), ("too large", ["error", "too_large"]),
      ("broken command", ["reply", "r1"]), ("unknown command", ["reply", "r2"]), ("nobody's alert", ["reply", "r3"]),
      ("broken receipt", ["error", "malformed"]), ("beside garbage", ["stored", "1"]), ("afterwards", ["stored", "4"]),
    ] {
      let answer = answers[name] ?? []
      #expect(Array(answer.dropFirst().prefix(expected.count)) == expected, "\(name): \(answer)")
      if answer.count > 3, expected[0] == "error" { #expect(answer[3].count > 10, "\(name): \(answer)") }
    }
    #expect(answers["nobody's alert"]?.last?.contains("unknown_alert") == true)
    let beside = try JSON(parsing: answers["beside garbage"]?.last ?? "")
    #expect(beside["accepted"]?.text == "2")
    #expect(beside["rejected"]?.array?.compactMap { $0["index"]?.text } == (1...8).map(String.init), "\(beside.text)")
    #expect(beside["rejected"]?.array?.allSatisfy { ($0["error"]?.string?.count ?? 0) > 10 } == true)

    let stored = try w.alerts().compactMap { $0["anomaly"]?["id"]?.string }
    #expect(Set(stored) == ["good-1", "good-2", "good-3"] && stored.count == 3)
    #expect(w.isReady())
    let verified = try w.shell("tocsin log verify")
    #expect(verified.status == 0, "\(verified.output)")
    #expect(try await w.stop(service) == 0)
  }

  @Test func aWrongLineForPublishIsNamed() async throws {
    let w = try World()
    defer { w.end() }
    try w.useSmallConfiguration()
    try w.tocsin("serve", "serve")
    try await w.ready()
    try w.write(
      "lines.jsonl",
      #"{"event_type":"a","metric":"m","value":1}"# + "\n{oops\n" + #"{"metric":"m"}"# + "\n"
        + #"{"event_type":"b","metric":"m","severity":"loud"}"# + "\n" + #"{"event_type":"c","metric":"m"}"# + "\n")
    let r = try w.shell("tocsin publish --file lines.jsonl")
    #expect(r.status == 1 && r.output.contains("2 accepted"), "\(r.output)")
    for line in 2...4 { #expect(r.output.contains("line \(line)"), "\(r.output)") }
    let missing = try w.shell("tocsin publish --file nothing.jsonl")
    #expect(missing.status == 1 && missing.output.contains("nothing.jsonl can't be read"), "\(missing.output)")
  }

  @Test(.timeLimit(.minutes(3)))
  func slackAnswers500AndThen200() async throws {
    let w = try World()
    defer { w.end() }
    try w.useSmallConfiguration()
    let text = try w.contents("config/tocsin.yaml").replacingOccurrences(
      of: "outbox: {directory: data/outbox}",
      with: "slack: {token: \"xoxb-secret-token\", api_url: \"http://127.0.0.1:\(w.http)/api\"}")
    try w.write("config/tocsin.yaml", text)
    try w.write("slack-fails", "2")
    try await w.receivers()
    try w.tocsin("up", "up")
    try await w.ready()
    let sent = try w.publish(#""event_type":"orders","metric":"failed","value":250,"severity":"critical""#)
    #expect(sent.status == 0, "\(sent.output)")
    try await w.until("it was delivered in the end") { w.of("slack").count == 1 }
    #expect(w.of("refused").count == 2)
    try await w.until("the delivery is in the log") {
      try w.lines("events --alert A-1").contains { $0["type"]?.string == "tocsin.alert.notification_delivered.v1" }
    }
    let attempts = try w.lines("events --alert A-1").filter {
      $0["type"]?.string == "tocsin.alert.notification_attempted.v1"
    }
    #expect(attempts.count == 2)
    #expect(attempts.allSatisfy { $0.text.contains("500") }, "\(attempts.map(\.text))")
    #expect(!w.log("up").contains("xoxb-secret-token"))
  }

  @Test(.timeLimit(.minutes(2)))
  func aSecondServiceIsRefused() async throws {
    let w = try World()
    defer { w.end() }
    try w.useSmallConfiguration()
    let first = try w.tocsin("serve", "serve")
    try await w.ready()

    let sameLog = try w.shell("exec tocsin serve", seconds: 30)
    #expect(sameLog.status == 1 && sameLog.output.contains("process \(first.processIdentifier)"), "\(sameLog.output)")
    #expect(sameLog.output.contains("data/tocsin.sqlite") && sameLog.output.contains("stop it first"))

    // Another log, and one of the three ports taken.
    let spare = (World.freePort(), World.freePort(), World.freePort())
    for (taken, gateway, feed, console) in [
      (w.gateway, w.gateway, spare.1, spare.2), (w.feed, spare.0, w.feed, spare.2),
      (w.console, spare.0, spare.1, w.console),
    ] {
      for verb in ["serve", "up"] {
        try FileManager.default.createDirectory(
          at: w.folder.appendingPathComponent("other/metrics"), withIntermediateDirectories: true)
        try w.write(
          "other/tocsin.yaml",
          """
          log: sqlite:other/tocsin.sqlite
          bus: {gateway: "tcp://127.0.0.1:\(gateway)", feed: "tcp://127.0.0.1:\(feed)"}
          console: {listen: "127.0.0.1:\(console)"}
          """)
        let r = try w.shell("exec tocsin \(verb) --config other", seconds: 30)
        #expect(r.status == 1, "\(verb), port \(taken): \(r.status) \(r.output)")
        #expect(r.output.contains("127.0.0.1:\(taken)"), "\(verb), port \(taken): \(r.output)")
      }
    }
    #expect(w.isReady())
    #expect(try w.publish(#""event_type":"a","metric":"m""#).status == 0)
  }
}

extension World {
  static func server(_ name: String) -> String {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Servers/\(name)").path
  }
}
