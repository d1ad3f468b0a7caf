import Alerts
import Lifecycle
import Service

extension Promises {
  /// How late a timer may fire beyond what its clock allows.
  static let tolerance = Interval.seconds(5)
  /// And how early.
  private static let earliness = Interval.seconds(1)

  /// Something must happen when the service's clock says `due`. In true time it may take as much longer as that clock is allowed to be slow.
  mutating func arm(_ kind: Timer.Kind, _ subject: Subject, at due: Timestamp) {
    dues[Timer(kind: kind, subject: subject)] = (due, latest(due))
  }

  private func latest(_ due: Timestamp) -> Timestamp {
    let wait = max(0, (due - serviceNow).microseconds)
    let slow = wait / (SteadyTime.slowness - 1) + 1
    return now + Interval(microseconds: wait + slow) + Promises.tolerance
  }

  /// It happened. `early`: by its timer, which must not be before its time.
  mutating func disarm(_ kind: Timer.Kind, _ id: AlertID, _ e: RecordedEvent, early: Bool) {
    guard let due = dues.removeValue(forKey: Timer(kind: kind, subject: id.subject)) else { return }
    if early, e.recordedAt < due.service - Promises.earliness {
      fail(3, "\(e.type.rawValue) of \(id) comes at \(e.recordedAt), before it is due at \(due.service)")
    }
  }

  /// A service that starts again may find its clock set back: what is due counts from there.
  mutating func rebase() {
    incarnation += 1
    audit.start(at: serviceNow)
    for (timer, due) in dues { dues[timer] = (due.service, latest(due.service)) }
  }

  /// After each step of a service that can write.
  mutating func checkTimers() {
    for (timer, due) in dues where due.latest < now {
      fail(3, "\(timer.kind) of \(timer.subject) was due at \(due.service), and it is \(serviceNow)")
      dues[timer] = nil
    }
  }
}
