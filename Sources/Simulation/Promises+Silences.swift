import Alerts
import Lifecycle

extension Promises {
  mutating func silenceAdded(_ s: SilenceAdded, _ e: RecordedEvent) {
    func value(_ name: String) -> String? { s.matchers.first { $0.name == name }?.value }
    silences[e.subject] = Silence(
      metric: value("metric"), service: value("service"), startsAt: s.startsAt, endsAt: s.endsAt,
      window: e.actor.hasPrefix("maintenance/") ? String(e.actor.dropFirst("maintenance/".count)) : nil)
    arm(.silence, e.subject, at: s.endsAt)
    if let window = silences[e.subject]?.window {
      held(window, s, e)
    } else {
      said(s.comment, e)
    }
  }

  mutating func silenceExpired(_ s: SilenceExpired, _ e: RecordedEvent) {
    let due = dues.removeValue(forKey: Timer(kind: .silence, subject: e.subject))
    if !s.early, let due, e.recordedAt < due.service - .seconds(1) {
      fail(3, "the silence \(e.subject) ends at \(e.recordedAt), before \(due.service)")
    }
    guard let ended = silences.removeValue(forKey: e.subject) else {
      return fail(4, "the silence \(e.subject) ends twice")
    }
    // Its rule was taken away, and may come back.
    if s.early, e.actor == "tocsin", let window = ended.window { windows[window] = nil }
  }

  /// Whether people asked not to be told of this alert, since before the last step.
  func isSilenced(_ a: Alert, at t: Timestamp) -> Subject? {
    silences.first { _, s in
      s.startsAt <= min(t, formerNow) && t < s.endsAt && (s.metric == nil || s.metric == a.metric)
        && (s.service == nil || s.service == a.service)
    }?.key
  }

  // MARK: - Maintenance windows

  private mutating func held(_ window: String, _ s: SilenceAdded, _ e: RecordedEvent) {
    guard let known = settings.maintenance.first(where: { $0.name == window }) else {
      return fail(4, "the window \(window) is held, and nobody wrote it")
    }
    if let last = windows[window], s.startsAt <= last { fail(4, "the window \(window) is held twice at \(s.startsAt)") }
    windows[window] = s.startsAt
    if s.startsAt > e.recordedAt { fail(4, "the window \(window) is held before it begins at \(s.startsAt)") }
    let day = Berlin.day(s.startsAt)
    if Berlin.first(day: day, minute: known.minuteOfDay) != s.startsAt
      || !known.weekdays.contains(Berlin.weekday(day))
    {
      fail(4, "the window \(window) begins at \(s.startsAt)")
    }
    if s.endsAt - s.startsAt != known.duration { fail(4, "the window \(window) ends at \(s.endsAt)") }
    dues[Timer(kind: .maintenance, subject: Promises.subject(window))] = nil
  }

  /// Windows have no subject of their own: their name's hash stands for it.
  private static func subject(_ window: String) -> Subject {
    Subject(.configuration, Int64(truncatingIfNeeded: StableHash(window).low >> 2))
  }

  mutating func forgetWindows() {
    for timer in dues.keys where timer.kind == .maintenance { dues[timer] = nil }
  }

  /// Each window that is open by now must be held, a moment after it began or the service came back.
  mutating func checkWindows() {
    for window in settings.maintenance {
      let day = Berlin.day(serviceNow)
      for day in [day - 1, day] where window.weekdays.contains(Berlin.weekday(day)) {
        let start = Berlin.first(day: day, minute: window.minuteOfDay)
        let timer = Timer(kind: .maintenance, subject: Promises.subject(window.name))
        guard start <= serviceNow, serviceNow < start + window.duration,
          windows[window.name].map({ $0 < start }) ?? true
        else { continue }
        if dues[timer] == nil { arm(.maintenance, timer.subject, at: serviceNow) }
      }
    }
  }
}

/// The wall clocks of Berlin, worked out from the rule alone: summer time from the last Sunday of March to the last of October, each at 01:00 UTC.
enum Berlin {
  private static let day: Int64 = 86_400

  /// Days since 1970-01-01 of the wall calendar.
  static func day(_ t: Timestamp) -> Int64 { (seconds(t) + offset(t)).dividedDown(by: day) }

  /// Minutes after midnight of the wall clock.
  static func minute(_ t: Timestamp) -> Int64 { (seconds(t) + offset(t) - day(t) * day) / 60 }

  /// 1 (Monday) to 7: 1970-01-01 was a Thursday.
  static func weekday(_ day: Int64) -> Int { Int((day + 3) % 7) + 1 }

  /// The first instant at which the wall clock says so; where it never does, the skip.
  static func first(day: Int64, minute: Int) -> Timestamp {
    let wall = day * Berlin.day + Int64(minute) * 60
    for offset in [Int64(7200), 3600] {
      let t = Timestamp(seconds: wall - offset)
      if Berlin.offset(t) == offset { return t }
    }
    return begin(year(wall - 3600))
  }

  private static func offset(_ t: Timestamp) -> Int64 {
    let year = year(seconds(t))
    return begin(year) <= t && t < end(year) ? 7200 : 3600
  }

  private static func begin(_ year: Int64) -> Timestamp { lastSunday(year, 3) }
  private static func end(_ year: Int64) -> Timestamp { lastSunday(year, 10) }

  private static func lastSunday(_ year: Int64, _ month: Int64) -> Timestamp {
    let last = Timestamp.days(year: year, month: month, day: 31)
    return Timestamp(seconds: (last - Int64(weekday(last) % 7)) * day + 3600)
  }

  private static func year(_ seconds: Int64) -> Int64 { Timestamp.civil(days: seconds.dividedDown(by: day)).year }
  private static func seconds(_ t: Timestamp) -> Int64 { t.microseconds.dividedDown(by: 1_000_000) }
}

extension Int64 {
  fileprivate func dividedDown(by n: Int64) -> Int64 { self >= 0 ? self / n : -((-self + n - 1) / n) }
}
