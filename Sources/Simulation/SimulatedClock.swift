import Alerts
import Service

/// The two clocks of a machine, as a world sets them, and what the service makes of them by the production code.
final class SimulatedClock: ServiceClock {
  /// What really went by: the clock that nobody can set.
  var boot: Timestamp
  /// How far the wall clock is off.
  var error = Interval.zero
  private let mutation: Mutation?
  private let stop: Timestamp
  private var steady = SteadyTime()
  /// On disk.
  private var kept = Timestamp.epoch

  init(_ start: Timestamp, _ mutation: Mutation?) {
    boot = start
    self.mutation = mutation
    stop = start + .hours(1)
  }

  var wall: Timestamp { boot + error }

  func now() -> Timestamp {
    if mutation == .timersStandStill { return min(boot, stop) }
    if mutation == .clockGoesBack { return wall }
    return steady.now(wall: wall, boot: boot.microseconds)
  }

  func isPast(_ time: Timestamp) {
    for newest in [time, kept] { steady.resume(after: newest, wall: wall, boot: boot.microseconds) }
  }

  func keep(_ time: Timestamp) { if let reached = steady.toKeep(time, wall: wall) { kept = reached } }

  /// A process that starts knows nothing of what the clock said before.
  func restart() { steady = SteadyTime() }
}
