import Alerts
import Testing

@testable import Notifiers

@Suite struct ClassificationTests {
  let now = Samples.now

  @Test("every HTTP status is delivered, again, or failed")
  func http() {
    for status in 100...599 {
      let verdict = Classification.http(status: status, now: now)
      let expected: Receipt.Outcome =
        switch status {
        case 200...299: .delivered
        case 408, 429, 500...599: .retry
        default: .failed
        }
      #expect(verdict.outcome == expected, "\(status)")
      #expect(verdict.status == status)
      #expect(verdict.outcomeUnknown == (status == 504))
    }
  }

  @Test("Retry-After is taken from whatever is tried again, as seconds and as a date")
  func retryAfter() {
    #expect(Classification.http(status: 429, retryAfter: "7", now: now).retryAfter == .seconds(7))
    #expect(Classification.http(status: 503, retryAfter: "120", now: now).retryAfter == .seconds(120))
    #expect(Classification.http(status: 404, retryAfter: "7", now: now).retryAfter == nil)
    #expect(Classification.http(status: 429, retryAfter: "soon", now: now).retryAfter == nil)
  }

  @Test("a redirect and a refused token say what to do")
  func mends() {
    #expect(Classification.http(status: 301, now: now).message.contains("redirect"))
    #expect(Classification.http(status: 401, now: now).message.contains("token"))
    #expect(Classification.http(status: 400, words: "invalid_payload", now: now).message.contains("invalid_payload"))
  }

  @Test("SMTP: 2 is taken, 4 is not now, 5 is never")
  func smtp() {
    for code in 200...599 {
      let expected: Receipt.Outcome = code < 300 ? .delivered : code >= 500 ? .failed : .retry
      #expect(Classification.smtp(code: code).outcome == expected, "\(code)")
    }
    #expect(Classification.smtp(code: 535, words: "535 no").message.contains("password"))
  }

  @Test("all recipients refused: again only if one of them may take it later")
  func refused() {
    let never = RefusedRecipient(address: "a@x.org", code: 550, answer: "550 no")
    let later = RefusedRecipient(address: "b@x.org", code: 451, answer: "451 later")
    #expect(Classification.allRefused([never, never]).outcome == .failed)
    let mixed = Classification.allRefused([never, later])
    #expect(mixed.outcome == .retry)
    #expect(mixed.status == 451)
    #expect(mixed.message.contains("a@x.org") && mixed.message.contains("b@x.org"))
  }

  @Test("libcurl: everything may pass but what no second try can mend")
  func curl() {
    let failing: Set = [1, 3, 4, 43, 48, 53, 54, 58, 59, 77]
    for code in 1...99 {
      let verdict = Classification.failure(TransferFailure(code: code, message: "m"))
      #expect(verdict.outcome == (failing.contains(code) ? .failed : .retry), "\(code)")
      #expect(!verdict.outcomeUnknown)
    }
    let unknown = Classification.failure(TransferFailure(code: 56, message: "reset", outcomeUnknown: true))
    #expect(unknown.outcome == .retry && unknown.outcomeUnknown)
  }

  @Test(
    "Slack answers 200 for everything",
    arguments: [
      ("ratelimited", Receipt.Outcome.retry), ("internal_error", .retry), ("fatal_error", .retry),
      ("service_unavailable", .retry), ("channel_not_found", .failed), ("not_in_channel", .failed),
      ("invalid_auth", .failed), ("msg_too_long", .failed), ("invalid_blocks", .failed), ("something_new", .failed),
    ])
  func slack(error: String, expected: Receipt.Outcome) {
    let body: JSON = ["ok": false, "error": .string(error)]
    let verdict = Classification.slack(TransferResponse(status: 200, body: body.bytes), secrets: [], now: now)
    #expect(verdict.outcome == expected)
    #expect(verdict.message.contains(error))
  }

  @Test("Slack's success hands on channel and ts; nonsense with status 200 is tried again; 429 is Slack's own")
  func slackOthers() {
    let ok: JSON = ["ok": true, "channel": "C1", "ts": "17.1"]
    let delivered = Classification.slack(TransferResponse(status: 200, body: ok.bytes), secrets: [], now: now)
    #expect(delivered.outcome == .delivered)
    #expect(delivered.provider == ["channel": "C1", "ts": "17.1"])
    let page = Classification.slack(TransferResponse(status: 200, body: Array("<html>".utf8)), secrets: [], now: now)
    #expect(page.outcome == .retry && page.outcomeUnknown)
    let limited = TransferResponse(status: 429, headers: [.init("retry-after", "30")], body: [])
    #expect(Classification.slack(limited, secrets: [], now: now).retryAfter == .seconds(30))
  }
}

@Suite struct RetryAfterTests {
  static let now = Timestamp(rfc3339: "1994-11-06T08:49:00Z") ?? .epoch

  @Test(arguments: [
    ("0", Interval.zero), ("120", .seconds(120)), (" 3 ", .seconds(3)), ("1.5", .milliseconds(1500)),
    ("99999999", RetryAfter.longest), ("Sun, 06 Nov 1994 08:49:37 GMT", .seconds(37)),
    ("Sunday, 06-Nov-94 08:49:37 GMT", .seconds(37)), ("Sun Nov  6 08:49:37 1994", .seconds(37)),
    ("Sun, 06 Nov 1994 08:48:00 GMT", .zero),
  ])
  func read(text: String, expected: Interval) {
    #expect(RetryAfter.parse(text, now: RetryAfterTests.now) == expected)
  }

  @Test(arguments: [
    "", "soon", "-5", "nan", "inf", "Sun, 99 Nov 1994 08:49:37 GMT", "Sun, 06 Xyz 1994 08:49:37 GMT", "6 Nov 1994",
  ])
  func refuse(text: String) {
    #expect(RetryAfter.parse(text, now: RetryAfterTests.now) == nil)
  }
}
