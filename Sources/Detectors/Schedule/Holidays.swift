import Alerts

/// Days that are not like others: public holidays, sales, closures. From a calendar file, which other programs make too.
package struct Holidays: Sendable, Equatable {
  /// Days since 1970-01-01, as calendars count them, without a time zone.
  package let days: Set<Int64>

  package init(days: Set<Int64>) { self.days = days }

  /// The most days of one file, and of one event in it: centuries of holidays, and no file that fills the memory.
  static let dayLimit = 100_000
  static let spanLimit: Int64 = 400
  /// Yearly events without an end are taken this many years on.
  static let years: Int64 = 50

  package func contains(_ day: Int64) -> Bool { days.contains(day) }

  /// Reads an iCalendar file (RFC 5545: all-day events, and `RRULE:FREQ=YEARLY`), or a list: one `2026-12-25` a line, with or without words behind it, `#` for comments,
  /// `--12-25` or `12-25` for every year. Throws ``SourceError`` with the line that can't be read.
  package init(parsing text: String) throws(SourceError) {
    if text.contains("BEGIN:VCALENDAR") {
      days = try Holidays.calendar(text)
    } else {
      days = try Holidays.list(text)
    }
  }

  package init(path: String) throws(SourceError) {
    let bytes = try FileSource.bytes(path)
    do throws(SourceError) {
      try self.init(parsing: String(decoding: bytes, as: UTF8.self))
    } catch {
      throw SourceError(.settings, "\(path), \(error.message)")
    }
  }

  // MARK: A list

  private static func list(_ text: String) throws(SourceError) -> Set<Int64> {
    var out: Set<Int64> = []
    var wrong: String?
    for (i, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
      let content = line.prefix { $0 != "#" }.trimmed
      guard !content.isEmpty, wrong == nil else { continue }
      let word = content.prefix { !$0.isWhitespace && $0 != "," && $0 != ";" }
      if word.count == 10, let t = Timestamp(rfc3339: String(word)) {
        out.insert(t.utcDay.days)
      } else if let yearly = everyYear(word.hasPrefix("--") ? word.dropFirst(2) : word) {
        out.formUnion(yearly)
      } else {
        wrong = "line \(i + 1): \"\(word.prefix(40))\" is no date such as 2026-12-25, or 12-25 for every year"
      }
      if out.count > dayLimit { wrong = "line \(i + 1): more than \(dayLimit) days" }
    }
    if let wrong { throw SourceError(.settings, wrong) }
    return out
  }

  private static func everyYear(_ monthAndDay: Substring) -> [Int64]? {
    guard monthAndDay.count == 5 else { return nil }
    let days = (2000...2099).compactMap { Timestamp(rfc3339: "\($0)-\(monthAndDay)")?.utcDay.days }
    return days.isEmpty ? nil : days
  }

  // MARK: iCalendar

  private static func calendar(_ text: String) throws(SourceError) -> Set<Int64> {
    var out: Set<Int64> = []
    var start: Int64?
    var end: Int64?
    var isYearly = false
    var isInside = false
    var wrong: String?
    for (i, line) in unfolded(text).enumerated() where wrong == nil {
      let name = line.prefix { $0 != ":" && $0 != ";" }.uppercased()
      let value = line.split(separator: ":", maxSplits: 1).last.map(String.init) ?? ""
      switch (name, value.uppercased()) {
      case ("BEGIN", "VEVENT"): (isInside, start, end, isYearly) = (true, nil, nil, false)
      case ("END", "VEVENT"):
        isInside = false
        guard let first = start else {
          wrong = "event before line \(i + 1): it has no DTSTART"
          break
        }
        // DTEND is the first day after.
        let length = max(1, min(spanLimit, (end ?? first + 1) - first))
        for year in 0...(isYearly ? years : 0) {
          guard let begin = Holidays.shift(first, years: year) else { continue }
          for day in begin..<(begin + length) { out.insert(day) }
        }
        if out.count > dayLimit { wrong = "line \(i + 1): more than \(dayLimit) days" }
      case ("DTSTART", _) where isInside:
        start = Holidays.date(value)
        if start == nil { wrong = "line \(i + 1): \"\(value.prefix(40))\" is no date such as 20261225" }
      case ("DTEND", _) where isInside: end = Holidays.date(value)
      case ("RRULE", let rule) where isInside: isYearly = rule.contains("FREQ=YEARLY")
      default: break
      }
    }
    if let wrong { throw SourceError(.settings, wrong) }
    return out
  }

  /// A line that begins with a space continues the one before it.
  private static func unfolded(_ text: String) -> [String] {
    var out: [String] = []
    for line in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) {
      if let first = line.first, first == " " || first == "\t", !out.isEmpty {
        out[out.count - 1] += line.dropFirst()
      } else {
        out.append(String(line))
      }
    }
    return out
  }

  /// `20261225`, and the date of `20261225T080000Z`.
  private static func date(_ text: String) -> Int64? {
    let digits = text.prefix(8)
    guard digits.count == 8, digits.allSatisfy({ $0.isASCII && $0.isNumber }) else { return nil }
    return Timestamp(rfc3339: "\(digits.prefix(4))-\(digits.dropFirst(4).prefix(2))-\(digits.suffix(2))")?.utcDay.days
  }

  private static func shift(_ day: Int64, years: Int64) -> Int64? {
    if years == 0 { return day }
    let date = Timestamp.civil(days: day)
    func two(_ n: Int64) -> String { n < 10 ? "0\(n)" : "\(n)" }
    return Timestamp(rfc3339: "\(date.year + years)-\(two(date.month))-\(two(date.day))")?.utcDay.days
  }
}
