import Alerts
import Testing

@testable import Console

/// The date of a response, as RFC 9110 wants it.
@Suite struct HTTPDateTests {
  @Test(arguments: [
    ("1994-11-06T08:49:37Z", "Sun, 06 Nov 1994 08:49:37 GMT"),
    ("1970-01-01T00:00:00Z", "Thu, 01 Jan 1970 00:00:00 GMT"),
    ("2026-02-28T23:59:59.999Z", "Sat, 28 Feb 2026 23:59:59 GMT"),
    ("2024-02-29T12:00:00Z", "Thu, 29 Feb 2024 12:00:00 GMT"),
  ])
  func aDateIsWritten(_ time: String, _ text: String) throws {
    #expect(HTTPDate.text(try #require(Timestamp(rfc3339: time))) == text)
  }
}
