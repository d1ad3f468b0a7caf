import Alerts
import Bus
import Console
import Foundation
import HTTPTypes
import Hummingbird
import Testing

@Suite struct APITests {
  @Test func listsAlertsInPages() async throws {
    let fixture = try ConsoleFixture()
    var seen: [String] = []
    var uri = "/api/v1/alerts?state=all&limit=2"
    for _ in 0..<4 {
      let page = try await fixture.ask(uri).json
      seen += (page["alerts"]?.array ?? []).compactMap { $0["id"]?.string }
      guard let next = page["next"]?.string else { break }
      uri = "/api/v1/alerts?state=all&limit=2&after=\(next)"
    }
    #expect(seen == ["A-1", "A-2", "A-5", "A-3", "A-4"])
  }

  @Test(arguments: [
    "/api/v1/alerts?state=odd", "/api/v1/alerts?severity=odd", "/api/v1/alerts?limit=0", "/api/v1/alerts?matcher=odd",
    "/api/v1/alerts?after=odd", "/api/v1/alerts?order=odd", "/api/v1/events?after=odd", "/api/v1/statistics?since=odd",
    "/api/v1/digests/weekly?ending=odd", "/api/v1/notifications?state=odd", "/api/v1/events?alert=odd",
  ])
  func refusesWhatItCannotRead(_ uri: String) async throws {
    let answer = try await ConsoleFixture().ask(uri)
    #expect(answer.status == 400)
    #expect(answer.header("Content-Type") == "application/problem+json")
    #expect(answer.json["detail"]?.string?.isEmpty == false)
  }

  @Test func answersWithOneAlertItsTimelineAndItsMessages() async throws {
    let fixture = try ConsoleFixture()
    #expect(try await fixture.ask("/api/v1/alerts/A-1").json["anomaly"]?["data"]?["value"] == 245)
    let timeline = try await fixture.ask("/api/v1/alerts/A-1/timeline").json["timeline"]?.array ?? []
    #expect(timeline.first?["type"] == "detected")
    #expect(timeline.last?["type"] == "commented")
    let told = try await fixture.ask("/api/v1/alerts/1/notifications").json["notifications"]?.array ?? []
    #expect(told.compactMap { $0["state"]?.string } == ["delivered", "failed"])
  }

  @Test func carriesOutCommands() async throws {
    let fixture = try ConsoleFixture()
    fixture.commands.answer(.success(["ok": true, "state": "acknowledged", "version": 9]))
    let answer = try await fixture.ask(
      "/api/v1/alerts/A-1/acknowledge", .post, ["Content-Type": "application/json"],
      body: "{\"by\":\"ana\",\"version\":8}")
    #expect(answer.status == 200)
    #expect(answer.json["version"] == 9)
    #expect(fixture.commands.commands == [Command(.acknowledge, alert: AlertID(1), by: "ana", version: 8)])
  }

  static let refusals: [(CommandError.Code, Int)] = [
    (.stale_version, 409), (.not_allowed_in_state, 409), (.unknown_alert, 404), (.invalid, 400), (.forbidden, 403),
    (.unavailable, 503),
  ]
  @Test(arguments: refusals.indices) func passesRefusalsOn(_ i: Int) async throws {
    let fixture = try ConsoleFixture()
    let (code, status) = APITests.refusals[i]
    fixture.commands.answer(.failure(CommandError(code, "because")))
    let answer = try await fixture.ask("/api/v1/alerts/A-1/resolve", .post, body: "{\"by\":\"ana\"}")
    #expect(answer.status == status)
    #expect(answer.json["code"]?.string == code.rawValue)
    #expect(answer.json["detail"] == "because")
  }

  @Test(arguments: ["", "{}", "[]", "{\"by\":", "{\"by\":\"ana\",\"version\":\"x\"}"])
  func refusesACommandThatIsNone(_ body: String) async throws {
    let fixture = try ConsoleFixture()
    #expect(try await fixture.ask("/api/v1/alerts/A-1/resolve", .post, body: body).status == 400)
    #expect(fixture.commands.commands.isEmpty)
  }

  static let event = """
    {"specversion":"1.0","id":"x1","source":"shell","type":"tocsin.anomaly.v1","data":{"event_type":"e","metric":"m","value":3}}
    """

