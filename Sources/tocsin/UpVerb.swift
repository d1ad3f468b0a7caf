import ArgumentParser
import Foundation
import Logging
import ServiceLifecycle
import TocsinConfiguration
import UnixSignals

/// `tocsin up`: everything in one process.
struct UpVerb: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "up", abstract: "Runs everything in one process: service, detector, notifier, console.")
  @OptionGroup var folder: ConfigVerb.Folder

  func run() async throws {
    Log.start()
    ProcessLimits.prepare()
    let configuration = try folder.load()
    let running = try Running(configuration, isService: true)
    try await Exit.explained {
      var parts = try await running.serviceParts(configurationFolder: configuration.directory)
      parts.append(try running.notifierPart(name: "up", channels: nil))
      parts.append(try running.detectorPart(name: "up"))
      try await Exit.runGroup(parts, logger: running.logger)
    }
  }
}

/// `tocsin serve`: the lifecycle service alone.
struct ServeVerb: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve",
    abstract: "Runs the lifecycle service: bus, event log, timers, projections, digests, console.",
    discussion:
      "Detectors (`tocsin detect`) and notifiers (`tocsin notify`) come over the bus, as processes of their own.")
  @OptionGroup var folder: ConfigVerb.Folder

  func run() async throws {
    Log.start()
    ProcessLimits.prepare()
    let configuration = try folder.load()
    let running = try Running(configuration, isService: true)
    try await Exit.explained {
      try await Exit.runGroup(
        try await running.serviceParts(configurationFolder: configuration.directory), logger: running.logger)
    }
  }
}

enum Exit {
  /// Runs the parts until SIGTERM or SIGINT, and stops them in the reverse order: who makes work first, the service last.
  static func runGroup(_ parts: [any ServiceLifecycle.Service], logger: Logger) async throws {
    let group = ServiceGroup(
      configuration: .init(
        services: parts.map {
          .init(
            service: $0, successTerminationBehavior: .gracefullyShutdownGroup,
            failureTerminationBehavior: .gracefullyShutdownGroup)
        }, gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
    try await group.run()
  }

  /// Says in one line what went wrong, and ends with 1.
  static func explained(_ body: () async throws -> Void) async throws {
    do { try await body() } catch let error as ExitCode { throw error } catch {
      FileHandle.standardError.write(Data("tocsin: \(error)\n".utf8))
      throw ExitCode.failure
    }
  }
}
