package import EventLog
import Dispatch
package import Logging
import Synchronization

/// Follows the log: takes in what is new at each wake-up, and nothing in between.
///
/// A locked or full disk, or a log that can't be read for a moment, is tried again with growing pauses; a file that was deleted or damaged is made anew. Nothing ends it but
/// its wake-ups' end or the task's cancellation.
package final class Projector: Sendable {
  private let path: String
  private let log: any EventReading
  private let logger: Logger
  private let progress = Mutex(Progress())

  private struct Progress {
    var position: Int64 = -1
    var fault: String?
    var isOver = false
    var nextWaiter: UInt64 = 0
    var waiters: [UInt64: (position: Int64, continuation: CheckedContinuation<Bool, Never>)] = [:]
  }

  /// The first pause after a failure, and the longest: a disk that was full for an hour is noticed half a minute later.
  static let shortestPause = Duration.seconds(1)
  static let longestPause = Duration.seconds(30)

  package init(path: String, log: any EventReading, logger: Logger) {
    self.path = path
    self.log = log
    self.logger = logger
  }

  /// The position that the tables have reached; -1 before the first look.
  package var position: Int64 { progress.withLock { $0.position } }
  /// Why they don't catch up at the moment, and what to do; nil while all is well.
  package var fault: String? { progress.withLock { $0.fault } }

  /// Catches up at once, and again whenever something arrives on `wake`. Many wake-ups during one catch-up count as one if the stream keeps the
  /// newest only, as it should.
  package func run(wake: AsyncStream<Void>) async {
    progress.withLock { $0.isOver = false }
    let worker = Worker(path: path, log: log, logger: logger)
    await catchUp(worker)
    for await _ in wake {
      if Task.isCancelled { break }
      await catchUp(worker)
    }
    finish()
  }

  /// Returns true once the tables have reached `position`; false if ``run(wake:)`` or the waiting task ends before.
  package func caughtUp(to position: Int64) async -> Bool {
    let id = progress.withLock { p in
      p.nextWaiter += 1
      return p.nextWaiter
    }
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isThere = progress.withLock { p in
          if p.position >= position || p.isOver || Task.isCancelled { return Optional(p.position >= position) }
          p.waiters[id] = (position, continuation)
          return nil
        }
        if let isThere { continuation.resume(returning: isThere) }
      }
    } onCancel: {
      progress.withLock { $0.waiters.removeValue(forKey: id) }?.continuation.resume(returning: false)
    }
  }

  private func catchUp(_ worker: Worker) async {
    var pause = Projector.shortestPause
    while !Task.isCancelled {
      do {
        let position = try await worker.catchUp { [self] reached in note(reached) }
        note(position)
        if progress.withLock({ $0.fault.take() }) != nil { logger.notice("the projections catch up again") }
        return
      } catch {
        let text = "\(error)"
        let isNew = progress.withLock { p in
          defer { p.fault = text }
          return p.fault != text
        }
        if isNew { logger.error("the projections don't catch up", metadata: ["error": "\(text)"]) }
        try? await Task.sleep(for: pause)
        pause = min(pause * 2, Projector.longestPause)
      }
    }
  }

  private func note(_ position: Int64) {
    let done = progress.withLock { p in
      p.position = position
      let done = p.waiters.filter { $0.value.position <= position }
      for id in done.keys { p.waiters[id] = nil }
      return done.values.map(\.continuation)
    }
    for continuation in done { continuation.resume(returning: true) }
  }

  private func finish() {
    let left = progress.withLock { p in
      defer { p.waiters = [:] }
      p.isOver = true
      return p.waiters.values.map(\.continuation)
    }
    for continuation in left { continuation.resume(returning: false) }
  }
}

/// The store on a queue of its own: a rebuild takes minutes, and would hold up one of the few threads that tasks share.
///
/// `@unchecked`: `store` is touched on `queue` alone.
private final class Worker: @unchecked Sendable {
  private let queue = DispatchQueue(label: "tocsin.projections")
  private let path: String
  private let log: any EventReading
  private let logger: Logger
  private var store: ProjectionStore?

  init(path: String, log: any EventReading, logger: Logger) {
    self.path = path
    self.log = log
    self.logger = logger
  }

  func catchUp(_ reached: @escaping @Sendable (Int64) -> Void) async throws -> Int64 {
    try await withCheckedThrowingContinuation { continuation in
      queue.async { [self] in
        continuation.resume(
          with: Result {
            let store = try self.store ?? ProjectionStore(path: path, logger: logger)
            self.store = store
            return try store.catchUp(from: log) { position, _ in reached(position) }
          })
      }
    }
  }
}
