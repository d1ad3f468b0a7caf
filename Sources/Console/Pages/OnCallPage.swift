import Foundation
import Alerts
import HTTPTypes
import Hummingbird

/// Who is on call: now, next, and week by week; and each schedule as a feed for calendars.
struct OnCallPage: Sendable {
  let site: Site
  private static let suffix = ".ics"

  static func isFeed(_ path: String) -> Bool { path.hasPrefix("/oncall/") && path.hasSuffix(suffix) }

  func show(_ request: Request, _ context: ConsoleContext) throws -> Response {
    let source = site.dependencies.onCall
    let now = site.dependencies.now()
    let form = Form(query: request)
    let schedules = source.schedules()
    var monday: Int64?
    if let text = form["from"] {
      guard text.utf8.count == 10, let date = Timestamp(rfc3339: text) else {
        throw Problem(.badRequest, "from must be a date such as 2026-11-23")
      }
      monday = OnCallPage.monday(of: date.utcDay.days)
    }
    let first = monday ?? OnCallPage.monday(of: site.dependencies.zone.local(now).day)
    func week(_ days: Int64) -> String { "/oncall?from=\(LocalTime(day: first + days, minute: 0).dateText)" }
    let warnings = site.dependencies.warnings()
    let content = Templates.shared.render(
      "oncall",
      view([
        "any": !schedules.isEmpty, "earlier": week(-7), "later": week(7), "isOther": monday != nil,
        "anyWarnings": !warnings.isEmpty, "warnings": warnings,
        "schedules": schedules.enumerated().map { i, schedule in
          card(schedule, number: i, monday: first, now: now, user: context.identity.name)
        },
      ]))
    return site.page(.init(title: "On call", section: "On call", content: content), context)
  }

  private func card(
    _ schedule: OnCallSource.Schedule, number: Int, monday: Int64, now: Timestamp, user: String?
  ) -> [String: Any] {
    let source = site.dependencies.onCall
    let zone = schedule.zone
    let words = Words(zone: zone, now: now)
    // One person by way of two layers is one turn for whoever asks who is next.
    let ahead = source.shifts(schedule.name, now, now + .days(60)).reduce(into: [OnCallSource.Shift]()) {
      turns, shift in
      if let last = turns.last, last.person == shift.person {
        turns[turns.count - 1].until = shift.until
      } else {
        turns.append(shift)
      }
    }
    let week = source.shifts(schedule.name, zone.start(ofDay: monday), zone.start(ofDay: monday + 7))
    let people = week.compactMap(\.person).reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
    let current = ahead.first
    let next = ahead.dropFirst().first
    let key =
      site.dependencies.settings.users.first { $0.name == user }.map { "?key=\(AccessPolicy.feedKey($0))" } ?? ""
    return view([
      "number": number, "name": schedule.name, "zone": zone.name,
      "now": current?.person ?? "nobody", "isEmpty": current?.person == nil,
      "until": next == nil ? "for the next weeks" : current.map { "until \(OnCallPage.moment($0.until, words))" },
      "next": next.map { "\($0.person ?? "nobody") from \(OnCallPage.moment($0.from, words))" },
      "receivers": schedule.receivers.isEmpty ? nil : schedule.receivers.joined(separator: ", "),
      "chart": WeekChart.svg(
        week, people: people, monday: monday, zone: zone, now: now, label: "The week of \(schedule.name)"),
      "rows": week.map { shift in
        view([
          "person": shift.person ?? "nobody", "isEmpty": shift.person == nil, "override": shift.isOverride,
          "from": OnCallPage.moment(shift.from, words), "until": OnCallPage.moment(shift.until, words),
          "isNow": shift.from <= now && now < shift.until,
        ])
      }, "feed": "/oncall/\(Form.encode(schedule.name))\(OnCallPage.suffix)\(key)",
    ])
  }

  /// `Mon 16 Nov 09:00`.
  private static func moment(_ t: Timestamp, _ words: Words) -> String {
    let local = words.zone.local(t)
    return "\(WeekChart.day(local.day)) \(local.text.suffix(5))"
  }

  static func monday(of day: Int64) -> Int64 { day - Int64(LocalTime(day: day, minute: 0).weekday - 1) }

  /// The schedule as an iCalendar file (RFC 5545), to be subscribed to.
  func feed(_ request: Request, _ context: ConsoleContext) throws -> Response {
    let file = context.parameters.get("file") ?? ""
    let name = file.hasSuffix(OnCallPage.suffix) ? String(file.dropLast(OnCallPage.suffix.count)) : ""
    guard let text = site.dependencies.onCall.calendar(name.removingPercentEncoding ?? name) else {
      throw Problem(
        .notFound, "there is no schedule \"\(name.prefix(60))\"", mend: "/oncall lists them with their feeds")
    }
    var response = DigestPage.plain(text, "text/calendar; charset=utf-8")
    if let name = HTTPField.Name("Content-Disposition") { response.headers[name] = "inline; filename=\"oncall.ics\"" }
    return response
  }
}
