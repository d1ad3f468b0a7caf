/// An instant: microseconds since 1970-01-01T00:00:00Z, without leap seconds.
///
/// Everything stored is UTC; people's time zones belong to the rules that they write and to the pages that they read.
package struct Timestamp: Hashable, Comparable, Sendable {
  package var microseconds: Int64

  package init(microseconds: Int64) { self.microseconds = microseconds }
  package init(seconds: Int64) { self.microseconds = seconds &* 1_000_000 }

  package static let epoch = Timestamp(microseconds: 0)
  package static let distantFuture = Timestamp(microseconds: .max)

  package static func < (a: Timestamp, b: Timestamp) -> Bool { a.microseconds < b.microseconds }

  /// Saturates instead of trapping, so that no rule with a huge interval can bring the service down.
  package static func + (a: Timestamp, b: Interval) -> Timestamp {
    let (sum, overflow) = a.microseconds.addingReportingOverflow(b.microseconds)
    return Timestamp(microseconds: overflow ? (b.microseconds > 0 ? .max : .min) : sum)
  }
  package static func - (a: Timestamp, b: Interval) -> Timestamp {
    let (difference, overflow) = a.microseconds.subtractingReportingOverflow(b.microseconds)
    return Timestamp(microseconds: overflow ? (b.microseconds > 0 ? .min : .max) : difference)
  }
  package static func - (a: Timestamp, b: Timestamp) -> Interval {
    let (difference, overflow) = a.microseconds.subtractingReportingOverflow(b.microseconds)
    return Interval(microseconds: overflow ? (a > b ? .max : .min) : difference)
  }
}

extension Timestamp {
  /// Days since 1970-01-01 of a proleptic Gregorian date.
  /// Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", days_from_civil.
  package static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
    let y = month <= 2 ? year - 1 : year
    let era = (y >= 0 ? y : y - 399) / 400
    let yearOfEra = y - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * 146_097 + dayOfEra - 719_468
  }

  /// The inverse of ``days(year:month:day:)``. Same source, civil_from_days.
  package static func civil(days: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let z = days + 719_468
    let era = (z >= 0 ? z : z - 146_096) / 146_097
    let dayOfEra = z - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let mp = (5 * dayOfYear + 2) / 153
    let month = mp < 10 ? mp + 3 : mp - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * mp + 2) / 5 + 1)
  }

  /// Whole days since 1970 in UTC, and the microseconds into that day.
  package var utcDay: (days: Int64, microseconds: Int64) {
    let perDay: Int64 = 86_400_000_000
    var days = microseconds / perDay
    var rest = microseconds % perDay
    if rest < 0 {
      rest += perDay
      days -= 1
    }
    return (days, rest)
  }

  /// `2026-11-20T06:02:11Z`, with as many decimals as the instant has, in threes.
  package var rfc3339: String {
    let (days, rest) = utcDay
    let (year, month, day) = Timestamp.civil(days: days)
    let seconds = rest / 1_000_000
    var text =
      "\(pad(year, 4))-\(pad(month, 2))-\(pad(day, 2))T\(pad(seconds / 3600, 2)):\(pad(seconds / 60 % 60, 2)):\(pad(seconds % 60, 2))"
    let micros = rest % 1_000_000
    if micros % 1000 != 0 {
      text += ".\(pad(micros, 6))"
    } else if micros != 0 {
      text += ".\(pad(micros / 1000, 3))"
    }
    return text + "Z"
  }

  /// The date in UTC, `2026-11-20`.
  package var utcDate: String { String(rfc3339.prefix(10)) }

  /// Reads RFC 3339, and ISO 8601 as warehouses write it: a space for the `T`, no seconds, no zone (then UTC), or a date alone (then midnight UTC).
  /// Decimals beyond the microsecond are cut. Nil for anything else.
  package init?(rfc3339 text: some StringProtocol) {
    var text = String(text)
    let parsed = text.withUTF8 { Timestamp.parse($0) }
    guard let parsed else { return nil }
    self = parsed
  }

  package static func parse(_ b: UnsafeBufferPointer<UInt8>) -> Timestamp? {
    if let common = parseCommon(b) { return common }
    var i = 0
    func digits(_ n: Int) -> Int64? {
      guard i + n <= b.count else { return nil }
      var v: Int64 = 0
      for _ in 0..<n {
        let d = b[i] &- 48
        guard d < 10 else { return nil }
        v = v * 10 + Int64(d)
        i += 1
      }
      return v
    }
    func skip(_ c: Character) -> Bool {
      guard i < b.count, b[i] == c.asciiValue else { return false }
      i += 1
      return true
    }
    guard let year = digits(4), skip("-"), let month = digits(2), skip("-"), let day = digits(2),
      (1...12).contains(month), (1...31).contains(day)
    else { return nil }
    let dayNumber = days(year: year, month: month, day: day)
    guard civil(days: dayNumber).day == day else { return nil }
    if i == b.count { return Timestamp(seconds: dayNumber * 86_400) }
    guard skip("T") || skip("t") || skip(" ") else { return nil }
    guard let hour = digits(2), skip(":"), let minute = digits(2), hour < 24, minute < 60 else { return nil }
    var second: Int64 = 0
    var micros: Int64 = 0
    if skip(":") {
      guard let s = digits(2), s <= 60 else { return nil }
      second = s
      if skip(".") {
        var scale: Int64 = 100_000
        let start = i
        while i < b.count, b[i] &- 48 < 10 {
          micros += Int64(b[i] &- 48) * scale
          scale /= 10
          i += 1
        }
        guard i > start else { return nil }
      }
    }
    var offset: Int64 = 0
    if i < b.count {
      if skip("Z") || skip("z") {
        // UTC.
      } else if b[i] == 43 || b[i] == 45 {
        let sign: Int64 = b[i] == 43 ? 1 : -1
        i += 1
        guard let h = digits(2) else { return nil }
        _ = skip(":")
        let m = i < b.count ? digits(2) : 0
        guard let m, h < 24, m < 60 else { return nil }
        offset = sign * (h * 3600 + m * 60)
      } else {
        return nil
      }
    }
    guard i == b.count else { return nil }
    let seconds = dayNumber * 86_400 + hour * 3600 + minute * 60 + second - offset
    return Timestamp(microseconds: seconds * 1_000_000 + micros)
  }
}

