import Alerts
import Dispatch
import EventLog
import Foundation
import Logging

/// Moves lives that ended long ago out of the log, once a day, beside the running service.
struct Archivist: Sendable {
  let path: String
  /// How long ago; nil: never. Asked each time, so that an edit counts at once.
  let after: @Sendable () -> Interval?
  private let logger = Logger(label: "tocsin.archive")

  /// A start has better things to do.
  static let firstAfter = Duration.seconds(600)
  static let every = Duration.seconds(86_400)

  init(path: String, after: @escaping @Sendable () -> Interval?) {
    self.path = path
    self.after = after
  }

  var part: Part {
    Part("archive") {
      let task = Task {
        try? await Task.sleep(for: Archivist.firstAfter)
        while !Task.isCancelled {
          await look(now: wallClock())
          try? await Task.sleep(for: Archivist.every)
        }
      }
      try await Part.untilStopped({ task.cancel() }) { await task.value }
    }
  }

  /// Reads the whole log, which may take seconds: not on a thread that tasks share.
  func look(now: Timestamp) async {
    guard let after = after() else { return }
    let (path, logger) = (path, logger)
    await withCheckedContinuation { done in
      DispatchQueue(label: "tocsin.archive", qos: .utility).async {
        do {
          let archiving = try LogArchiving(path: path)
          if try archiving.isDue(now: now) {
            let report = try archiving.run(before: now - after, smallest: LogArchiving.smallest)
            if let file = report.path {
              logger.info(
                "lives that ended long ago were moved to an archive",
                metadata: ["archive": "\(file)", "events": "\(report.events)", "lives": "\(report.subjects)"])
            }
          }
        } catch {
          logger.error("the log can't be archived; it is tried again tomorrow", metadata: ["why": "\(error)"])
        }
        done.resume()
      }
    }
  }
}
