import Alerts
import ArgumentParser
import Foundation
import Lifecycle
import TocsinConfiguration

/// `tocsin oncall`: who is on call, by the configuration's schedules. Needs no running service.
struct OnCallVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "oncall", abstract: "Who is on call, now and in the weeks to come.",
    subcommands: [Show.self, Week.self, Calendar.self])

  struct Schedules: ParsableArguments {
    @Argument(help: "Schedules; all of them, unless named.") var names: [String] = []
    @OptionGroup var folder: ConfigVerb.Folder

    func load() throws -> (Configuration, [OnCallSchedule]) {
      let c = try folder.load()
      if names.isEmpty { return (c, c.onCall.schedules) }
      return (c, try names.map { try OnCallVerb.schedule($0, c) })
    }
  }

  static func schedule(_ name: String, _ c: Configuration) throws -> OnCallSchedule {
    guard let schedule = c.onCall.schedule(name) else {
      let known = c.onCall.schedules.map(\.name).joined(separator: ", ")
      throw ValidationError(
        "there is no schedule \"\(name)\"; \(known.isEmpty ? "the configuration has none" : "there are: \(known)")")
    }
    return schedule
  }

  struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Who is on call now or at a time, and who is next.")
    @OptionGroup var schedules: Schedules
    @Option(help: "A time such as 2026-12-24T09:00:00Z; without a zone, in the schedule's own: \"2026-12-24 09:00\".")
    var at: String?
    @Flag(help: "As JSON lines.") var json = false

    func run() throws {
      let (c, schedules) = try schedules.load()
      if schedules.isEmpty, !json { print("no schedules; add some under schedules: in \(c.directory)/tocsin.yaml") }
      for (i, schedule) in schedules.enumerated() {
        let t = try OnCallVerb.time(at, schedule)
        let receivers = c.lifecycle.receivers.filter { $0.schedule == schedule.name }.map(\.name)
        if json {
          print(OnCallText.json(schedule, people: c.onCall.people, receivers: receivers, at: t).text)
          continue
        }
        if i > 0 { print("") }
        let lines = OnCallText.standing(schedule, people: c.onCall.people, receivers: receivers, at: t)
        print(lines.joined(separator: "\n"))
      }
    }
  }

  struct Week: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "A week of each schedule, half hour by half hour, with its hand-overs.")
    @OptionGroup var schedules: Schedules
    @Option(help: "A date such as 2026-12-21; the Monday of this week, unless given.") var from: String?
    @Option(help: "So many weeks.") var weeks = 1
    @Flag(help: "The shifts as JSON lines.") var json = false

    func run() throws {
      guard (1...12).contains(weeks) else { throw ValidationError("--weeks takes 1 to 12") }
      let (c, schedules) = try schedules.load()
      if schedules.isEmpty, !json { print("no schedules; add some under schedules: in \(c.directory)/tocsin.yaml") }
      for (i, schedule) in schedules.enumerated() {
        let first = try day(schedule)
        if json {
          let zone = LocalZone(schedule.timeZone) ?? .utc
          let shifts = schedule.shifts(
            from: zone.start(ofDay: first), to: zone.start(ofDay: first + 7 * Int64(weeks)))
          for s in shifts {
            let line: JSON = [
              "schedule": .string(schedule.name), "person": .text(s.person), "from": .string(s.from.rfc3339),
              "until": .string(s.until.rfc3339), "override": .bool(s.isOverride),
            ]
            print(line.text)
          }
          continue
        }
        for week in 0..<weeks {
          if i > 0 || week > 0 { print("") }
          print(OnCallText.week(schedule, from: first + 7 * Int64(week)).joined(separator: "\n"))
        }
      }
    }

    private func day(_ schedule: OnCallSchedule) throws -> Int64 {
      if let from {
        guard from.utf8.count == 10, let date = Timestamp(rfc3339: from) else {
          throw ValidationError("--from must be a date such as 2026-12-21, not \"\(from)\"")
        }
        return date.utcDay.days
      }
      let today = (LocalZone(schedule.timeZone) ?? .utc).local(wallClock())
      return today.day - Int64(today.weekday - 1)
    }
  }

  struct Calendar: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Prints a schedule as an iCalendar file.",
      discussion: "The console serves the same as a feed: /oncall/NAME.ics.")
    @Argument(help: "The schedule.") var name: String
    @OptionGroup var folder: ConfigVerb.Folder

    func run() throws {
      let c = try folder.load()
      let schedule = try OnCallVerb.schedule(name, c)
      print(CalendarWriting.file(schedule, people: c.onCall.people, now: wallClock()), terminator: "")
    }
  }

  /// A time with its zone, or in the schedule's own; now, unless given.
  static func time(_ text: String?, _ schedule: OnCallSchedule) throws -> Timestamp {
    guard let text else { return wallClock() }
    guard let t = Timestamp(rfc3339: text) else {
      throw ValidationError("--at must be a time such as 2026-12-24T09:00:00Z, not \"\(text)\"")
    }
    let clock = text.dropFirst(10)
    if clock.contains("Z") || clock.contains("z") || clock.contains("+") || clock.contains("-") { return t }
    let (day, rest) = t.utcDay
    return (LocalZone(schedule.timeZone) ?? .utc).first(LocalTime(day: day, microseconds: rest))
  }
}
