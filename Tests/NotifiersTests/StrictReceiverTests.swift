import Alerts
import Foundation
import Testing

@testable import Notifiers

/// Receivers that refuse what the real ones refuse: every message that Tocsin makes is one that they take, and it keeps to their pace.
@Suite struct StrictReceiverTests {
  static let routingKey = String(repeating: "k1", count: 16)

  func settings(_ server: LocalServer) -> NotifierSettings {
    var s = NotifierSettings()
    var slack = SlackSettings()
    slack.token = "xoxb-strict"
    slack.apiURL = server.url("/slack")
    slack.webhooks = ["#hook": server.url("/services/T0/B0/x")]
    s.slack = slack
    s.pagerduty.url = server.url("")
    s.sms = SMSSettings(accountSID: "AC1", authToken: "tok", from: "+15550001111")
    s.sms?.url = server.url("")
    s.receiverOptions["data-team"] = [
      "routing_key": .string(StrictReceiverTests.routingKey), "url": .string(server.url("/hook")),
      "secret": "hook-secret",
    ]
    s.linkSecret = "0123456789abcdef0123456789abcdef"
    return s
  }

  /// Alerts of every size: bare, ordinary, with a chart, hostile, and far beyond any limit.
  static let alerts: [AlertSummary] = {
    var huge = Samples.anomaly()
    huge.summary = String(repeating: "👩‍👩‍👧‍👦 very long & <so> on ", count: 150)
    huge.labels = (0..<40).map { .init("label\($0)", String(repeating: "<&>", count: 60)) }
    huge.dimensions = (0..<20).map { .init("dimension\($0)", String(repeating: "v", count: 200)) }
    huge.more.append(.init("notes", .string(String(repeating: "n", count: 50_000))))
    huge.more.append(.init("root_causes", .array((0..<100).map { ["entity": .string("e\($0)")] })))
    let bare = Anomaly(id: "1", source: "s", time: Samples.now, eventType: "e", metric: "m")
    return [
      Samples.alert(1), Samples.alert(2, step: nil, anomaly: bare), Samples.alert(3, anomaly: huge),
      ChartTests.alert(ChartTests.series()),
    ] + HostileTextTests.texts.map(HostileTextTests.alert)
  }()

  static func jobs(_ channel: String, _ destination: String) -> [Job] {
    var jobs: [Job] = []
    for (n, alert) in alerts.enumerated() {
      for (purpose, state) in [
        (Purpose.firing, AlertSummary.State.open), (.acknowledged, .acknowledged), (.resolved, .resolved),
        (.reminder, .acknowledged),
      ] {
        var alert = alert
        alert.id = AlertID(Int64(n + 1))
        alert.state = state
        jobs.append(Samples.job(channel, to: destination, purpose: purpose, alert: alert))
      }
    }
    var storm = Samples.summary(channel, to: destination, count: 100_000)
    storm.members = Array(alerts.prefix(5))
    jobs.append(storm)
    var notice = Samples.job(
      channel, to: destination, purpose: .notice, alert: nil,
      content: [
        "subject": .string(String(repeating: "s", count: 4000)), "text": .string(String(repeating: "t ", count: 9000)),
      ])
    notice.subject = Subject(.silence, 7)
    jobs.append(notice)
    if channel == "slack" || channel == "webhook" {
      let long = (0..<1500).map { "line \($0) <&>" }.joined(separator: "\n")
      jobs.append(
        Samples.job(
          channel, to: destination, purpose: .digest, alert: nil, content: ["subject": "week", "text": .string(long)]))
    }
    return jobs
  }

