import ServiceLifecycle

/// One part of the running program, as the group that starts and stops them sees it.
struct Part: ServiceLifecycle.Service {
  let name: String
  let body: @Sendable () async throws -> Void

  init(_ name: String, _ body: @escaping @Sendable () async throws -> Void) {
    self.name = name
    self.body = body
  }

  func run() async throws { try await body() }

  /// Runs `body` until it ends by itself or the program stops; `onStop` is called then.
  static func untilStopped(
    _ onStop: @escaping @Sendable () -> Void, _ body: @escaping @Sendable () async throws -> Void
  ) async throws {
    try await withGracefulShutdownHandler(operation: body, onGracefulShutdown: onStop)
  }
}
