import Alerts
import ArgumentParser
import Foundation
import Projections
import TocsinConfiguration

/// `tocsin deliveries`: what was to be told to whom, and what became of it.
struct DeliveriesVerb: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "deliveries", abstract: "What was to be told to whom: each message with its tries, and why it waits.",
    subcommands: [List.self, Show.self], defaultSubcommand: List.self)

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Lists deliveries, newest first.",
      discussion: "A delivery's number is the position of the event that asked for it.")
    @Option(help: "pending, delivered, failed or cancelled.") var state: String?
    @Flag(help: "The same as --state failed.") var failed = false
    @Flag(help: "The same as --state pending.") var pending = false
    @Option(help: "Only to this receiver.") var receiver: String?
    @Option(help: "Only on this channel, such as email.") var channel: String?
    @Option(help: "Only about this alert, such as A-12.") var alert: String?
    @Option(help: "Only those asked for since a time, or in the last 24h.") var since: String?
    @Option(help: "At most so many, \(DeliveryQuery.longest) at most.") var limit = 50
    @Flag(help: "As JSON lines.") var json = false
    @OptionGroup var connection: BusConnection

    func query(now: Timestamp) throws -> DeliveryQuery {
      var query = DeliveryQuery()
      if let state {
        guard let known = NotificationRow.State(rawValue: state) else {
          throw ValidationError("--state takes pending, delivered, failed and cancelled, not \"\(state)\"")
        }
        query.state = known
      }
      if failed { query.state = .failed }
      if pending { query.state = .pending }
      guard [state != nil, failed, pending].count(where: { $0 }) <= 1 else {
        throw ValidationError("say one of --state, --failed and --pending")
      }
      query.receiver = receiver
      query.channel = channel
      if let alert {
        guard let id = AlertID(alert) else { throw ValidationError("\"\(alert)\" is no alert such as A-12") }
        query.alert = id
      }
      if let since {
        if let interval = Interval(since) {
          query.since = now - interval
        } else if let time = Timestamp(rfc3339: since) {
          query.since = time
        } else {
          throw ValidationError("--since must be a time such as 2026-11-20T06:00:00Z, or 24h, not \"\(since)\"")
        }
      }
      guard (1...DeliveryQuery.longest).contains(limit) else {
        throw ValidationError("--limit takes 1 to \(DeliveryQuery.longest)")
      }
      query.limit = limit
      return query
    }

    func run() async throws {
      let now = wallClock()
      let query = try query(now: now)
      let tables = try connection.tables()
      let rows = try tables.deliveries(query)
      if json {
        for row in rows { print(DeliveryText.json(row, behind: try tables.waitsBehind(row), now: now).text) }
        return
      }
      for line in try DeliveryText.table(rows, now: now, behind: { try tables.waitsBehind($0) }) { print(line) }
      if rows.count == query.limit { print("… and perhaps more; narrow it down, or say --limit") }
    }
  }

  struct Show: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Shows one delivery with each of its tries.")
    @Argument(help: "Its number in the list, or its key.") var id: String
    @Flag(help: "As one JSON document.") var json = false
    @OptionGroup var connection: BusConnection

    func run() async throws {
      let now = wallClock()
      let tables = try connection.tables()
      let found = try Int64(id).map { try tables.delivery($0) } ?? tables.notification(key: id)
      guard let row = found else {
        complain("there is no delivery \(id); `tocsin deliveries` lists them")
        throw ExitCode(1)
      }
      let behind = try tables.waitsBehind(row)
      let attempts = try tables.attempts(of: row.position)
      if json {
        let members = DeliveryText.json(row, behind: behind, now: now).members ?? []
        print(JSON.object(members + [.init("tries", .array(attempts.map(\.json)))]).pretty)
        return
      }
      for line in DeliveryText.document(row, attempts, behind: behind, now: now) { print(line) }
    }
  }
}

/// Deliveries in words, for 80 columns.
enum DeliveryText {
  static func json(_ row: NotificationRow, behind: Int64?, now: Timestamp) -> JSON {
    var members = [JSON.Member("number", .int(row.position))] + (row.json.members ?? [])
    if let waiting = row.waiting(now: now, behind: behind) {
      members.append(.init("waiting_for", .string(waiting.reason)))
      if let eta = waiting.eta { members.append(.init("eta", .string(eta.rfc3339))) }
    }
    return .object(members)
  }

