package import Alerts
package import Logging

/// Sends digests when they fall due: waits, lets the tables catch up, renders, and orders each once.
///
/// A crash between ordering and noting it is harmless: the service takes a key once, for ever.
package struct DigestScheduler: Sendable {
  /// What it needs of the world, so that tests bring their own clock.
  package struct Surroundings: Sendable {
    package var now: @Sendable () -> Timestamp
    package var sleep: @Sendable (Interval) async throws -> Void
    /// Returns when the tables hold everything that the log holds now.
    package var caughtUp: @Sendable () async throws -> Void
    package var send: @Sendable (Command) async throws -> Reply
    package init(
      now: @escaping @Sendable () -> Timestamp, sleep: @escaping @Sendable (Interval) async throws -> Void,
      caughtUp: @escaping @Sendable () async throws -> Void,
      send: @escaping @Sendable (Command) async throws -> Reply
    ) {
      self.now = now
      self.sleep = sleep
      self.caughtUp = caughtUp
      self.send = send
    }
  }

  private let schedule: DigestSchedule
  private let consoleURL: String?
  private let reader: ProjectionReader
  private let world: Surroundings
  private let logger: Logger

  /// The longest sleep: a clock that was set, or a machine that slept, is noticed so soon.
  static let longestSleep = Interval.minutes(15)
  /// After a failure.
  static let retryAfter = Interval.minutes(1)

  package init(
    settings: [DigestSettings], consoleURL: String?, reader: ProjectionReader, surroundings: Surroundings,
    logger: Logger
  ) {
    schedule = DigestSchedule(settings)
    self.consoleURL = consoleURL
    self.reader = reader
    world = surroundings
    self.logger = logger
  }

  /// Runs until its task is cancelled. Returns at once where no digest is configured.
  package func run() async {
    guard !schedule.isEmpty else { return }
    var done: Set<String> = []
    while !Task.isCancelled {
      let isFine = await sendDue(&done)
      let now = world.now()
      var pause = isFine ? DigestScheduler.longestSleep : DigestScheduler.retryAfter
      if let next = schedule.next(after: now) { pause = min(pause, max(.milliseconds(1), next - now)) }
      do { try await world.sleep(pause) } catch { return }
    }
  }

  /// Sends what is due. False if something is to be tried again.
  ///
  /// - Parameter done: keys that need no further look; what was refused for good is among them, so that it is said once.
  func sendDue(_ done: inout Set<String>) async -> Bool {
    do {
      let known = done
      let since = try reader.firstOpening()
      let due = try schedule.due(at: world.now(), since: since) { key in
        try known.contains(key) || reader.wasDigestOrdered(key: key)
      }
      guard !due.isEmpty else { return true }
      try await world.caughtUp()
      for item in due { try await send(item, &done) }
      return true
    } catch let error as ProjectionError where error.kind == .missing {
      // Nothing has happened yet on a fresh machine.
      return false
    } catch {
      logger.warning("a digest could not be sent yet, and is tried again", metadata: ["error": "\(error)"])
      return false
    }
  }

  private func send(_ item: DigestSchedule.Due, _ done: inout Set<String>) async throws {
    let digest = Digest(try reader.digest(item.period, tenant: item.tenant), consoleURL: consoleURL)
    let command = Command(.digest(digest.order(receiver: item.receiver)), by: "tocsin")
    let reply = try await world.send(command)
    switch reply.result {
    case .success:
      done.insert(item.key)
      logger.info(
        "digest ordered",
        metadata: ["key": "\(item.key)", "late": "\(max(.zero, world.now() - item.at).rounded)"])
    case .failure(let error) where error.code == .unavailable: throw error
    case .failure(let error):
      done.insert(item.key)
      logger.error(
        "the digest was refused and is not tried again", metadata: ["key": "\(item.key)", "error": "\(error.message)"])
    }
  }
}
