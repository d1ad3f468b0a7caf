import ArgumentParser
import Bus
import Foundation
import Lifecycle

extension BenchVerb {
  /// The lifecycle service by itself, as a process whose memory can be read, until standard input ends.
  struct ServiceAlone: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "service", abstract: "The service of a run that compares.", shouldDisplay: false)
    @Option var log: String
    @Option var gateway: String

    func run() async throws {
      ProcessLimits.prepare()
      let host = ServiceHost(logger: BenchLog.quiet) { _ in }
      var settings = LifecycleSettings()
      settings.routes = [Route(matchers: [], delivery: .dashboardOnly)]
      var endpoints = GatewaySettings()
      endpoints.gateway = gateway
      endpoints.feed = "tcp://127.0.0.1:*"
      try await host.start(log: log, gateway: endpoints, lifecycle: settings)
      FileHandle.standardOutput.write(Data("ready\n".utf8))
      while readLine() != nil {}
      host.stop()
      try await host.wait()
    }
  }
}

enum BenchService {
  /// Returns once it takes anomalies. It ends when the handle is closed.
  static func start(log: String, gateway: String) async throws -> (Process, FileHandle) {
    let p = Process()
    p.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    p.arguments = ["bench", "service", "--log", log, "--gateway", gateway]
    let (input, output) = (Pipe(), Pipe())
    p.standardInput = input
    p.standardOutput = output
    try p.run()
    guard !output.fileHandleForReading.availableData.isEmpty else {
      p.waitUntilExit()
      throw BenchError("the service of the benchmark did not start")
    }
    return (p, input.fileHandleForWriting)
  }
}
