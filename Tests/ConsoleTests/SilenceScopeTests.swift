import Alerts
import Console
import HTTPTypes
import Testing

/// Who may see some tenants only silences those only, by the pages and by the API.
@Suite struct SilenceScopeTests {
  private func guarded() throws -> ConsoleFixture {
    try ConsoleFixture { settings in
      settings.users = [
        ConsoleUser(name: "rob", role: .responder, token: "r-token"),
        ConsoleUser(name: "ten", role: .responder, token: "t-token", tenants: ["acme"]),
        ConsoleUser(name: "two", role: .responder, token: "2-token", tenants: ["acme", "b.c"]),
      ]
    }
  }
  private func bearer(_ token: String) -> [String: String] { ["Authorization": "Bearer \(token)"] }
  private let form = ["matchers": "device=mobile", "for": "2h"]

  private func matchers(_ c: Command?) -> [String] {
    if case .silence(let matchers, _, _)? = c?.action { matchers.map(\.description) } else { [] }
  }

  @Test func aSilenceIsLimitedToTheTenantsOfWhoeverAsks() async throws {
    let fixture = try guarded()
    let body = #"{"matchers":[{"name":"device","value":"mobile"}],"for":"2h"}"#
    for (token, more) in [
      ("r-token", []), ("t-token", ["tenant=\"acme\""]), ("2-token", ["tenant=~\"acme|b\\\\.c\""]),
    ] as [(String, [String])] {
      #expect(try await fixture.post("/silences", form, bearer(token)).status == 303)
      #expect(matchers(fixture.commands.commands.last) == ["device=\"mobile\""] + more)
      #expect(try await fixture.ask("/api/v1/silences", .post, bearer(token), body: body).status == 201)
      #expect(matchers(fixture.commands.commands.last) == ["device=\"mobile\""] + more)
    }
    // One that says its own tenant needs no more.
    _ = try await fixture.post("/silences", ["matchers": "tenant=acme", "for": "2h"], bearer("t-token"))
    #expect(matchers(fixture.commands.commands.last) == ["tenant=\"acme\""])
    _ = try await fixture.post("/silences", ["matchers": "tenant=default", "for": "2h"], bearer("t-token"))
    #expect(
      matchers(fixture.commands.commands.last) == ["tenant=\"default\"", "tenant=\"acme\""], "which nothing matches")
  }

  @Test func othersSilencesAreNeitherSeenNorEnded() async throws {
    let fixture = try guarded()
    #expect(try await fixture.ask("/silences", .get, bearer("r-token")).text.contains("migration"))
    #expect(!(try await fixture.ask("/silences?expired=1", .get, bearer("t-token")).text.contains("migration")))
    #expect(try await fixture.post("/silences/S-1/expire", [:], bearer("t-token")).status == 404)
    #expect(try await fixture.ask("/api/v1/silences", .get, bearer("t-token")).json["silences"]?.array?.count == 0)
    #expect(try await fixture.ask("/api/v1/silences/S-1", .get, bearer("t-token")).status == 404)
    #expect(try await fixture.ask("/api/v1/silences/S-1", .delete, bearer("t-token"), body: "{}").status == 404)
    #expect(fixture.commands.commands.isEmpty)
    #expect(try await fixture.post("/silences/S-1/expire", [:], bearer("r-token")).status == 303)
  }

  @Test func whoHasSeenAPreviewSaysSo() async throws {
    let fixture = try ConsoleFixture()
    let page = try await fixture.ask("/silences?matchers=event_type%3Dlisting_views&for=2h&preview=1").text
    #expect(page.contains("name=\"seen\" value=\"2 alerts\""))
    _ = try await fixture.post("/silences", form.merging(["by": "ana", "seen": "2 alerts"]) { $1 })
    _ = try await fixture.post("/silences", form.merging(["by": "ana"]) { $1 })
    #expect(fixture.commands.commands.map(\.confirmed) == [true, false])
  }

  @Test func maintenanceWindowsAreShownWithTheirNextTimeAndWhatTheyWouldHit() async throws {
    let fixture = try ConsoleFixture()
    let now = fixture.now
    fixture.setWindows([
      WindowReport(
        name: "nightly load", rhythm: "every day at 02:00 for 1h (UTC)",
        matchers: [Matcher(name: "event_type", value: "listing_views")],
        next: .init(start: now + .hours(2), end: now + .hours(3)))
    ])
    let page = try await fixture.ask("/silences").text
    for wanted in ["nightly load", "every day at 02:00 for 1h (UTC)", "2 alerts"] {
      #expect(page.contains(wanted), "\(wanted)")
    }
  }
}
