import Alerts
import Lifecycle

/// `hours: {days: mon-fri, from: "08:00", until: "18:00"}`, or a list of such.
enum HoursSection {
  static func windows(_ field: Field, timeZone: String) -> [TimeWindow] {
    if field.isList, field.items().isEmpty { field.fault("lists no hours", mend: "add some, or remove it") }
    return field.items().compactMap { item in
      guard let section = item.section() else { return nil }
      let days = section.take("days").map { $0.items().flatMap(weekdays) }
      let from = section.need("from", "\"08:00\"")?.timeOfDay()
      let until = section.need("until", "\"18:00\"")?.timeOfDay()
      let zone = section.take("timezone")?.timeZone() ?? timeZone
      section.finish()
      guard let from, let until else { return nil }
      return TimeWindow(weekdays: Set(days ?? Array(1...7)).sorted(), from: from, until: until, timeZone: zone)
    }
  }

  /// `monday`, or `mon-fri`.
  private static func weekdays(_ field: Field) -> [Int] {
    guard let text = field.text("a day of the week such as monday, or mon-fri") else { return [] }
    let parts = text.split(separator: "-").compactMap { Weekday.number($0.trimming()) }
    if parts.count == 1, !text.contains("-") { return parts }
    if parts.count == 2 {
      return (0..<7).map { (parts[0] - 1 + $0) % 7 + 1 }.prefix((parts[1] - parts[0] + 7) % 7 + 1).map { $0 }
    }
    field.fault("must be a day of the week such as monday, or mon-fri, not \"\(text.prefix(40))\"")
    return []
  }

  static func minutes(_ text: String) -> Int? {
    let parts = text.split(separator: ":")
    guard parts.count == 2, let h = Int(parts[0]), let m = Int(parts[1]), (0...23).contains(h), (0...59).contains(m)
    else { return nil }
    return h * 60 + m
  }
}
