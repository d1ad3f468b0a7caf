import Alerts
import Console
import Foundation
import HTTPTypes
import Testing

@Suite struct AccessTests {
  private func guarded() throws -> ConsoleFixture {
    try ConsoleFixture { settings in
      settings.users = [
        ConsoleUser(name: "vera", role: .viewer, token: "v-token"),
        ConsoleUser(name: "rob", role: .responder, token: "r-token"),
        ConsoleUser(name: "ten", role: .responder, token: "t-token", tenants: ["acme"]),
      ]
    }
  }
  private func bearer(_ token: String) -> [String: String] { ["Authorization": "Bearer \(token)"] }

  @Test func isOpenAndSaysSoWithoutUsers() async throws {
    #expect(try await ConsoleFixture().ask("/").text.contains("no users are configured"))
  }

  @Test func asksForASignInOrAToken() async throws {
    let fixture = try guarded()
    #expect(try await fixture.ask("/").header("Location") == "/sign-in")
    let api = try await fixture.ask("/api/v1/alerts")
    #expect(api.status == 401)
    #expect(api.header("WWW-Authenticate") == "Bearer")
    #expect(try await fixture.ask("/api/v1/alerts", .get, bearer("wrong")).status == 401)
    #expect(try await fixture.ask("/api/v1/alerts", .get, bearer("v-token")).status == 200)
    #expect(try await fixture.ask("/healthz").status == 200)
    #expect(try await fixture.ask("/metrics").status == 401)
    #expect(try await fixture.ask("/alerts/A-1", .post, body: "action=resolve").header("Location") == "/sign-in")
  }

  @Test func signsABrowserInAndOut() async throws {
    let fixture = try guarded()
    #expect(try await fixture.post("/sign-in", ["secret": "wrong"]).status == 401)
    let answer = try await fixture.post("/sign-in", ["secret": "r-token"])
    #expect(answer.status == 303)
    let cookie = try #require(answer.header("Set-Cookie")?.split(separator: ";").first.map(String.init))
    #expect(!cookie.contains("r-token"))
    let page = try await fixture.ask("/", .get, ["Cookie": cookie])
    #expect(page.status == 200)
    #expect(page.text.contains(">rob<"))
    #expect(!page.text.contains("no users are configured"))
  }

  @Test func letsViewersReadAndRespondersAct() async throws {
    let fixture = try guarded()
    let path = "/api/v1/alerts/A-1/acknowledge"
    #expect(try await fixture.ask(path, .post, bearer("v-token"), body: "{}").status == 403)
    #expect(try await fixture.ask("/api/v1/anomalies", .post, bearer("v-token"), body: APITests.event).status == 403)
    #expect(!(try await fixture.ask("/alerts/A-1", .get, bearer("v-token")).text.contains(">Acknowledge<")))
    #expect(try await fixture.ask(path, .post, bearer("r-token"), body: "{\"by\":\"somebody else\"}").status == 200)
    // The name is the token's, whatever the body says.
    #expect(fixture.commands.commands.map(\.by) == ["rob"])
  }

  @Test func keepsTenantsApart() async throws {
    let fixture = try guarded()
    let headers = bearer("t-token")
    let ids = (try await fixture.ask("/api/v1/alerts?state=all", .get, headers).json["alerts"]?.array ?? []).compactMap
    { $0["id"]?.string }
    #expect(ids == ["A-5"])
    #expect(try await fixture.ask("/alerts/A-1", .get, headers).status == 404)
    #expect(try await fixture.ask("/api/v1/alerts/A-1/timeline", .get, headers).status == 404)
    #expect(try await fixture.ask("/api/v1/alerts/A-1/resolve", .post, headers, body: "{}").status == 404)
    #expect(try await fixture.ask("/api/v1/events", .get, headers).status == 403)
    #expect(try await fixture.ask("/api/v1/notifications", .get, headers).status == 403)
    #expect(try await fixture.ask("/outbox", .get, headers).status == 403)
    #expect(try await fixture.ask("/api/v1/anomalies", .post, headers, body: APITests.event).status == 400)
    #expect(fixture.anomalies.published.isEmpty)
    let page = try await fixture.ask("/", .get, headers).text
    #expect(page.contains("another tenant"))
    #expect(!page.contains("checkout"))
  }
}
