import Alerts
import Foundation
import Testing

@testable import Notifiers

/// Every kind of mail, as its reader gets it. With `TOCSIN_TEST_PICTURES` each is written there, to be looked at in a mail program or a browser.
@Suite struct MailLookTests {
  static let links = LinkMaker(secret: "0123456789abcdef0123456789abcdef")

  /// What can happen to an alert, and what its reader must find without scrolling far.
  static let kinds: [(name: String, job: Job, needs: [String])] = {
    func job(_ purpose: Purpose, _ occasion: Occasion? = nil, _ change: (inout AlertSummary) -> Void = { _ in }) -> Job
    {
      var alert = ChartTests.alert(ChartTests.series())
      alert.openedAt = Samples.openedAt
      change(&alert)
      return Samples.job("email", to: "ana@company.com", purpose: purpose, alert: alert, occasion: occasion)
    }
    let end = Samples.openedAt + .minutes(42)
    var notice = Samples.job(
      "email", to: "ana@company.com", purpose: .notice, alert: nil,
      content: [
        "subject": "ben silenced device=mobile",
        "text":
          "The silence S-7 by ben holds from 2026-11-18T11:00:00Z to 2026-11-18T13:00:00Z (a migration). It matches 3 alerts that are open now.",
      ])
    notice.subject = Subject(.silence, 7)
    var storm = Samples.summary("email", to: "ana@company.com", count: 1000)
    storm.members = (1...5 as ClosedRange<Int64>).map {
      var a = Samples.alert($0, severity: $0 == 1 ? .critical : .high)
      a.anomaly.dimensions = [.init("device", "mobile"), .init("shop", "shop-\($0)")]
      return a
    }
    storm.tally?.bySeverity = [.critical: 1, .high: 999]
    storm.occasion = Occasion(.storm)
    var ended = Samples.summary("email", to: "ana@company.com", count: 3)
    ended.members = (1...3 as ClosedRange<Int64>).map { Samples.alert($0, severity: .high, state: .resolved) }
    ended.tally?.ended = 3
    return [
      (
        "opened", job(.firing, Occasion(.opened)) { $0.step = 0 },
        ["CRITICAL", "total_views fell 87%", "245, expected 1,850", "Acknowledge</a>", "Open in Tocsin", "cid:chart-"]
      ),
      (
        "escalated",
        job(.firing, Occasion(.unacknowledged, after: .minutes(15))) {
          $0.nextEscalationAt = Samples.now + .minutes(30)
        },
        ["Step 2 of 3", "nobody acknowledged for 15m", "Next step at", "Acknowledge</a>"]
      ),
      (
        "reminder",
        job(.reminder) {
          $0.state = .acknowledged; $0.acknowledgedBy = "ana"; $0.acknowledgedUntil = end
        }, ["REMINDER", "The acknowledgement by ana runs out"]
      ),
      (
        "acknowledged",
        job(.acknowledged) {
          $0.state = .acknowledged; $0.acknowledgedBy = "ana"; $0.acknowledgedUntil = end
        }, ["ACKNOWLEDGED", "Acknowledged by ana"]
      ),
      (
        "resolved",
        job(.resolved) {
          $0.state = .resolved; $0.resolvedHow = .responder; $0.resolvedBy = "ben"; $0.resolvedAt = end
        }, ["RESOLVED", "Resolved by ben after 42m"]
      ),
      (
        "stale",
        job(.resolved) {
          $0.state = .resolved; $0.resolvedHow = .stale; $0.resolvedAt = end
        }, ["RESOLVED AS STALE", "Nobody has said that it is over", "#57606a"]
      ),
      (
        "group", Samples.summary("email", to: "ana@company.com"),
        ["HIGH", "12 alerts in listing_views: 3 high, 9 medium", "and 7 more"]
      ),
      ("ended", ended, ["RESOLVED", "3 alerts in listing_views are over", "#1a7f37"]),
      (
        "storm", storm,
        [
          "CRITICAL", "1,000 alerts in listing_views: 1 critical, 999 high", "So much came at once", "shop-1", "shop-5",
          "and 995 more",
        ]
      ),
      ("notice", notice, ["S-7", "ben silenced device=mobile", "3 alerts"]),
    ]
  }()

  @Test(
    "a mail of each kind says what its reader needs, in both of its parts, and has no holes", arguments: kinds.indices)
  func look(_ i: Int) throws {
    let (name, job, needs) = MailLookTests.kinds[i]
    let settings = EmailSettings(server: "smtp://127.0.0.1:1", from: "Tocsin <tocsin@company.com>")
    let message = try EmailChannel(settings, links: MailLookTests.links).render(job, now: Samples.now)
    let link = MailLookTests.links?.acknowledge(job, recipient: "ana@company.com")
    let facts = MessageFacts(job, acknowledgeLink: link)
    let html = TemplateSet().render(facts, .html, extra: ["chart": "cid:chart-"])
    let text = TemplateSet().render(facts, .text)
    for need in needs { #expect(html.contains(need), "\(name)'s page does not say \(need)") }
    for need in needs where !need.contains("</a>") && !need.hasPrefix("cid:") && !need.hasPrefix("#") {
      #expect("\(message.title)\n\(text)".contains(need), "\(name)'s text does not say \(need)")
    }
    for hole in ["{{", "Optional(", "nil"] { #expect(!html.contains(hole) && !text.contains(hole)) }
    let lines = String(decoding: message.parts[0].body, as: UTF8.self).components(separatedBy: "\r\n")
    #expect(lines.allSatisfy { $0.utf8.count <= 998 }, "RFC 5322, section 2.1.1")
    if let path = ProcessInfo.processInfo.environment["TOCSIN_TEST_PICTURES"] {
      try Data(message.parts[0].body).write(to: URL(fileURLWithPath: "\(path)/\(name).eml"))
    }
  }
}
