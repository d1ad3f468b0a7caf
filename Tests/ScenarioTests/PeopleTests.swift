import Alerts
import EventLog
import Foundation
import Testing

/// People who are told and who answer from where they are, with the whole program.
@Suite(.serialized) struct PeopleTests {
  /// Whoever is on call is told by mail, opens its link, presses the button; each message is accounted for.
  @Test(.timeLimit(.minutes(2))) func whoeverIsOnCallAnswersFromTheMail() async throws {
    let w = try World()
    defer { w.end() }
    try w.write(
      "config/tocsin.yaml",
      """
      bus: {gateway: "tcp://127.0.0.1:\(w.gateway)", feed: "tcp://127.0.0.1:\(w.feed)"}
      console: {listen: "127.0.0.1:\(w.console)", public_url: "http://127.0.0.1:\(w.console)"}
      people:
        ana: {email: ana@example.com}
        ben: {email: ben@example.com}
      schedules:
        rota: {rotation: daily, people: [ben], overrides: [{person: ana, from: 2026-01-01T00:00:00Z, until: 2099-01-01T00:00:00Z}]}
        empty: {rotation: daily, start: 2090-01-01, people: [ben]}
      receivers:
        oncall: {schedule: rota}
        nobody: {schedule: empty, fallback: oncall}
      policies: {p: {steps: [{notify: [nobody]}, {after: 10m, notify: [oncall]}], acknowledge_timeout: 4h}}
      routes: [{match: {severity: critical}, policy: p}]
      channels:
        outbox: {directory: data/outbox}
        links: {secret: "0123456789abcdef0123456789abcdef"}
      """)
    let check = try w.shell("tocsin config check")
    #expect(check.status == 0 && check.output.contains("no faults"), "\(check.output)")
    try w.tocsin("up", "up")
    try await w.ready()
    #expect(
      try w.publish("\"event_type\":\"orders\",\"metric\":\"failed\",\"value\":250,\"severity\":\"critical\"").status
        == 0)
    try await w.until("ana got a mail") { w.outbox("A-1_firing", "_email_").count == 1 }

    // The mail went to ana, in the place of a receiver by which nobody could be reached, and says so in the history.
    let mail = try w.contents("data/outbox/" + w.outbox("A-1_firing", "_email_")[0])
    #expect(mail.contains("To: ana@example.com"))
    let history = try w.shell("tocsin alerts show A-1")
    #expect(history.output.contains("Nobody could be reached by nobody"), "\(history.output)")

    // Opening the link changes nothing; its button acknowledges in ana's name.
    let flat = mail.replacingOccurrences(of: "=\r\n", with: "").replacingOccurrences(of: "=\n", with: "")
    let start = try #require(flat.range(of: "/links/"))
    let path = "/links/" + flat[start.upperBound...].prefix { $0.isLetter || $0.isNumber || "._-".contains($0) }
    let page = try w.get(path)
    #expect(page.status == 200 && page.body.contains("Acknowledge as ana"), "\(page)")
    #expect(try w.alerts().first?["state"]?.string == "open")
    func press() throws -> String {
      try w.shell("curl -sS -m 10 -X POST http://127.0.0.1:\(w.console)\(path)").output
    }
    #expect(try press().contains("Acknowledged by ana"))
    #expect(try press().contains("Acknowledged by ana"))
    let alert = try #require(try w.alerts().first)
    #expect(alert["state"]?.string == "acknowledged" && alert["acknowledged_by"]?.string == "ana")
    let events = try w.lines("events --alert A-1")
    #expect(events.count { $0["type"]?.string?.contains("acknowledged") == true } == 1)
    #expect(try w.get(path + "x").status == 404)

    // What became of it.
    let listed = try w.lines("deliveries --json")
    #expect(listed.map { $0["state"]?.string } == ["delivered"])
    #expect(listed.first?["receiver"]?.string == "oncall")
    let number = try #require(listed.first?["number"]?.int)
    let one = try w.shell("tocsin deliveries show \(number)")
    #expect(one.output.contains("try 1: delivered") && one.output.contains("ana@example.com"), "\(one.output)")
    let table = try w.shell("tocsin deliveries --alert A-1")
    #expect(table.output.split(separator: "\n").allSatisfy { $0.count <= 80 })
    #expect(try w.shell("tocsin deliveries --failed").output == "no deliveries\n")

