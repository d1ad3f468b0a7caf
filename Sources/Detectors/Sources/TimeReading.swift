package import Alerts

/// Reads times as data writes them: RFC 3339 and ISO 8601 with or without zone, dates, and seconds, milliseconds or microseconds since 1970.
package struct TimeReading: Sendable {
  /// The zone of times that name none.
  package let zone: Zone

  package init(zone: Zone) { self.zone = zone }

  package func read(_ text: some StringProtocol) -> Timestamp? {
    if let first = text.utf8.first, first == 34 || first == 39 || first == 32 {
      let bare = String(text).trimmingQuotes
      // A quote that nothing closes stays, and is no time.
      return bare.utf8.count < text.utf8.count ? read(bare) : nil
    }
    guard let t = Timestamp(rfc3339: text) else {
      return Double(String(text)).flatMap { read($0) }
    }
    if zone == .utc || TimeReading.namesZone(text) { return t }
    let (seconds, rest) = (floorDivide(t.microseconds, 1_000_000), t.microseconds)
    let instant = zone.instant(ofLocal: seconds)
    return Timestamp(microseconds: instant.microseconds + rest - seconds * 1_000_000)
  }

  /// A number of this size tells its own unit: seconds until the year 5138, beyond it milliseconds, then microseconds, then nanoseconds.
  package func read(_ number: Double) -> Timestamp? {
    guard number.isFinite, number > 0 else { return nil }
    let microseconds =
      switch number {
      case ..<1e11: number * 1e6
      case ..<1e14: number * 1e3
      case ..<1e17: number
      default: number / 1e3
      }
    guard microseconds < 4e18 else { return nil }
    return Timestamp(microseconds: Int64(microseconds.rounded()))
  }

  private static func namesZone(_ text: some StringProtocol) -> Bool {
    guard text.utf8.count > 10 else { return false }
    let tail = text.utf8.dropFirst(10)
    return tail.contains { $0 == 90 || $0 == 122 || $0 == 43 || $0 == 45 }
  }
}

extension String {
  /// Without white space around it, then without one pair of quotes.
  var trimmingQuotes: String {
    let t = trimmed
    guard t.count >= 2, let first = t.first, first == t.last, first == "\"" || first == "'" else { return t }
    return String(t.dropFirst().dropLast())
  }
}
