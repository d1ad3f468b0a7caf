import Alerts
import Lifecycle

extension Promises {
  /// Where a message to some receivers goes at an instant: their own places, and those of whoever is on call then; where that is nobody, their fallback's.
  func targets(_ receivers: [String], _ frozen: LifecycleSettings, at t: Timestamp) -> Set<Receiver.Target> {
    var all: Set<Receiver.Target> = []
    for name in receivers {
      guard let receiver = frozen.receivers.first(where: { $0.name == name }) else { continue }
      var own = Set(receiver.targets)
      if let schedule = receiver.schedule, let person = Promises.onCall(schedule, settings, at: t) {
        own.formUnion(SimulatedSettings.addresses[person] ?? [])
      }
      if own.isEmpty, let fallback = receiver.fallback { own = targets([fallback], frozen, at: t) }
      all.formUnion(own)
    }
    return all
  }

  /// Worked out from the rules of ``SimulatedSettings`` alone, on the calendar of the model's own.
  private static func onCall(_ schedule: String, _ settings: LifecycleSettings, at t: Timestamp) -> String? {
    guard let known = settings.onCall.schedules.first(where: { $0.name == schedule }) else { return nil }
    if let stand = known.overrides.last(where: { $0.from <= t && t < $0.until }) { return stand.person }
    let (day, minute) = (Berlin.day(t), Berlin.minute(t))
    // The first days since 1970 that was a Monday.
    let monday: Int64 = 4
    switch schedule {
    case "nights":
      // Handed over each day at half past two, or at the skip.
      let turn = t < Berlin.first(day: day, minute: 150) ? day - 1 : day
      return SimulatedSettings.nights[Int((turn - monday) % Int64(SimulatedSettings.nights.count))]
    case "days":
      // Handed over each Monday at nine, on weekdays from eight to six.
      guard Berlin.weekday(day) <= 5, minute >= 480, minute < 1080 else { return nil }
      let isBefore = Berlin.weekday(day) == 1 && minute < 540
      let week = (day - monday) / 7 - (isBefore ? 1 : 0)
      return SimulatedSettings.days[Int(week % Int64(SimulatedSettings.days.count))]
    default: return nil
    }
  }

  /// Nobody else is told.
  mutating func checkOnCall(_ n: NotificationRequested, _ r: Request, _ a: Alert, _ e: RecordedEvent) {
    guard let settings = configurations[a.route.configuration],
      settings.receivers.contains(where: { $0.name == n.receiver && $0.schedule != nil })
    else { return }
    if !targets([n.receiver], settings, at: e.recordedAt).contains(r.target) {
      fail(4, "\(n.key) is for somebody who is not on call at \(e.recordedAt)")
    }
  }
}
