import EventLog
import Service

/// The thread that writes large commits while the next one is decided, without a thread: such a commit is on its way until the world says that it has
/// arrived, or somebody waits for it. A machine that goes down meanwhile may have it on disk, or not.
final class SimulatedWriter: CommitWriter {
  private let log: SimulatedLog
  private var direct: Result<Void, EventLogError>?
  private var onItsWay: Commit?
  private var hasArrived = false
  private let began: () -> Void
  private let isBelieved: Bool
  /// Said to have arrived, which it has not.
  private var believed: Commit?
  /// How many were on their way while something else was done.
  private(set) var overlapped = 0

  /// - Parameters:
  ///   - isBelieved: a commit that is on its way is said to have arrived. See ``Mutation/overlapIsBelieved``.
  ///   - began: a large commit is on its way from now on.
  init(_ log: SimulatedLog, isBelieved: Bool = false, began: @escaping () -> Void) {
    self.log = log
    self.isBelieved = isBelieved
    self.began = began
  }

  var isBusy: Bool { onItsWay != nil }

  func arrive() { hasArrived = true }

  func begin(_ commit: Commit, overlapping: Bool) {
    if let commit = believed.take() { _ = append(commit) }
    guard overlapping else {
      direct = append(commit)
      return
    }
    onItsWay = commit
    hasArrived = false
    overlapped += 1
    began()
  }

  func outcome(waiting: Bool) -> Result<Void, EventLogError>? {
    if let direct {
      self.direct = nil
      return direct
    }
    if isBelieved, let commit = onItsWay.take() {
      believed = commit
      return .success(())
    }
    guard let commit = onItsWay, waiting || hasArrived else { return nil }
    onItsWay = nil
    return append(commit)
  }

  /// - Parameter isOnDisk: the commit that was on its way got there.
  func goDown(isOnDisk: Bool) throws {
    if isOnDisk, let onItsWay { try log.disk.append(onItsWay) }
    onItsWay = nil
    believed = nil
  }

  private func append(_ commit: Commit) -> Result<Void, EventLogError> {
    do throws(EventLogError) {
      try log.append(commit)
      return .success(())
    } catch { return .failure(error) }
  }
}
