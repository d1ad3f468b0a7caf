import Alerts
import Foundation
import Testing

@testable import Notifiers

/// Webhooks, SMS, and programs of the user's own.
@Suite struct FurtherChannelTests {
  func send(_ job: Job, _ channel: any Channel) async throws -> Verdict {
    let transport = try CurlTransport()
    defer { transport.close() }
    let message = try channel.render(job, now: Samples.now)
    return await channel.send(message, for: job, over: transport, now: Samples.now)
  }

  @Test("a webhook gets a CloudEvent with a key, the user's headers, a token and a signature")
  func cloudEvent() async throws {
    let server = try LocalServer.http()
    let options: [String: JSON] = [
      "url": .string(server.url("/ok/hook")), "token": "t0ken-secret", "secret": "signing-secret",
      "headers": ["X-Team": "bi-team"],
    ]
    let channel = WebhookChannel(receiverOptions: ["hook": options])
    let job = Samples.job("webhook", to: "hook", receiver: "hook")
    #expect(try await send(job, channel).outcome == .delivered)
    let arrived = try #require(server.arrived.first)
    let headers = try #require(arrived["headers"])
    #expect(headers["content-type"]?.string == "application/cloudevents+json; charset=utf-8")
    #expect(headers["idempotency-key"]?.string == job.key)
    #expect(headers["authorization"]?.string == "Bearer t0ken-secret")
    #expect(headers["x-team"]?.string == "bi-team")
    let expected = WebhookChannel.signature(arrived.data("body"), secret: "signing-secret")
    #expect(headers["x-tocsin-signature"]?.string == "sha256=\(expected)")
    let event = arrived.sent
    #expect(event["specversion"]?.string == "1.0")
    #expect(event["id"]?.string == job.key)
    #expect(event["type"]?.string == "tocsin.notification.firing.v1")
    #expect(event["subject"]?.string == "A-1042")
    #expect(try AlertSummary(json: event["data"]?["alert"] ?? .null).id == AlertID(1042))
  }

  @Test("the signature is the HMAC that others compute (RFC 4231, test case 2)")
  func signature() {
    #expect(
      WebhookChannel.signature(Array("what do ya want for nothing?".utf8), secret: "Jefe")
        == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
  }

  @Test("Alertmanager's body: its members, its labels, its fingerprint")
  func alertmanager() throws {
    let channel = WebhookChannel(receiverOptions: ["hook": ["url": "http://x", "format": "alertmanager"]])
    let firing = try JSON(
      parsing: channel.render(Samples.job("webhook", to: "hook", receiver: "hook"), now: Samples.now).parts[0].body)
    #expect(firing["version"]?.string == "4")
    #expect(firing["status"]?.string == "firing")
    #expect(firing["receiver"]?.string == "hook")
    let alert = try #require(firing["alerts"]?[0])
    #expect(alert["labels"]?["alertname"]?.string == "listing_views_total_views")
    #expect(alert["labels"]?["device"]?.string == "mobile")
    #expect(alert["startsAt"]?.timestamp == Samples.openedAt)
    #expect(alert["endsAt"]?.string == "0001-01-01T00:00:00Z")
    #expect(alert["fingerprint"]?.string?.count == 16)
    #expect(alert["annotations"]?["runbook_url"]?.string?.hasPrefix("https://wiki") == true)
    let over = Samples.job(
      "webhook", to: "hook", purpose: .resolved, alert: Samples.alert(state: .resolved), receiver: "hook")
    let resolved = try JSON(parsing: channel.render(over, now: Samples.now).parts[0].body)
    #expect(resolved["status"]?.string == "resolved")
    #expect(resolved["alerts"]?[0]?["endsAt"]?.timestamp == Samples.openedAt + .minutes(42))
    var group = Samples.summary("webhook", to: "hook")
    group.receiver = "hook"
    let many = try JSON(parsing: channel.render(group, now: Samples.now).parts[0].body)
    #expect(many["alerts"]?.array?.count == 10)
    #expect(many["truncatedAlerts"]?.int == 2)
    // Go's hash/fnv gives this for the labels {a="b"}.
    #expect(AlertmanagerBody.fingerprint([]) == "cbf29ce484222325")
  }

  @Test("a webhook without an address, or of an unknown format, says what to configure")
  func webhookFaults() throws {
    let job = Samples.job("webhook", to: "hook", receiver: "hook")
    #expect(WebhookChannel(receiverOptions: [:]).missing(for: job)?.contains("receivers.hook.webhook.url") == true)
    let odd = WebhookChannel(receiverOptions: ["hook": ["url": "http://x", "format": "xml"]])
    #expect(throws: RenderingError.self) { try odd.render(job, now: Samples.now) }
  }

