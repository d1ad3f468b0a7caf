import Alerts
import Detectors
import Foundation
import Notifiers
import Testing
import TocsinConfiguration

/// Secrets come from the environment and from files, and go nowhere but to the part that needs them.
@Suite struct SecretTests {
  static let main = """
    receivers:
      oncall: {pagerduty: {routing_key: "${KEY}"}, webhook: {url: "https://u:${KEY}@hooks.example/x?t=${KEY}"}}
    connections:
      w: {kind: postgres, url: "postgres://me:${KEY}@db/x", password: "${KEY}"}
    channels:
      email: {server: "smtp://mail", from: a@b.c, username: u, password: "${KEY}"}
      slack: {token: "${KEY}", webhooks: {"#a": "https://hooks.slack.com/${KEY}"}}
    """

  @Test func readsTheEnvironment() throws {
    let configuration = try ConfigurationFixture(SecretTests.main).load(["KEY": "s3cret"])
    #expect(configuration.notifiers.receiverOptions["oncall"]?["routing_key"] == "s3cret")
    #expect(configuration.notifiers.email?.password == "s3cret")
    #expect(configuration.detection.connections[0].options["password"]?.value == "s3cret")
  }

  @Test func neverShowsThem() throws {
    let configuration = try ConfigurationFixture(SecretTests.main).load(["KEY": "s3cret"])
    #expect(!configuration.effective.text.contains("s3cret"))
    #expect(!Outline.text(configuration.effective).contains("s3cret"))
    #expect(configuration.effective.text.contains("***"))
  }

  @Test func neverPutsThemIntoAFault() throws {
    let faults = try ConfigurationFixture(
      "timezone: \"${KEY}\"\nconsole: {listen: \"${KEY}\", public_url: \"${KEY}\"}\nreopen_within: \"${KEY}\"\n"
    ).faults(["KEY": "s3cret"])
    #expect(faults.count == 4)
    #expect(!faults.joined().contains("s3cret"))
  }

  @Test func readsAFileAndCutsItsLineEnd() throws {
    let fixture = try ConfigurationFixture("")
    let secret = fixture.directory + "/secret"
    try "from-file\n".write(toFile: secret, atomically: true, encoding: .utf8)
    try "receivers: {r: {pagerduty: \"${file:\(secret)}\"}}\n".write(
      toFile: fixture.directory + "/tocsin.yaml", atomically: true, encoding: .utf8)
    #expect(try fixture.load().notifiers.receiverOptions["r"]?["routing_key"] == "from-file")
  }

  @Test func saysWhatIsMissing() throws {
    let faults = try ConfigurationFixture(
      "receivers:\n  a: {pagerduty: \"${NOPE}\"}\n  b: {pagerduty: \"${file:/no/such}\"}\n  c: {pagerduty: \"${OPEN\"}\n"
    ).faults()
    #expect(
      faults == [
        "tocsin.yaml:2:18 receivers.a.pagerduty: the environment has no variable NOPE",
        "tocsin.yaml:3:18 receivers.b.pagerduty: the file /no/such can't be read",
        "tocsin.yaml:4:18 receivers.c.pagerduty: \"${\" has no closing \"}\"",
      ])
  }

  @Test func takesADefaultAndAnEscape() throws {
    let configuration = try ConfigurationFixture(
      "timezone: \"${ZONE:-Europe/Berlin}\"\ndata_directory: \"$${x}\"\n"
    ).load()
    #expect(configuration.timeZone == "Europe/Berlin")
    #expect(configuration.dataDirectory == "${x}")
  }
}
