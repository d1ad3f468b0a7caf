import Alerts

extension DetectorWorker {
  /// Event types that run at the same time: sources are waited for, not computed, but each may hold a connection and its rows.
  static let parallelLimit = 8
  static let heartbeatInterval = Interval.seconds(10)
  /// What it promises with each heartbeat: a silence longer than this means that it is dead, or judges more than it can.
  static let promise = Interval.minutes(2)
  /// A sleep is never longer, so that a clock that is put forward or back is noticed.
  static let longestSleep = Interval.seconds(30)
  /// What failed is tried again after this, where its schedule is slower.
  static let failurePause = Interval.minutes(5)
  /// How soon it asks again where another worker has the lease: that one may die.
  static let turnPause = Interval.seconds(10)

  /// Runs what is due of the event types in `only` (all, if nil), once each, and returns what came of it, in the plan's order.
  package func runOnce(only: Set<String>? = nil) async -> [RunReport] {
    let events = chosen(only)
    var reports: [String: RunReport] = [:]
    await withTaskGroup(of: RunReport.self) { group in
      for (i, event) in events.enumerated() {
        if i >= DetectorWorker.parallelLimit, let done = await group.next() { reports[done.event] = done }
        group.addTask { await self.runInTurn(event) }
      }
      for await done in group { reports[done.event] = done }
    }
    saveAll()
    await beat()
    return events.compactMap { event in
      guard var report = reports[event.name] else { return nil }
      if report.outcome == .nothingDue { addPast(of: event, to: &report) }
      return report
    }
  }

  /// Runs until it is cancelled.
  package func run(only: Set<String>? = nil, onReport: @escaping @Sendable (RunReport) -> Void = { _ in }) async {
    let events = chosen(only)
    let gate = Gate(DetectorWorker.parallelLimit)
    await withTaskGroup(of: Void.self) { group in
      for event in events {
        group.addTask {
          while !Task.isCancelled {
            await gate.enter()
            let report = await self.runInTurn(event)
            await gate.leave()
            if report.outcome != .nothingDue { onReport(report) }
            await self.sleep(until: event, after: report)
          }
        }
      }
      group.addTask {
        while !Task.isCancelled {
          await self.beat(promise: DetectorWorker.promise)
          try? await Task.sleep(for: .microseconds(DetectorWorker.heartbeatInterval.microseconds))
        }
      }
    }
    saveAll()
    await beat(promise: .zero)
  }

  /// Where nothing is due: how far it was checked, and when it is due again.
  private func addPast(of event: EventPlan, to report: inout RunReport) {
    let ends = event.markNames.filter { $0 != event.rowsMark }.compactMap { try? state.watermark($0)?.end }
    report.newest = report.newest ?? ends.max()
    report.next = event.schedule.next(after: now())
  }

  private func chosen(_ only: Set<String>?) -> [EventPlan] {
    plan.events.filter { only?.contains($0.name) ?? true }
  }

  private nonisolated func sleep(until event: EventPlan, after report: RunReport) async {
    let start = now()
    guard var due = event.schedule.next(after: start) else { return }
    // A source that was down in the morning is asked again before the next one; whose turn it is, sooner still.
    switch report.outcome {
    case .failed: due = min(due, start + DetectorWorker.failurePause)
    case .waiting, .claimed: due = min(due, start + DetectorWorker.turnPause)
    case .checked, .nothingDue: break
    }
    while !Task.isCancelled {
      let rest = due - now()
      guard rest > .zero else { return }
      try? await Task.sleep(for: .microseconds(min(rest, DetectorWorker.longestSleep).microseconds))
    }
  }
}

/// Lets a bounded number through at a time; the others wait their turn.
actor Gate {
  private var free: Int
  private var waiting: [CheckedContinuation<Void, Never>] = []
  init(_ n: Int) { free = n }

  func enter() async {
    if free > 0 {
      free -= 1
    } else {
      await withCheckedContinuation { waiting.append($0) }
    }
  }

  func leave() {
    if waiting.isEmpty { free += 1 } else { waiting.removeFirst().resume() }
  }
}
