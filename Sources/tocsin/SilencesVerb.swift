import Alerts
import ArgumentParser
import Foundation
import Projections
import TocsinConfiguration

/// `tocsin silences`: for what nobody is told, and until when.
struct SilencesVerb: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "silences", abstract: "Lists, adds and ends silences: maintenance windows, and known noise.",
    subcommands: [List.self, Add.self, Expire.self])

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Lists silences, the newest first.")
    @Flag(help: "Those that have ended, too.") var all = false
    @Flag(help: "As JSON lines.") var json = false
    @OptionGroup var connection: BusConnection

    func run() async throws {
      let now = wallClock()
      let silences = try connection.tables().silences(includingExpired: all, at: now)
      if json {
        for silence in silences { print(silence.json(at: now).text) }
        return
      }
      if silences.isEmpty { print("no silences") }
      for silence in silences {
        let matchers = silence.matchers.map(\.description).joined(separator: " ")
        let head = "\(Column.left(silence.id.description, 6)) \(Column.left(silence.state(at: now).rawValue, 8))"
        let end = "until \(silence.endsAt.rfc3339.prefix(16))Z"
        print("\(head) \(end)  \(Column.cut(matchers, 80 - head.count - end.count - 3))")
        if let comment = silence.comment { print("       \(Column.cut("\(silence.createdBy): \(comment)", 73))") }
      }
    }
  }

  struct Add: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Silences the alerts that match all of the matchers.",
      discussion: "Matchers: device=mobile, device!=tv, team=~\"bi|web\", team!~\"x.*\".")
    @Argument(help: "Matchers, such as event_type=listing_views.") var matchers: [String]
    @Option(name: .customLong("for"), help: "How long, such as 2h.") var length: String?
    @Option(help: "Until when, such as 2026-11-20T06:00:00Z.") var until: String?
    @Option(help: "From when; now, unless given.") var from: String?
    @Option(help: "Say why.") var note: String?
    @OptionGroup var responder: Responder
    @OptionGroup var connection: BusConnection

    func run() async throws {
      let parsed = try matchers.map { text in
        guard let matcher = Matcher(text) else {
          throw ValidationError("\"\(text)\" is no matcher such as device=mobile, device!=tv or team=~\"bi|web\"")
        }
        return matcher
      }
      func time(_ text: String?, _ option: String) throws -> Timestamp? {
        guard let text else { return nil }
        guard let time = Timestamp(rfc3339: text) else {
          throw ValidationError("\(option) must be a time such as 2026-11-20T06:00:00Z, not \"\(text)\"")
        }
        return time
      }
      let start = try time(from, "--from")
      let end: Timestamp
      switch (length, try time(until, "--until")) {
      case (let length?, nil):
        guard let interval = Interval(length), interval > .zero, interval <= Command.longest else {
          throw ValidationError("--for must be a length of time such as 2h, at most \(Command.longest)")
        }
        end = (start ?? wallClock()) + interval
      case (nil, let until?): end = until
      default: throw ValidationError("say either --for LENGTH or --until TIME")
      }
      let command = Command(
        .silence(matchers: parsed, startsAt: start, endsAt: end), by: try responder.by(), note: note)
      try await responder.send([("the silence", command)], over: connection)
    }
  }

  struct Expire: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Ends silences now.")
    @Argument(help: "Silences, such as S-7.") var ids: [String]
    @OptionGroup var responder: Responder
    @OptionGroup var connection: BusConnection

    func run() async throws {
      let by = try responder.by()
      let commands = try ids.map { text in
        guard let id = Subject(text), id.kind == .silence else {
          throw ValidationError("\"\(text)\" is no silence such as S-7")
        }
        return (label: id.description, command: Command(.expireSilence(id), by: by))
      }
      try await responder.send(commands, over: connection)
    }
  }
}
