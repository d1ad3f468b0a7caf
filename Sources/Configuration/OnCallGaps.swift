package import Alerts
package import Lifecycle

/// A place of the configuration that tells receivers.
package struct Told: Sendable, Equatable {
  package var place: Place
  package var key: String
  package var receivers: [String]
  /// A step's hours: at other times it tells nobody by intent.
  package var hours: StepHours?
}

extension Configuration {
  /// How far ahead gaps in schedules are looked for.
  package static let gapsAhead = Interval.days(56)

  /// Steps and routes that would reach nobody at some time in the next eight weeks, because nobody is on call then and nobody stands in. They depend on the time, so they
  /// are warnings and no faults: a service must start all the same.
  package func gaps(now: Timestamp) -> [Fault] {
    let end = now + Configuration.gapsAhead
    var shifts: [String: [OnCallSchedule.Shift]] = [:]
    for schedule in onCall.schedules { shifts[schedule.name] = schedule.shifts(from: now, to: end) }
    return told.compactMap { gap($0, shifts, now: now, end: end) }
  }

  private func gap(
    _ told: Told, _ shifts: [String: [OnCallSchedule.Shift]], now: Timestamp, end: Timestamp
  ) -> Fault? {
    // Every receiver with those that stand in for it.
    var names: [String] = []
    for name in told.receivers {
      var next: String? = name
      while let name = next, !names.contains(name) {
        names.append(name)
        next = lifecycle.receiver(name)?.fallback
      }
    }
    let receivers = names.compactMap { lifecycle.receiver($0) }
    let schedules = receivers.compactMap(\.schedule)
    guard !receivers.isEmpty, receivers.allSatisfy(\.targets.isEmpty), !schedules.isEmpty else { return nil }
    // Nobody is reached where no schedule has anybody.
    var holes = [(from: now, until: end)]
    for name in schedules {
      let covered = (shifts[name] ?? []).filter { shift in
        shift.person.flatMap { onCall.person($0) }.map { !$0.targets.isEmpty } ?? false
      }
      for shift in covered {
        holes = holes.flatMap { hole in
          [(hole.from, min(hole.until, shift.from)), (max(hole.from, shift.until), hole.until)].filter { $0.0 < $0.1 }
            .map { (from: $0.0, until: $0.1) }
        }
      }
    }
    if let hours = told.hours {
      holes = holes.compactMap { hole in
        hours.next(from: hole.from).flatMap { $0 < hole.until ? (from: $0, until: hole.until) : nil }
      }
    }
    guard let first = holes.first else { return nil }
    let zone = onCall.schedule(schedules[0]).flatMap { LocalZone($0.timeZone) } ?? .utc
    let until = first.until == end ? "" : " to \(zone.local(first.until).text)"
    let often = holes.count > 1 ? ", and \(holes.count - 1) more times in eight weeks" : ""
    let list = Set(schedules).sorted().joined(separator: ", ")
    return Fault(
      told.place, key: told.key,
      "reaches nobody from \(zone.local(first.from).text)\(until) (\(zone.name))\(often): nobody is on call for \(list)",
      mend: "fill the schedule, or give the receiver a fallback:")
  }
}
