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

  /// A template that is written while the program runs is used; a broken one gives way to the built-in one, and is reported once.
  @Test(.timeLimit(.minutes(2)))
  func aTemplateIsTakenUpAndABrokenOneGivesWay() async throws {
    let w = try World()
    defer { w.end() }
    try w.useSmallConfiguration()
    try w.tocsin("up", "up")
    try await w.ready()
    func count(_ words: String) -> Int { w.log("up").components(separatedBy: words).count - 1 }
    var n = 0
    /// The words of the next message, once the edit before it was taken up.
    func told() async throws -> String {
      n += 1
      #expect(try w.publish("\"event_type\":\"e\(n)\",\"metric\":\"m\",\"severity\":\"critical\"").status == 0)
      try await w.until("A-\(n) is told") { w.outbox("A-\(n)_firing").count == 1 }
      return try w.contents("data/outbox/" + w.outbox("A-\(n)_firing")[0])
    }
    func edit(_ path: String, _ text: String) async throws {
      let before = count("the configuration was taken up")
      try w.write(path, text)
      try await w.until("\(path) is taken up", seconds: 30) { count("the configuration was taken up") > before }
      // The notifier is told in the same moment, on a task of its own.
      try await Task.sleep(for: .milliseconds(200))
    }
    let builtIn = try await told()
    #expect(builtIn.contains("Open in Tocsin") || builtIn.contains("Opened"), "\(builtIn)")
    #expect(!builtIn.contains("OURS"))

    _ = try w.shell("mkdir config/templates")
    try await edit("config/templates/alert.slack.mustache", "OURS <{{headline}}>")
    #expect(try await told().contains("OURS <m"))

    // Broken: said once, whatever else is edited then; `config check` says it too.
    try await edit("config/templates/alert.slack.mustache", "OURS {{#rows}}")
    let fallenBack = try await told()
    #expect(!fallenBack.contains("OURS") && fallenBack.contains("Opened"), "\(fallenBack)")
    try await edit("config/tocsin.yaml", try w.contents("config/tocsin.yaml") + "\n# more\n")
    #expect(count("a template of yours is not used") == 1, "\(w.log("up"))")
    #expect(w.log("up").contains("templates/alert.slack.mustache"))
    let check = try w.shell("tocsin config check")
    #expect(check.status == 0 && check.output.contains("warning: ") && check.output.contains("alert.slack.mustache"))
    #expect(try w.shell("tocsin config check --strict").status == 78)

    // Mended, and broken anew: that is another fault.
    try await edit("config/templates/alert.slack.mustache", "AGAIN {{id}}")
    #expect(try await told().contains("AGAIN A-\(n)"))
    try await edit("config/templates/alert.slack.mustache", "{{> other}}")
    #expect(count("a template of yours is not used") == 2)

    // What a message would look like, and which template to begin with.
    try await edit("config/templates/alert.slack.mustache", "LOOK {{id}}")
    let look = try w.shell("tocsin render --alert A-1 --channel slack")
    #expect(look.status == 0 && look.output.contains("LOOK A-1"), "\(look.output)")
    #expect(try w.shell("tocsin render --template alert.slack").output.contains("{{#rows}}"))
  }

  /// Somebody joins while the program runs: a click in Slack counts for them from then on, and a new signing secret too.
  @Test(.timeLimit(.minutes(2)))
  func whoAnswersInSlackIsTakenUp() async throws {
    let w = try World()
    defer { w.end() }
    func configuration(_ person: String, _ secret: String) throws {
      try w.useSmallConfiguration(
        more: "people: {\(person): {slack: U7, email: \(person)@x.org}}\n")
      let text = try w.contents("config/tocsin.yaml").replacingOccurrences(
        of: "channels:\n",
        with: "channels:\n  slack: {token: xoxb, api_url: \"http://127.0.0.1:1\", signing_secret: \(secret)}\n")
      try w.write("config/tocsin.yaml", text)
    }
    try configuration("ana", "first-secret")
    try w.tocsin("serve", "serve")
    try await w.ready()
    for i in 1...2 {
      #expect(try w.publish("\"event_type\":\"e\(i)\",\"metric\":\"m\",\"severity\":\"low\"").status == 0)
    }
    func click(_ alert: String, _ secret: String) throws -> String {
      try w.shell(
        """
        now=$(date +%s)
        body='payload={"user":{"id":"U7","username":"x"},"actions":[{"action_id":"acknowledge","value":"{\\"alert\\":\\"\(alert)\\"}"}]}'
        sign=$(printf 'v0:%s:%s' "$now" "$body" | openssl dgst -sha256 -hmac \(secret) | sed 's/.* //')
        curl -sS -o /dev/null -w '%{http_code}' -H "X-Slack-Request-Timestamp: $now" -H "X-Slack-Signature: v0=$sign" \
          --data-raw "$body" http://127.0.0.1:\(w.console)/slack/actions
        """
      ).output
    }
    func holder(_ alert: String) throws -> String? {
      try w.alerts().first { $0["id"]?.string == alert }?["acknowledged_by"]?.string
    }
    try await w.until("both are there") { try w.alerts().count == 2 }
    #expect(try click("A-1", "first-secret") == "200")
    try await w.until("ana has it") { try holder("A-1") == "ana" }
    // The same click once more changes nothing.
    #expect(try click("A-1", "first-secret") == "200")
    #expect(try w.lines("events --alert A-1").count { $0["type"]?.string?.contains("acknowledged") == true } == 1)

    try configuration("cleo", "second-secret")
    try await w.until("it is taken up", seconds: 30) { w.log("serve").contains("the configuration was taken up") }
    #expect(try click("A-2", "first-secret") == "401")
    #expect(try click("A-2", "second-secret") == "200")
    try await w.until("cleo has it") { try holder("A-2") == "cleo" }
    #expect(!w.log("serve").contains("next start"), "\(w.log("serve"))")
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
