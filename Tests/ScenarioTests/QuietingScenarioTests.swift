import Alerts
import Foundation
import Testing

/// Every rule that keeps people from hearing too much, written into the configuration of a running program: each reaches what it is for.
@Suite(.serialized) struct QuietingScenarioTests {
  private var now: Timestamp { Timestamp(microseconds: Int64(Date().timeIntervalSince1970 * 1e6)) }

  /// `HH:MM` in UTC.
  private func clock(_ t: Timestamp) -> String { String(t.rfc3339.dropFirst(11).prefix(5)) }

  private func rules(_ w: World) -> String {
    """
    timezone: UTC
    log: sqlite:data/tocsin.sqlite
    bus: {gateway: "tcp://127.0.0.1:\(w.gateway)", feed: "tcp://127.0.0.1:\(w.feed)"}
    console: {listen: "127.0.0.1:\(w.console)"}
    receivers:
      data-team: {slack: "#data-alerts"}
      sleeper: {slack: "#night", quiet_hours: {from: "\(clock(now - .hours(1)))", until: "\(clock(now + .hours(1)))", below: critical}}
      lookout: {slack: "#silences"}
      masses: {slack: "#masses"}
      taker: {slack: "#taker"}
    policies:
      short: {steps: [{notify: [taker]}, {after: 1h, notify: [taker]}], acknowledge_timeout: 3s, acknowledge_reminder: 2s}
    routes:
      - {match: {event_type: acknowledged}, policy: short}
      - {match: {event_type: quiet}, notify: [sleeper]}
      - {match: {event_type: storm}, notify: [masses]}
      - {match: {severity: critical}, notify: [data-team]}
      - {dashboard_only: true}
    channels: {outbox: {directory: data/outbox}}
    reopen_within: 2s
    stale_after: [{match: {event_type: stale}, after: 2s}, {after: never}]
    flapping: {changes: 2, within: 1h, steady_after: 1h}
    storms: {after: 2, within: 1m, wait: 1s, interval: 5s}
    inhibitions:
      - {name: host down, source: {metric: down}, target: {metric: [cpu, disk]}, equal: [host]}
    dependencies:
      service: {web: [database]}
    maintenance:
      - {name: migration, match: {event_type: migrated}, at: "\(clock(now - .minutes(2)))", for: 1h}
    silences: {warning: 1m, notify: [lookout], longest: 2h, confirm_over: 0}
    """
  }

  @Test(.timeLimit(.minutes(4)))
  func eachRuleIsTakenUpByARunningService() async throws {
    let w = try World()
    defer { w.end() }
    try w.useSmallConfiguration()
    let up = try w.tocsin("up", "up")
    try await w.ready()
    try w.write("config/tocsin.yaml", rules(w))
    try await w.until("the rules are taken up", seconds: 30) { w.log("up").contains("the configuration was taken up") }

    func publish(_ lines: [String]) throws {
      try w.write("lines.jsonl", lines.map { "{\($0)}" }.joined(separator: "\n") + "\n")
      let r = try w.shell("tocsin publish --gateway tcp://127.0.0.1:\(w.gateway) --file lines.jsonl")
      #expect(r.status == 0, "\(r.output)")
    }
    func event(_ type: String, _ more: String = "\"severity\":\"critical\"") -> String {
      "\"event_type\":\"\(type)\",\"metric\":\"m\",\(more)"
    }
    func facts(_ type: String) throws -> [JSON] { try w.lines("events --type \(type)").compactMap { $0["data"] } }
    func alert(_ type: String) throws -> JSON? {
      try w.alerts().first { $0["anomaly"]?["data"]?["event_type"]?.string == type }
    }

    // What explains what, by rule and by dependency; what is under maintenance; what is quiet.
    try publish([
      #""event_type":"hosts","metric":"down","severity":"critical","dimensions":{"host":"a"}"#,
      #""event_type":"hosts","metric":"cpu","severity":"critical","dimensions":{"host":"a"}"#,
      #""event_type":"hosts","metric":"cpu","severity":"critical","dimensions":{"host":"b"}"#,
      #""event_type":"services","metric":"m","severity":"low","dimensions":{"service":"database"}"#,
      #""event_type":"services","metric":"n","severity":"low","dimensions":{"service":"web"}"#,
      event("migrated"), event("quiet", "\"severity\":\"medium\""), event("stale", "\"severity\":\"low\""),
    ])
    let inhibited = try facts("inhibited")
    #expect(inhibited.compactMap { $0["data"]?["rule"]?.string }.sorted() == ["depends on service", "host down"])
    #expect(try facts("silence_added").first?["actor"] == "maintenance/migration")
    try await w.until("the tables say so") { try alert("migrated")?["silenced_by"]?[0] == "S-1" }
    let quiet = try facts("notification_requested").first { $0["data"]?["receiver"] == "sleeper" }
    #expect(quiet?["data"]?["not_before"]?.int ?? 0 > now.microseconds, "\(quiet?.text ?? "nothing was requested")")
    try await w.until("what nobody spoke of is stale", seconds: 20) { try alert("stale")?["resolved_how"] == "stale" }
    #expect(w.outbox("sleeper").isEmpty && w.outbox("night").isEmpty)

    // A storm: the first two by themselves, the others in one.
    try publish((0..<4).map { "\"event_type\":\"storm\",\"metric\":\"m\($0)\",\"severity\":\"critical\"" })
    try await w.until("the rest comes in one message", seconds: 30) { !w.outbox("_summary", "masses").isEmpty }
    #expect(w.outbox("_firing", "masses").count <= 2, "\(w.outbox("masses"))")

    // It comes and goes.
    let (on, off) = (event("flaps", "\"severity\":\"low\""), event("flaps", "\"status\":\"resolved\""))
    try publish([on, off, on, off, on])
    #expect(try facts("flapping").count == 1)

    // It ends, and comes back after the time in which it would be the same.
    try publish([event("returns", "\"severity\":\"low\""), event("returns", "\"status\":\"resolved\"")])
    try await Task.sleep(for: .seconds(2.2))
    try publish([event("returns", "\"severity\":\"low\"")])
    try await w.until("it is a new life") { try alert("returns")?["generation"] == 2 }

    // An acknowledgement reminds, runs out, and says why people hear of it again.
    try publish([event("acknowledged")])
    try await w.until("it is there") { try alert("acknowledged") != nil }
    let id = try #require(try alert("acknowledged")?["id"]?.string)
    try await w.until("it is told") { !w.outbox("\(id)_firing").isEmpty }
    #expect(try w.shell("tocsin alerts ack \(id) --as ana").status == 0)
    try await w.until("the acknowledgement has run out", seconds: 30) {
      try facts("unacknowledged").contains { $0["alert"]?.string == id && $0["data"]?["reason"] == "timeout" }
    }
    #expect(
      try facts("notification_requested").contains {
        $0["alert"]?.string == id && $0["data"]?["purpose"] == "reminder"
      })
    try await w.until("the message says why") {
      try w.outbox("\(id)_firing").contains { file in
        try w.contents("data/outbox/\(file)").contains("the acknowledgement by ana ran out")
      }
    }

