import Alerts
import Dispatch
import EventLog
import Logging
import TocsinConfiguration

extension Running {
  /// Archives what ended long ago, for as long as the service runs.
  func archivePart(log path: String) -> Part {
    let archivist = Archivist(path: path) { [self] in current.archiveAfter }
    return Part("archive") {
      let task = Task {
        await archivist.run(
          now: wallClock, sleep: { try await Task.sleep(for: .microseconds($0.microseconds)) },
          look: { await Running.look(archivist, now: $0) })
      }
      try await Part.untilStopped({ task.cancel() }) { await task.value }
    }
  }

  /// On a thread of its own: tasks share theirs.
  private static func look(_ archivist: Archivist, now: Timestamp) async {
    await withCheckedContinuation { done in
      DispatchQueue(label: "tocsin.archive", qos: .utility).async {
        let logger = Logger(label: "tocsin.archive")
        do {
          if let report = try archivist.look(now: now), let file = report.path {
            logger.info(
              "lives that ended long ago were moved to an archive",
              metadata: ["archive": "\(file)", "events": "\(report.events)", "lives": "\(report.subjects)"])
          }
        } catch {
          logger.error("the log can't be archived; it is tried again tomorrow", metadata: ["why": "\(error)"])
        }
        done.resume()
      }
    }
  }
}
