import Alerts
import Foundation
import Testing

/// What becomes of messages that do not arrive, as the people who run it see it.
@Suite(.serialized) struct ReachingScenarioTests {
  private func configure(_ w: World, _ receivers: String, _ rest: String) throws {
    try w.write(
      "config/tocsin.yaml",
      """
      bus: {gateway: "tcp://127.0.0.1:\(w.gateway)", feed: "tcp://127.0.0.1:\(w.feed)"}
      console: {listen: "127.0.0.1:\(w.console)"}
      receivers:
      \(receivers)
      \(rest)
      """)
  }

  /// A critical alert's message is refused for good: the fallback is told, the next step comes at once, and it shows wherever somebody looks.
  @Test(.timeLimit(.minutes(2))) func aRefusedMessageIsNeverSilent() async throws {
    let w = try World()
    defer { w.end() }
    try configure(
      w,
      """
        broken: {webhook: "http://127.0.0.1:\(w.console)/nowhere", fallback: standby}
        standby: {slack: "#standby"}
        boss: {email: [boss@x.org]}
      """,
      """
      policies: {p: {steps: [{notify: [broken]}, {after: 30m, notify: [boss]}]}}
      routes: [{match: {severity: critical}, policy: p}, {dashboard_only: true}]
      channels: {outbox: {directory: data/outbox}}
      """)
    try w.tocsin("up", "up")
    try await w.ready()
    #expect(try w.publish("\"event_type\":\"orders\",\"metric\":\"m\",\"severity\":\"critical\"").status == 0)
    try await w.until("the fallback and the next step are told, long before its time", seconds: 30) {
      w.outbox("A-1_firing", "standby").count == 1 && w.outbox("A-1_firing", "boss").count == 1
    }
    let mail = try w.contents("data/outbox/" + w.outbox("A-1_firing", "boss")[0])
    let flat = mail.replacingOccurrences(of: "=\r\n", with: "")
    #expect(flat.contains("a message to broken could not be delivered"), "\(flat)")
    try await w.until("the tables say so", seconds: 30) { try !w.lines("deliveries --failed --json").isEmpty }
    #expect(try w.shell("tocsin alerts show A-1").output.contains("Not delivered, for good"))
    #expect(try w.shell("tocsin deliveries --failed").output.contains("broken/webhook"))
    let mark = "1 message could not be delivered"
    #expect(try w.get("/").body.contains(mark) && w.get("/alerts/A-1").body.contains(mark))
    #expect(
      try w.get("/metrics").body.contains("tocsin_deliveries_failed_day{receiver=\"broken\",channel=\"webhook\"} 1\n"))
    let digest = try w.shell("tocsin digest --period daily --ending $(date -u +%F)").output
    #expect(digest.contains("1 message to broken by webhook failed"), "\(digest)")
    #expect(try w.shell("tocsin doctor").output.contains("broken by webhook failed"))
  }

  /// A provider asks for patience: what waits behind that says so, with the time at which it goes on.
  @Test(.timeLimit(.minutes(2))) func whatWaitsForAProviderSaysSo() async throws {
    let w = try World()
    defer { w.end() }
    let port = World.freePort()
    try w.write(
      "busy.py",
      """
      import http.server
      class Busy(http.server.BaseHTTPRequestHandler):
          def do_POST(self):
              self.rfile.read(int(self.headers.get("Content-Length", 0)))
              self.send_response(429)
              self.send_header("Retry-After", "900")
              self.send_header("Content-Length", "0")
              self.end_headers()
          def log_message(self, *_): pass
      http.server.ThreadingHTTPServer(("127.0.0.1", \(port)), Busy).serve_forever()
      """)
    try w.start("busy", World.python, ["busy.py"])
    try configure(
      w, "  chat: {slack: \"#chat\"}",
      """
      routes: [{notify: [chat]}]
      channels: {slack: {token: xoxb, api_url: "http://127.0.0.1:\(port)"}}
      """)
    try w.tocsin("up", "up")
    try await w.ready()
    #expect(try w.publish("\"event_type\":\"one\",\"metric\":\"m\",\"severity\":\"high\"").status == 0)
    try await w.until("the first is turned away", seconds: 30) {
      try w.shell("tocsin deliveries").output.contains("try 1 did not deliver: answer 429")
    }
    #expect(try w.publish("\"event_type\":\"two\",\"metric\":\"m\",\"severity\":\"high\"").status == 0)
    try await w.until("the second waits for the same", seconds: 30) {
      try w.lines("deliveries --pending --json").contains { $0["held"]?.bool == true }
    }
    let held = try #require(try w.lines("deliveries --pending --json").first { $0["held"]?.bool == true })
    #expect(held["subject"]?.string == "A-2" && held["attempts"]?.int == 0 && held["eta"]?.string != nil)
    #expect(held["waiting_for"]?.string?.hasPrefix("slack asked for patience until ") == true, "\(held.text)")
    #expect(try w.shell("tocsin deliveries --pending").output.contains(/in 1[45]m.*: slack asked for patience/))
    let page = try w.get("/alerts/A-2").body
    #expect(page.contains("waits until ") && page.contains("slack asked for patience until "))
    #expect(try w.get("/metrics").body.contains("tocsin_deliveries_held{receiver=\"chat\",channel=\"slack\"} 1\n"))
    #expect(try w.shell("tocsin alerts show A-2").output.contains("Waits, unsent, until "))
  }
}
