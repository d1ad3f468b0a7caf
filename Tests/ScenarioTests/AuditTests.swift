import Alerts
import Foundation
import Testing

/// The auditor in the program as people run it, and the heartbeat to somebody outside.
@Suite(.serialized) struct AuditTests {
  /// How many calls of the outbound heartbeat were answered well.
  private func beats(_ w: World) -> Int {
    w.hooked.count { $0["method"]?.string == "GET" && $0["failed"]?.bool == false }
  }

  @Test(.timeLimit(.minutes(3)))
  func somebodyOutsideHearsWhileAllIsWellAndASilentDetectorIsTold() async throws {
    let w = try World()
    defer { w.end() }
    let secret = "6f9619ff-8b86-d011-b42d-00c04fc964ff"
    try w.useHookConfiguration(
      more: """
        audit:
          messages_untaken: 2s
          expect_heartbeat: [{name: detector/elsewhere, within: 2s, severity: critical}]
          heartbeat: {url: "http://127.0.0.1:\(w.http)/ping/\(secret)", every: 1s, timeout: 1s}
        """)
    try await w.hooks()
    let service = try w.tocsin("up", "up")
    try await w.until("it is ready") { w.isReadyQuick() }
    try await w.until("somebody outside has heard") { self.beats(w) >= 2 }
    #expect(w.hooked.first { $0["method"]?.string == "GET" }?["path"]?.string == "/ping/\(secret)")

    // A detector that is expected and never heard is an alert, told as every other.
    try await w.until("the silence is told") { !w.arrivals("heartbeat_silent", "firing").isEmpty }
    let api = try #require(w.get(raw: "/api/v1/status"))
    #expect(api.contains(#""finding":"heartbeat_silent""#) && api.contains(#""well":true"#), "\(api)")
    #expect(w.get(raw: "/status")?.contains("detector/elsewhere should be heard every 2s") == true)
    let metrics = try #require(w.get(raw: "/metrics"))
    for line in ["tocsin_heartbeats_silent 1", "tocsin_audit_findings 1", "tocsin_audit_well 1"] {
      #expect(metrics.contains("\n\(line)\n"), "\(line)")
    }
    // It is heard: any program that speaks the bus can say so.
    try w.write("beat.py", Self.beat)
    try w.start("beat", World.python, ["beat.py", "tcp://127.0.0.1:\(w.gateway)", "detector/elsewhere"])
    try await w.until("its return is told") { !w.arrivals("heartbeat_silent", "resolved").isEmpty }

    // The address answers badly, and then not at all: the service does not mind.
    try w.write("hooks-fail", "")
    try await w.until("the failing heartbeat is said") {
      w.log("up").contains("the outbound heartbeat does not arrive")
    }
    #expect(w.log("up").contains("HTTP 503"))
    try FileManager.default.removeItem(at: w.folder.appendingPathComponent("hooks-fail"))
    try w.write("hooks-hang", "")
    let clock = ContinuousClock()
    try await Task.sleep(for: .seconds(2))
    var published: Int32 = -1
    let took = try clock.measure {
      published = try w.publish(#""event_type":"e","metric":"m","severity":"low""#).status
    }
    #expect(published == 0)
    #expect(took < .seconds(20))
    try FileManager.default.removeItem(at: w.folder.appendingPathComponent("hooks-hang"))
    let before = beats(w)
    try await w.until("it arrives again") { self.beats(w) > before + 1 }
    #expect(w.get(raw: "/metrics")?.contains("tocsin_outbound_heartbeats_failed_total") == true)

    // It dies: nothing is heard any more. That is what the other end is for.
    kill(service.processIdentifier, SIGKILL)
    service.waitUntilExit()
    let last = beats(w)
    try await Task.sleep(for: .seconds(3))
    #expect(beats(w) == last)
    // The address is a secret: it stands nowhere.
    for log in ["up"] { #expect(!w.log(log).contains(secret)) }
    let shown = try w.run("config", "show", "--json")
    #expect(shown.output.contains("\"heartbeat\"") && !shown.output.contains(secret), "\(shown.output)")
  }

  static let beat = """
    import sys, time, zmq
    dealer = zmq.Context().socket(zmq.DEALER)
    dealer.connect(sys.argv[1])
    while True:
        dealer.send_multipart([b"TOCSIN1", b"heartbeat", sys.argv[2].encode(), b"{}"])
        time.sleep(0.3)
    """

  /// Nobody serves a channel: the message waits, the auditor says so, and the outbound heartbeat ends, since nothing else could tell.
  @Test(.timeLimit(.minutes(3)))
  func aNotifierThatIsMissingStopsTheOutboundHeartbeat() async throws {
    let w = try World()
    defer { w.end() }
    try w.useHookConfiguration(
      more: """
        audit:
          messages_untaken: 2s
          heartbeat: {url: "http://127.0.0.1:\(w.http)/ping", every: 1s}
        """)
    try await w.hooks()
    try w.tocsin("serve", "serve")
    try await w.until("it is ready") { w.isReadyQuick() }
    try await w.until("somebody outside has heard") { self.beats(w) >= 1 }
    #expect(try w.publish(#""event_type":"e","metric":"m","severity":"critical""#).status == 0)
    try await w.until("the audit finds it") {
      w.get(raw: "/metrics")?.contains("\ntocsin_audit_well 0\n") ?? false
    }
    let last = beats(w)
    try await Task.sleep(for: .seconds(3))
    #expect(beats(w) <= last + 1)
    #expect(try w.alerts().contains { $0["anomaly"]?["data"]?["metric"]?.string == "messages_untaken" })

    // A notifier comes: both messages go out, the alert is cleared, and the heartbeat is heard again.
    let notifier = try w.tocsin("notify", "notify", "--name", "n1")
    try await w.until("the message arrives") { !w.arrivals("m", "firing").isEmpty }
    try await w.until("all is well", seconds: 120) {
      w.get(raw: "/metrics")?.contains("\ntocsin_audit_well 1\n") ?? false
    }
    let before = beats(w)
    try await w.until("somebody outside hears again") { self.beats(w) > before }
    try await w.until("its end is told") {
      w.arrivals("messages_untaken", "firing").isEmpty || !w.arrivals("messages_untaken", "resolved").isEmpty
    }
    #expect(notifier.isRunning)
  }

  /// A detector says itself that it must be heard: one that is stopped takes its leave, one that is killed is missed.
  @Test(.timeLimit(.minutes(3)))
  func aKilledDetectorIsMissed() async throws {
    let w = try World()
    defer { w.end() }
    try w.useHookConfiguration(
      more: """
        connections: {readings: {kind: csv, path: readings.csv}}
        audit: {expect_heartbeat: [{name: detector/two, within: 15s}]}
        """)
    try w.write("readings.csv", "timestamp,value\n2026-01-01T00:00:00Z,5\n")
    try w.write(
      "config/metrics/level.yaml",
      """
      event_config:
        name: level
        data_source: {connection: readings, date_column: timestamp, metrics: [{column: value, alias: level}]}
        every: 5m
        detection: {checks: [{detector: threshold, metric: level, max_value: 100}]}
      """)
    try w.tocsin("serve", "serve")
    try await w.until("it is ready") { w.isReadyQuick() }
    func expected(_ n: Int, silent: Int) -> Bool {
      let metrics = w.get(raw: "/metrics") ?? ""
      return metrics.contains("\ntocsin_heartbeats_expected \(n)\n")
        && metrics.contains("\ntocsin_heartbeats_silent \(silent)\n")
    }
    let one = try w.tocsin("one", "detect", "--name", "one")
    let two = try w.tocsin("two", "detect", "--name", "two")
    // The one is expected because it says so, the other because the configuration does.
    try await w.until("both detectors are expected and heard") { expected(2, silent: 0) }
    #expect(try await w.stop(one) == 0)
    try await w.until("the one has taken its leave") { expected(1, silent: 0) }
    kill(two.processIdentifier, SIGKILL)
    try await w.until("the other is missed") { expected(1, silent: 1) }
    let alert = try #require(try w.alerts().first { $0["anomaly"]?["data"]?["metric"]?.string == "heartbeat_silent" })
    #expect(alert["anomaly"]?["data"]?["dimensions"]?["heartbeat"]?.string == "detector/two")
  }
}
