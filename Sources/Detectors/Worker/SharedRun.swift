import Alerts
import Bus
import Logging

extension DetectorWorker {
  /// Runs an event type in its turn: under a lease of the service, so that of all workers one checks each slot of its schedule.
  ///
  /// The state that the worker before left is taken up, and handed on when what was found is durable in the service. A worker that dies between leaves
  /// the state as it was: the next one does the same again, and what it finds has the same ids and is recognised. So no window is left out, and none counts twice.
  package func runInTurn(_ event: EventPlan, _ extent: Extent = .due, progress: WorkShare = .silent) async -> RunReport
  {
    guard let leases, event.isShared else { return await run(event, extent, progress: progress) }
    var report = RunReport(event: event.name)
    // A backfill is of no slot: it is done as often as it is asked for.
    let slot = extent == .due ? event.slot(at: now()) : ""
    do {
      let answer = try await leases.take(event.name, slot: slot)
      serviceIsAway = false
      switch answer {
      case .held(let other):
        report.outcome = .claimed("\(other) has it")
        return report
      case .done(let by, let at):
        report.doneBy = by
        report.doneAt = at
        return report
      case .granted(let version):
        do {
          return try await run(event, extent, leases, version: version, slot: slot, progress)
        } catch {
          await Task { await leases.release(event.name) }.value
          throw error
        }
      }
    } catch let error as BusError {
      // Nothing is left out: what is due now is due when the service is back.
      guard isAlone else {
        report.outcome = .waiting("the service gives no lease: \(error.message)")
        return report
      }
      if !serviceIsAway {
        log.notice("no service answers (\(error.message)): this run goes by what this machine remembers")
      }
      serviceIsAway = true
      return await run(event, extent, progress: progress)
    } catch {
      report.outcome = .failed("\(error)")
      return report
    }
  }

  private func run(
    _ event: EventPlan, _ extent: Extent, _ leases: Leases, version: Int64, slot: String, _ progress: WorkShare
  ) async throws -> RunReport {
    // One run at a time changes the file: workers of one machine share it.
    if try state.sharedVersion(event: event.name) != version {
      if let text = try await leases.read(event.name, version: version) { try state.adopt(event: event.name, text) }
      try state.setSharedVersion(event: event.name, version)
    }
    let keeping = Task {
      while !Task.isCancelled {
        try await Task.sleep(for: .microseconds(Leases.keepEvery.microseconds))
        try? await leases.keep(event.name)
      }
    }
    let report = await run(event, extent, progress: progress)
    keeping.cancel()
    // Until it is handed over, what this file holds is nobody's but ours.
    try state.setSharedVersion(event: event.name, nil)
    switch report.outcome {
    case .claimed, .waiting:
      await Task { await leases.release(event.name) }.value
      return report
    case .failed, .checked, .nothingDue: break
    }
    // What failed is not done: another worker may try this slot, and so may this one.
    let isDone = if case .failed = report.outcome { false } else { true }
    let text = try state.export(event: event.name, checks: event.markNames)
    // A task of its own: a worker that is told to stop hands over before it does.
    let next = try await Task { [port] in
      try await port.settle()
      return try await leases.finish(event.name, version: version, slot: isDone ? slot : "", state: text)
    }.value
    try state.setSharedVersion(event: event.name, next)
    return report
  }
}

extension EventPlan {
  /// What only this machine knows (itself, what a command prints of now, its standard input) is nobody else's to check.
  var isShared: Bool { source.keepsHistory && !(source is StreamSource) }

  /// Names the time at which the schedule was last due, and what is checked: a change of the checks is due at once.
  func slot(at now: Timestamp) -> String {
    let due = schedule.last(atOrBefore: now).map(\.rfc3339) ?? ""
    let names = checks.map {
      "\($0.name) \($0.settings.parameters.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value.value.text)" })"
    }
    return "\(due)#\(String(StableHash(names.joined(separator: "\n")).low, radix: 36))"
  }

  /// Everything that has a watermark.
  var markNames: [String] { checks.map(\.name) + [rowsMark] + (verdicts == nil ? [] : [verdictMark]) }
  /// The newest row that was ever seen.
  var rowsMark: String { "\(name)/rows" }
  /// The newest verdict that was taken up.
  var verdictMark: String { "\(name)/verdicts" }
}
