package import Alerts

/// Which digests are due. Pure: what was ordered before is asked for, the time is an argument.
package struct DigestSchedule: Sendable {
  package struct Due: Sendable, Equatable {
    package var key: String
    package var receiver: String
    package var tenant: String?
    package var period: DigestPeriod
    /// When it was to be sent.
    package var at: Timestamp
  }

  private let settings: [(settings: DigestSettings, zone: LocalZone)]

  /// Settings whose time zone this machine does not know count as UTC; the configuration's check has refused them before.
  package init(_ settings: [DigestSettings]) {
    self.settings = settings.map { ($0, LocalZone($0.timeZone) ?? .utc) }
  }

  package var isEmpty: Bool { settings.allSatisfy { $0.settings.to.isEmpty } }

  /// The digests that are due at `now` and were not ordered yet, each receiver's newest of each kind only: whoever was away for a month gets
  /// one weekly digest late, not four.
  ///
  /// - Parameters:
  ///   - since: when anything was first recorded; no digest is owed for a period that was over before.
  ///   - isOrdered: whether a digest was ordered under a key.
  package func due(at now: Timestamp, since: Timestamp?, isOrdered: (String) throws -> Bool) rethrows -> [Due] {
    guard let since else { return [] }
    var due: [Due] = []
    for (s, zone) in settings {
      let (period, at) = newest(s, zone, at: now)
      guard period.end > since else { continue }
      for receiver in s.to {
        let key = Digest.key(period, receiver: receiver, tenant: s.tenant)
        guard !due.contains(where: { $0.key == key }), try !isOrdered(key) else { continue }
        due.append(Due(key: key, receiver: receiver, tenant: s.tenant, period: period, at: at))
      }
    }
    return due
  }

  /// When the next one falls due after `now`; nil where none is configured.
  package func next(after now: Timestamp) -> Timestamp? {
    settings.filter { !$0.settings.to.isEmpty }.map { s, zone in
      let (period, _) = newest(s, zone, at: now)
      let following = DigestPeriod.ending(
        s.period, onOrBefore: DigestSchedule.lastDay(after: period), weekday: s.weekday, zone: zone)
      return sending(s, following, zone)
    }
    .min()
  }

  /// The newest period whose time to be sent has come.
  private func newest(_ s: DigestSettings, _ zone: LocalZone, at now: Timestamp) -> (DigestPeriod, Timestamp) {
    var period = DigestPeriod.over(s.period, at: now, weekday: s.weekday, zone: zone)
    while sending(s, period, zone) > now { period = period.previous }
    return (period, sending(s, period, zone))
  }

  /// At its minute of the day on which the period is over; a monthly one on its day of the next month. Where clocks skip that
  /// minute, at the skip; where it comes twice, at the first.
  private func sending(_ s: DigestSettings, _ period: DigestPeriod, _ zone: LocalZone) -> Timestamp {
    let delay = s.period == .monthly ? Int64(min(max(1, s.dayOfMonth), 28) - 1) : 0
    return zone.first(LocalTime(day: period.endDay + delay, minute: min(max(0, s.minuteOfDay), 1439)))
  }

  /// The last day of the period that follows.
  private static func lastDay(after period: DigestPeriod) -> Int64 {
    switch period.kind {
    case .daily: return period.endDay
    case .weekly: return period.endDay + 6
    case .monthly:
      let (year, month, _) = Timestamp.civil(days: period.endDay)
      return Timestamp.days(year: month == 12 ? year + 1 : year, month: month == 12 ? 1 : month + 1, day: 1) - 1
    }
  }
}
