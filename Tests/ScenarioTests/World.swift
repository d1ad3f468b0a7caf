import Alerts
import Foundation

/// Whole processes in a folder of their own: the program as people run it, and receivers that write down what arrives.
final class World {
  let folder: URL
  let smtp = World.freePort()
  let http = World.freePort()
  let gateway = World.freePort()
  let feed = World.freePort()
  let console = World.freePort()
  private var processes: [Process] = []

  struct Failure: Error, CustomStringConvertible { var description: String }

  init() throws {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent("tocsin-scenario-\(UUID().uuidString)")
    try FileManager.default.createDirectory(
      at: folder.appendingPathComponent("config/metrics"), withIntermediateDirectories: true)
  }

  func end() {
    for p in processes where p.isRunning { kill(p.processIdentifier, SIGKILL) }
    for p in processes { p.waitUntilExit() }
    try? FileManager.default.removeItem(at: folder)
  }

  /// The program that this package builds, beside the tests.
  static let program: URL = {
    var place = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
    // The test runner may start from its bundle or from the toolchain; the build folder is where the binary is.
    for _ in 0..<4 {
      let candidate = place.appendingPathComponent("tocsin")
      if FileManager.default.isExecutableFile(atPath: candidate.path) { return candidate }
      place = place.deletingLastPathComponent()
    }
    let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    return package.appendingPathComponent(".build/debug/tocsin")
  }()

  /// Debian's Python, which has Debian's packages.
  static let python = "/usr/bin/python3"

  static func freePort() -> Int {
    let s = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(s) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    return withUnsafeMutablePointer(to: &address) { p in
      p.withMemoryRebound(to: sockaddr.self, capacity: 1) { a in
        bind(s, a, length)
        getsockname(s, a, &length)
      }
      return Int(UInt16(bigEndian: p.pointee.sin_port))
    }
  }

  func write(_ path: String, _ text: String) throws {
    try Data(text.utf8).write(to: folder.appendingPathComponent(path))
  }

  /// Starts a process in the folder; its output goes to `NAME.log` there.
  @discardableResult
  func start(
    _ name: String, _ executable: String, _ arguments: [String], environment: [String: String]? = nil
  ) throws -> Process {
    let log = folder.appendingPathComponent("\(name).log")
    if !FileManager.default.fileExists(atPath: log.path) {
      _ = FileManager.default.createFile(atPath: log.path, contents: nil)
    }
    let handle = try FileHandle(forWritingTo: log)
    try handle.seekToEnd()
    let p = Process()
    p.executableURL = URL(fileURLWithPath: executable)
    p.arguments = arguments
    p.currentDirectoryURL = folder
    if let environment { p.environment = environment }
    p.standardInput = FileHandle.nullDevice
    p.standardOutput = handle
    p.standardError = handle
    try p.run()
    processes.append(p)
    return p
  }

  @discardableResult
  func tocsin(_ name: String, _ arguments: String...) throws -> Process {
    try start(name, World.program.path, arguments)
  }

  /// Runs a command to its end and gives what it printed.
  func run(_ arguments: String...) throws -> (status: Int32, output: String) {
    let p = Process()
    p.executableURL = World.program
    p.arguments = arguments
    p.currentDirectoryURL = folder
    let pipe = Pipe()
    p.standardInput = FileHandle.nullDevice
    p.standardOutput = pipe
    p.standardError = pipe
    try p.run()
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    p.waitUntilExit()
    return (p.terminationStatus, String(decoding: output, as: UTF8.self))
  }

  func receivers() async throws {
    let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
      "Servers/receivers.py")
    try start("receivers", World.python, [script.path, "arrived.jsonl", "\(smtp)", "\(http)"])
    try await until("the receivers listen") { self.log("receivers").contains("ready") }
  }

  func log(_ name: String) -> String {
    (try? String(contentsOf: folder.appendingPathComponent("\(name).log"), encoding: .utf8)) ?? ""
  }

  /// What the receivers wrote down, oldest first.
  var arrived: [JSON] {
    let text = (try? String(contentsOf: folder.appendingPathComponent("arrived.jsonl"), encoding: .utf8)) ?? ""
    return text.split(separator: "\n").compactMap { try? JSON(parsing: String($0)) }
  }

  private static func brief(_ record: JSON) -> String {
    ["kind", "method", "action", "key", "subject", "thread", "text"].compactMap { name in
      record[name].flatMap { $0.isNull ? nil : "\(name)=\($0.text.prefix(90))" }
    }.joined(separator: " ")
  }

  /// Waits until it holds; the bound is for a machine that has much else to do.
  func until(_ what: String, seconds: Double = 90, _ holds: () throws -> Bool) async throws {
    let end = ContinuousClock.now + .seconds(seconds)
    while try !holds() {
      guard ContinuousClock.now < end else {
        let logs = ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []).filter {
          $0.hasSuffix(".log")
        }.sorted().map { "--- \($0)\n" + log(String($0.dropLast(4))).suffix(3000) }
        // Whether the service knows of a message, and why it waits, tells a slow machine from a lost message.
        let owed = (try? shell("tocsin deliveries; tocsin events | tail -n 40 | cut -c 1-300", seconds: 20))?.output
        throw Failure(
          description:
            """
            waited in vain until \(what)
            arrived:
            \(arrived.map(World.brief).joined(separator: "\n"))
            in the outbox: \(outbox().suffix(20).joined(separator: " "))
            deliveries and facts:
            \(owed ?? "no answer")
            \(logs.joined(separator: "\n"))
            """)
      }
      try await Task.sleep(for: .milliseconds(50))
    }
  }

  func isReady() -> Bool {
    let p = Process()
    p.executableURL = URL(fileURLWithPath: "/usr/bin/curl")
    p.arguments = ["-fsS", "-o", "/dev/null", "http://127.0.0.1:\(console)/readyz"]
    p.standardError = FileHandle.nullDevice
    do { try p.run() } catch { return false }
    p.waitUntilExit()
    return p.terminationStatus == 0
  }
}
