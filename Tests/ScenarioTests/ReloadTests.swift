import Alerts
import Foundation
import Testing

/// The configuration is edited while the program runs.
@Suite(.serialized) struct ReloadTests {
  @Test(.timeLimit(.minutes(3)), arguments: ["saved", "hung up"])
  func anEditIsTakenUpAndAWrongOneRefused(_ how: String) async throws {
    let w = try World()
    defer { w.end() }
    try w.useSmallConfiguration()
    let up = try w.tocsin("up", "up")
    try await w.ready()
    func count(_ words: String) -> Int { w.log("up").components(separatedBy: words).count - 1 }
    func edit(_ text: String) throws {
      if how == "saved" {
        try w.write("config/tocsin.yaml", text)
      } else {
        // As editors do that write another file and move it over the old one.
        try w.write("config/.tocsin.yaml.new", text)
        _ = try w.shell("mv config/.tocsin.yaml.new config/tocsin.yaml")
        kill(up.processIdentifier, SIGHUP)
      }
    }

    let old = try w.contents("config/tocsin.yaml")
    let new = old.replacingOccurrences(
      of: "receivers:\n", with: "receivers:\n  newcomer: {email: [newcomer@example.com]}\n"
    ).replacingOccurrences(of: "notify: [data-team]", with: "notify: [data-team, newcomer]")
    try edit(new)
    try await w.until("it is taken up", seconds: 30) { count("the configuration was taken up") >= 1 }
    #expect(try w.publish(#""event_type":"one","metric":"m","severity":"critical""#).status == 0)
    try await w.until("the newcomer is told") { w.outbox("A-1_firing", "newcomer").count == 1 }
    #expect(w.outbox("A-1_firing", "data-team").count == 1)

    // A wrong edit: said with its place, and the one before stays.
    let taken = count("the configuration was taken up")
    try edit(new.replacingOccurrences(of: "[data-team, newcomer]", with: "[nobody]"))
    try await w.until("it is refused", seconds: 30) { count("the old one stays in force") >= 1 }
    #expect(w.log("up").contains(/tocsin\.yaml:\d+:\d+: .*nobody/), "\(w.log("up"))")
    #expect(try w.publish(#""event_type":"two","metric":"m","severity":"critical""#).status == 0)
    try await w.until("both are told as before") {
      w.outbox("A-2_firing", "newcomer").count == 1 && w.outbox("A-2_firing", "data-team").count == 1
    }
    #expect(count("the configuration was taken up") == taken)

    // Mended.
    try edit(old)
    try await w.until("the mended one is taken up", seconds: 30) { count("the configuration was taken up") > taken }
    #expect(try w.publish(#""event_type":"three","metric":"m","severity":"critical""#).status == 0)
    try await w.until("the data team is told") { w.outbox("A-3_firing", "data-team").count == 1 }
    #expect(w.outbox("A-3_firing", "newcomer").isEmpty)
    #expect(try await w.stop(up) == 0)
  }

