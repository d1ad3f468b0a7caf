import Alerts
import Foundation
import Testing

@testable import Notifiers

@Suite struct SlackTests {
  func settings(_ url: String) -> SlackSettings {
    var settings = SlackSettings()
    settings.token = "xoxb-very-secret"
    settings.apiURL = url
    return settings
  }

  func send(_ job: Job, _ settings: SlackSettings) async throws -> Verdict {
    let transport = try CurlTransport()
    defer { transport.close() }
    let channel = SlackChannel(settings)
    let message = try channel.render(job, now: Samples.now)
    return await channel.send(message, for: job, over: transport, now: Samples.now)
  }

  @Test("a first message is posted; what comes later updates it and replies to it")
  func thread() async throws {
    let server = try LocalServer.http()
    let settings = settings(server.url("/slack"))
    let first = try await send(Samples.job("slack", to: "#data-alerts"), settings)
    #expect(first.outcome == .delivered)
    #expect(first.provider?["channel"]?.string == "C0DATA")
    let root = try #require(first.provider?["ts"]?.string)

    let acknowledged = Samples.job(
      "slack", to: "#data-alerts", purpose: .acknowledged, alert: Samples.alert(state: .acknowledged),
      thread: first.provider)
    let second = try await send(acknowledged, settings)
    #expect(second.provider?["ts"]?.string == root)
    #expect(second.provider?["reply_ts"]?.string != root)

    let arrived = server.arrived
    #expect(
      arrived.map { $0["path"]?.string } == [
        "/slack/chat.postMessage", "/slack/chat.update", "/slack/chat.postMessage",
      ])
    #expect(arrived.allSatisfy { $0["headers"]?["authorization"]?.string == "Bearer xoxb-very-secret" })
    #expect(arrived.allSatisfy { $0["headers"]?["content-type"]?.string == "application/json; charset=utf-8" })
    #expect(arrived[0].sent["channel"]?.string == "#data-alerts")
    #expect(
      arrived[0].sent["metadata"]?["event_payload"]?["key"]?.string == "A-1042/firing/1/data-team/slack/#data-alerts")
    #expect(arrived[1].sent["ts"]?.string == root)
    #expect(arrived[2].sent["thread_ts"]?.string == root)
    #expect(arrived[2].sent["reply_broadcast"] == nil)
    #expect(arrived[2].sent["text"]?.string?.contains("Acknowledged by ana") == true)
  }

  @Test("an escalation in a thread is shown in the channel too")
  func escalation() throws {
    let job = Samples.job("slack", to: "#x", thread: ["channel": "C1", "ts": "17.1"])
    let message = try SlackChannel(settings("http://x")).render(job, now: Samples.now)
    #expect(message.parts.map(\.action) == ["chat.update", "chat.postMessage"])
    #expect(try JSON(parsing: message.parts[1].body)["reply_broadcast"]?.bool == true)
  }

  @Test("the blocks: escaped, with buttons that fit the alert's state")
  func blocks() throws {
    var alert = Samples.alert()
    alert.anomaly.dimensions = [.init("name", "<!channel> & co")]
    func buttons(_ job: Job) -> [String] {
      SlackMessage(job, templates: TemplateSet()).blocks.filter { $0["type"]?.string == "actions" }
        .flatMap { $0["elements"]?.array ?? [] }.compactMap { $0["action_id"]?.string }
    }
    let job = Samples.job("slack", to: "#x", alert: alert)
    let message = SlackMessage(job, templates: TemplateSet())
    let text = JSON.array(message.blocks).text
    #expect(text.contains("name=&lt;!channel&gt; &amp; co"))
    #expect(!text.contains("<!channel>"))
    #expect(message.blocks[0]["type"]?.string == "header")
    #expect(text.contains("<https://wiki.example.org/runbook?a=1&amp;b=2|Runbook>"))
    #expect(text.contains("because nobody acknowledged for 15m"))
    #expect(buttons(job) == ["acknowledge", "resolve", "open"])
    #expect(
      buttons(Samples.job("slack", to: "#x", purpose: .acknowledged, alert: Samples.alert(state: .acknowledged))) == [
        "resolve", "open",
      ])
    #expect(
      buttons(Samples.job("slack", to: "#x", purpose: .resolved, alert: Samples.alert(state: .resolved))) == ["open"])
    let value = message.blocks.first { $0["type"]?.string == "actions" }?["elements"]?[0]?["value"]?.string ?? ""
    #expect(try JSON(parsing: value) == ["alert": "A-1042", "version": 7])
  }

  @Test("what is too long is cut, and says so")
  func limits() throws {
    var alert = Samples.alert()
    alert.anomaly.summary = String(repeating: "long words ", count: 400)
    alert.anomaly.labels = (0..<300).map { .init("label\($0)", String(repeating: "v", count: 40)) }
    let message = SlackMessage(Samples.job("slack", to: "#x", alert: alert), templates: TemplateSet())
    let header = message.blocks[0]["text"]?["text"]?.string ?? ""
    let section = message.blocks[1]["text"]?["text"]?.string ?? ""
    #expect(header.utf16.count <= 150 && header.hasSuffix("…"))
    #expect(section.utf16.count <= 3000 && section.hasSuffix("(cut here: the whole of it is in Tocsin)"))
    #expect(message.text.utf16.count <= 4000)
    let content: JSON = ["subject": "s", "text": .string((0..<5000).map { "line \($0)" }.joined(separator: "\n"))]
    let digest = SlackMessage(
      Samples.job("slack", to: "#x", purpose: .digest, alert: nil, content: content), templates: TemplateSet())
    let sections = digest.blocks.compactMap { $0["type"]?.string == "section" ? $0["text"]?["text"]?.string : nil }
    #expect(sections.count == 4)
    #expect(sections.allSatisfy { $0.utf16.count <= 3000 })
    #expect(sections.last?.contains("cut here") == true)
  }

  @Test("a group's message names five and counts the rest")
  func summary() {
    let message = SlackMessage(Samples.summary("slack", to: "#x"), templates: TemplateSet())
    let text = message.blocks[1]["text"]?["text"]?.string ?? ""
    #expect(text.components(separatedBy: "• ").count == 6)
    #expect(text.contains("<https://tocsin.example.org/alerts/A-1|A-1>"))
    #expect(text.contains("… and 7 more."))
    #expect(message.blocks[0]["text"]?["text"]?.string?.contains("12 alerts in listing_views") == true)
  }

  @Test("a webhook's address is used, and never shown")
  func webhook() async throws {
    let server = try LocalServer.http()
    var settings = SlackSettings()
    settings.webhooks["#good"] = server.url("/ok/services/T0/B0/verysecretpart")
    settings.webhooks["#bad"] = server.url("/echo/services/T0/B0/verysecretpart")
    #expect(try await send(Samples.job("slack", to: "#good"), settings).outcome == .delivered)
    #expect(server.arrived.first?.sent["channel"] == nil)
    #expect(server.arrived.first?.sent["blocks"]?.array?.isEmpty == false)
    let failed = try await send(Samples.job("slack", to: "#bad"), settings)
    #expect(failed.outcome == .failed)
    #expect(failed.status == 400)
    #expect(SlackChannel(settings).missing(for: Samples.job("slack", to: "#other"))?.contains("#other") == true)
  }

  @Test("ok:false with status 200 is no delivery; a token that is echoed is cut out")
  func refused() async throws {
    let server = try LocalServer.http()
    let verdict = try await send(Samples.job("slack", to: "#x"), settings(server.url("/slackerr/channel_not_found")))
    #expect(verdict.outcome == .failed)
    #expect(verdict.message.contains("channel_not_found"))
    let again = try await send(Samples.job("slack", to: "#x"), settings(server.url("/slackerr/ratelimited")))
    #expect(again.outcome == .retry)
    let echoed = try await send(Samples.job("slack", to: "#x"), settings(server.url("/echo")))
    #expect(!echoed.message.contains("xoxb"))
    #expect(echoed.message.contains("•••"))
  }

  @Test("when the root message is gone the reply still goes out, and the receipt says so")
  func rootGone() async throws {
    let server = try LocalServer.http()
    let transport = try CurlTransport()
    defer { transport.close() }
    let job = Samples.job(
      "slack", to: "#x", purpose: .resolved, alert: Samples.alert(state: .resolved),
      thread: ["channel": "C1", "ts": "1.1"])
    let channel = SlackChannel(settings(server.url("/slack")))
    var message = try channel.render(job, now: Samples.now)
    message.parts[0].action = "../slackerr/message_not_found/chat.update"
    let verdict = await channel.send(message, for: job, over: transport, now: Samples.now)
    #expect(verdict.outcome == .delivered)
    #expect(verdict.message.contains("message_not_found"))
  }
}
