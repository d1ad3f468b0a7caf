import EventLog
import Alerts
import Hummingbird
import Projections

/// Whether everything works: the service, the tables, the workers, the deliveries.
struct StatusPage: Sendable {
  let site: Site
  /// A worker that has said nothing for this long is late. Heartbeats come every 10 seconds or so.
  static let late = Interval.seconds(60)
  static let listed = 50

  /// A value as people write it: lists without brackets.
  static func words(_ json: JSON) -> String {
    if let text = json.string { return text }
    if let run = run(json) { return run }
    if let list = json.array, list.contains(where: { $0["event_type"] != nil }) {
      return list.prefix(20).map(words).joined(separator: "; ")
    }
    if let list = json.array { return list.isEmpty ? "none" : list.prefix(20).map(words).joined(separator: ", ") }
    return String(json.text.prefix(120))
  }

  /// A detector's last run of an event type: `listings: 1 window, 30 points of 4 series in 12 ms, through 2026-11-20T00:00:00Z`.
  static func run(_ json: JSON) -> String? {
    guard let event = json["event_type"]?.string, let duration = json["duration_ms"]?.int else { return nil }
    func count(_ key: String, _ one: String) -> String? {
      json[key]?.int.map { "\($0) \($0 == 1 || one == "series" ? one : one + "s")" }
    }
    var text = event + ": "
    text += [count("windows", "window"), count("points", "point")].compactMap { $0 }.joined(separator: ", ")
    if let series = count("series", "series") { text += " of \(series)" }
    text += duration < 1000 ? " in \(duration) ms" : " in \(Interval.milliseconds(duration).rounded)"
    if let newest = json["newest"]?.string { text += ", through \(newest)" }
    if let lag = json["lag_seconds"]?.double, lag > 0 {
      text += ", \(Interval(microseconds: Int64(min(lag, 1e9) * 1e6)).rounded) behind"
    }
    if let error = json["error"]?.string { text += ", FAILED: \(error.prefix(200))" }
    return text
  }

  func show(_ request: Request, _ context: ConsoleContext) async throws -> Response {
    let dependencies = site.dependencies
    let now = dependencies.now()
    let words = site.words
    let head = try dependencies.log.head()
    let standing = try site.reader.standing(head: head)
    let statistics = try site.reader.statistics(since: now - .days(1), tenants: context.identity.tenants)
    let unready = await dependencies.unready()
    let workers = await dependencies.workers()
    let audit = await dependencies.audit()
    // Other tenants' receivers are nobody's business.
    let isAll = context.identity.tenants == nil
    let failed = isAll ? try site.reader.notifications(state: .failed, limit: StatusPage.listed) : []
    let pending = isAll ? try site.reader.notifications(state: .pending, limit: StatusPage.listed) : []

    func figure(_ name: String, _ value: String, bad: Bool = false) -> [String: Any] {
      view(["name": name, "value": value, "bad": bad])
    }
    func number(_ n: Int) -> String { Format.number(Double(n)) }
    let content = Templates.shared.render(
      "status",
      view([
        "lead": unready.map { "The service does not take commands or anomalies now: \($0)" }
          ?? "The service takes anomalies and commands.",
        "figures": [
          figure("Service", unready == nil ? "ready" : "not ready", bad: unready != nil),
          figure("Events in the log", number(Int(head))),
          figure("Tables behind by", number(Int(standing.lag)), bad: standing.lag > 1000),
          figure("Deliveries under way", number(statistics.pendingNotifications)),
          figure("Failed in a day", number(statistics.failedNotifications), bad: statistics.failedNotifications > 0),
          figure("Held back", number(statistics.held)),
          figure("Nobody left to tell", number(statistics.exhausted), bad: statistics.exhausted > 0),
        ]
          + (audit.map { [figure("Audit", $0.findings == 0 ? "all well" : number($0.findings), bad: $0.findings > 0)] }
            ?? []),
        "anyFindings": audit.map { !$0.items.isEmpty || $0.outboundError != nil } ?? false,
        "findings": (audit?.items ?? []).map { "\($0.text) (since \(words.age($0.since)))" }
          + (audit?.outboundError.map { ["The outbound heartbeat does not arrive: \($0)"] } ?? []),
        "anyWorkers": !workers.isEmpty,
        "workers": workers.sorted { $0.name < $1.name }.map { worker in
          let silent = now - worker.at
          return view([
            "name": worker.name, "heard": "\(words.age(worker.at)) ago\(silent > StatusPage.late ? ", late" : "")",
            "stateClass": silent > StatusPage.late ? "late" : "fresh",
            "said": (worker.json.members ?? []).prefix(12).map { member in
              view(["name": member.name.replacing("_", with: " "), "value": StatusPage.words(member.value)])
            },
          ])
        }, "anyFailed": !failed.isEmpty, "failed": failed.map { NotificationView(row: $0, words: words).item },
        "anyPending": !pending.isEmpty, "pending": pending.map { NotificationView(row: $0, words: words).item },
        "anyProblems": !standing.problems.isEmpty,
        "problems": standing.problems.map { "Event \($0.position): \($0.message)" },
      ]))
    return site.page(.init(title: "Status", section: "Status", content: content, isLive: true), context)
  }
}
