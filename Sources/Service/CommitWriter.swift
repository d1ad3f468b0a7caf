package import Alerts
package import EventLog
import Foundation
import Synchronization

/// Appends one commit at a time to the log: at once, or on another thread while the next one is decided.
package protocol CommitWriter: AnyObject {
  /// Only after the outcome of the one before was taken. `overlapping` says that the caller has something else to do meanwhile.
  func begin(_ commit: Commit, overlapping: Bool)
  /// What became of it; nil while that is not known. `waiting` does not return before it is.
  func outcome(waiting: Bool) -> Result<Void, EventLogError>?
  /// Facts that nobody needs any more. To give back the memory of a large commit takes a while, which another thread may have.
  func letGo(_ facts: [[RecordedEvent]])
}

extension CommitWriter {
  package func letGo(_ facts: [[RecordedEvent]]) {}
}

extension EventLog {
  fileprivate func outcome(of commit: Commit) -> Result<Void, EventLogError> {
    do throws(EventLogError) {
      try append(commit)
      return .success(())
    } catch { return .failure(error) }
  }
}

/// Appends at once, on the caller's thread.
final class DirectWriter: CommitWriter {
  private let log: any EventLog
  private var result: Result<Void, EventLogError>?

  init(_ log: any EventLog) { self.log = log }

  func begin(_ commit: Commit, overlapping: Bool) { result = log.outcome(of: commit) }

  func outcome(waiting: Bool) -> Result<Void, EventLogError>? {
    defer { result = nil }
    return result
  }
}

/// Appends on a thread of its own, so that the next batch is received and decided while this one is on its way to the disk. What is waited for anyway
/// is appended on the caller's thread: handing it over and back would take longer than a small commit.
package final class ThreadWriter: CommitWriter {
  private let desk: Desk
  private var spent: [[RecordedEvent]] = []
  private var direct: Result<Void, EventLogError>?

  /// - Parameters:
  ///   - wake: called on the writer's thread when a commit is done.
  package init(_ log: any EventLog, wake: @escaping @Sendable () -> Void) {
    let desk = Desk(log, wake: wake)
    self.desk = desk
    let thread = Thread { desk.run() }
    thread.name = "tocsin log"
    thread.stackSize = 8 << 20
    thread.start()
  }

  package func begin(_ commit: Commit, overlapping: Bool) {
    guard overlapping else {
      // What small commits leave behind is given back by whoever makes them: the other thread may not be needed for days.
      spent = []
      direct = desk.log.outcome(of: commit)
      return
    }
    desk.work.withLock { $0 = (commit, spent) }
    spent = []
    desk.begun.signal()
  }

  /// Held until the next commit begins.
  package func letGo(_ facts: [[RecordedEvent]]) { spent += facts }

  package func outcome(waiting: Bool) -> Result<Void, EventLogError>? {
    if let direct {
      self.direct = nil
      return direct
    }
    if waiting { desk.done.wait() } else if desk.done.wait(timeout: .now()) != .success { return nil }
    return desk.result.withLock { result in
      defer { result = nil }
      return result
    }
  }

  /// Ends the thread; nothing may be on its way.
  package func close() {
    desk.begun.signal()
    desk.ended.wait()
  }

  /// What the two threads hand each other.
  ///
  /// Unchecked: the log is not Sendable. It is appended to by one thread at a time: the writer's from a commit's beginning to its outcome, and in
  /// between whoever calls. Meanwhile the service's thread calls only what reads, and SQLite's queue lets one of them in at a time.
  private final class Desk: @unchecked Sendable {
    let log: any EventLog
    let wake: @Sendable () -> Void
    /// A commit, and what is given back once that is done and nobody waits.
    let work = Mutex<(commit: Commit, spent: [[RecordedEvent]])?>(nil)
    let result = Mutex<Result<Void, EventLogError>?>(nil)
    let begun = DispatchSemaphore(value: 0)
    let done = DispatchSemaphore(value: 0)
    let ended = DispatchSemaphore(value: 0)

    init(_ log: any EventLog, wake: @escaping @Sendable () -> Void) {
      self.log = log
      self.wake = wake
    }

    func run() {
      while true {
        begun.wait()
        guard let next = work.withLock({ $0.take() }) else { break }
        let outcome = log.outcome(of: next.commit)
        result.withLock { $0 = outcome }
        done.signal()
        wake()
        withExtendedLifetime(next) {}
      }
      ended.signal()
    }
  }
}
