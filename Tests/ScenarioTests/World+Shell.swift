import Alerts
import Foundation

/// What people type, and the files that they have.
extension World {
  /// The folder of the package, whose README and examples are run.
  static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  static func committed(_ path: String) throws -> String {
    try String(contentsOf: repository.appendingPathComponent(path), encoding: .utf8)
  }

  /// The committed configuration, at this world's ports, with `edits` made in tocsin.yaml.
  func useCommittedConfiguration(edits: [(String, String)] = []) throws {
    var text = try World.committed("config/tocsin.yaml")
    for (port, ours) in [("7800", console), ("7801", gateway), ("7802", feed)] {
      text = text.replacingOccurrences(of: ":\(port)", with: ":\(ours)")
    }
    for (old, new) in edits {
      guard text.contains(old) else { throw Failure(description: "config/tocsin.yaml has no \"\(old)\" to edit") }
      text = text.replacingOccurrences(of: old, with: new)
    }
    try write("config/tocsin.yaml", text)
    let metrics = World.repository.appendingPathComponent("config/metrics")
    for file in try FileManager.default.contentsOfDirectory(atPath: metrics.path) {
      try write("config/metrics/\(file)", try World.committed("config/metrics/\(file)"))
    }
  }

  /// A small service: its ports, a log, an outbox, and one receiver for what is critical.
  func useSmallConfiguration(log: String = "data/tocsin.sqlite", more: String = "") throws {
    try write(
      "config/tocsin.yaml",
      """
      log: sqlite:\(log)
      bus: {gateway: "tcp://127.0.0.1:\(gateway)", feed: "tcp://127.0.0.1:\(feed)"}
      console: {listen: "127.0.0.1:\(console)"}
      receivers:
        data-team: {slack: "#data-alerts"}
      routes:
        - {match: {severity: critical}, notify: [data-team]}
        - {match: {}, dashboard_only: true}
      channels:
        outbox: {directory: data/outbox}
      \(more)
      """)
  }

  /// Runs a script as a person at a terminal would, with `tocsin` in the path; ends it after `seconds`.
  func shell(_ script: String, seconds: Int = 60) throws -> (status: Int32, output: String) {
    let bin = folder.appendingPathComponent("bin")
    if !FileManager.default.fileExists(atPath: bin.path) {
      try FileManager.default.createDirectory(at: bin, withIntermediateDirectories: true)
      try FileManager.default.createSymbolicLink(
        at: bin.appendingPathComponent("tocsin"), withDestinationURL: World.program)
    }
    let p = Process()
    p.executableURL = URL(fileURLWithPath: "/usr/bin/timeout")
    p.arguments = ["-k", "5", "\(seconds)", "/bin/sh", "-c", script]
    p.currentDirectoryURL = folder
    var environment = ProcessInfo.processInfo.environment
    environment["PATH"] = bin.path + ":/usr/bin:/bin"
    environment["HOME"] = folder.path
    p.environment = environment
    let pipe = Pipe()
    p.standardInput = FileHandle.nullDevice
    p.standardOutput = pipe
    p.standardError = pipe
    try p.run()
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    p.waitUntilExit()
    return (p.terminationStatus, String(decoding: output, as: UTF8.self))
  }

  /// One anomaly by `tocsin publish`, with the fields given. By the endpoint: the configuration may be wrong at the moment.
  func publish(_ fields: String, timeout: String = "30s") throws -> (status: Int32, output: String) {
    try shell("echo '{\(fields)}' | tocsin publish --gateway tcp://127.0.0.1:\(gateway) --timeout \(timeout)")
  }

  func get(_ path: String) throws -> (status: Int, body: String) {
    let r = try shell("curl -sS -m 10 -w '\\n%{http_code}' http://127.0.0.1:\(console)\(path)")
    let lines = r.output.split(separator: "\n", omittingEmptySubsequences: false)
    return (Int(lines.last ?? "") ?? 0, lines.dropLast().joined(separator: "\n"))
  }

  /// JSON lines that a verb prints.
  func lines(_ arguments: String) throws -> [JSON] {
    let r = try shell("tocsin \(arguments)")
    guard r.status == 0 else { throw Failure(description: "tocsin \(arguments) ended with \(r.status): \(r.output)") }
    return try r.output.split(separator: "\n").map { try JSON(parsing: String($0)) }
  }

  func alerts() throws -> [JSON] { try lines("alerts list --json --all") }

  /// The files of the outbox whose names contain all of these, oldest first.
  func outbox(_ parts: String..., in directory: String = "data/outbox") -> [String] {
    let names =
      (try? FileManager.default.contentsOfDirectory(atPath: folder.appendingPathComponent(directory).path)) ?? []
    return names.filter { name in !name.hasPrefix(".") && parts.allSatisfy { name.contains($0) } }.sorted()
  }

  func contents(_ path: String) throws -> String {
    try String(contentsOf: folder.appendingPathComponent(path), encoding: .utf8)
  }

  /// Asks a process to end, and gives its status; kills it when it does not.
  func stop(_ p: Process, seconds: Double = 30) async throws -> Int32 {
    kill(p.processIdentifier, SIGTERM)
    do { try await until("process \(p.processIdentifier) ended", seconds: seconds) { !p.isRunning } } catch {
      kill(p.processIdentifier, SIGKILL)
      p.waitUntilExit()
      throw error
    }
    return p.terminationStatus
  }

  func ready() async throws { try await until("the service is ready") { self.isReady() } }
}
