import Alerts
import ArgumentParser
import Bus
import Foundation
import TocsinConfiguration

/// Who acts, and how the answer is printed.
struct Responder: ParsableArguments {
  @Option(name: .customLong("as"), help: "Who you are (TOCSIN_AS, else USER).") var name: String?
  @Flag(help: "Print replies as JSON lines.") var json = false
  @Option(help: "How long to wait for the service's reply, such as 10s.") var timeout = "10s"

  func by() throws -> String {
    let environment = ProcessInfo.processInfo.environment
    guard
      let name = [name, environment["TOCSIN_AS"], environment["USER"]].compactMap({ $0 }).first(where: { !$0.isEmpty })
    else { throw ValidationError("who are you? Say --as NAME, or set TOCSIN_AS") }
    return name
  }

  /// Sends one command, and gives what came back.
  func ask(_ command: Command, over connection: BusConnection) async throws -> Reply {
    guard let timeout = Interval(timeout), timeout > .zero else {
      throw ValidationError("--timeout must be a length of time such as 10s, not \"\(timeout)\"")
    }
    let client = try CommandClient(try connection.settings(try connection.configuration()), timeout: timeout)
    defer { client.close() }
    return try await client.send(command)
  }

  /// Sends the commands one after the other, prints what became of each, and ends with code 1 if any was refused.
  func send(_ commands: [(label: String, command: Command)], over connection: BusConnection) async throws {
    guard let timeout = Interval(timeout), timeout > .zero else {
      throw ValidationError("--timeout must be a length of time such as 10s, not \"\(timeout)\"")
    }
    let settings = try connection.settings(try connection.configuration())
    let client = try CommandClient(settings, timeout: timeout)
    defer { client.close() }
    var refused = 0
    for (label, command) in commands {
      let reply = try await client.send(command)
      switch reply.result {
      case .success(let body): print(json ? reply.json.text : Responder.sentence(label, body))
      case .failure(let error):
        refused += 1
        if json {
          print(JSON.object([.init("about", .string(label))] + (reply.json.members ?? [])).text)
        } else {
          complain("\(label): \(error.message.isEmpty ? error.code.rawValue : error.message)")
        }
      }
    }
    if refused > 0 { throw ExitCode(1) }
  }

  /// `A-1042 acknowledged by ana, critical, version 8`
  static func sentence(_ label: String, _ body: JSON) -> String {
    guard let alert = body["alert"], let id = alert["id"]?.string else {
      var words = [body["silence"]?.string ?? label]
      if let end = body["ends_at"]?.string { words.append("until \(end)") }
      return words.joined(separator: " ")
    }
    var words = "\(id) \(alert["state"]?.string ?? "")"
    if let by = alert["acknowledged_by"]?.string { words += " by \(by)" }
    if let to = alert["assignee"]?.string { words += ", assigned to \(to)" }
    if let until = alert["snoozed_until"]?.string { words += ", snoozed until \(until)" }
    if let version = alert["version"]?.int { words += ", version \(version)" }
    return words
  }
}

/// The alerts that a command is about.
struct AlertIDs: ParsableArguments {
  @Argument(help: "Alerts, such as A-1042.") var ids: [String]
  @Option(help: "Say why.") var note: String?
  @Option(
    name: .customLong("if-version"),
    help: "Refuse if the alert has changed since this version.") var version: Int?

  func alerts() throws -> [AlertID] {
    try ids.map { text in
      guard let id = AlertID(text) else { throw ValidationError("\"\(text)\" is no alert such as A-1042") }
      return id
    }
  }
}

/// Texts cut and filled for a table.
enum Column {
  static func cut(_ text: String, _ width: Int) -> String {
    let line = text.split(whereSeparator: \.isNewline).joined(separator: " ")
    return line.count <= width ? line : String(line.prefix(max(0, width - 1))) + "…"
  }
  static func left(_ text: String, _ width: Int) -> String {
    let text = cut(text, width)
    return text + String(repeating: " ", count: width - text.count)
  }
  static func right(_ text: String, _ width: Int) -> String {
    let text = cut(text, width)
    return String(repeating: " ", count: width - text.count) + text
  }
}
