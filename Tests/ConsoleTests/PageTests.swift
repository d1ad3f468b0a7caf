import Alerts
import Bus
@testable import Console
import Foundation
import HTTPTypes
import Testing

@Suite struct PageTests {
  @Test func listsWhatIsOpenWorstFirst() async throws {
    let answer = try await ConsoleFixture().ask("/")
    #expect(answer.status == 200)
    let text = answer.text
    let critical = try #require(text.range(of: "total_views fell 87% below the 7-day mean"))
    let high = try #require(text.range(of: "payments_failed"))
    #expect(critical.lowerBound < high.lowerBound)
    #expect(text.contains("A-2"))
    #expect(!text.contains(">A-3<"))
    #expect(text.contains("-86.8%"))
    #expect(text.contains("expected 1,850"))
    // Of A-1 somebody was not told; of the others everybody.
    #expect(text.components(separatedBy: "1 message could not be delivered").count == 2)
  }

  @Test(arguments: [
    ("/?state=resolved", "A-3", "A-1"), ("/?severity=high", "A-2", "A-1"), ("/?q=tracking", "A-1", "A-2"),
    ("/?event_type=checkout", "A-2", "A-4"), ("/?state=acknowledged", "A-2", "A-1"),
  ])
  func filters(_ uri: String, _ there: String, _ absent: String) async throws {
    let text = try await ConsoleFixture().ask(uri).text
    #expect(text.contains(">\(there)<"))
    #expect(!text.contains(">\(absent)<"))
  }

