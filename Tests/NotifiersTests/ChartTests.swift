import Alerts
import Foundation
import Testing

@testable import Notifiers

@Suite struct ChartTests {
  static func series(_ count: Int = 60) -> JSON {
    .array(
      (0..<count).map { i in
        let time = Samples.openedAt - .days(Int64(count - 1 - i))
        let value = i == count - 1 ? 245.0 : 1850 + 200 * sin(Double(i))
        return [
          "t": .string(time.rfc3339), "value": i == 20 ? .null : .number(value), "expected": 1850, "lower": 1500,
          "upper": 2200,
        ]
      })
  }

  static func alert(_ series: JSON) -> AlertSummary {
    var alert = Samples.alert()
    alert.anomaly.more.append(.init("series", series))
    return alert
  }

  static func bigEndian(_ bytes: some Sequence<UInt8>) -> Int { bytes.reduce(0) { $0 << 8 | Int($1) } }

  @Test("a PNG of the right size comes out, the same every time, and not a blank one")
  func png() throws {
    let chart = try #require(Chart(ChartTests.alert(ChartTests.series())))
    let png = try #require(chart.png())
    #expect(Array(png.prefix(8)) == [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])
    #expect(ChartTests.bigEndian(png[16..<20]) == Chart.width)
    #expect(ChartTests.bigEndian(png[20..<24]) == Chart.height)
    #expect(png.count > 5000)
    #expect(chart.png() == png)
    #expect(
      chart.alternative
        == "total_views (country=DE, device=mobile): the last of 60 values is 245, expected 1,500 to 2,200")
    if let path = ProcessInfo.processInfo.environment["TOCSIN_TEST_PICTURES"] {
      try Data(png).write(to: URL(fileURLWithPath: "\(path)/chart.png"))
    }
  }

  @Test("both forms of a series are read")
  func forms() throws {
    let pairs: JSON = [
      "points": [["2026-11-18T00:00:00Z", 1], [1_795_000_000_000_000, 2], ["2026-11-20T00:00:00Z", 3.5]],
      "lower": [0, 1, 2], "upper": [2, 3, .null],
    ]
    let series = try #require(ChartSeries(ChartTests.alert(pairs).anomaly))
    #expect(series.points.map(\.value) == [1, 2, 3.5])
    #expect(series.points.map(\.upper) == [2, 3, nil])
    #expect(series.points[1].time == Samples.openedAt)
  }

  @Test(
    "what nothing can be drawn of is left out, and never a crash",
    arguments: [
      [], .null, "x", [["t": "never", "value": 1]], [["t": "2026-11-18T00:00:00Z", "value": 1]], ["points": [[1]]],
      .array((0..<10).map { ["t": .string((Samples.now + .days(Int64($0))).rfc3339), "value": 1e300] }),
    ] as [JSON])
  func nothing(series: JSON) {
    #expect(Chart(ChartTests.alert(series)) == nil)
  }

  @Test(
    "strange curves are drawn all the same",
    arguments: [
      [5, 5, 5, 5], [0, 0, 0], [-3, 1e14, 2, -1e14], [1e-13, 2e-13, 1e-13],
    ] as [[Double]])
  func strange(values: [Double]) throws {
    let points = values.enumerated().map {
      ChartSeries.Point(time: Samples.now + .seconds(Int64($0.offset) / 2), value: $0.element)
    }
    let chart = Chart(title: "a\u{0}b\n" + String(repeating: "名", count: 300), series: ChartSeries(points: points))
    #expect(chart.png()?.isEmpty == false)
  }

  @Test(
    "axes have round numbers that span the data",
    arguments: [
      ([0, 100], [0, 50, 100, 150]), ([245, 2200], [0, 500, 1000, 1500, 2000, 2500]),
      ([-1, 1], [-1.5, -1, -0.5, 0, 0.5, 1, 1.5]),
    ] as [([Double], [Double])])
  func scale(values: [Double], ticks: [Double]) {
    let scale = ChartScale(covering: values)
    #expect(scale.ticks == ticks)
    #expect(scale.low <= values[0] && scale.high >= values[1])
  }

  @Test(
    arguments: [(0, "0"), (1850, "1,850"), (12_345, "12.35k"), (3_000_000, "3M"), (2.5e9, "2.5G"), (0.05, "0.05")]
      as [(Double, String)])
  func labels(value: Double, expected: String) { #expect(ChartScale.label(value) == expected) }

  @Test("a mail carries its chart inside, and the HTML shows it")
  func mail() async throws {
    let server = try LocalServer.smtp("plain")
    var settings = EmailSettings(server: "smtp://127.0.0.1:\(server.port)", from: "tocsin@company.com")
    settings.tls = .none
    let transport = try CurlTransport()
    defer { transport.close() }
    let channel = EmailChannel(settings)
    let job = Samples.job("email", to: "a@x.org", alert: ChartTests.alert(ChartTests.series()))
    let message = try channel.render(job, now: Samples.now)
    #expect(await channel.send(message, for: job, over: transport, now: Samples.now).outcome == .delivered)
    let mail = try #require(server.arrived.first)
    #expect(
      mail["structure"]?.array == [
        "multipart/alternative", "text/plain", "multipart/related", "text/html", "image/png",
      ])
    #expect(mail["defects"]?.array == [])
    let id = mail["parts"]?[2]?["id"]?.string?.dropFirst().dropLast() ?? ""
    #expect(mail["parts"]?[1]?["text"]?.string?.contains("src=\"cid:\(id)\"") == true)
    #expect(mail["parts"]?[2]?.data("bytes") == Chart(ChartTests.alert(ChartTests.series()))?.png())
    if let path = ProcessInfo.processInfo.environment["TOCSIN_TEST_PICTURES"] {
      try Data(mail.data("raw")).write(to: URL(fileURLWithPath: "\(path)/mail.eml"))
    }
  }

  @Test("Slack gets the picture into the message's thread, in three steps")
  func slack() async throws {
    let server = try LocalServer.http()
    var settings = SlackSettings()
    settings.token = "xoxb-secret"
    settings.apiURL = server.url("/slack")
    let transport = try CurlTransport()
    defer { transport.close() }
    let channel = SlackChannel(settings)
    let job = Samples.job("slack", to: "#x", alert: ChartTests.alert(ChartTests.series()))
    let message = try channel.render(job, now: Samples.now)
    let verdict = await channel.send(message, for: job, over: transport, now: Samples.now)
    #expect(verdict.outcome == .delivered && verdict.message.isEmpty, "\(verdict.message)")
    let arrived = server.arrived
    #expect(
      arrived.map { $0["path"]?.string } == [
        "/slack/chat.postMessage", "/slack/files.getUploadURLExternal", "/ok/put/secret-place",
        "/slack/files.completeUploadExternal",
      ])
    #expect(arrived[2].data("body") == Chart(ChartTests.alert(ChartTests.series()))?.png())
    #expect(arrived[3].sent["files"]?[0]?["id"]?.string == "F1")
    #expect(arrived[3].sent["channel_id"]?.string == "C0DATA")
    #expect(arrived[3].sent["thread_ts"] == verdict.provider?["ts"])
  }
}

