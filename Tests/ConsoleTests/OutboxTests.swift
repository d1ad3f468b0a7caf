import Alerts
import Console
import Foundation
import HTTPTypes
import Testing

@Suite struct OutboxTests {
  static let mail = """
    From: Tocsin <tocsin@example.com>\r
    To: data-team@example.com\r
    Subject: =?utf-8?Q?[CRITICAL]_total=5Fviews_fell_=E2=80=94?= =?utf-8?B?IDg3ICU=?=\r
    MIME-Version: 1.0\r
    Content-Type: multipart/related; boundary="out"\r
    \r
    --out\r
    Content-Type: multipart/alternative; boundary="in"\r
    \r
    --in\r
    Content-Type: text/plain; charset=utf-8\r
    Content-Transfer-Encoding: quoted-printable\r
    \r
    total_views fell 87 =E2=80=93 a long=\r
     line\r
    --in\r
    Content-Type: text/html; charset=utf-8\r
    Content-Transfer-Encoding: quoted-printable\r
    \r
    <p class=3D"x">fell</p><img src=3D"cid:chart@tocsin"><script>alert(1)</script>\r
    --in--\r
    --out\r
    Content-Type: image/png\r
    Content-ID: <chart@tocsin>\r
    Content-Transfer-Encoding: base64\r
    \r
    aGVsbG8=\r
    --out--\r

    """
  static let slack = """
    {"channel":"slack","destination":"#data-alerts","receiver":"data-team","purpose":"firing","key":"k","subject":"A-1",
     "at":"2025-11-20T08:00:00Z","title":"it fell","requests":[{"action":"post","body":{"text":"x","blocks":[
      {"type":"header","text":{"type":"plain_text","text":"CRITICAL <it> fell"}},
      {"type":"section","text":{"type":"mrkdwn","text":"*Value* 245 &lt;script&gt; <https://x.example|the page>"}},
      {"type":"actions","elements":[{"type":"button","style":"primary","text":{"type":"plain_text","text":"Acknowledge"}}]}]}}]}
    """

  private func fixture() throws -> ConsoleFixture {
    let fixture = try ConsoleFixture()
    let folder = fixture.folder + "/outbox/"
    try OutboxTests.mail.write(toFile: folder + "20251120T080000.000000Z-a-1.eml", atomically: true, encoding: .utf8)
    try OutboxTests.slack.write(toFile: folder + "20251120T080001.000000Z-b-2.json", atomically: true, encoding: .utf8)
    try "{broken".write(toFile: folder + "20251120T080002.000000Z-c-3.json", atomically: true, encoding: .utf8)
    try "secret".write(toFile: fixture.folder + "/secret.json", atomically: true, encoding: .utf8)
    return fixture
  }

  @Test func listsMessagesNewestFirst() async throws {
    let text = try await fixture().ask("/outbox").text
    let slack = try #require(text.range(of: "it fell"))
    let mail = try #require(text.range(of: "[CRITICAL] total_views fell — 87 %"))
    #expect(slack.lowerBound < mail.lowerBound)
  }

  @Test func showsAMailAsItsReaderSeesIt() async throws {
    let fixture = try fixture()
    let page = try await fixture.ask("/outbox/20251120T080000.000000Z-a-1.eml")
    #expect(page.text.contains("<iframe class=\"sheet\" sandbox"))
    #expect(page.text.contains("total_views fell 87 – a long line"))
    let frame = try await fixture.ask("/outbox/20251120T080000.000000Z-a-1.eml/html")
    #expect(frame.text.contains("<img src=\"data:image/png;base64,aGVsbG8=\">"))
    // Whatever script a mail has, a sandbox without allow-scripts never runs.
    #expect(frame.header("Content-Security-Policy")?.hasPrefix("sandbox;") == true)
  }

  @Test func drawsASlackMessage() async throws {
    let text = try await fixture().ask("/outbox/20251120T080001.000000Z-b-2.json").text
    #expect(text.contains("<h3>CRITICAL &lt;it&gt; fell</h3>"))
    #expect(text.contains("<b>Value</b> 245 &lt;script&gt; <u>the page</u>"))
    #expect(text.contains("<span class=\"fake-button primary\">Acknowledge</span>"))
  }

  @Test func showsWhatItCannotRead() async throws {
    let answer = try await fixture().ask("/outbox/20251120T080002.000000Z-c-3.json")
    #expect(answer.status == 200)
    #expect(answer.text.contains("not valid JSON"))
  }

  @Test(arguments: ["..%2Fsecret.json", "%2e%2e%2fsecret.json", "secret.json", ".hidden.json", "x.txt"])
  func neverLeavesItsFolder(_ name: String) async throws {
    let answer = try await fixture().ask("/outbox/\(name)")
    #expect(answer.status == 404)
    #expect(!answer.text.contains("secret\n"))
  }
}
