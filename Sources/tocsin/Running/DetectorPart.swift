import Alerts
import Bus
import Detectors
import Foundation
import Logging
import TocsinConfiguration

extension Running {
  /// One detector worker in this process.
  func detectorPart(name: String) throws -> Part {
    let configuration = current
    let plan = DetectionPlan(configuration.detection)
    guard plan.faults.isEmpty else { throw ConfigurationFaults(plan.faults) }
    let state = try DetectorState(path: configuration.dataDirectory + "/detector.sqlite")
    let publisher = try Publisher(
      connection, producer: "detector/\(name)", outbox: Running.spool(configuration))
    let worker = DetectorWorker(
      name: name, plan: plan, port: publisher, state: state, log: Logger(label: "tocsin.detector"), clock: wallClock)
    return Part("detector") {
      let task = Task { await worker.run() }
      try await Part.untilStopped({ task.cancel() }) { await task.value }
      publisher.close()
    }
  }
}
