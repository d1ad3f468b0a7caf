import Alerts
import Bus
import Synchronization
import Testing

@testable import Notifiers

/// Stands in for the service: one message about an alert at a time, leased again after a try that did not deliver.
final class LeasingPort: JobPort {
  private struct State {
    var owed: [Job]
    var receipts: [Receipt] = []
    var isDone = false
  }
  private let state: Mutex<State>
  private let stream = AsyncStream<Job>.makeStream()

  /// Called at a try that did not deliver, before the next.
  private let onRetry: @Sendable () async -> Void

  init(_ jobs: [Job], onRetry: @escaping @Sendable () async -> Void = {}) {
    self.onRetry = onRetry
    state = Mutex(State(owed: jobs))
    if let first = jobs.first { stream.continuation.yield(first) }
  }
  var receipts: [Receipt] { state.withLock { $0.receipts } }
  var isDone: Bool { state.withLock { $0.isDone } }

  func jobs(channels: [String], credit: Int) -> AsyncStream<Job> { stream.stream }
  func wanted(_ key: String) async -> Bool { true }
  func heartbeat(_ json: JSON) async {}
  func receipt(_ receipt: Receipt) async {
    let next = state.withLock { state -> (Job, Interval)? in
      state.receipts.append(receipt)
      guard var job = state.owed.first, job.key == receipt.key else { return nil }
      if receipt.outcome == .retry {
        job.attempt += 1
        job.taken += receipt.taken
        state.owed[0] = job
        return (job, max(receipt.retryAfter ?? .zero, .milliseconds(50)))
      }
      state.owed.removeFirst()
      guard var job = state.owed.first else {
        state.isDone = true
        return nil
      }
      job.thread = receipt.provider
      state.owed[0] = job
      return (job, .zero)
    }
    guard let (job, wait) = next else { return }
    if receipt.outcome == .retry { await onRetry() }
    Task {
      try? await Task.sleep(for: .microseconds(wait.microseconds))
      stream.continuation.yield(job)
    }
  }
}
