import Alerts
import Foundation

@testable import Detectors

/// A real server for the tests, run by a script of Servers/ that ends it when this process lets go of its input, however that comes about.
final class RealServer: Sendable {
  let info: JSON
  private let process: Process
  private let input: Pipe

  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path

  init(_ script: String, _ arguments: [String]) throws {
    let process = Process()
    let input = Pipe()
    let output = Pipe()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
    process.arguments = ["\(RealServer.folder)/Servers/\(script)"] + arguments
    process.standardInput = input
    process.standardOutput = output
    try process.run()
    self.process = process
    self.input = input
    var line = Data()
    while !line.contains(10) {
      let more = output.fileHandleForReading.availableData
      if more.isEmpty { break }
      line += more
    }
    guard let info = try? JSON(parsing: String(decoding: line, as: UTF8.self)) else {
      throw SourceError(.unreachable, "\(script) did not start: scripts/setup --tests installs what it needs")
    }
    self.info = info
  }

  var port: Int64 { info["port"]?.int ?? 0 }
  func text(_ name: String) -> String { info[name]?.string ?? "" }

  /// Ends it, and waits until its script has cleaned up.
  func end() {
    try? input.fileHandleForWriting.close()
    for _ in 0..<600 where process.isRunning { usleep(20_000) }
  }

  deinit { end() }
}

/// A connection of a kind with options, as the configuration would make it.
func connected(_ kind: String, _ options: [String: JSON], _ source: DataSource = source()) throws -> any MetricSource {
  var faults: [Fault] = []
  let connection = Connection(name: "c", kind: kind, options: options.mapValues { Option($0) })
  guard let built = SourceKinds.standard.source(connection, source, &faults) else {
    throw SourceError(.settings, faults.map(\.description).joined(separator: "; "))
  }
  return built
}