  static func table(
    _ rows: [NotificationRow], now: Timestamp, behind: (NotificationRow) throws -> Int64?
  ) rethrows -> [String] {
    guard !rows.isEmpty else { return ["no deliveries"] }
    let width = max(4, rows.map { "\($0.position)".count }.max() ?? 0)
    func line(_ n: String, _ state: String, _ what: String, _ to: String, _ age: String, _ rest: String) -> String {
      let head = [
        Column.right(n, width), Column.left(state, 9), Column.left(what, 19), Column.left(to, 22), Column.right(age, 6),
      ].joined(separator: " ")
      return head + "  " + Column.cut(rest, max(0, 80 - head.count - 2))
    }
    var lines = [line("NO.", "STATE", "WHAT", "TO", "AGE", "DETAIL")]
    for row in rows {
      var detail = row.attempts > 1 ? "\(row.attempts) tries" : ""
      if row.state != .delivered, let status = row.lastStatus {
        detail = "\(status)" + (detail.isEmpty ? "" : ", \(detail)")
      }
      if row.state == .delivered, let latency = row.latency { detail = detail.isEmpty ? time(latency) : detail }
      lines.append(
        line(
          "\(row.position)", row.state.rawValue, "\(row.subject) \(row.purpose.rawValue)",
          "\(row.receiver)/\(row.channel)", AlertList.age(now - row.requestedAt), detail))
      let indent = String(repeating: " ", count: width + 1)
      if let waiting = row.waiting(now: now, behind: try behind(row)) {
        let eta = waiting.eta.map { "in \(($0 - now).rounded): " } ?? ""
        lines.append(indent + Column.cut(eta + waiting.reason, 79 - width))
      } else if row.state == .failed || row.state == .cancelled, let message = row.message, !message.isEmpty {
        lines.append(indent + Column.cut(message, 79 - width))
      }
    }
    return lines
  }

  static func document(
    _ row: NotificationRow, _ attempts: [DeliveryAttempt], behind: Int64?, now: Timestamp
  ) -> [String] {
    var facts: [(String, String)] = [
      ("state", row.state.rawValue), ("about", "\(row.subject), \(row.purpose.rawValue)"),
      ("receiver", row.receiver), ("channel", row.channel), ("destination", row.destination),
      ("asked for", "\(row.requestedAt), \((now - row.requestedAt).rounded) ago"), ("key", row.key),
    ]
    if let step = row.step { facts.append(("step", "\(step + 1) of round \((row.round ?? 0) + 1)")) }
    if !row.members.isEmpty {
      facts.append(
        ("tells of", "\(row.members.count): \(row.members.prefix(20).map(\.description).joined(separator: " "))"))
    }
    if let waiting = row.waiting(now: now, behind: behind) {
      facts.append(("waits", waiting.reason))
      if let eta = waiting.eta { facts.append(("goes on", "\(eta), in \((eta - now).rounded)")) }
    }
    if let end = row.finishedAt { facts.append(("ended", "\(end)")) }
    if row.state == .failed || row.state == .cancelled, let message = row.message { facts.append(("why", message)) }
    var lines = ["delivery \(row.position)"]
    lines += facts.map { "  \(Column.left($0.0, 12)) \(Column.cut($0.1, 65))" }
    lines.append("")
    if !attempts.contains(where: { $0.outcome != .held }) { lines.append("no try yet") }
    for a in attempts {
      let status = a.status.map { " \($0)" } ?? ""
      let took = a.latency.map { " in \(time($0))" } ?? ""
      let what = a.outcome == .held ? "held" : "try \(a.attempt): \(a.outcome.rawValue)"
      let head = "\(a.at.rfc3339.prefix(19))Z  \(what)\(status)\(took), \(a.worker)"
      lines.append(Column.cut(head, 80))
      let words = (a.message ?? "") + (a.outcomeUnknown ? " (it may have arrived)" : "")
      if !words.trimming().isEmpty { lines.append("    " + Column.cut(words, 76)) }
    }
    return lines
  }

  /// `84 ms`, `1.3 s`.
  static func time(_ i: Interval) -> String {
    i < .seconds(1) ? "\(i.microseconds / 1000) ms" : "\(Format.number((i.seconds * 10).rounded() / 10)) s"
  }
}
