package import Alerts

/// Certain hours of certain days, as people write them: `{days: [monday, friday], from: "09:00", until: "17:00"}`.
///
/// Where clocks change: it begins the first time that the wall clock shows ``from``, and ends the last time that it shows ``until``, so that windows which
/// adjoin on the wall leave no hole; a time that clocks skip counts as the moment of the skip. The rule is GoAlert's.
package struct TimeWindow: Sendable, Equatable {
  /// 1 (Monday) to 7; the days on which it begins.
  package var weekdays: [Int]
  /// Minutes after midnight, local. An end at or before the start is on the next day.
  package var from: Int
  package var until: Int
  /// IANA name.
  package var timeZone: String

  package init(weekdays: [Int] = Array(1...7), from: Int, until: Int, timeZone: String) {
    self.weekdays = weekdays
    self.from = from
    self.until = until
    self.timeZone = timeZone
  }

  package func contains(_ t: Timestamp) -> Bool {
    occurrences(around: t, days: -1...0).contains { $0.start <= t && t < $0.end }
  }

  /// The first instant from `t` on that is in it: `t` itself, or when it next begins. Nil for one without days, or of a zone that this machine
  /// does not know.
  package func next(from t: Timestamp) -> Timestamp? {
    occurrences(around: t, days: -1...8).filter { $0.end > t }.map { max($0.start, t) }.min()
  }

  /// The first instant after `t` at which it begins or ends.
  package func nextEdge(after t: Timestamp) -> Timestamp? {
    occurrences(around: t, days: -1...8).flatMap { [$0.start, $0.end] }.filter { $0 > t }.min()
  }

  /// Those that begin on days from the one of `t`; a window that clocks skip whole is none.
  private func occurrences(
    around t: Timestamp, days: ClosedRange<Int64>
  ) -> [(start: Timestamp, end: Timestamp)] {
    guard let zone = LocalZone(timeZone) else { return [] }
    let today = zone.local(t).day
    return days.compactMap { offset in
      let day = today + offset
      guard weekdays.contains(LocalTime(day: day, minute: from).weekday) else { return nil }
      let start = zone.first(LocalTime(day: day, minute: from))
      let end = zone.last(LocalTime(day: until <= from ? day + 1 : day, minute: until))
      return start < end ? (start, end) : nil
    }
  }

  /// `mon-fri 09:00–17:00`, for people.
  package var text: String {
    func clock(_ m: Int) -> String { "\(m / 60 < 10 ? "0" : "")\(m / 60):\(m % 60 < 10 ? "0" : "")\(m % 60)" }
    let hours = "\(clock(from))–\(clock(until))"
    let days = Set(weekdays).sorted()
    if days.count == 7 { return hours }
    let names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    guard let first = days.first, let last = days.last else { return "never" }
    if days.count > 2, last - first + 1 == days.count { return "\(names[first - 1])-\(names[last - 1]) \(hours)" }
    return days.map { names[$0 - 1] }.joined(separator: ",") + " \(hours)"
  }
}
