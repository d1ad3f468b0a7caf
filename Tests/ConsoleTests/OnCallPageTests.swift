import Alerts
import Bus
import Console
import Foundation
import HTTPTypes
import Testing

@Suite struct OnCallPageTests {
  private func fixture(_ configure: (inout ConsoleSettings) -> Void = { _ in }) throws -> ConsoleFixture {
    let fixture = try ConsoleFixture(configure)
    let now = fixture.now
    fixture.change { d in
      d.onCall = OnCallSource(
        schedules: { [.init(name: "data oncall", zone: LocalZone("Europe/Berlin") ?? .utc, receivers: ["oncall"])] },
        shifts: { name, from, to in
          guard name == "data oncall" else { return [] }
          return [
            .init(person: "ana <b>", from: from, until: now + .hours(2), isOverride: true),
            .init(person: nil, from: now + .hours(2), until: now + .hours(3)),
            .init(person: "ben", from: now + .hours(3), until: to),
          ]
        }, standing: { [["name": "data oncall", "at": .string($0.rfc3339)]] },
        calendar: { $0 == "data oncall" ? "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n" : nil })
      d.warnings = { ["policies.p.steps[1].notify reaches nobody from 2026-12-24 09:00"] }
    }
    return fixture
  }

  @Test func showsWhoIsOnCallNowAndNextAndWhatIsMissing() async throws {
    let page = try await fixture().ask("/oncall")
    #expect(page.status == 200)
    #expect(page.text.contains("<dd>ana &lt;b&gt;</dd>") && !page.text.contains("ana <b>"))
    #expect(page.text.contains("nobody from Thu 20 Nov 11:00"))
    #expect(page.text.contains("reaches nobody from 2026-12-24 09:00"))
    #expect(page.text.contains("Told by way of oncall."))
    #expect(page.text.contains("href=\"/oncall/data%20oncall.ics\""))
    #expect(page.text.contains("href=\"/oncall?from=2025-11-24\">Week after"))
    #expect(try await fixture().ask("/oncall?from=soon").status == 400)
  }

  @Test func saysWhatToDoWithoutASchedule() async throws {
    let page = try await ConsoleFixture().ask("/oncall")
    #expect(page.status == 200 && page.text.contains("No schedule is configured."))
  }

  @Test func servesACalendarFeedAndAnAPI() async throws {
    let fixture = try fixture()
    let feed = try await fixture.ask("/oncall/data%20oncall.ics")
    #expect(feed.status == 200 && feed.header("Content-Type") == "text/calendar; charset=utf-8")
    #expect(feed.text.hasPrefix("BEGIN:VCALENDAR\r\n"))
    for path in ["/oncall/other.ics", "/oncall/data%20oncall", "/oncall/..%2F..%2Fetc.ics"] {
      #expect(try await fixture.ask(path).status == 404)
    }
    let api = try await fixture.ask("/api/v1/schedules?at=2026-12-24T09:00:00Z")
    #expect(api.json["schedules"]?.array?.first?["at"] == "2026-12-24T09:00:00Z")
    #expect(try await fixture.ask("/api/v1/schedules?at=x").status == 400)
  }

  /// Calendar programs can't sign in: the feed's own address opens it, and nothing else.
  @Test func theFeedsAddressCarriesAKeyOfItsOwn() async throws {
    let fixture = try fixture {
      $0.users = [ConsoleUser(name: "ana", role: .viewer, token: "a-long-enough-token")]
    }
    #expect(try await fixture.ask("/oncall/data%20oncall.ics").status == 303)
    let page = try await fixture.ask("/oncall", .get, ["Authorization": "Bearer a-long-enough-token"])
    let link = try #require(page.text.split(separator: "href=\"").first { $0.hasPrefix("/oncall/data") })
    let address = String(link.prefix { $0 != "\"" })
    #expect(address.contains("?key=") && !address.contains("a-long-enough-token"))
    #expect(try await fixture.ask(address).status == 200)
    #expect(try await fixture.ask(address + "0").status == 303)
    let key = address.split(separator: "?")[1]
    for path in ["/", "/oncall", "/api/v1/alerts"] { #expect(try await fixture.ask("\(path)?\(key)").status != 200) }
  }
}

/// Links in mails: a page with a button, since mail scanners open every link.
@Suite struct LinkTests {
  private func fixture(_ reading: LinkReading) throws -> ConsoleFixture {
    // Signed out: the token is the proof.
    let fixture = try ConsoleFixture {
      $0.users = [ConsoleUser(name: "ana", role: .viewer, token: "a-long-enough-token")]
    }
    fixture.change { $0.link = { token in token == "t.oken" ? reading : .invalid } }
    return fixture
  }

  private let link = LinkReading.acknowledge(AlertID(1), version: 3, by: "ana", sentTo: "ana@x.org")

  @Test func openingOneChangesNothingAndShowsAButton() async throws {
    let fixture = try fixture(link)
    for method in [.get, .head] as [HTTPRequest.Method] {
      #expect(try await fixture.ask("/links/t.oken", method).status == 200)
    }
    let page = try await fixture.ask("/links/t.oken")
    #expect(page.text.contains("<form method=\"post\"") && page.text.contains("Acknowledge as ana"))
    #expect(!page.text.contains("aria-current") && !page.text.contains("/silences"))
    #expect(fixture.commands.commands.isEmpty)
  }

  @Test func theButtonAcknowledgesTheVersionThatTheMessageShowed() async throws {
    let fixture = try fixture(link)
    let done = try await fixture.ask("/links/t.oken", .post, body: "")
    #expect(done.status == 200 && done.text.contains("Acknowledged by ana. The escalation stops here."))
    #expect(!done.text.contains("<form"))
    #expect(
      fixture.commands.commands == [
        Command(
          .acknowledge, alert: AlertID(1), by: "ana", note: "by the link in the message to ana@x.org", version: 3)
      ])
  }

  @Test func aStaleOneIsRefusedWithTheReason() async throws {
    let fixture = try fixture(link)
    fixture.commands.answer(.failure(CommandError(.stale_version, "A-1 has changed since version 3")))
    let page = try await fixture.ask("/links/t.oken", .post, body: "")
    #expect(page.status == 409 && page.text.contains("Not acknowledged: A-1 has changed since version 3."))
    fixture.commands.fail(BusError(.timeout, "no answer"))
    #expect(try await fixture.ask("/links/t.oken", .post, body: "").status == 503)
  }

  @Test(arguments: [(LinkReading.invalid, 404), (.expired, 410), (.off, 404)])
  func othersShowWhatToDoInstead(_ reading: LinkReading, _ status: Int) async throws {
    let fixture = try fixture(reading)
    for method in [.get, .post] as [HTTPRequest.Method] {
      let page = try await fixture.ask("/links/t.oken", method, body: method == .post ? "" : nil)
      #expect(page.status == status && page.text.contains("sign in to the console"))
    }
    #expect(fixture.commands.commands.isEmpty)
  }

  /// Another site's page can't press the button by itself.
  @Test func anotherSiteCannotPressTheButton() async throws {
    let fixture = try fixture(link)
    let page = try await fixture.ask("/links/t.oken", .post, ["Sec-Fetch-Site": "cross-site"], body: "")
    #expect(page.status == 403 && fixture.commands.commands.isEmpty)
  }
}
