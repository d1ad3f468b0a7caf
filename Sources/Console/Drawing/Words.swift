import Alerts

/// How pages say times and ages.
struct Words: Sendable {
  var zone: LocalZone
  var now: Timestamp

  /// `08:02`, `Thu 08:02` within a week, `2026-11-20 08:02` beyond.
  func moment(_ t: Timestamp) -> String {
    let then = zone.local(t)
    let today = zone.local(now)
    let clock = "\(two(then.hour)):\(two(then.minute))"
    switch abs(today.day - then.day) {
    case 0: return clock
    case ..<7: return "\(Words.days[then.weekday - 1]) \(clock)"
    default: return "\(then.dateText) \(clock)"
    }
  }

  /// With seconds, for a title.
  func exact(_ t: Timestamp) -> String {
    let then = zone.local(t)
    let seconds = then.microseconds / 1_000_000 % 60
    return "\(then.text):\(two(Int(seconds))) \(zone.name)"
  }

  func age(_ t: Timestamp) -> String { span(now - t) }

  func until(_ t: Timestamp) -> String { t <= now ? "now" : "in \(span(t - now))" }

  private func span(_ i: Interval) -> String { i < .zero ? "0s" : i.rounded }

  private static let days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
  private func two(_ n: Int) -> String { n < 10 ? "0\(n)" : "\(n)" }
}