  @Test(arguments: [event, "[\(event)]", "\(event)\n\(event)\n"])
  func takesAnomalies(_ body: String) async throws {
    let fixture = try ConsoleFixture()
    let answer = try await fixture.ask("/api/v1/anomalies", .post, body: body)
    #expect(answer.status == 202)
    #expect(fixture.anomalies.published.first?.metric == "m")
    #expect(answer.json["accepted"]?.int == Int64(fixture.anomalies.published.count))
  }

  @Test func keepsABadAnomalyFromItsNeighbours() async throws {
    let fixture = try ConsoleFixture()
    let bad = "{\"specversion\":\"1.0\",\"id\":\"b\",\"source\":\"s\",\"type\":\"tocsin.anomaly.v1\",\"data\":{}}"
    let answer = try await fixture.ask("/api/v1/anomalies", .post, body: "[\(APITests.event),\(bad)]")
    #expect(answer.status == 202)
    #expect(answer.json["accepted"] == 1)
    #expect(answer.json["rejected"]?[0]?["index"] == 1)
    #expect(answer.json["rejected"]?[0]?["error"]?.string?.contains("event_type") == true)
  }

  @Test func refusesABodyThatIsTooLarge() async throws {
    let fixture = try ConsoleFixture()
    let body = "[" + String(repeating: " ", count: 1 << 20) + "]"
    #expect(try await fixture.ask("/api/v1/anomalies", .post, body: body).status == 413)
  }

  @Test func readsTheLogByPosition() async throws {
    let fixture = try ConsoleFixture()
    let page = try await fixture.ask("/api/v1/events?after=1&limit=2").json
    #expect((page["events"]?.array ?? []).compactMap { $0["id"]?.string } == ["2", "3"])
    #expect(page["next"] == 3)
    let ofOne = try await fixture.ask("/api/v1/events?alert=A-2").json["events"]?.array ?? []
    #expect(ofOne.compactMap { $0["type"]?.string } == ["tocsin.alert.detected.v1", "tocsin.alert.acknowledged.v1"])
  }

  @Test func followsTheLogAndGoesOnFromWhereItWas() async throws {
    let fixture = try ConsoleFixture()
    let head = try fixture.log.head()
    let ender = Task {
      try await Task.sleep(for: .milliseconds(300))
      fixture.log.append(.commented(Commented(text: "new")), to: Subject(.alert, 1), at: fixture.now, by: "ana")
      try await Task.sleep(for: .milliseconds(300))
      fixture.log.endFollowers()
    }
    let answer = try await fixture.ask(
      "/api/v1/events", .get, ["Accept": "text/event-stream", "Last-Event-ID": "\(head - 1)"])
    try await ender.value
    #expect(answer.header("Content-Type")?.hasPrefix("text/event-stream") == true)
    let ids = answer.text.split(separator: "\n").filter { $0.hasPrefix("id: ") }
    #expect(ids == ["id: \(head)", "id: \(head + 1)"])
    #expect(answer.text.contains("event: commented\ndata: {"))
  }

  @Test func tellsPagesThatSomethingChanged() async throws {
    let fixture = try ConsoleFixture()
    let head = try fixture.log.head()
    let ender = Task {
      try await Task.sleep(for: .milliseconds(300))
      fixture.log.append(.commented(Commented(text: "new")), to: Subject(.alert, 1), at: fixture.now, by: "ana")
      try await Task.sleep(for: .milliseconds(300))
      fixture.log.endFollowers()
    }
    let answer = try await fixture.ask("/live?after=\(head)")
    try await ender.value
    #expect(answer.text.contains("id: \(head + 1)\nevent: change\n"))
    #expect(!answer.text.contains("new"))
  }

  @Test func addsListsAndEndsSilences() async throws {
    let fixture = try ConsoleFixture()
    let body =
      "{\"matchers\":[{\"name\":\"device\",\"value\":\"mobile\"}],\"for\":\"2h\",\"by\":\"ana\",\"note\":\"n\"}"
    #expect(try await fixture.ask("/api/v1/silences", .post, body: body).status == 201)
    #expect(try await fixture.ask("/api/v1/silences").json["silences"]?[0]?["id"] == "S-1")
    #expect(try await fixture.ask("/api/v1/silences/S-1").json["state"] == "active")
    #expect(try await fixture.ask("/api/v1/silences/S-1?by=ana", .delete).status == 200)
    #expect(try await fixture.ask("/api/v1/silences/S-9?by=ana", .delete).status == 404)
    #expect(fixture.commands.commands.count == 2)
  }

