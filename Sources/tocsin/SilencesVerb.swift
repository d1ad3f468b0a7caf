import Alerts
import ArgumentParser
import Bus
import Foundation
import Lifecycle
import Projections
import TocsinConfiguration

/// `tocsin silences`: for what nobody is told, and until when.
struct SilencesVerb: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "silences", abstract: "Lists, adds and ends silences: maintenance windows, and known noise.",
    subcommands: [SilenceList.self, SilenceAdd.self, Expire.self])

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

/// Silences that hold or are to come, and the maintenance windows of the configuration with their next time.
struct SilenceList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "Lists silences, the newest first, and the configuration's maintenance windows.")
  @Flag(help: "Those that have ended, too.") var all = false
  @Flag(help: "As JSON lines.") var json = false
  @OptionGroup var connection: BusConnection

  func run() async throws {
    let now = wallClock()
    let tables = try connection.tables()
    let silences = try tables.silences(includingExpired: all, at: now)
    let windows = try connection.configuration()?.lifecycle.maintenance ?? []
    if json {
      for silence in silences { print(silence.json(at: now).text) }
      for window in windows {
        let next = window.next(after: now)
        print(
          JSON.compact([
            "window": .string(window.name), "matchers": .array(window.matchers.map(\.json)),
            "rhythm": .string(window.rhythm), "next_starts_at": .text(next?.start.rfc3339),
            "next_ends_at": .text(next?.end.rfc3339), "hits": .int(try SilenceList.hits(window.matchers, tables).count),
          ]).text)
      }
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
    for window in windows {
      let next = window.next(after: now).map { "next \($0.start.rfc3339.prefix(16))Z" } ?? "never"
      print("window \(Column.left(window.name, 20)) \(next)  \(window.rhythm)")
      let matchers = window.matchers.map(\.description).joined(separator: " ")
      let hits = try SilenceList.hits(window.matchers, tables).count
      print("       \(Column.cut(matchers, 50)); it would hold back \(hits == 1 ? "1 alert" : "\(hits) alerts") now")
    }
  }

  /// Alerts that are not over and that these matchers mean; so many at most.
  static func hits(_ matchers: [Matcher], _ tables: ProjectionReader) throws -> [AlertSummary] {
    var query = AlertQuery()
    query.states = [.open, .acknowledged]
    query.matchers = matchers
    query.order = .severity
    query.limit = AlertQuery.limitLimit
    return try tables.alerts(query).alerts
  }
}

struct SilenceAdd: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "add", abstract: "Silences the alerts that match all of the matchers.",
    discussion: """
      Matchers: device=mobile, device!=tv, team=~"bi|web", team!~"x.*". A silence that would hold back many alerts (silences.confirm_over, \
      else \(SilenceAdd.usualLimit)) is not made without --yes: it says which ones first.
      """)
  @Argument(help: "Matchers, such as event_type=listing_views.") var matchers: [String]
  @Option(name: .customLong("for"), help: "How long, such as 2h.") var length: String?
  @Option(help: "Until when, such as 2026-11-20T06:00:00Z.") var until: String?
  @Option(help: "From when; now, unless given.") var from: String?
  @Option(help: "Say why.") var note: String?
  @Flag(help: "Only show which alerts it would hold back; then --for and --until are not needed.") var preview = false
  @Flag(help: "However many alerts it holds back.") var yes = false
  @OptionGroup var responder: Responder
  @OptionGroup var connection: BusConnection

  /// Beyond so many alerts a silence wants a second look.
  static let usualLimit = 20
  /// So many are named.
  private static let shown = 20

  func run() async throws {
    let parsed = try matchers.map { text in
      guard let matcher = Matcher(text) else {
        throw ValidationError("\"\(text)\" is no matcher such as device=mobile, device!=tv or team=~\"bi|web\"")
      }
      return matcher
    }
    if preview {
      // A look changes nothing, so nobody need say who looks.
      return show(try await hits(parsed, (try? responder.by()) ?? "tocsin"))
    }
    let by = try responder.by()
    let (start, end) = try times()
    if !yes {
      let limit = try connection.configuration()?.lifecycle.confirmSilenceOver ?? SilenceAdd.usualLimit
      let hits = try await hits(parsed, by)
      if hits.count > limit {
        show(hits)
        complain("more than \(limit) alerts: say --yes if you mean all of them, or add matchers")
        throw ExitCode(1)
      }
    }
    let command = Command(
      .silence(matchers: parsed, startsAt: start, endsAt: end), by: by, note: note, confirmed: yes)
    try await responder.send([("the silence", command)], over: connection)
  }

  private func times() throws -> (start: Timestamp?, end: Timestamp) {
    func time(_ text: String?, _ option: String) throws -> Timestamp? {
      guard let text else { return nil }
      guard let time = Timestamp(rfc3339: text) else {
        throw ValidationError("\(option) must be a time such as 2026-11-20T06:00:00Z, not \"\(text)\"")
      }
      return time
    }
    let start = try time(from, "--from")
    switch (length, try time(until, "--until")) {
    case (let length?, nil):
      guard let interval = Interval(length), interval > .zero, interval <= Command.longest else {
        throw ValidationError("--for must be a length of time such as 2h, at most \(Command.longest)")
      }
      return (start, (start ?? wallClock()) + interval)
    case (nil, let until?): return (start, until)
    default: throw ValidationError("say either --for LENGTH or --until TIME")
    }
  }

  private struct Hits {
    var count: Int
    var ids: [String]
  }

  /// What it would hold back, as the service sees it at this moment.
  private func hits(_ matchers: [Matcher], _ by: String) async throws -> Hits {
    let reply = try await responder.ask(Command(.previewSilence(matchers: matchers), by: by), over: connection)
    let body = try reply.result.get()
    return Hits(
      count: Int(body["hits"]?.int ?? 0), ids: (body["alerts"]?.array ?? []).compactMap(\.string))
  }

  private func show(_ hits: Hits) {
    if responder.json {
      print(JSON.object([.init("hits", .int(hits.count)), .init("alerts", .array(hits.ids.map { .string($0) }))]).text)
      return
    }
    print("it would hold back \(hits.count == 1 ? "1 alert" : "\(hits.count) alerts") now")
    // On the service's machine the tables know more than their names.
    let tables = try? connection.tables()
    for id in hits.ids.prefix(SilenceAdd.shown) {
      let known = AlertID(id).flatMap { try? tables?.alert($0) }
      print("  \(Column.left(id, 8)) \(known.map { "\($0.severity.name), \(Column.cut($0.headline, 56))" } ?? "")")
    }
    if hits.count > SilenceAdd.shown { print("  … and \(hits.count - SilenceAdd.shown) more") }
  }
}