  @Test func aDetectorsLastRunsAreSaidInWords() {
    let last: JSON = [
      [
        "event_type": "listings", "duration_ms": 12, "windows": 1, "points": 30, "series": 4,
        "newest": "2026-11-20T00:00:00Z", "lag_seconds": 0,
      ],
      [
        "event_type": "shop", "duration_ms": 2500, "windows": 3, "points": 0, "series": 1, "lag_seconds": 5400.5,
        "error": "no such table",
      ],
    ]
    #expect(
      StatusPage.words(last)
        == "listings: 1 window, 30 points of 4 series in 12 ms, through 2026-11-20T00:00:00Z; shop: 3 windows, 0 points of 1 series in 2s, 1h30m behind, FAILED: no such table"
    )
    #expect(StatusPage.words(["email", "slack"]) == "email, slack")
  }

  @Test func saysWhenAllIsQuiet() async throws {
    #expect(try await ConsoleFixture().ask("/?q=nothinglikethis").text.contains("No alert matches this filter."))
  }

  @Test func showsOneAlertWithEverything() async throws {
    let answer = try await ConsoleFixture().ask("/alerts/A-1")
    #expect(answer.status == 200)
    for wanted in [
      "<svg class=\"chart\"", "looks like the tracking change", "campaign/45", "channel_not_found",
      "href=\"https://wiki.example.org/views\"", "name=\"version\" value=\"", ">Acknowledge</button>", "href=\"#e",
    ] {
      #expect(answer.text.contains(wanted), "\(wanted)")
    }
    #expect(!answer.text.contains("href=\"javascript:"))
  }

  @Test(arguments: [
    "/", "/alerts/A-4", "/silences?matchers=%3Cscript%3Ealert(1)&preview=1", "/?q=%3Cscript%3Ealert(1)",
  ])
  func escapesWhatOthersSent(_ uri: String) async throws {
    let text = try await ConsoleFixture().ask(uri).text
    #expect(!text.contains("<script>alert"))
    // A quotation mark with an accent is a quotation mark to a browser.
    let broken = "\"\u{301} onmouseover"
    #expect(!text.contains(broken))
  }

  @Test(arguments: ["/", "/alerts/A-1", "/digest", "/outbox", "/silences", "/status", "/alerts/A-99", "/nowhere"])
  func sendsHeadersThatShutOutScripts(_ uri: String) async throws {
    let answer = try await ConsoleFixture().ask(uri)
    let policy = try #require(answer.header("Content-Security-Policy"))
    #expect(policy.contains("default-src 'none'"))
    #expect(!policy.contains("unsafe"))
    #expect(answer.header("X-Content-Type-Options") == "nosniff")
    #expect(!answer.text.contains(" style=\""))
    #expect(!answer.text.contains("http-equiv"))
  }

  @Test func tellsPeopleInAPageAndProgramsInJSON() async throws {
    let fixture = try ConsoleFixture()
    let page = try await fixture.ask("/alerts/A-99")
    #expect(page.status == 404)
    #expect(page.text.contains("There is no alert A-99."))
    let problem = try await fixture.ask("/api/v1/alerts/A-99")
    #expect(problem.status == 404)
    #expect(problem.header("Content-Type") == "application/problem+json")
    #expect(problem.json["code"] == "unknown_alert")
  }

  @Test func acknowledgesWithTheVersionSeenAndRemembersTheName() async throws {
    let fixture = try ConsoleFixture()
    let answer = try await fixture.post(
      "/alerts/A-1", ["action": "acknowledge", "by": "Ana Lü", "note": "looking", "version": "7"])
    #expect(answer.status == 303)
    #expect(answer.header("Location") == "/alerts/A-1?done=acknowledge")
    #expect(answer.header("Set-Cookie")?.hasPrefix("tocsin_name=Ana%20L%C3%BC") == true)
    #expect(
      fixture.commands.commands == [Command(.acknowledge, alert: AlertID(1), by: "Ana Lü", note: "looking", version: 7)]
    )
    #expect(try await fixture.ask("/alerts/A-1?done=acknowledge").text.contains("Acknowledged: the policy stops here."))
  }

  static let forms: [([String: String], Command.Action)] = [
    (["action": "resolve"], .resolve), (["action": "snooze", "for": "2h"], .snooze(.hours(2))),
    (["action": "assign", "to": "ben"], .assign(to: "ben")), (["action": "comment", "note": "hm"], .comment("hm")),
    (["action": "false_positive"], .label(.false_positive)), (["action": "escalate"], .escalate),
    (["action": "unacknowledge"], .unacknowledge), (["action": "unsnooze"], .unsnooze),
  ]

  @Test(arguments: forms.indices) func sendsEachButtonsCommand(_ i: Int) async throws {
    let fixture = try ConsoleFixture()
    let (form, action) = PageTests.forms[i]
    #expect(try await fixture.post("/alerts/A-1", form.merging(["by": "ana"]) { $1 }).status == 303)
    #expect(fixture.commands.commands.map(\.action) == [action])
  }

  @Test func showsWhyAStaleFormWasRefusedAndKeepsWhatWasTyped() async throws {
    let fixture = try ConsoleFixture()
    fixture.commands.answer(.failure(CommandError(.stale_version, "ben resolved it a moment ago")))
    let answer = try await fixture.post(
      "/alerts/A-1", ["action": "acknowledge", "by": "ana", "note": "my words", "version": "1"])
    #expect(answer.status == 409)
    #expect(answer.text.contains("Not done: Ben resolved it a moment ago."))
    #expect(answer.text.contains("value=\"my words\""))
  }

  @Test func saysWhenTheServiceDoesNotAnswer() async throws {
    let fixture = try ConsoleFixture()
    fixture.commands.fail(BusError(.timeout, "no reply within 5s"))
    let answer = try await fixture.post("/alerts/A-1", ["action": "resolve", "by": "ana"])
    #expect(answer.status == 503)
    #expect(answer.text.contains("did not answer"))
  }

  @Test func refusesFormsFromElsewhere() async throws {
    let fixture = try ConsoleFixture()
    let form = ["action": "resolve", "by": "mallory"]
    #expect(try await fixture.post("/alerts/A-1", form, ["Sec-Fetch-Site": "cross-site"]).status == 403)
    #expect(try await fixture.post("/alerts/A-1", form, ["Origin": "https://evil.example"]).status == 403)
    #expect(try await fixture.ask("/alerts/A-1", .post, body: "action=resolve&by=mallory").status == 403)
    #expect(
      try await fixture.ask(
        "/alerts/A-1", .post, ["Cookie": "tocsin_form=\(String(repeating: "a", count: 32))"],
        body: "action=resolve&by=mallory&token=\(String(repeating: "b", count: 32))"
      ).status == 403)
    #expect(fixture.commands.commands.isEmpty)
  }

  @Test func previewsASilenceBeforeItHolds() async throws {
    let fixture = try ConsoleFixture()
    let page = try await fixture.ask("/silences?matchers=event_type%3Dlisting_views&for=2h&preview=1")
    #expect(page.text.contains("This silence would hold back 2 alerts now:"))
    #expect(page.text.contains("migration"))
    let answer = try await fixture.post(
      "/silences", ["matchers": "event_type=listing_views\r\n", "for": "2h", "by": "ana", "comment": "x"])
    #expect(answer.status == 303)
    #expect(
      fixture.commands.commands == [
        Command(
          .silence(
            matchers: [Matcher(name: "event_type", value: "listing_views")], startsAt: nil,
            endsAt: fixture.now + .hours(2)),
          by: "ana", note: "x")
      ])
  }

  @Test(arguments: [("", "2h"), ("nonsense", "2h"), ("a=b", "soon"), ("a=b", "900d")])
  func refusesASilenceThatMakesNoSense(_ matchers: String, _ length: String) async throws {
    let fixture = try ConsoleFixture()
    #expect(
      try await fixture.post("/silences", ["matchers": matchers, "for": length, "by": "a"]).text.contains("Not done"))
    #expect(fixture.commands.commands.isEmpty)
  }

  @Test func endsASilence() async throws {
    let fixture = try ConsoleFixture()
    #expect(try await fixture.post("/silences/S-1/expire", ["by": "ana"]).status == 303)
    #expect(fixture.commands.commands == [Command(.expireSilence(Subject(.silence, 1)), by: "ana")])
  }

  @Test func showsWorkersAndFailedDeliveries() async throws {
    let fixture = try ConsoleFixture()
    let text = try await fixture.ask("/status").text
    #expect(text.contains("notifier/1"))
    #expect(text.contains("9m ago, late"))
    #expect(text.contains("channel_not_found"))
    fixture.setUnready("the log is locked")
    #expect(
      try await fixture.ask("/status").text.contains("does not take commands or anomalies now: the log is locked"))
  }

  @Test func showsAnyDigestInAClosedFrame() async throws {
    let fixture = try ConsoleFixture()
    let page = try await fixture.ask("/digest?period=weekly&ending=2025-11-10")
    #expect(page.text.contains("src=\"/digest/html?period=weekly&amp;ending=2025-11-10\""))
    #expect(page.text.contains("ending=2025-11-03\">Earlier"))
    let frame = try await fixture.ask("/digest/html")
    #expect(frame.header("Content-Security-Policy")?.hasPrefix("sandbox; default-src 'none'") == true)
    #expect(try await fixture.ask("/digest/text").text == "two alerts\n")
    #expect(try await fixture.ask("/digest?ending=yesterday").status == 400)
  }

  @Test func servesStyleAndScriptUnderTheirContentsNames() async throws {
    let fixture = try ConsoleFixture()
    let page = try await fixture.ask("/").text
    let paths = page.matches(of: /\/assets\/[a-z]+-[0-9a-f]+\.(css|js|svg)/).map { String($0.0) }
    #expect(Set(paths).count == 3)
    for path in paths {
      let asset = try await fixture.ask(path)
      #expect(asset.status == 200)
      #expect(asset.header("Cache-Control")?.contains("immutable") == true)
    }
    #expect(!page.contains("//cdn") && !page.contains("src=\"http"))
  }
}
