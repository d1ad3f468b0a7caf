import Alerts
import Testing

@testable import Notifiers

@Suite struct PagerDutyTests {
  let key = "R0123456789ABCDEF0123456789ABCDE"

  func channel(_ url: String) -> PagerDutyChannel {
    var settings = PagerDutySettings()
    settings.url = url
    return PagerDutyChannel(settings, receiverOptions: ["oncall": ["routing_key": .string(key)]])
  }

  func job(_ purpose: Purpose, _ state: AlertSummary.State = .open, severity: Severity = .critical) -> Job {
    Samples.job(
      "pagerduty", to: "oncall", purpose: purpose, alert: Samples.alert(severity: severity, state: state),
      receiver: "oncall")
  }

  @Test("trigger, acknowledge and resolve carry one dedup key for each life of an alert")
  func life() async throws {
    let server = try LocalServer.http()
    let transport = try CurlTransport()
    defer { transport.close() }
    let channel = channel(server.url("/pagerduty"))
    for job in [job(.firing), job(.acknowledged, .acknowledged), job(.resolved, .resolved)] {
      let message = try channel.render(job, now: Samples.now)
      let verdict = await channel.send(message, for: job, over: transport, now: Samples.now)
      #expect(verdict.outcome == .delivered && verdict.status == 202)
      #expect(verdict.provider == ["dedup_key": "tocsin/A-1042"])
    }
    let sent = server.arrived.map(\.sent)
    #expect(server.arrived.allSatisfy { $0["path"]?.string == "/pagerduty/v2/enqueue" })
    #expect(sent.map { $0["event_action"]?.string } == ["trigger", "acknowledge", "resolve"])
    #expect(sent.allSatisfy { $0["dedup_key"]?.string == "tocsin/A-1042" && $0["routing_key"]?.string == key })
    let payload = try #require(sent[0]["payload"])
    #expect(payload["severity"]?.string == "critical")
    #expect(payload["source"]?.string == "detector/warehouse-1")
    #expect(payload["component"]?.string == "listing_views")
    #expect(payload["timestamp"]?.timestamp == Samples.openedAt)
    #expect(payload["summary"]?.string?.contains("total_views fell 87%") == true)
    #expect(payload["custom_details"]?["deviation"]?.string == "-86.8%")
    #expect(sent[0]["links"]?.array?.count == 2)
    #expect(sent[0]["client_url"]?.string == "https://tocsin.example.org/alerts/A-1042")
  }

  @Test(arguments: [(Severity.critical, "critical"), (.high, "error"), (.medium, "warning"), (.low, "info")])
  func severity(ours: Severity, theirs: String) throws {
    let message = try channel("http://x").render(job(.firing, severity: ours), now: Samples.now)
    #expect(try JSON(parsing: message.parts[0].body)["payload"]?["severity"]?.string == theirs)
  }

  @Test("the routing key is in no rendered message, and in no error")
  func secret() async throws {
    let server = try LocalServer.http()
    let transport = try CurlTransport()
    defer { transport.close() }
    let channel = channel(server.url("/echo"))
    let message = try channel.render(job(.firing), now: Samples.now)
    #expect(!String(decoding: message.parts[0].body, as: UTF8.self).contains(key))
    let verdict = await channel.send(message, for: job(.firing), over: transport, now: Samples.now)
    #expect(verdict.outcome == .failed && verdict.status == 400)
    #expect(!verdict.message.contains(key))
    #expect(verdict.message.contains("•••"))
  }

  @Test("an event over the limit loses its details, and says so; a summary is cut")
  func limits() throws {
    var alert = Samples.alert()
    alert.anomaly.summary = String(repeating: "word ", count: 1000)
    alert.anomaly.labels = (0..<100).map { .init("l\($0)", String(repeating: "v", count: 8000)) }
    let job = Samples.job("pagerduty", to: "oncall", alert: alert, receiver: "oncall")
    let body = try channel("http://x").render(job, now: Samples.now).parts[0].body
    #expect(body.count < 512_000)
    let payload = try JSON(parsing: body)["payload"]
    #expect(payload?["custom_details"]?["cut"]?.string?.isEmpty == false)
    #expect((payload?["summary"]?.string?.utf16.count ?? 9999) <= 1024)
  }

  @Test("without a routing key it says which one; a digest is refused")
  func missing() throws {
    let channel = PagerDutyChannel(PagerDutySettings(), receiverOptions: ["oncall": ["routing_key": ""]])
    #expect(channel.missing(for: job(.firing)) == "receivers.oncall.pagerduty.routing_key is not configured")
    #expect(throws: RenderingError.self) {
      try channel.render(Samples.job("pagerduty", to: "x", purpose: .digest, alert: nil), now: Samples.now)
    }
  }
}
