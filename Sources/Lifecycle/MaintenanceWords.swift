import Alerts

extension MaintenanceWindow {
  private static let days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
  private static let ordinals = ["first", "second", "third", "fourth", "fifth"]

  /// When it comes back, for people: `every day at 02:00 for 1h30m (Europe/Berlin)`, `first sunday of the month at …`.
  package var rhythm: String {
    let minute = minuteOfDay % 60
    let time = "\(minuteOfDay / 60 < 10 ? "0" : "")\(minuteOfDay / 60):\(minute < 10 ? "0" : "")\(minute)"
    let names = weekdays.filter { (1...7).contains($0) }.map { MaintenanceWindow.days[$0 - 1] }
    var when = names.count == 7 ? "day" : names.joined(separator: " and ")
    if weeks.isEmpty {
      when = "every \(when)"
    } else {
      let which = weeks.map { (1...5).contains($0) ? MaintenanceWindow.ordinals[$0 - 1] : "last" }
      when = "\(which.joined(separator: " and ")) \(when) of the month"
    }
    return "\(when) at \(time) for \(duration) (\(timeZone))"
  }
}