@Suite struct SignedLinkTests {
  let key = Array("0123456789abcdef0123456789abcdef".utf8)
  let link = SignedLink(
    .acknowledge, AlertID(1042), version: 7, recipient: "ana@x.org", expires: Samples.now + .days(1))

  @Test("a link says what it was made for, until it runs out")
  func roundTrip() {
    let token = link.token(key: key)
    #expect(SignedLink.verify(token, key: key, now: Samples.now) == .success(link))
    #expect(token.utf8.allSatisfy { $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "=") })
    #expect(SignedLink.verify(token, key: key, now: link.expires) == .failure(.expired))
  }

  @Test("nothing of it can be changed, and no other key signs it")
  func forged() {
    let token = link.token(key: key)
    for i in token.indices {
      var forged = token
      forged.replaceSubrange(i...i, with: token[i] == "A" ? "B" : "A")
      if case .success(let read) = SignedLink.verify(forged, key: key, now: Samples.now) {
        // The last digit of a base64 text has bits that mean nothing.
        #expect(read == link)
      }
    }
    #expect(SignedLink.verify(token, key: Array(key.reversed()), now: Samples.now) == .failure(.invalid))
    for text in ["", ".", "a.b.c", "a", String(repeating: "A", count: 5000), "{}.{}", "%.é"] {
      #expect(SignedLink.verify(text, key: key, now: Samples.now) == .failure(.invalid))
    }
  }

  @Test("mails carry a link while there is something to acknowledge, and a console to do it in")
  func made() throws {
    let maker = try #require(LinkMaker(secret: String(decoding: key, as: UTF8.self)))
    #expect(LinkMaker(secret: "short") == nil)
    let open = Samples.job("email", to: "ana@x.org")
    let made = try #require(maker.acknowledge(open, recipient: "ana@x.org"))
    #expect(made.hasPrefix("https://tocsin.example.org/links/"))
    let token = String(made.dropFirst("https://tocsin.example.org/links/".count))
    let read = try SignedLink.verify(token, key: key, now: Samples.now).get()
    #expect(read.alert == AlertID(1042) && read.version == 7 && read.recipient == "ana@x.org")
    #expect(maker.acknowledge(Samples.job("email", to: "x", console: nil), recipient: "x") == nil)
    let over = Samples.job("email", to: "x", purpose: .resolved, alert: Samples.alert(state: .resolved))
    #expect(maker.acknowledge(over, recipient: "x") == nil)
    let html = TemplateSet().render(MessageFacts(open, acknowledgeLink: made), .html)
    #expect(html.contains("Acknowledge</a>"))
  }
}
