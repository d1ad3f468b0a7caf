package import Alerts

/// How long a provider asks to be left alone: `Retry-After`, in seconds or as an HTTP date (RFC 9110, sections 10.2.3 and 5.6.7).
package enum RetryAfter {
  /// A provider that asks for more is asked again after a day.
  package static let longest = Interval.days(1)

  /// Nil for what is neither. A date that has passed is zero.
  package static func parse(_ text: String, now: Timestamp) -> Interval? {
    let text = text.trimming()
    let wait: Interval
    if let seconds = Double(text), seconds.isFinite, seconds >= 0 {
      wait = Interval(microseconds: Int64((min(seconds, longest.seconds) * 1_000_000).rounded(.up)))
    } else if let date = httpDate(text) {
      wait = date > now ? date - now : .zero
    } else {
      return nil
    }
    return min(wait, longest)
  }

  private static let months = [
    "jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6, "jul": 7, "aug": 8, "sep": 9, "oct": 10, "nov": 11,
    "dec": 12,
  ]

  /// `Sun, 06 Nov 1994 08:49:37 GMT`, and the two old forms that recipients must read:
  /// `Sunday, 06-Nov-94 08:49:37 GMT` and `Sun Nov  6 08:49:37 1994`.
  package static func httpDate(_ text: String) -> Timestamp? {
    let words = text.split(whereSeparator: { $0 == " " || $0 == "-" || $0 == "," }).map(String.init)
    let day: String
    let month: String
    let year: String
    let time: String
    if words.count == 6, words[5] == "GMT" {
      (day, month, year, time) = (words[1], words[2], words[3], words[4])
    } else if words.count == 5 {
      (month, day, time, year) = (words[1], words[2], words[3], words[4])
    } else {
      return nil
    }
    guard let d = Int64(day), (1...31).contains(d), let m = months[month.lowercased()], var y = Int64(year), y >= 0
    else { return nil }
    // Two digits: RFC 850. A year that looks more than 50 years ahead is in the past; Tocsin lives in the 21st century.
    if year.count == 2 { y += y < 70 ? 2000 : 1900 }
    guard y < 10_000 else { return nil }
    let clock = time.split(separator: ":").map { Int64($0) }
    guard clock.count == 3, let h = clock[0], let min = clock[1], let s = clock[2], (0..<24).contains(h),
      (0..<60).contains(min), (0...60).contains(s)
    else { return nil }
    let days = Timestamp.days(year: y, month: Int64(m), day: d)
    return Timestamp(seconds: days * 86_400 + h * 3600 + min * 60 + s)
  }
}
