import Alerts

extension EventPlan {
  /// Waits between tries: a server that restarts is back within seconds, and longer ones are the schedule's.
  static let pauses: [Interval] = [.milliseconds(200), .seconds(1), .seconds(5), .seconds(20)]

  /// Reads the source, again where the fault may pass by itself.
  func read(_ request: SourceRequest) async throws -> SourceReading {
    try await patiently { try await source.read(request) }
  }

  func patiently<T: Sendable>(_ body: () async throws -> T) async throws -> T {
    for attempt in 0..<options.retries {
      do { return try await body() } catch let error as SourceError {
        guard error.mayPass, !Task.isCancelled else { throw error }
        let pause = EventPlan.pauses[min(attempt, EventPlan.pauses.count - 1)]
        try? await Task.sleep(for: .microseconds(pause.microseconds))
      }
    }
    return try await body()
  }
}

extension EventPlan {
  /// Rows that were there are gone, and no others came: that is not a quiet day, but a table that was emptied or can't be seen any more.
  func mustNotBeEmpty(_ reading: SourceReading, _ work: DueWork, since newest: Timestamp) throws {
    guard reading.rows.isEmpty, newest >= work.from ?? .epoch, newest < work.to else { return }
    throw SourceError(
      .empty, "it gave no row at all, although it had rows of \(newest.rfc3339) before",
      mend: "see whether the table was emptied, or what this user may see")
  }
}

extension SourceError {
  /// A wrong query is as wrong the second time.
  var mayPass: Bool { kind == .unreachable || kind == .timeout }
}
