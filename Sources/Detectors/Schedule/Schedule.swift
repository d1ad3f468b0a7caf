package import Alerts

/// When checks are due. Pure: the time is an argument.
package enum Schedule: Sendable, Equatable {
  case cron(Cron)
  /// At whole multiples of the interval since 1970, so that every worker agrees on them.
  case every(Interval)

  /// The shortest interval: a check that runs more often than this spends its time starting.
  package static let shortest = Interval.milliseconds(100)

  package func next(after t: Timestamp) -> Timestamp? {
    switch self {
    case .cron(let cron): return cron.next(after: t)
    case .every(let interval):
      let n = floorDivide(t.microseconds, interval.microseconds) + 1
      let (product, overflow) = n.multipliedReportingOverflow(by: interval.microseconds)
      return overflow ? nil : Timestamp(microseconds: product)
    }
  }

  package func last(atOrBefore t: Timestamp) -> Timestamp? {
    switch self {
    case .cron(let cron): return cron.last(atOrBefore: t)
    case .every(let interval):
      return Timestamp(microseconds: floorDivide(t.microseconds, interval.microseconds) * interval.microseconds)
    }
  }

  /// Reads what the configuration wrote.
  static func read(_ text: ScheduleText, defaultZone: String, place: Place?, key: String) -> Result<Schedule, Fault> {
    switch text {
    case .every(let interval):
      guard interval >= shortest else {
        return .failure(
          Fault(place, key: key, "an interval of \(interval) is too short", mend: "give at least \(shortest)"))
      }
      return .success(.every(interval))
    case .cron(let text, let zone):
      let name = zone ?? defaultZone
      guard let zone = Zone(name: name) else {
        return .failure(
          Fault(place, key: key, "\"\(name)\" is not a time zone", mend: "give an IANA name such as Europe/Berlin"))
      }
      do throws(CronError) {
        return .success(.cron(try Cron(text, zone: zone)))
      } catch {
        return .failure(Fault(place, key: key, "\"\(text)\" is not a schedule: \(error)"))
      }
    }
  }
}
