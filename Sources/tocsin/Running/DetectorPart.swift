import Bus
import Detectors
import Foundation
import Logging
import TocsinConfiguration

extension Running {
  /// One detector worker in this process.
  func detectorPart(name: String) throws -> Part {
    let configuration = current
    let plan = try DetectVerb.plan(configuration.detection, only: [])
    let publisher = try Publisher(
      connection, producer: "detector/\(name)", outbox: Running.spool(configuration))
    let directory = configuration.dataDirectory
    let commands = try CommandClient(connection, timeout: DetectVerb.leaseTimeout)
    let leases = DetectVerb.leases(commands, name: name)
    // The newest is enough.
    let edits = AsyncStream<Configuration>.makeStream(bufferingPolicy: .bufferingNewest(1))
    onEdit { edits.continuation.yield($0) }
    return Part("detector") {
      try await Part.untilStopped({ edits.continuation.finish() }) {
        try await WatchedChecks.run(plan, edits: edits.stream) { plan in
          let worker = try DetectVerb.worker(plan, name: name, port: publisher, directory: directory, leases: leases)
          return { await worker.run { _ in } }
        }
      }
      commands.close()
      publisher.close()
    }
  }
}

/// Checks that run on, and begin anew with what an edit made of them.
enum WatchedChecks {
  /// Runs until `edits` ends. A run that an edit interrupts is repeated: a window counts as checked only once its anomalies are durable.
  static func run(
    _ first: DetectionPlan, edits: AsyncStream<Configuration>, only: [String] = [],
    begin: (DetectionPlan) throws -> @Sendable () async -> Void
  ) async throws {
    let work = try begin(first)
    var task = Task { await work() }
    for await configuration in edits {
      guard let plan = accepted(configuration, only: only) else { continue }
      task.cancel()
      await task.value
      let work = try begin(plan)
      task = Task { await work() }
    }
    task.cancel()
    await task.value
  }

  /// Nil, and said, where an edit leaves nothing that can run: the old checks stay.
  private static func accepted(_ configuration: Configuration, only: [String]) -> DetectionPlan? {
    var plan = DetectionPlan(configuration.detection)
    if !only.isEmpty { plan.events.removeAll { !only.contains($0.name) } }
    let logger = Logger(label: "tocsin.detector")
    guard plan.faults.isEmpty else {
      let faults = plan.faults.map { "\($0)" }.joined(separator: "\n")
      logger.error("the new checks are wrong; the old ones stay in force", metadata: ["faults": "\(faults)"])
      return nil
    }
    logger.info("the checks were taken up", metadata: ["event types": "\(plan.events.count)"])
    return plan
  }
}