  @Test(
    "whatever an alert holds, its messages are ones that the real receivers take",
    arguments: ["slack", "hook", "pagerduty", "sms", "webhook"])
  func taken(_ way: String) async throws {
    let server = try LocalServer.strict()
    let transport = try CurlTransport()
    defer { transport.close() }
    let name = way == "hook" ? "slack" : way
    let settings = settings(server)
    for (n, var job) in StrictReceiverTests.jobs(name, way == "sms" ? "+4930123456" : "#x").enumerated() {
      var settings = settings
      // Each to a place of its own: here it is about what they hold, and not how fast they come.
      if way == "slack" { job.destination = "#x\(n)" }
      if way == "hook" {
        job.destination = "#hook"
        settings.slack?.webhooks["#hook"] = server.url("/services/T0/B0/x\(n)")
      }
      let channel = try #require(ChannelTable.channels(settings).first { $0.name == name })
      var message = try channel.render(job, now: Samples.now)
      let verdict = await channel.send(message, for: job, over: transport, now: Samples.now)
      #expect(verdict.outcome == .delivered, "\(job.purpose) of \(job.subject): \(verdict)")
      // What comes later in the same thread.
      if way == "slack", job.alert != nil, let thread = verdict.provider {
        job.thread = thread
        message = try channel.render(job, now: Samples.now)
        let second = await channel.send(message, for: job, over: transport, now: Samples.now)
        #expect(second.outcome == .delivered && second.message.isEmpty, "\(second)")
      }
    }
    let refused = server.arrived.filter { $0["refusal"]?.string != nil }
    #expect(refused.isEmpty, "\(refused.prefix(5).map(\.text))")
    #expect(server.arrived.count >= StrictReceiverTests.alerts.count * 4)
  }

  @Test("a wrong key or signature is refused for good, and what they send is none of it")
  func keys() async throws {
    let server = try LocalServer.strict()
    let transport = try CurlTransport()
    defer { transport.close() }
    var wrong = settings(server)
    wrong.slack?.token = "xoxb-other"
    wrong.sms?.authToken = "other"
    wrong.receiverOptions["data-team"]?["routing_key"] = "short"
    wrong.receiverOptions["data-team"]?["secret"] = "other"
    for (name, destination) in [("slack", "#x"), ("sms", "+4930123456"), ("pagerduty", "p"), ("webhook", "w")] {
      let channel = try #require(ChannelTable.channels(wrong).first { $0.name == name })
      let job = Samples.job(name, to: destination)
      let message = try channel.render(job, now: Samples.now)
      #expect(await channel.send(message, for: job, over: transport, now: Samples.now).outcome == .failed, "\(name)")
    }
    #expect(server.arrived.count == 4 && server.arrived.allSatisfy { $0["refusal"]?.string != nil })
  }

  @Test("a burst into one Slack channel keeps to its rate: nothing is turned away", .timeLimit(.minutes(1)))
  func rate() async throws {
    let server = try LocalServer.strict()
    let transport = try CurlTransport()
    let port = TestPort()
    let worker = NotifierWorker(name: "w", settings: settings(server), port: port, transport: transport)
    let running = Task { await worker.run() }
    let now = NotifierWorker.wallClock()
    var jobs = (1...8 as ClosedRange<Int64>).map {
      Samples.job(
        "slack", to: "#one", alert: Samples.alert($0, severity: .medium), key: "k\($0)", requestedAt: now,
        leaseUntil: now + .minutes(5))
    }
    port.give(jobs)
    // As the service does: what comes back unsent is given out again when its turn has come.
    var seen = 0
    var delivered: Set<String> = []
    while delivered.count < jobs.count {
      let receipts = try await port.receipts(seen + 1)
      for receipt in receipts[seen...] {
        if receipt.outcome == .delivered { delivered.insert(receipt.key) }
        guard receipt.isUnsent, let i = jobs.firstIndex(where: { $0.key == receipt.key }) else { continue }
        jobs[i].attempt += 1
        let (job, wait) = (jobs[i], receipt.retryAfter ?? .zero)
        Task {
          try? await Task.sleep(for: .microseconds(wait.microseconds))
          port.give([job])
        }
      }
      seen = receipts.count
    }
    await worker.stop()
    await running.value
    transport.close()
    #expect(server.arrived.count == 8 && server.arrived.allSatisfy { $0["refusal"]?.string == nil })
    #expect(port.receipts.allSatisfy { $0.outcome == .delivered || $0.isUnsent })
  }
}
