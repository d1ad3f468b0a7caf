/// A length of time in microseconds. People write it `90s`, `15m`, `1h30m`, `7d`, `2w`.
package struct Interval: Hashable, Comparable, Sendable {
  package var microseconds: Int64

  package init(microseconds: Int64) { self.microseconds = microseconds }

  package static let zero = Interval(microseconds: 0)
  package static func milliseconds(_ n: Int64) -> Interval { Interval(microseconds: n &* 1000) }
  package static func seconds(_ n: Int64) -> Interval { Interval(microseconds: n &* 1_000_000) }
  package static func minutes(_ n: Int64) -> Interval { .seconds(n &* 60) }
  package static func hours(_ n: Int64) -> Interval { .seconds(n &* 3600) }
  package static func days(_ n: Int64) -> Interval { .seconds(n &* 86_400) }

  package var seconds: Double { Double(microseconds) / 1_000_000 }

  package static func < (a: Interval, b: Interval) -> Bool { a.microseconds < b.microseconds }
  package static func + (a: Interval, b: Interval) -> Interval {
    let (sum, overflow) = a.microseconds.addingReportingOverflow(b.microseconds)
    return Interval(microseconds: overflow ? .max : sum)
  }
  package static func * (a: Interval, b: Int64) -> Interval {
    let (product, overflow) = a.microseconds.multipliedReportingOverflow(by: b)
    return Interval(microseconds: overflow ? .max : product)
  }
}

extension Interval: CustomStringConvertible {
  private static let units: [(name: String, microseconds: Int64)] = [
    ("w", 604_800_000_000), ("d", 86_400_000_000), ("h", 3_600_000_000), ("m", 60_000_000), ("s", 1_000_000),
    ("ms", 1000), ("us", 1),
  ]

  /// Reads `15m`, `1h30m`, `500ms`, `0`; units `w d h m s ms us`, largest first or not. Nil for anything else, a negative length, or one beyond 100 years.
  package init?(_ text: some StringProtocol) {
    var rest = Substring(text)
    if rest == "0" {
      self = .zero
      return
    }
    guard !rest.isEmpty else { return nil }
    var total = 0.0
    while !rest.isEmpty {
      let number = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
      rest = rest.dropFirst(number.count)
      let unit = rest.prefix { $0.isLetter }
      rest = rest.dropFirst(unit.count)
      guard let value = Double(number), let scale = Interval.units.first(where: { $0.name == unit })?.microseconds
      else { return nil }
      total += value * Double(scale)
    }
    guard total <= 100 * 365.25 * 86_400e6 else { return nil }
    self.init(microseconds: Int64(total.rounded()))
  }

  /// The shortest exact form, which ``init(_:)`` reads back: `1h30m`.
  package var description: String {
    guard microseconds != 0 else { return "0" }
    var rest = microseconds.magnitude
    var text = microseconds < 0 ? "-" : ""
    for (name, scale) in Interval.units where name != "w" || rest % UInt64(scale) == 0 {
      let n = rest / UInt64(scale)
      if n > 0 {
        text += "\(n)\(name)"
        rest %= UInt64(scale)
      }
    }
    return text
  }

  /// For people: at most the two largest units, `3d4h`, `12m`, `under 1s`.
  package var rounded: String {
    let s = microseconds / 1_000_000
    switch abs(s) {
    case 0: return "under 1s"
    case ..<60: return "\(s)s"
    case ..<3600: return s % 60 == 0 || s > 600 ? "\(s / 60)m" : "\(s / 60)m\(abs(s) % 60)s"
    case ..<86_400: return s / 60 % 60 == 0 ? "\(s / 3600)h" : "\(s / 3600)h\(abs(s) / 60 % 60)m"
    default: return s / 3600 % 24 == 0 ? "\(s / 86_400)d" : "\(s / 86_400)d\(abs(s) / 3600 % 24)h"
    }
  }
}
