import Bus
import Detectors
import TocsinConfiguration

extension Running {
  /// One detector worker in this process.
  func detectorPart(name: String) throws -> Part {
    let configuration = current
    let plan = try DetectVerb.plan(configuration.detection, only: [])
    let publisher = try Publisher(
      connection, producer: "detector/\(name)", outbox: Running.spool(configuration))
    let worker = try DetectVerb.worker(plan, name: name, port: publisher, directory: configuration.dataDirectory)
    return Part("detector") {
      let task = Task { await worker.run { _ in } }
      try await Part.untilStopped({ task.cancel() }) { await task.value }
      publisher.close()
    }
  }
}
