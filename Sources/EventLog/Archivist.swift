package import Alerts

/// Moves lives that ended long ago out of the log by itself, beside the running service: looks once a day, and makes an archive where there is enough for one.
package struct Archivist: Sendable {
  /// A start has better things to do.
  package static let firstAfter = Interval.minutes(10)
  package static let every = Interval.days(1)

  package let path: String
  /// How long ago; nil: never. Asked each time, so that an edit counts at once.
  package let after: @Sendable () -> Interval?

  /// - Parameter path: the log's.
  package init(path: String, after: @escaping @Sendable () -> Interval?) {
    self.path = path
    self.after = after
  }

  /// Looks, and moves what is to be moved. Reads the whole log, which may take seconds: not on a thread that others wait for.
  ///
  /// - Returns: nil where it is not time, or nothing is ever moved.
  /// - Throws: ``EventLogError``: the log is as it was, or the next look finishes what was begun.
  package func look(now: Timestamp) throws -> ArchiveReport? {
    guard let after = after() else { return nil }
    let archiving = try LogArchiving(path: path)
    guard try archiving.isDue(now: now) else { return nil }
    return try archiving.run(before: now - after, smallest: LogArchiving.smallest)
  }

  /// Looks again and again, until `sleep` throws.
  package func run(
    now: @Sendable () -> Timestamp, sleep: @Sendable (Interval) async throws -> Void,
    look: @Sendable (Timestamp) async -> Void
  ) async {
    do {
      try await sleep(Archivist.firstAfter)
      while true {
        await look(now())
        try await sleep(Archivist.every)
      }
    } catch {}
  }
}
