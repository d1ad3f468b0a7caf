import Lifecycle
import Service

// Starts from a snapshot, which may be damaged, old, of another build or of another log.
extension World {
  /// At the end of a step after which all that was decided is on disk.
  func takeSnapshot() {
    guard wantsSnapshot, !isBehind, !isOff, service.engine.head == log.head else { return }
    wantsSnapshot = false
    attempt { try snapshots?.take(service.engine, log, now: clock.now()) }
    outcome.snapshots += 1
  }

  func spoilSnapshot() { attempt { try snapshots?.spoil(&draw, log) } }

  /// After a start: a snapshot in doubt was thrown away, a sound one spared the work.
  func judgeSnapshot() {
    guard let snapshots, let read = snapshots.lastRead else { return }
    switch read {
    case .success(let position):
      outcome.startsFromSnapshots += 1
      if !snapshots.condition.isSound {
        promises.fail(7, "a start takes up the snapshot at \(position), which is \(snapshots.condition)")
      }
    case .failure(let doubt):
      if snapshots.condition.isSound { promises.fail(7, "a start throws a sound snapshot away: \(doubt)") }
    }
  }
}
