import Alerts
import Foundation
import Lifecycle

/// `people:` and `schedules:`.
struct OnCallSection {
  private(set) var settings = OnCallSettings()
  /// Where each person stands, for faults.
  private(set) var fields: [String: Field] = [:]
  /// People who say on which channels they are told.
  private(set) var saysChannels: Set<String> = []
  private let folder: String

  /// - Parameter folder: the configuration's own; calendars' paths are relative to it.
  init(people: Field?, schedules: Field?, timeZone: String, folder: String) {
    self.folder = folder
    for (name, field) in people?.section()?.fields ?? [] {
      guard let section = field.section() else { continue }
      if section.has("notify") { saysChannels.insert(name) }
      settings.people.append(OnCallSection.person(name, section))
      fields[name] = field
    }
    for (name, field) in schedules?.section()?.fields ?? [] {
      guard let section = field.section() else { continue }
      settings.schedules.append(schedule(name, section, timeZone))
    }
  }

  private static func person(_ name: String, _ section: Section) -> Person {
    var person = Person(name: name)
    person.email = section.take("email").flatMap { ReceiverSection.address($0) }
    person.slack = section.take("slack")?.text("a Slack member id")
    person.phone = section.take("phone")?.text("a phone number in quotes, such as \"+491701234567\"")
    person.pagerduty = section.take("pagerduty")?.text()
    if let notify = section.take("notify") {
      let channels: [String] = notify.items().compactMap { item in
        guard let channel = item.choice(PersonalChannel.self)?.rawValue else { return nil }
        guard person.address(on: channel) != nil else {
          item.fault(
            "\(name) has no address for \(channel)", mend: "add \(channel == "sms" ? "phone" : channel): to \(name)")
          return nil
        }
        return channel
      }
      // What is wrong with them is said: it need not be said again of the whole person.
      if !channels.isEmpty { person.channels = channels }
    }
    section.finish()
    return person
  }

  /// Channels that reach a person by an address of their own.
  private enum PersonalChannel: String, CaseIterable { case email, slack, sms }

  // MARK: - Schedules

  private func schedule(_ name: String, _ section: Section, _ timeZone: String) -> OnCallSchedule {
    let zone = section.take("timezone")?.timeZone() ?? timeZone
    let overrides = self.overrides(section)
    var layers: [OnCallSchedule.Layer] = []
    if let list = section.take("layers")?.list() {
      for item in list {
        guard let layer = item.section() else { continue }
        if let layer = self.layer(layer, zone) { layers.append(layer) }
      }
      if list.isEmpty { section.fault("has no layers", mend: "add one, or write people: and rotation: here") }
      section.finish()
    } else if let layer = layer(section, zone) {
      layers.append(layer)
    }
    return .init(name: name, timeZone: zone, layers: layers, overrides: overrides)
  }

  private func layer(_ section: Section, _ zone: String) -> OnCallSchedule.Layer? {
    let windows = section.take("hours").map { HoursSection.windows($0, timeZone: zone) } ?? []
    if let field = section.take("calendar") {
      let events = calendar(field, zone)
      if section.has("people") {
        section.fault("says both calendar and people", mend: "keep one of them, or make two layers")
        _ = section.take("people")
      }
      section.finish()
      return events.map { .init(.calendar($0), windows: windows) }
    }
    return rotation(section).map { .init($0, windows: windows) }
  }

