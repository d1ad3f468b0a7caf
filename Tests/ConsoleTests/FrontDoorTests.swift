import Alerts
import Console
import Crypto
import Foundation
import HTTPTypes
import Testing

@Suite struct FrontDoorTests {
  static let prometheus = """
    [{"labels":{"alertname":"HighErrorRate","service":"shop","severity":"page","empty":""},
      "annotations":{"summary":"errors are up","runbook_url":"https://wiki.example/x"},
      "startsAt":"2025-11-20T07:00:00Z","endsAt":"0001-01-01T00:00:00Z","generatorURL":"http://prometheus/graph"}]
    """

  @Test func takesWhatPrometheusSends() async throws {
    let fixture = try ConsoleFixture()
    let answer = try await fixture.ask("/api/v2/alerts", .post, body: FrontDoorTests.prometheus)
    #expect(answer.status == 200)
    #expect(answer.text.isEmpty)
    let anomaly = try #require(fixture.anomalies.published.first)
    #expect(anomaly.eventType == "HighErrorRate")
    #expect(anomaly.severity == .critical)
    #expect(anomaly.status == .firing)
    #expect(anomaly.dimensions == [.init("service", "shop")])
    #expect(anomaly.summary == "errors are up")
    // FNV-1a of the sorted labels, as Alertmanager computes it.
    #expect(anomaly.givenKey?.hasPrefix("alertmanager/") == true)
  }

  @Test func recognisesARepeatAndAnEnd() async throws {
    let fixture = try ConsoleFixture()
    for _ in 0..<2 { _ = try await fixture.ask("/api/v2/alerts", .post, body: FrontDoorTests.prometheus) }
    let over = FrontDoorTests.prometheus.replacingOccurrences(of: "0001-01-01T00:00:00Z", with: "2025-11-20T07:30:00Z")
    _ = try await fixture.ask("/api/v2/alerts", .post, body: over)
    let published = fixture.anomalies.published
    #expect(published[0].id == published[1].id)
    #expect(published[2].status == .resolved)
    #expect(Set(published.map(\.dedupKey)).count == 1)
  }

  @Test(arguments: ["{}", "[{\"labels\":{}}]", "[{\"labels\":{\"a\":1}}]", "nonsense"])
  func refusesWhatItCannotRead(_ body: String) async throws {
    #expect(try await ConsoleFixture().ask("/api/v2/alerts", .post, body: body).status == 400)
  }

  @Test func storesTheValidOnesBesideAnInvalidOne() async throws {
    let fixture = try ConsoleFixture()
    let body = "[{\"labels\":{}},{\"labels\":{\"alertname\":\"ok\"}}]"
    #expect(try await fixture.ask("/api/v2/alerts", .post, body: body).status == 400)
    #expect(fixture.anomalies.published.map(\.metric) == ["ok"])
  }

  @Test func listsAlertsAsAlertmanagerDoes() async throws {
    let fixture = try ConsoleFixture()
    let all = try await fixture.ask("/api/v2/alerts").json.array ?? []
    #expect(all.count == 4)
    let prints = all.compactMap { $0["fingerprint"]?.string }
    #expect(prints == prints.sorted())
    #expect(prints.allSatisfy { $0.count == 16 })
    let some = try await fixture.ask("/api/v2/alerts?filter=event_type%3D%22checkout%22").json.array ?? []
    #expect(some.compactMap { $0["annotations"]?["tocsin_id"]?.string } == ["A-2"])
    #expect(try await fixture.ask("/api/v2/alerts?filter=nonsense").status == 400)
    #expect(try await fixture.ask("/api/v2/alerts?active=false").json == [])
    #expect(try await fixture.ask("/api/v2/alerts/groups").json.array?.isEmpty == false)
    #expect(try await fixture.ask("/api/v2/receivers").json.array?.contains(["name": "critical"]) == true)
    #expect(try await fixture.ask("/api/v2/status").json["cluster"]?["status"] == "disabled")
  }

  /// The fingerprint of `{alertname="x"}` by the definition: FNV-1a over `alertname\\xFFx\\xFF`.
  @Test func fingerprintsByFNV1a() async throws {
    let fixture = try ConsoleFixture()
    _ = try await fixture.ask("/api/v2/alerts", .post, body: "[{\"labels\":{\"alertname\":\"x\"}}]")
    var hash: UInt64 = 14_695_981_039_346_656_037
    for byte in Array("alertname".utf8) + [255] + Array("x".utf8) + [255] {
      hash ^= UInt64(byte)
      hash = hash &* 1_099_511_628_211
    }
    #expect(fixture.anomalies.published[0].givenKey == "alertmanager/" + String(hash, radix: 16).leftPadded(16))
  }