  @Test("an SMS: short, with its link, and Twilio's words when it refuses")
  func sms() async throws {
    let server = try LocalServer.http()
    var settings = SMSSettings(accountSID: "AC1", authToken: "tok", from: "+4930111111")
    settings.url = server.url("/twilio")
    var alert = Samples.alert()
    alert.anomaly.summary = String(repeating: "ü& long ", count: 200)
    let good = try await send(Samples.job("sms", to: "+4917612345678", alert: alert), SMSChannel(settings))
    #expect(good.outcome == .delivered && good.status == 201)
    #expect(good.provider == ["sid": "SM1"])
    let arrived = try #require(server.arrived.first)
    #expect(arrived["path"]?.string == "/twilio/2010-04-01/Accounts/AC1/Messages.json")
    let fields = arrived["text"]?.string?.split(separator: "&").map(String.init) ?? []
    #expect(fields[0] == "To=%2B4917612345678")
    #expect(fields[1] == "From=%2B4930111111")
    let body = fields[2].dropFirst(5).replacing("+", with: " ").removingPercentEncoding ?? ""
    #expect(body.utf16.count <= 459)
    #expect(body.hasSuffix("…\nhttps://tocsin.example.org/alerts/A-1042"))
    let refused = try await send(Samples.job("sms", to: "+4917612345613"), SMSChannel(settings))
    #expect(refused.outcome == .failed)
    #expect(refused.message.contains("Invalid 'To' Phone Number (Twilio's error 21211)"))
    settings.authToken = "wrong-token"
    let stranger = try await send(Samples.job("sms", to: "+4917612345678"), SMSChannel(settings))
    #expect(stranger.outcome == .failed && stranger.status == 401)
    #expect(throws: RenderingError.self) {
      try SMSChannel(settings).render(Samples.job("sms", to: "0176 123"), now: Samples.now)
    }
  }

  @Test(
    "a program's end decides",
    arguments: [
      ("exit 0", Receipt.Outcome.delivered, 0, false), ("echo busy; exit 75", .retry, 75, false),
      ("echo 'no such room' >&2; exit 1", .failed, 1, false), ("kill -9 $$", .retry, nil, true),
    ] as [(String, Receipt.Outcome, Int?, Bool)])
  func command(line: String, outcome: Receipt.Outcome, status: Int?, unknown: Bool) async throws {
    let channel = CommandChannel(receiverOptions: ["r": ["command": .string(line)]])
    let verdict = try await send(Samples.job("command", to: "r", receiver: "r"), channel)
    #expect(verdict.outcome == outcome)
    #expect(verdict.status == status)
    #expect(verdict.outcomeUnknown == unknown)
    if line.contains("room") { #expect(verdict.message.contains("no such room")) }
  }

  @Test("a program gets the message on its standard input, and its key in the environment")
  func commandInput() async throws {
    let directory = try temporaryDirectory()
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let words: JSON = ["/bin/sh", "-c", .string("cat > \(directory)/got; echo \"$TOCSIN_KEY\" > \(directory)/key")]
    let channel = CommandChannel(receiverOptions: ["r": ["command": words]])
    let job = Samples.job("command", to: "r", receiver: "r")
    #expect(try await send(job, channel).outcome == .delivered)
    let got = try JSON(parsing: String(contentsOfFile: "\(directory)/got", encoding: .utf8))
    #expect(got["key"]?.string == job.key)
    #expect(got["alert"]?["id"]?.string == "A-1042")
    #expect(got["text"]?.string?.contains("fell 87%") == true)
    #expect(try String(contentsOfFile: "\(directory)/key", encoding: .utf8) == "\(job.key)\n")
  }

  @Test("a program that hangs is ended with its children; one that is not there fails")
  func commandTimeout() async throws {
    let start = ContinuousClock.now
    let hung = await ChildProcess.run(
      ["/bin/sh", "-c", "sleep 30 & sleep 30"], input: [], environment: [:], timeout: .milliseconds(300))
    #expect(hung == .timedOut)
    #expect(ContinuousClock.now - start < .seconds(10))
    let absent = await ChildProcess.run(
      ["/no/such/program"], input: [], environment: [:], timeout: .seconds(1))
    guard case .notStarted = absent else {
      Issue.record("\(absent)")
      return
    }
    let talkative = await ChildProcess.run(
      ["/bin/sh", "-c", "head -c 1000000 /dev/zero; cat > /dev/null"], input: Array(repeating: 65, count: 1_000_000),
      environment: [:], timeout: .seconds(10))
    guard case .exited(0, let output) = talkative else {
      Issue.record("\(talkative)")
      return
    }
    #expect(output.utf8.count == ChildProcess.outputLimit)
  }
}