  private func rotation(_ section: Section) -> Rotation? {
    let people = section.need("people", "a list of names, in the order of their turns")
    var rotation = Rotation(.weekly, people: people?.names(.person) ?? [])
    if let people, people.isList, people.items().isEmpty { people.fault("names nobody", mend: "name at least one") }
    if let field = section.take("rotation"), let text = field.text("weekly, daily or a length of time") {
      switch text {
      case "weekly": rotation.length = .weekly
      case "daily": rotation.length = .daily
      default:
        guard let interval = Interval(text), interval >= .minutes(15), interval <= .days(366) else {
          field.fault("must be weekly, daily, or a length of time of at least 15m, such as 12h")
          break
        }
        rotation.length = .every(interval)
        rotation.weekday = nil
      }
    }
    if let handover = section.take("handover"), let text = handover.text("such as \"monday 09:00\"") {
      let words = text.split(separator: " ")
      let time = words.last.flatMap { HoursSection.minutes(String($0)) }
      let day = words.count == 2 ? Weekday.number(String(words[0])) : nil
      if let time, words.count == 1 || day != nil {
        rotation.minuteOfDay = time
        if day != nil { rotation.weekday = day }
      } else {
        handover.fault("must be a day and a time such as \"monday 09:00\", or a time alone")
      }
    }
    let start = section.take("start").flatMap(date)
    if let start { rotation.startDay = start }
    if let field = section.take("end"), let end = date(field) {
      rotation.endDay = end
      if end <= rotation.startDay { field.fault("ends before it begins") }
    }
    section.finish()
    return people == nil ? nil : rotation
  }

  private func date(_ field: Field) -> Int64? {
    guard let text = field.text("a date such as 2026-01-05") else { return nil }
    guard text.utf8.count == 10, let day = Timestamp(rfc3339: text) else {
      field.fault("must be a date such as 2026-01-05")
      return nil
    }
    return day.utcDay.days
  }

  private func overrides(_ section: Section) -> [OnCallSchedule.Override] {
    (section.take("overrides")?.list() ?? []).compactMap { item in
      guard let section = item.section() else { return nil }
      func time(_ key: String) -> Timestamp? {
        guard let field = section.need(key, "a time with its zone, such as 2026-12-24T09:00:00+01:00"),
          let text = field.text("a time")
        else { return nil }
        guard let t = Timestamp(rfc3339: text) else {
          field.fault("must be a time with its zone, such as 2026-12-24T09:00:00+01:00")
          return nil
        }
        return t
      }
      let person = section.need("person", "who takes over")?.name(.person)
      let from = time("from")
      let until = time("until")
      section.finish()
      guard let person, let from, let until else { return nil }
      guard from < until else {
        section.fault("ends before it begins")
        return nil
      }
      return .init(person: person, from: from, until: until)
    }
  }

  // MARK: - Calendars

  /// The largest calendar that is read, in bytes.
  private static let calendarLimit = 4 << 20

  private func calendar(_ field: Field, _ zone: String) -> [CalendarEvent]? {
    guard let name = field.text("the path of an iCalendar file") else { return nil }
    let path = name.hasPrefix("/") ? name : "\(folder)/\(name)"
    guard let data = FileManager.default.contents(atPath: path) else {
      field.fault("the calendar \(path) can't be read", mend: "its path is relative to the configuration's folder")
      return nil
    }
    guard data.count <= OnCallSection.calendarLimit, let text = String(bytes: data, encoding: .utf8) else {
      field.fault("the calendar \(path) is larger than \(OnCallSection.calendarLimit) bytes, or not UTF-8")
      return nil
    }
    let reading = CalendarReading(text, zone: zone, person: person)
    for problem in reading.problems {
      field.reading.faults.append(
        Fault(
          Place(file: path, line: problem.line, column: 1), key: field.path, problem.message, mend: problem.mend))
    }
    if reading.events.isEmpty, reading.problems.isEmpty {
      field.fault("the calendar \(path) has no event", mend: "add one for each person's turn")
    }
    return reading.events
  }

  /// By an attendee's address; else by the summary, which is a name or holds exactly one.
  private func person(_ who: CalendarReading.Who) -> String? {
    let addresses = Set(who.attendees.map { $0.lowercased() })
    if let one = settings.people.first(where: { $0.email.map { addresses.contains($0.lowercased()) } ?? false }) {
      return one.name
    }
    let summary = who.summary.lowercased().trimming()
    if let one = settings.people.first(where: { $0.name.lowercased() == summary }) { return one.name }
    let words = Set(
      summary.split { !$0.isLetter && !$0.isNumber && $0 != "-" && $0 != "_" && $0 != "." }.map(String.init))
    let named = settings.people.filter { words.contains($0.name.lowercased()) }
    return named.count == 1 ? named[0].name : nil
  }
}
