import Alerts
import ArgumentParser
import Foundation
import Projections
import TocsinConfiguration

extension BusConnection {
  /// The tables that lists are read from. They are files on the service's machine.
  func tables() throws -> ProjectionReader {
    guard let configuration = try configuration() else {
      throw ProjectionError(
        .missing, "lists are read from the service's files, and there is no configuration that says where they are",
        mend: "give --config DIR on the service's machine, or ask the console's HTTP API")
    }
    return ProjectionReader(path: configuration.projectionsPath)
  }
}

struct AlertList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "Lists alerts, the worst first; those that are not over, unless told otherwise.")
  @Flag(help: "Those that are over, too.") var all = false
  @Option(parsing: .upToNextOption, help: "open, acknowledged, resolved.") var state: [String] = []
  @Option(parsing: .upToNextOption, help: "critical, high, medium, low.") var severity: [String] = []
  @Option(parsing: .upToNextOption, help: "Labels, such as device=mobile or team=~\"bi|web\".") var match: [String] = []
  @Option(help: "Words to find.") var text: String?
  @Option(help: "Only those assigned to this person.") var assignee: String?
  @Option(help: "At most so many, 500 at most.") var limit = 50
  @Flag(help: "As JSON lines.") var json = false
  @OptionGroup var connection: BusConnection

  /// Short enough for its column: at most six characters.
  static func age(_ interval: Interval) -> String { interval < .seconds(1) ? "now" : interval.rounded }

  func run() async throws {
    var query = AlertQuery()
    query.states = all ? [] : [.open, .acknowledged]
    if !state.isEmpty {
      query.states = Set(
        try state.map { text in
          guard let state = AlertSummary.State(rawValue: text) else {
            throw ValidationError("--state takes open, acknowledged and resolved, not \"\(text)\"")
          }
          return state
        })
    }
    query.severities = Set(
      try severity.map { text in
        guard let severity = Severity(name: text) else {
          throw ValidationError("--severity takes critical, high, medium and low, not \"\(text)\"")
        }
        return severity
      })
    query.matchers = try match.map { text in
      guard let matcher = Matcher(text) else {
        throw ValidationError("\"\(text)\" is no matcher such as device=mobile, device!=tv or team=~\"bi|web\"")
      }
      return matcher
    }
    query.text = text
    query.assignee = assignee
    query.order = .severity
    query.limit = limit
    let page = try connection.tables().alerts(query)
    if json {
      for alert in page.alerts { print(alert.json.text) }
      return
    }
    let now = wallClock()
    for line in AlertTable.lines(page.alerts, now: now) { print(line) }
    if page.next != nil { print("… and more; narrow it down, or say --limit") }
  }
}

/// Alerts as a table of 80 columns.
enum AlertTable {
  static func lines(_ alerts: [AlertSummary], now: Timestamp) -> [String] {
    guard !alerts.isEmpty else { return ["no alerts"] }
    let width = max(6, alerts.map { $0.id.description.count }.max() ?? 0)
    func row(_ id: String, _ severity: String, _ state: String, _ age: String, _ headline: String) -> String {
      let head = [Column.left(id, width), Column.left(severity, 8), Column.left(state, 12), Column.right(age, 6)]
        .joined(separator: " ")
      return head + "  " + Column.cut(headline, 80 - head.count - 2)
    }
    return [row("ALERT", "SEVERITY", "STATE", "AGE", "WHAT")]
      + alerts.map {
        row(
          $0.id.description, $0.severity.name, $0.stateForPeople, AlertList.age(now - $0.openedAt),
          "\($0.anomaly.eventType): \($0.headline)")
      }
  }
}

struct AlertShow: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Shows one alert and its history.")
  @Argument(help: "The alert, such as A-1042.") var id: String
  @Flag(help: "As one JSON document.") var json = false
  @OptionGroup var connection: BusConnection

  func run() async throws {
    guard let id = AlertID(id) else { throw ValidationError("\"\(id)\" is no alert such as A-1042") }
    let tables = try connection.tables()
    guard let alert = try tables.alert(id) else {
      complain("there is no alert \(id)")
      throw ExitCode(1)
    }
    let timeline = try tables.timeline(id)
    if json {
      let document = JSON.object((alert.json.members ?? []) + [.init("timeline", .array(timeline.map(\.json)))])
      print(document.pretty)
      return
    }
    let now = wallClock()
    var facts: [(String, String)] = [
      ("state", alert.stateForPeople + (alert.acknowledgedBy.map { " by \($0)" } ?? "")),
      ("severity", alert.severity.name), ("event type", alert.anomaly.eventType), ("metric", alert.anomaly.metric),
    ]
    for dimension in alert.anomaly.dimensions { facts.append((dimension.name, dimension.value)) }
    facts += [
      ("opened", "\(alert.openedAt) (\((now - alert.openedAt).rounded) ago)"),
      ("last seen", "\(alert.lastSeenAt), \(alert.count) anomalies"), ("version", "\(alert.version)"),
      ("life", "\(alert.generation) of this problem"),
    ]
    if let assignee = alert.assignee { facts.append(("assigned to", assignee)) }
    if let until = alert.snoozedUntil { facts.append(("snoozed until", "\(until)")) }
    if !alert.silencedBy.isEmpty {
      facts.append(("silenced by", alert.silencedBy.map(\.description).joined(separator: ", ")))
    }
    if let other = alert.inhibitedBy { facts.append(("held back by", other.description)) }
    if let next = alert.nextEscalationAt { facts.append(("next step", "\(next)")) }
    if alert.exhausted { facts.append(("policy", "exhausted: nobody else will be told")) }
    var failures = DeliveryQuery()
    failures.alert = id
    failures.state = .failed
    let failed = try tables.deliveries(failures).count
    if failed > 0 {
      facts.append(("not delivered", "\(failed) messages; see tocsin deliveries --failed --alert \(id)"))
    }
    print("\(alert.id)  \(Column.cut(alert.headline, 70))")
    for (name, value) in facts { print("  \(Column.left(name, 14)) \(Column.cut(value, 63))") }
    print("")
    for entry in timeline {
      print("\(entry.occurredAt.rfc3339.prefix(19))Z  \(Column.cut(entry.sentence, 58))")
    }
  }
}
