import Alerts

/// A week of shifts as a picture: a row for each day, midnight to midnight of the schedule's wall clock.
enum WeekChart {
  private static let width = 720.0
  private static let left = 100.0
  private static let row = 36.0
  private static let top = 26.0
  /// The style sheet has so many colours for people; more share them, told apart by their names.
  static let colours = 8

  static func svg(
    _ shifts: [OnCallSource.Shift], people: [String], monday: Int64, zone: LocalZone, now: Timestamp, label: String
  ) -> String {
    let scale = (width - left) / 1440
    var svg =
      "<svg class=\"week\" viewBox=\"0 0 \(text(width)) \(text(top + 7 * row))\" role=\"img\" aria-label=\"\(PageText.escape(label))\">"
    for hour in stride(from: 0, through: 18, by: 6) {
      svg +=
        "<text class=\"tick\" x=\"\(text(left + Double(hour * 60) * scale))\" y=\"18\">\(hour < 10 ? "0" : "")\(hour):00</text>"
    }
    for i in 0..<7 {
      let day = monday + Int64(i)
      let y = top + Double(i) * row
      svg += "<text class=\"tick\" x=\"0\" y=\"\(text(y + 24))\">\(String(WeekChart.day(day).prefix(6)))</text>"
      let begin = zone.start(ofDay: day)
      let end = zone.start(ofDay: day + 1)
      for shift in shifts where shift.until > begin && shift.from < end {
        // By the wall clock, so that 09:00 stands under 09:00 also on the days on which clocks change.
        let from = shift.from <= begin ? 0 : minute(shift.from, zone)
        let to = shift.until >= end ? 1440 : minute(shift.until, zone)
        guard to > from else { continue }
        let x = left + from * scale
        let w = (to - from) * scale
        let colour = shift.person.flatMap { people.firstIndex(of: $0) }.map { "p\($0 % colours)" } ?? "p-none"
        let name = shift.person ?? "nobody"
        let title =
          "\(name)\(shift.isOverride ? " (override)" : ""), \(zone.local(shift.from).text) to \(zone.local(shift.until).text)"
        svg +=
          "<g class=\"\(colour)\"><rect x=\"\(text(x + 1))\" y=\"\(text(y + 2))\" width=\"\(text(max(1, w - 2)))\" height=\"\(text(row - 4))\" rx=\"4\"/>"
        // A name that does not fit is in the title and in the list below.
        if w > Double(name.count) * 15 + 14 {
          svg += "<text x=\"\(text(x + 8))\" y=\"\(text(y + 25))\">\(PageText.escape(name))</text>"
        }
        svg += "<title>\(PageText.escape(title))</title></g>"
      }
      if now >= begin, now < end {
        let x = left + minute(now, zone) * scale
        svg += "<line class=\"now\" x1=\"\(text(x))\" x2=\"\(text(x))\" y1=\"\(text(y))\" y2=\"\(text(y + row))\"/>"
      }
    }
    return svg + "</svg>"
  }

  private static func minute(_ t: Timestamp, _ zone: LocalZone) -> Double {
    Double(zone.local(t).microseconds) / 60_000_000
  }

  private static func text(_ x: Double) -> String { JSON.number((x * 10).rounded() / 10).text }

  /// `Mon 16 Nov`.
  static func day(_ day: Int64) -> String {
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    let (_, m, d) = Timestamp.civil(days: day)
    let name = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"][LocalTime(day: day, minute: 0).weekday - 1]
    return "\(name) \(d) \(months[Int(m) - 1])"
  }
}
