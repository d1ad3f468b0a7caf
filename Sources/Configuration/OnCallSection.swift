import Alerts
import Lifecycle

/// `people:` and `schedules:`.
enum OnCallSection {
  static func read(people: Field?, schedules: Field?, timeZone: String) -> OnCallSettings {
    var settings = OnCallSettings()
    for (name, field) in people?.section()?.fields ?? [] {
      guard let section = field.section() else { continue }
      var person = Person(name: name)
      person.email = section.take("email").flatMap { ReceiverSection.address($0) }
      person.slack = section.take("slack")?.text("a Slack member id")
      person.phone = section.take("phone")?.text("a phone number in quotes, such as \"+491701234567\"")
      person.pagerduty = section.take("pagerduty")?.text()
      section.finish()
      settings.people.append(person)
    }
    for (name, field) in schedules?.section()?.fields ?? [] {
      guard let section = field.section() else { continue }
      let zone = section.take("timezone")?.timeZone() ?? timeZone
      let overrides = self.overrides(section)
      var layers: [OnCallSchedule.Layer] = []
      if let list = section.take("layers")?.list() {
        for item in list {
          guard let layer = item.section() else { continue }
          if let layer = self.layer(layer) { layers.append(layer) }
        }
        if list.isEmpty { section.fault("has no layers", mend: "add one, or write people: and rotation: here") }
        section.finish()
      } else if let layer = layer(section) {
        layers.append(layer)
      }
      settings.schedules.append(.init(name: name, timeZone: zone, layers: layers, overrides: overrides))
    }
    return settings
  }

  private static func layer(_ section: Section) -> OnCallSchedule.Layer? {
    let people = section.need("people", "a list of names, in the order of their turns")
    var layer = OnCallSchedule.Layer(rotation: .weekly, people: people?.names(.person) ?? [])
    if let people, people.isList, people.items().isEmpty { people.fault("names nobody", mend: "name at least one") }
    if let rotation = section.take("rotation"), let text = rotation.text("weekly, daily or a length of time") {
      switch text {
      case "weekly": layer.rotation = .weekly
      case "daily": layer.rotation = .daily
      default:
        guard let interval = Interval(text), interval >= .minutes(15) else {
          rotation.fault("must be weekly, daily, or a length of time of at least 15m, such as 12h")
          break
        }
        layer.rotation = .every(interval)
      }
    }
    if let handover = section.take("handover"), let text = handover.text("such as \"monday 09:00\"") {
      let words = text.split(separator: " ")
      let time = words.last.flatMap { minutes(String($0)) }
      let day = words.count == 2 ? Weekday.number(String(words[0])) : nil
      if let time, words.count == 1 || day != nil {
        layer.minuteOfDay = time
        layer.weekday = day ?? 1
      } else {
        handover.fault("must be a day and a time such as \"monday 09:00\", or a time alone")
      }
    }
    if let start = section.take("start"), let text = start.text("a date such as 2026-01-05") {
      if text.utf8.count == 10, let day = Timestamp(rfc3339: text) {
        layer.startDay = day.utcDay.days
      } else {
        start.fault("must be a date such as 2026-01-05")
      }
    }
    section.finish()
    return people == nil ? nil : layer
  }

  private static func minutes(_ text: String) -> Int? {
    let parts = text.split(separator: ":")
    guard parts.count == 2, let h = Int(parts[0]), let m = Int(parts[1]), (0...23).contains(h), (0...59).contains(m)
    else { return nil }
    return h * 60 + m
  }

  private static func overrides(_ section: Section) -> [OnCallSchedule.Override] {
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
}
