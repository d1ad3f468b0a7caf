import Alerts
import Foundation

/// A server process for one test: started on a free port, ended with the object.
final class LocalServer: Sendable {
  let port: Int
  let directory: String
  private let process: Process
  private let input: Pipe

  static let python = "/usr/bin/python3"
  static var scripts: String { URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/Servers" }

  private init(script: String, directory: String, arguments: [String]) throws {
    self.directory = directory
    let process = Process()
    let input = Pipe()
    let output = Pipe()
    process.executableURL = URL(fileURLWithPath: LocalServer.python)
    process.arguments = ["\(LocalServer.scripts)/\(script)", "\(directory)/record"] + arguments
    process.standardInput = input
    process.standardOutput = output
    try process.run()
    var line = Data()
    while !line.contains(10) {
      let more = output.fileHandleForReading.availableData
      if more.isEmpty { break }
      line += more
    }
    guard let port = Int(String(decoding: line, as: UTF8.self).trimming()) else {
      process.terminate()
      throw ServerError(description: "\(script) did not start")
    }
    self.port = port
    self.process = process
    self.input = input
  }

  deinit {
    process.terminate()
    try? FileManager.default.removeItem(atPath: directory)
  }

  static func http(tls: Certificate? = nil) throws -> LocalServer {
    try LocalServer(
      script: "http_server.py", directory: temporaryDirectory(), arguments: tls.map { [$0.file, $0.key] } ?? [])
  }

  /// Speaks HTTP/2 and nothing else.
  static func http2(tls: Certificate) throws -> LocalServer {
    try LocalServer(script: "h2_server.py", directory: temporaryDirectory(), arguments: [tls.file, tls.key])
  }

  /// A Slack, a PagerDuty and a Twilio that refuse what the real ones refuse.
  static func strict() throws -> LocalServer {
    try LocalServer(script: "strict_server.py", directory: temporaryDirectory(), arguments: [])
  }

  static func smtp(_ mode: String, tls: Certificate? = nil, account: [String] = []) throws -> LocalServer {
    let files = tls.map { [$0.file, $0.key] } ?? (account.isEmpty ? [] : ["", ""])
    return try LocalServer(
      script: "smtp_server.py", directory: temporaryDirectory(), arguments: [mode] + files + account)
  }

  func url(_ path: String, scheme: String = "http") -> String { "\(scheme)://127.0.0.1:\(port)\(path)" }

  /// Everything that has arrived up to now.
  var arrived: [JSON] {
    let text = (try? String(contentsOfFile: "\(directory)/record", encoding: .utf8)) ?? ""
    return text.split(separator: "\n").compactMap { try? JSON(parsing: String($0)) }
  }
}

struct ServerError: Error { var description: String }

func temporaryDirectory() throws -> String {
  let path = NSTemporaryDirectory() + "tocsin-test-\(UUID().uuidString)"
  try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  return path
}

/// A certificate for 127.0.0.1 that signs itself, made by openssl for one test.
final class Certificate: Sendable {
  let directory: String
  var file: String { "\(directory)/cert.pem" }
  var key: String { "\(directory)/key.pem" }

  init() throws {
    directory = try temporaryDirectory()
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments =
      [
        "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
        "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost", "-keyout",
      ] + [key, "-out", file]
    process.standardError = FileHandle.nullDevice
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    // Its output's end is its own: Foundation's waitUntilExit may spin for ever on a thread that has no run loop.
    _ = output.fileHandleForReading.readDataToEndOfFile()
    for _ in 0..<200 where process.isRunning { usleep(10_000) }
    guard FileManager.default.fileExists(atPath: file) else {
      throw ServerError(description: "openssl made no certificate")
    }
  }

  deinit { try? FileManager.default.removeItem(atPath: directory) }
}

extension JSON {
  /// A recorded member in base64, as bytes.
  func data(_ name: String) -> [UInt8] {
    self[name]?.string.flatMap { Data(base64Encoded: $0) }.map { Array($0) } ?? []
  }
  /// A recorded body as JSON.
  var sent: JSON { (try? JSON(parsing: data("body"))) ?? .null }
}