    // Who is on call.
    let shown = try w.shell("tocsin oncall show rota")
    #expect(shown.output.contains("now   ana") && shown.output.contains("(override)"), "\(shown.output)")
    let at = try w.lines("oncall show rota --at 2099-06-01T12:00:00Z --json")
    #expect(at.first?["now"]?["person"]?.string == "ben")
    let week = try w.shell("tocsin oncall week rota --from 2026-11-16")
    #expect(week.output.split(separator: "\n").allSatisfy { $0.count <= 80 } && week.output.contains("a ana"))
    #expect(try w.get("/oncall").body.contains("rota"))
    let feed = try w.shell("curl -sS -D - http://127.0.0.1:\(w.console)/oncall/rota.ics")
    #expect(feed.output.contains("text/calendar") && feed.output.contains("SUMMARY:ana is on call for rota"))
    #expect(try w.shell("tocsin oncall show nowhere").status == 64)
  }

  /// The process is killed again and again while its digests fall due: each receiver is owed each of them once, and gets it.
  @Test(.timeLimit(.minutes(4))) func digestsAreOrderedOnceHoweverOftenItIsKilled() async throws {
    let w = try World()
    defer { w.end() }
    // A log that began four days ago, so that digests of days that are over are due at the start.
    let begun = Timestamp(microseconds: Int64(Date().timeIntervalSince1970 * 1e6)) - .days(4)
    try FileManager.default.createDirectory(
      at: w.folder.appendingPathComponent("data"), withIntermediateDirectories: true)
    do {
      let log = try SQLiteEventLog(path: w.folder.appendingPathComponent("data/tocsin.sqlite").path)
      var anomaly = Anomaly(id: "1", source: "detector/old", time: begun, eventType: "orders", metric: "failed")
      anomaly.severity = .critical
      let event = RecordedEvent(
        position: 1, subject: Subject(.alert, 1), version: 1, occurredAt: begun, recordedAt: begun,
        actor: "detector/old", cause: nil,
        event: .detected(
          Detected(
            generation: 1, previous: nil, dedupKey: "k", severity: .critical,
            route: RouteTaken(configuration: 1, index: nil, match: "", dashboardOnly: true), anomaly: anomaly)))
      try log.append(Commit(events: [StoredEvent(event)], recordedAt: begun))
    }
    try w.useSmallConfiguration(
      more: """
        digests:
          - {period: daily, at: "00:00", to: [data-team, board]}
          - {period: daily, at: "00:00", timezone: Pacific/Auckland, to: [board]}
        """)
    let text = try w.contents("config/tocsin.yaml")
    try w.write(
      "config/tocsin.yaml",
      text.replacingOccurrences(of: "receivers:\n", with: "receivers:\n  board: {email: board@example.com}\n"))
    var random = SystemRandomNumberGenerator()
    var kills = 0
    func orders() -> [String] {
      ((try? w.lines("events")) ?? []).filter {
        $0["type"]?.string?.contains("notification_requested") == true
          && $0["data"]?["data"]?["purpose"]?.string == "digest"
      }.compactMap { $0["data"]?["data"]?["key"]?.string }
    }
    for _ in 0..<8 {
      let up = try w.tocsin("up", "up")
      try await Task.sleep(for: .milliseconds(Int.random(in: 150...1500, using: &random)))
      kill(up.processIdentifier, SIGKILL)
      up.waitUntilExit()
      kills += 1
    }
    let up = try w.tocsin("up", "up")
    try await w.until("every digest is delivered") {
      let delivered = try w.lines("deliveries --state delivered --limit 500 --json")
      let pending = try w.lines("deliveries --pending --json")
      return Set(delivered.compactMap { $0["key"]?.string }).count >= 2 && pending.isEmpty
    }
    try await Task.sleep(for: .seconds(1))
    let keys = orders()
    #expect(Set(keys).count == keys.count, "\(kills) kills: \(keys)")
    let zones = Set(keys.map { $0.split(separator: "/").prefix(4).joined(separator: "/") })
    // One for data-team; for the board one or two, as the day in Auckland is the same or another.
    #expect(zones.count == keys.count && (2...3).contains(keys.count), "\(keys)")
    #expect(try await w.stop(up) == 0)
  }
}
