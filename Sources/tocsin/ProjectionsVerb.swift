import Alerts
import ArgumentParser
import EventLog
import Foundation
import Logging
import Projections
import TocsinConfiguration

/// `tocsin projections rebuild` and `tocsin projections status`.
struct ProjectionsVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "projections", abstract: "The tables that lists, searches and digests read.",
    discussion: "They follow from the event log, and can be dropped and rebuilt at any time.",
    subcommands: [Rebuild.self, Status.self])

  struct Rebuild: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Drops all rows and builds them again from the log.",
      discussion: "A running service may go on: each batch is taken in once, by whoever comes first.")
    @OptionGroup var folder: ConfigVerb.Folder
    @Flag(help: "Print one JSON document.") var json = false

    func run() throws {
      let c = try folder.load()
      try ProjectionsVerb.failing {
        try ProjectionsVerb.rebuild(log: c.logPath, projections: c.projectionsPath, json: json)
      }
    }
  }

  struct Status: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Says where the tables stand against the log, and what could not be taken in.")
    @OptionGroup var folder: ConfigVerb.Folder
    @Flag(help: "Print one JSON document.") var json = false

    func run() throws {
      let c = try folder.load()
      try ProjectionsVerb.failing {
        try ProjectionsVerb.status(log: c.logPath, projections: c.projectionsPath, json: json)
      }
    }
  }

  /// Prints an error for people and ends with code 1.
  static func failing(_ body: () throws -> Void) throws {
    do { try body() } catch let error as ExitCode { throw error } catch {
      FileHandle.standardError.write(Data("tocsin: \(error)\n".utf8))
      throw ExitCode(1)
    }
  }

  static func rebuild(log logPath: String, projections path: String, json: Bool) throws {
    let log = try EventLogReader(path: logPath)
    let store = try ProjectionStore(path: path, logger: Logger(label: "projections"))
    let showsProgress = !json && isatty(STDERR_FILENO) == 1
    let begun = wallClock()
    var last = begun
    let position = try store.rebuild(from: log) { position, head in
      let now = wallClock()
      guard showsProgress, now - last >= .milliseconds(200) || position == head else { return }
      last = now
      FileHandle.standardError.write(Data("\r\(position) of \(head) events".utf8))
    }
    let took = wallClock() - begun
    if showsProgress { FileHandle.standardError.write(Data("\n".utf8)) }
    if json {
      print(JSON.object([.init("position", .int(position)), .init("seconds", .number(took.seconds))]).text)
    } else {
      let rate = took > .zero ? Double(position) / took.seconds : 0
      print("rebuilt \(path) from \(position) events in \(took.rounded) (\(Format.number(rate.rounded())) a second)")
    }
  }

  static func status(log logPath: String, projections path: String, json: Bool) throws {
    let head = try EventLogReader(path: logPath).head()
    let standing = try ProjectionReader(path: path).standing(head: head)
    if json { return print(standing.json.pretty) }
    let lag = standing.lag == 0 ? "up to date" : "\(standing.lag) behind"
    print("\(standing.path): position \(standing.position) of \(standing.head), \(lag)")
    if standing.isBuilding { print("being built from the start: lists may be slow and searches incomplete") }
    for rows in standing.rows {
      print("  \(rows.table)\(String(repeating: " ", count: max(1, 16 - rows.table.count)))\(rows.count)")
    }
    for problem in standing.problems { print("  event \(problem.position): \(problem.message)") }
  }

}