  @Test func servesSilences() async throws {
    let fixture = try ConsoleFixture()
    #expect(try await fixture.ask("/api/v2/silences").json[0]?["id"] == "S-1")
    #expect(try await fixture.ask("/api/v2/silence/S-1").json["status"]?["state"] == "active")
    #expect(try await fixture.ask("/api/v2/silence/none").status == 404)
    fixture.commands.answer(.success(["ok": true, "silence": "S-2"]))
    let body = """
      {"matchers":[{"name":"a","value":"b","isRegex":false}],"startsAt":"2025-11-20T08:00:00Z","endsAt":"2025-11-20T10:00:00Z",
       "createdBy":"ana","comment":"c"}
      """
    #expect(try await fixture.ask("/api/v2/silences", .post, body: body).json["silenceID"] == "S-2")
    #expect(try await fixture.ask("/api/v2/silences", .post, body: "{\"matchers\":[]}").status == 400)
    #expect(try await fixture.ask("/api/v2/silence/S-1", .delete).status == 200)
    #expect(fixture.commands.commands.count == 2)
  }

  @Test func takesGrafanasWebhook() async throws {
    let fixture = try ConsoleFixture()
    let body = """
      {"status":"firing","alerts":[{"status":"firing","labels":{"alertname":"cpu"},"annotations":{},"startsAt":"2025-11-20T07:00:00Z",
       "endsAt":"0001-01-01T00:00:00Z","values":{"B":97.5}}]}
      """
    #expect(try await fixture.ask("/api/v1/webhooks/grafana", .post, body: body).status == 202)
    #expect(fixture.anomalies.published.first?.value == 97.5)
    #expect(fixture.anomalies.published.first?.source == "grafana")
  }

  // MARK: - PagerDuty

  static let trigger = """
    {"routing_key":"k","event_action":"trigger","dedup_key":"db-1","payload":{"summary":"disk full","source":"db1","severity":"error",
     "component":"disk","class":"storage","custom_details":{"free":"1%"}}}
    """

  @Test func takesPagerDutysEvents() async throws {
    let fixture = try ConsoleFixture()
    let answer = try await fixture.ask("/v2/enqueue", .post, body: FrontDoorTests.trigger)
    #expect(answer.status == 202)
    #expect(answer.json == ["status": "success", "message": "Event processed", "dedup_key": "db-1"])
    let anomaly = try #require(fixture.anomalies.published.first)
    #expect(anomaly.severity == .high)
    #expect(anomaly.dedupKey == "default|=pagerduty/db-1")
    // It opens, and is then acknowledged and resolved by its key.
    fixture.log.append(
      .detected(
        Detected(
          generation: 1, previous: nil, dedupKey: anomaly.dedupKey, severity: .high,
          route: RouteTaken(configuration: 1, index: nil, match: ""), anomaly: anomaly)), to: Subject(.alert, 9),
      at: fixture.now)
    try fixture.project()
    func act(_ action: String) async throws -> Int {
      try await fixture.ask(
        "/v2/enqueue", .post, body: "{\"routing_key\":\"k\",\"event_action\":\"\(action)\",\"dedup_key\":\"db-1\"}"
      ).status
    }
    #expect(try await act("acknowledge") == 202)
    #expect(fixture.commands.commands == [Command(.acknowledge, alert: AlertID(9), by: "pagerduty")])
    #expect(try await act("resolve") == 202)
    #expect(fixture.anomalies.published.last?.status == .resolved)
    #expect(fixture.anomalies.published.last?.dedupKey == anomaly.dedupKey)
  }

  @Test(arguments: [
    "{}", "{\"routing_key\":\"k\"}", "{\"routing_key\":\"k\",\"event_action\":\"resolve\"}",
    "{\"routing_key\":\"k\",\"event_action\":\"trigger\",\"payload\":{\"summary\":\"s\",\"source\":\"x\",\"severity\":\"odd\"}}",
  ])
  func refusesAnInvalidEvent(_ body: String) async throws {
    let answer = try await ConsoleFixture().ask("/v2/enqueue", .post, body: body)
    #expect(answer.status == 400)
    #expect(answer.json["status"] == "invalid event")
    #expect(answer.json["errors"]?.array?.isEmpty == false)
  }

  @Test func wantsARespondersTokenAsRoutingKey() async throws {
    let fixture = try ConsoleFixture { $0.users = [ConsoleUser(name: "pd", role: .responder, token: "k")] }
    #expect(try await fixture.ask("/v2/enqueue", .post, body: FrontDoorTests.trigger).status == 202)
    let wrong = FrontDoorTests.trigger.replacingOccurrences(of: "\"k\"", with: "\"wrong\"")
    #expect(try await fixture.ask("/v2/enqueue", .post, body: wrong).status == 400)
    #expect(fixture.anomalies.published.count == 1)
  }

  // MARK: - Answers