  @Test func answersFiguresDigestsAndStatus() async throws {
    let fixture = try ConsoleFixture()
    let statistics = try await fixture.ask("/api/v1/statistics?days=3").json
    #expect(statistics["unresolved_by_severity"]?["critical"] == 1)
    #expect(statistics["days"]?.array?.count == 3)
    #expect(try await fixture.ask("/api/v1/digests/weekly").json["alerts"] == 2)
    #expect(try await fixture.ask("/api/v1/digests/weekly?format=markdown").text == "# two alerts\n")
    #expect(try await fixture.ask("/api/v1/digests/hourly").status == 404)
    #expect(try await fixture.ask("/api/v1/status").json["ready"] == true)
    #expect(try await fixture.ask("/api/v1/schedules").json["schedules"] == [])
  }

  @Test func isReadyOnlyWhenCommandsAreTaken() async throws {
    let fixture = try ConsoleFixture()
    #expect(try await fixture.ask("/readyz").status == 200)
    fixture.setUnready("the log is locked by another process")
    let answer = try await fixture.ask("/readyz")
    #expect(answer.status == 503)
    #expect(answer.json["detail"]?.string?.contains("locked by another process") == true)
    #expect(try await fixture.ask("/healthz").status == 200)
  }

  @Test func exposesMetrics() async throws {
    let text = try await ConsoleFixture().ask("/metrics").text
    #expect(text.contains("tocsin_alerts_unresolved{severity=\"critical\"} 1\n"))
    #expect(text.contains("# TYPE tocsin_events_total counter\n"))
    #expect(text.contains("tocsin_worker_silence_seconds{worker=\"notifier/1\"} 540\n"))
  }

  /// The description names what is answered, and nothing else.
  @Test func describesEveryPathOfTheAPI() async throws {
    let fixture = try ConsoleFixture()
    let document = try await fixture.ask("/api/v1/openapi.json").json
    #expect(document["openapi"] == "3.1.0")
    var described: Set<String> = []
    for path in document["paths"]?.members ?? [] {
      for method in path.value.members ?? [] { described.insert("\(method.name.uppercased()) \(path.name)") }
    }
    let undescribed = ["webhooks"]
    var answered: Set<String> = []
    for route in fixture.console.router().routes {
      let path = "\(route.path)".replacing(/[:{]([a-z]+)\}?/) { "{\($0.output.1)}" }
      guard path.hasPrefix("/api/v1/"), route.method != .head else { continue }
      if undescribed.contains(where: { path.hasPrefix("/api/v1/\($0)") }) { continue }
      answered.insert("\(route.method) \(path)")
    }
    #expect(described == answered)
    // Every schema that is referred to is there.
    let schemas = Set((document["components"]?["schemas"]?.members ?? []).map(\.name))
    for reference in document.text.matches(of: /#\/components\/schemas\/([A-Za-z]+)/) {
      #expect(schemas.contains(String(reference.output.1)))
    }
  }

  @Test func looksAtAMetricOnDemand() async throws {
    let fixture = try ConsoleFixture()
    for path in ["/v1/anomalies/check", "/api/v1/anomalies/check"] {
      let answer = try await fixture.ask("\(path)?metric=api_calls&customer_id=acme+co&threshold=3")
      #expect(answer.status == 200)
      #expect(answer.header("Content-Type") == "application/json")
      #expect(answer.json["asked"] == "metric=api_calls customer_id=acme co threshold=3")
      #expect(answer.json["is_anomaly"] == true)
    }
    for (metric, status) in [("unknown", 404), ("invalid", 400), ("unavailable", 503)] {
      let answer = try await fixture.ask("/v1/anomalies/check?metric=\(metric)")
      #expect(answer.status == status)
      #expect(answer.header("Content-Type") == "application/problem+json")
      #expect(answer.json["code"]?.string == metric)
    }
    #expect(fixture.anomalies.published.isEmpty, "nothing is published")
  }
}