    // Silences: a look first, a bound, a word to those who want to know, and the windows beside them.
    let preview = try w.shell("tocsin silences add event_type=hosts --preview")
    #expect(preview.status == 0 && preview.output.contains("3 alerts"), "\(preview.output)")
    let broad = try w.shell("tocsin silences add event_type=hosts --for 1h --as ana")
    #expect(broad.status == 1 && broad.output.contains("--yes"), "\(broad.output)")
    let long = try w.shell("tocsin silences add event_type=hosts --for 3h --yes --as ana")
    #expect(long.status == 1 && long.output.contains("2h at most"), "\(long.output)")
    let meant = try w.shell("tocsin silences add event_type=hosts --for 1h --yes --as ana --note moving")
    #expect(meant.status == 0, "\(meant.output)")
    try await w.until("it is said that there is a silence") { !w.outbox("_notice", "lookout").isEmpty }
    let list = try w.shell("tocsin silences list")
    for wanted in ["moving", "window migration", "every day at", "it would hold back 1 alert now"] {
      #expect(list.output.contains(wanted), "\(wanted): \(list.output)")
    }
    let windows = try w.lines("silences list --json").filter { $0["window"] != nil }
    #expect(windows.first?["hits"] == 1 && windows.first?["next_starts_at"] != nil, "\(windows)")
    let page = try w.get("/silences")
    #expect(page.status == 200 && page.body.contains("migration"))

    // Until its value changes.
    let value = #""event_type":"rows","metric":"m","severity":"low","value":"#
    try publish([value + "17"])
    try await w.until("it is there") { try alert("rows") != nil }
    let rows = try #require(try alert("rows")?["id"]?.string)
    #expect(try w.shell("tocsin alerts snooze \(rows) --until-change --as ana").status == 0)
    try publish([value + "17"])
    #expect(try facts("unsnoozed").isEmpty)
    try publish([value + "18"])
    #expect(try facts("unsnoozed").first?["data"]?["reason"] == "value_changed")

    // Taken away again: what only the rules held is free, while the program runs.
    try w.useSmallConfiguration()
    try await w.until("the window has ended with its rule", seconds: 30) {
      try facts("silence_expired").contains { $0["alert"] == "S-1" } && facts("uninhibited").count >= 2
    }
    #expect(try w.shell("tocsin log verify").status == 0)
    #expect(try await w.stop(up) == 0, "\(w.log("up"))")
  }

  @Test(.timeLimit(.minutes(2)))
  func theDoctorSaysWhatIsWrongAndWhatToDo() async throws {
    let w = try World()
    defer { w.end() }
    let nothing = try w.shell("tocsin doctor")
    #expect(nothing.status == 1 && nothing.output.contains("there is no such file"), "\(nothing.output)")
    try w.useSmallConfiguration()
    let down = try w.shell("tocsin doctor --timeout 1s")
    #expect(down.status == 1 && down.output.contains("does not answer"), "\(down.output)")
    #expect(down.output.contains("start it with tocsin up"), "\(down.output)")

    try w.tocsin("up", "up")
    try await w.ready()
    try await w.until("all is well", seconds: 60) { try w.shell("tocsin doctor").status == 0 }
    let well = try w.lines("doctor --json")
    let parts: Set<String> = Set(well.compactMap { $0["part"]?.string })
    let looked: Set<String> = ["configuration", "service", "worker", "log", "tables", "deliveries"]
    #expect(parts.isSuperset(of: looked), "\(parts)")
    #expect(well.allSatisfy { $0["level"] != "bad" }, "\(well)")

    // A delivery that can't be made is named with its reason.
    try w.write(
      "config/tocsin.yaml",
      try w.contents("config/tocsin.yaml").replacingOccurrences(
        of: "data-team: {slack: \"#data-alerts\"}", with: "data-team: {command: [/bin/false], patience: 1s}"))
    try await w.until("it is taken up", seconds: 30) { w.log("up").contains("the configuration was taken up") }
    #expect(try w.publish(#""event_type":"one","metric":"m","severity":"critical""#).status == 0)
    try await w.until("the failure is found", seconds: 60) {
      let r = try w.shell("tocsin doctor")
      return r.status == 1 && r.output.contains("to data-team by command failed within a day")
    }
  }
}