  private func sign(_ text: String, _ secret: String) -> String {
    HMAC<SHA256>.authenticationCode(for: Data(text.utf8), using: SymmetricKey(data: Data(secret.utf8)))
      .map { String($0, radix: 16).leftPadded(2) }.joined()
  }

  private func slackBody(_ user: String) throws -> String {
    let payload =
      "{\"user\":{\"id\":\"\(user)\",\"username\":\"ana.s\"},\"actions\":[{\"action_id\":\"acknowledge\",\"value\":\"{\\\"alert\\\":\\\"A-1\\\",\\\"version\\\":3}\"}]}"
    return "payload=" + (payload.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? "")
  }

  @Test(arguments: [("U1", "ana"), ("U2", "slack/ana.s")])
  func carriesOutAClickInSlack(_ user: String, _ by: String) async throws {
    let fixture = try ConsoleFixture {
      $0.answers.slackSigningSecret = "shh"
      $0.answers.slackPeople = ["U1": "ana"]
    }
    let body = try slackBody(user)
    let stamp = "\(fixture.now.microseconds / 1_000_000 - 10)"
    let answer = try await fixture.ask(
      "/slack/actions", .post,
      ["X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": "v0=" + sign("v0:\(stamp):\(body)", "shh")], body: body)
    #expect(answer.status == 200)
    #expect(fixture.commands.commands == [Command(.acknowledge, alert: AlertID(1), by: by, version: 3)])
  }

  @Test func refusesAClickThatIsNotSlacks() async throws {
    let fixture = try ConsoleFixture { $0.answers.slackSigningSecret = "shh" }
    let body = try slackBody("U1")
    let now = fixture.now.microseconds / 1_000_000
    for (stamp, secret) in [("\(now)", "other"), ("\(now - 301)", "shh"), ("\(now + 301)", "shh"), ("x", "shh")] {
      let answer = try await fixture.ask(
        "/slack/actions", .post,
        ["X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": "v0=" + sign("v0:\(stamp):\(body)", secret)],
        body: body)
      #expect(answer.status == 401)
    }
    #expect(try await ConsoleFixture().ask("/slack/actions", .post, body: body).status == 403)
    #expect(fixture.commands.commands.isEmpty)
  }

  static let incidents: [(String, String, Command.Action?)] = [
    ("incident.acknowledged", "user_reference", .acknowledge), ("incident.resolved", "user_reference", .resolve),
    ("incident.acknowledged", "events_api_v2_inbound_integration_reference", nil),
    ("incident.annotated", "user_reference", nil),
  ]

  /// An answer counts for the person whom PagerDuty knows by that id or name.
  @Test(arguments: [("PANA", "Ana Example", "ana"), ("PX", "Ben Doe", "ben"), ("PX", "Zed", "pagerduty/Zed")])
  func knowsPeopleByTheirNameInPagerDuty(_ id: String, _ name: String, _ by: String) async throws {
    let fixture = try ConsoleFixture {
      $0.answers.pagerdutySecrets = ["s"]
      $0.answers.pagerdutyPeople = ["PANA": "ana", "Ben Doe": "ben"]
    }
    let body =
      "{\"event\":{\"event_type\":\"incident.acknowledged\",\"agent\":{\"type\":\"user_reference\",\"id\":\"\(id)\",\"summary\":\"\(name)\"},\"data\":{\"incident_key\":\"tocsin/A-1\"}}}"
    let headers = ["X-PagerDuty-Signature": "v1=" + sign(body, "s")]
    #expect(try await fixture.ask("/api/v1/webhooks/pagerduty", .post, headers, body: body).status == 200)
    #expect(fixture.commands.commands.map(\.by) == [by])
  }

  @Test(arguments: incidents.indices) func carriesOutAnAnswerInPagerDuty(_ i: Int) async throws {
    let (type, agent, action) = FrontDoorTests.incidents[i]
    let fixture = try ConsoleFixture { $0.answers.pagerdutySecrets = ["old", "new"] }
    let body =
      "{\"event\":{\"event_type\":\"\(type)\",\"agent\":{\"type\":\"\(agent)\",\"summary\":\"Ana\"},\"data\":{\"incident_key\":\"tocsin/A-1\"}}}"
    let headers = ["X-PagerDuty-Signature": "v1=00,v1=" + sign(body, "new")]
    #expect(try await fixture.ask("/api/v1/webhooks/pagerduty", .post, headers, body: body).status == 200)
    #expect(fixture.commands.commands.map(\.action) == (action.map { [$0] } ?? []))
    #expect(
      try await fixture.ask("/api/v1/webhooks/pagerduty", .post, ["X-PagerDuty-Signature": "v1=00"], body: body).status
        == 401)
  }
}

extension String {
  fileprivate func leftPadded(_ width: Int) -> String { String(repeating: "0", count: max(0, width - count)) + self }
}