extension Timestamp {
  /// `2026-11-20T06:02:11Z` with up to six decimals, as nearly all texts are. Nil for anything else, good or bad.
  private static func parseCommon(_ b: UnsafeBufferPointer<UInt8>) -> Timestamp? {
    guard b.count >= 20, b.count <= 27, let p = b.baseAddress, p[b.count - 1] == 0x5A, p[4] == 0x2D, p[7] == 0x2D,
      p[10] == 0x54, p[13] == 0x3A, p[16] == 0x3A
    else { return nil }
    var isDigits = true
    func two(_ i: Int) -> Int64 {
      let (a, c) = (p[i] &- 48, p[i + 1] &- 48)
      if a > 9 || c > 9 { isDigits = false }
      return Int64(a) * 10 + Int64(c)
    }
    let year = two(0) * 100 + two(2)
    let (month, day, hour, minute, second) = (two(5), two(8), two(11), two(14), two(17))
    var micros: Int64 = 0
    if b.count > 20 {
      guard p[19] == 0x2E, b.count > 21 else { return nil }
      for i in 20..<26 {
        let digit: UInt8 = i < b.count - 1 ? p[i] &- 48 : 0
        if digit > 9 { isDigits = false }
        micros = micros * 10 + Int64(digit)
      }
    }
    guard isDigits, month >= 1, month <= 12, day >= 1, hour < 24, minute < 60, second <= 60 else { return nil }
    let dayNumber = days(year: year, month: month, day: day)
    // Every month has 28 days; beyond, only the calendar knows.
    guard day <= 28 || civil(days: dayNumber).day == day else { return nil }
    return Timestamp(microseconds: (dayNumber * 86_400 + hour * 3600 + minute * 60 + second) * 1_000_000 + micros)
  }
}

extension Timestamp: CustomStringConvertible {
  package var description: String { rfc3339 }
}

func pad(_ value: Int64, _ width: Int) -> String {
  let text = String(value)
  return text.count >= width ? text : String(repeating: "0", count: width - text.count) + text
}
