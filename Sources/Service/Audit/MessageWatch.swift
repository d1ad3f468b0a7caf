import Alerts
import Lifecycle

/// Messages that nobody gives up, and ends of alerts that somebody is owed and that nobody requested.
///
/// Each message, and each end, is looked at once, a while after it came up; only what is not settled then is looked at again.
struct MessageWatch: Sendable {
  /// When a message is looked at for the first time: nearly all are settled by then.
  static let firstLook = Interval.minutes(5)
  /// How long after an alert's end each place that was told of it must have its end requested. It happens in the same instant.
  static let endsWithin = Interval.minutes(1)
  /// How long after a receiver's patience a message must have been given up. A lease may still have run then.
  static let givenUpWithin = Interval.minutes(10)
  /// What is not in order is looked at again this often.
  static let again = Interval.minutes(1)

  private(set) var overdue: Set<Int64> = []
  private(set) var owed: Set<AlertID> = []

  /// What was settled since it was looked at is not overdue any more, whenever it would be looked at again.
  mutating func forgetSettled(_ engine: Engine) {
    if !overdue.isEmpty { overdue = overdue.filter { engine.ledger[$0] != nil } }
  }

  /// When to look at a message again; nil when it is settled.
  ///
  /// - Parameter canGiveUp: false while nothing can be written: no message can be given up then, and why is said already.
  mutating func look(message position: Int64, in engine: Engine, canGiveUp: Bool, now: Timestamp) -> Timestamp? {
    guard let p = engine.ledger[position] else {
      overdue.remove(position)
      return nil
    }
    // One that nobody has taken is given up by nobody, and is told of as such.
    let end = p.requestedAt + engine.patience(p) + MessageWatch.givenUpWithin
    guard end <= now, p.lease == nil, p.attempts > 0 else {
      overdue.remove(position)
      return max(end, now + MessageWatch.firstLook)
    }
    guard canGiveUp else { return now + MessageWatch.again }
    overdue.insert(position)
    return now + MessageWatch.again
  }

  /// When to look at an alert's end again; nil when nobody is owed it.
  mutating func look(end id: AlertID, in engine: Engine, now: Timestamp) -> Timestamp? {
    guard let a = engine.alerts[id], a.isResolved, !a.isFlapping, !MessageWatch.owedEnds(a, in: engine).isEmpty else {
      owed.remove(id)
      return nil
    }
    owed.insert(id)
    return now + MessageWatch.again
  }

  /// Places that were told that it fires, and whose *resolved* is neither sent nor under way.
  static func owedEnds(_ a: AlertState, in engine: Engine) -> [AlertState.Place] {
    let settings = engine.configurations[a.route.configuration] ?? .init()
    let underWay = engine.ledger.about(a.id.subject)
    return a.told.filter { place in
      settings.receiver(place.receiver)?.sendResolved ?? true
        && !underWay.contains {
          $0.place.target == place.target && ($0.purpose == .resolved || $0.purpose == .firing)
        }
    }
  }
}
