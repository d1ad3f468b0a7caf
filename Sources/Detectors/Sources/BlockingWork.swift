import Alerts
import Foundation
import Synchronization

/// Runs what blocks (a database driver, a transfer) on a thread of its own, so that no task's thread waits for a server.
enum BlockingWork {
  /// Threads whose driver did not come back in time and that nobody waits for any more. Beyond it nothing new is begun: a driver that hangs that
  /// often would eat the machine.
  static let abandonedLimit = 32
  /// What a driver gets beyond its own time limit before it is abandoned.
  static let grace = Interval.seconds(5)
  private static let abandoned = Mutex(0)

  /// Asked by the work while it waits: whether the caller still wants it.
  final class Watch: Sendable {
    private let cancelled = Mutex(false)
    let deadline: Int64
    init(deadline: Int64) { self.deadline = deadline }
    func cancel() { cancelled.withLock { $0 = true } }
    var isCancelled: Bool { cancelled.withLock { $0 } }
    /// Milliseconds until the time is over, at most `most`; nil when it is over or nobody waits any more.
    func rest(most: Int64 = 250) -> Int32? {
      let left = deadline - BlockingWork.now()
      guard left > 0, !isCancelled else { return nil }
      return Int32(min(left, most))
    }
  }

  private final class Outcome<T: Sendable>: Sendable {
    private let continuation: Mutex<CheckedContinuation<T, any Error>?>
    init(_ continuation: CheckedContinuation<T, any Error>) { self.continuation = Mutex(continuation) }
    /// False if somebody else was first.
    func settle(_ result: Result<T, any Error>) -> Bool {
      guard
        let waiting = continuation.withLock({ c in
          defer { c = nil }; return c
        })
      else { return false }
      waiting.resume(with: result)
      return true
    }
  }

  /// Throws what the work throws, and ``SourceError`` of kind `timeout` where it does not end by itself, `timeout` and ``grace`` after its begin.
  static func run<T: Sendable>(
    _ what: String, timeout: Interval, _ work: @escaping @Sendable (Watch) throws -> T
  ) async throws -> T {
    guard abandoned.withLock({ $0 }) < abandonedLimit else {
      throw SourceError(
        .unreachable, "\(abandonedLimit) earlier reads never came back: restart the detector and see to the driver")
    }
    let watch = Watch(deadline: now() + timeout.microseconds / 1000)
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let outcome = Outcome<T>(continuation)
        Thread.detachNewThread {
          let result = Result { try work(watch) }
          if !outcome.settle(result) { abandoned.withLock { $0 -= 1 } }
        }
        let patience = Double((timeout + grace).microseconds) / 1_000_000
        DispatchQueue.global().asyncAfter(deadline: .now() + patience) {
          abandoned.withLock { $0 += 1 }
          let late = SourceError(.timeout, "\(what) took longer than \(timeout), and could not be broken off")
          if !outcome.settle(.failure(late)) { abandoned.withLock { $0 -= 1 } }
        }
      }
    } onCancel: {
      watch.cancel()
    }
  }

  /// Runs what can be told to stop from another thread alone: `stop` is called once the watch is over, and never after `body` has ended.
  static func guarded<T>(_ watch: Watch, stop: @escaping @Sendable () -> Void, _ body: () throws -> T) rethrows -> T {
    let isOn = Running()
    let guardian = Thread {
      while isOn.state.withLock({ $0 }) {
        if watch.rest() == nil { return isOn.state.withLock { if $0 { stop() } } }
        usleep(20_000)
      }
    }
    guardian.start()
    defer { isOn.state.withLock { $0 = false } }
    return try body()
  }

  private final class Running: Sendable {
    let state = Mutex(true)
  }

  /// Milliseconds on a clock that nobody sets.
  static func now() -> Int64 {
    var t = timespec()
    clock_gettime(CLOCK_MONOTONIC, &t)
    return Int64(t.tv_sec) * 1000 + Int64(t.tv_nsec) / 1_000_000
  }
}