  @Test(.timeLimit(.minutes(2)), arguments: ["up", "detect"])
  func anotherMetricFileIsWatched(_ verb: String) async throws {
    let w = try World()
    defer { w.end() }
    try w.useSmallConfiguration(
      more: "connections: {orders: {kind: command, command: [cat, orders.json], keeps_history: false}}")
    try w.write("orders.json", #"{"value": 250}"#)
    if verb == "detect" { try w.tocsin("serve", "serve") }
    try w.tocsin(verb, verb)
    try await w.ready()
    try w.write(
      "config/metrics/orders.yaml",
      """
      event_config:
        name: orders
        data_source:
          connection: orders
          metrics: [{column: value, alias: failed}]
        every: 1s
        detection:
          checks: [{detector: threshold, metric: failed, max_value: 100, severity: high}]
      """)
    try await w.until("the new check has fired", seconds: 40) {
      try w.alerts().contains { $0["anomaly"]?["data"]?["event_type"]?.string == "orders" }
    }
  }

  @Test(.timeLimit(.minutes(2)), arguments: ["up", "notify"])
  func anotherChannelSettingIsUsed(_ verb: String) async throws {
    let w = try World()
    defer { w.end() }
    try w.useSmallConfiguration()
    if verb == "notify" { try w.tocsin("serve", "serve") }
    try w.tocsin(verb, verb)
    try await w.ready()
    #expect(try w.publish(#""event_type":"one","metric":"m","severity":"critical""#).status == 0)
    try await w.until("the first is written") { w.outbox("A-1_firing").count == 1 }
    try w.write(
      "config/tocsin.yaml",
      try w.contents("config/tocsin.yaml").replacingOccurrences(of: "data/outbox", with: "data/moved"))
    try await w.until("it is taken up", seconds: 30) { w.log(verb).contains("the configuration was taken up") }
    // A message that is rendered in the same instant may still go the old way; one of the following goes the new one.
    var n = 1
    try await w.until("the new folder is used", seconds: 30) {
      n += 1
      _ = try w.publish("\"event_type\":\"e\(n)\",\"metric\":\"m\",\"severity\":\"critical\"")
      return !w.outbox("_firing", in: "data/moved").isEmpty
    }
  }

  /// What is open can't be followed while running; it is said, and the rest of the edit counts.
  @Test(.timeLimit(.minutes(1)))
  func whatNeedsAStartIsSaid() async throws {
    let w = try World()
    defer { w.end() }
    try w.useSmallConfiguration()
    try w.tocsin("serve", "serve")
    try await w.ready()
    let text = try w.contents("config/tocsin.yaml").replacingOccurrences(
      of: "data/tocsin.sqlite", with: "data/other.sqlite")
    try w.write("config/tocsin.yaml", text + "\ndigests: [{period: daily, at: \"08:00\", to: [data-team]}]\n")
    try await w.until("it is said", seconds: 30) { w.log("serve").contains("used from the next start on") }
    #expect(w.log("serve").contains("log, projections, digests"), "\(w.log("serve"))")
    #expect(w.isReady())
    #expect(!FileManager.default.fileExists(atPath: w.folder.appendingPathComponent("data/other.sqlite").path))
  }

  @Test(.timeLimit(.minutes(2)))
  func aKeyThatIsTakenAwayIsRefused() async throws {
    let w = try World()
    defer { w.end() }
    func key(_ arguments: String) throws -> String {
      let made = try w.shell("tocsin keys new \(arguments) --json")
      return try #require(try JSON(parsing: made.output)["public_key"]?.string)
    }
    let service = try key("service")
    let probe = try key("probe --may publish")
    try w.write("service.pub", service)
    func configuration(_ clients: String) -> String {
      """
      log: sqlite:data/tocsin.sqlite
      bus:
        gateway: "tcp://127.0.0.1:\(w.gateway)"
        feed: "tcp://127.0.0.1:\(w.feed)"
        curve:
          secret_key: "${file:service.key}"
          public_key: "\(service)"
          clients: \(clients)
      console: {listen: "127.0.0.1:\(w.console)"}
      """
    }
    let known = configuration("[{name: probe, public_key: \"\(probe)\", may: [publish]}]")
    func publish(_ seconds: Int) throws -> (status: Int32, output: String) {
      try w.shell(
        """
        export TOCSIN_SERVER_KEY="$(cat service.pub)" TOCSIN_SECRET_KEY="$(cat probe.key)"
        echo '{"event_type":"a","metric":"m"}' | \
          tocsin publish --gateway tcp://127.0.0.1:\(w.gateway) --outbox probe --timeout \(seconds)s
        """)
    }
    func edit(_ text: String, times: Int) async throws {
      try w.write("config/tocsin.yaml", text)
      try await w.until("it is taken up", seconds: 30) {
        w.log("serve").components(separatedBy: "the configuration was taken up").count - 1 >= times
      }
    }
    try w.write("config/tocsin.yaml", known)
    try w.tocsin("serve", "serve")
    try await w.ready()
    let first = try publish(30)
    #expect(first.status == 0, "\(first.output)")
    try await edit(configuration("[]"), times: 1)
    let refused = try publish(3)
    #expect(refused.status == 1 && !refused.output.contains("1 accepted"), "\(refused.output)")
    try await edit(known, times: 2)
    let again = try publish(30)
    #expect(again.status == 0, "\(again.output)")
    #expect(!w.log("serve").contains("next start"), "\(w.log("serve"))")
  }
}
