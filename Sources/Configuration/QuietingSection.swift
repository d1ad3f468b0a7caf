import Alerts
import Lifecycle

/// Rules that keep people from hearing what they need not hear: flapping, storms, inhibitions, dependencies, silences.
enum QuietingSection {
  static func read(_ root: Section, into settings: inout LifecycleSettings) {
    if let field = root.take("flapping") {
      if field.isSwitchedOff { settings.flapping = nil } else { settings.flapping = flapping(field) }
    }
    if let field = root.take("storms") {
      if field.isSwitchedOff { settings.storm = nil } else { settings.storm = storm(field) }
    }
    settings.inhibitions = inhibitions(root.take("inhibitions"))
    settings.dependencies = dependencies(root.take("dependencies"))
    settings.maintenance = MaintenanceSection.read(root.take("maintenance"), timeZone: settings.timeZone)
    if let section = root.take("silences")?.section() { silences(section, into: &settings) }
    if let field = root.take("stale_after") { stale(field, into: &settings) }
  }

  // MARK: - Too much at once

  private static func flapping(_ field: Field) -> FlappingRule? {
    guard let section = field.section() else { return FlappingRule() }
    let usual = FlappingRule()
    let changes = section.take("changes")?.int(2...FlappingRule.mostChanges) ?? usual.changes
    let within = section.take("within")?.interval(atLeast: .seconds(1)) ?? usual.within
    let steady = section.take("steady_after")?.interval(atLeast: .seconds(1)) ?? usual.steadyAfter
    section.finish()
    return FlappingRule(changes: changes, within: within, steadyAfter: steady)
  }

  private static func storm(_ field: Field) -> StormRule? {
    guard let section = field.section() else { return StormRule() }
    let usual = StormRule()
    let after = section.take("after")?.int(1...1000) ?? usual.after
    let within = section.take("within")?.interval(atLeast: .seconds(1)) ?? usual.within
    let wait = section.take("wait")?.interval() ?? usual.wait
    let interval = section.take("interval")?.interval(atLeast: .seconds(1)) ?? usual.interval
    section.finish()
    return StormRule(after: after, within: within, wait: wait, interval: interval)
  }

  /// `stale_after: 6h`, or `[{match: {event_type: x}, after: 1h}, {after: never}]`.
  private static func stale(_ field: Field, into settings: inout LifecycleSettings) {
    guard field.isList else {
      settings.staleAfter = field.interval(atLeast: .seconds(1))
      return
    }
    for item in field.items() {
      guard let section = item.section() else { continue }
      let matchers = RoutingSection.matchers(section)
      let after = section.need("after", "a length of time such as 6h, or never")
      if let after, after.word == "never" {
        settings.staleRules.append(StaleRule(matchers: matchers, after: nil))
      } else if let after = after?.interval(atLeast: .seconds(1)) {
        settings.staleRules.append(StaleRule(matchers: matchers, after: after))
      }
      section.finish()
    }
  }

  // MARK: - What explains what

  private static func inhibitions(_ field: Field?) -> [InhibitionRule] {
    var rules: [InhibitionRule] = []
    for item in field?.list() ?? [] {
      guard let section = item.section() else { continue }
      let name = section.need("name", "what people read as the reason, such as host down")?.text("a name")
      let source = section.need("source", "which alerts explain, such as {metric: host_up}")
      let target = section.need("target", "which alerts they explain, such as {metric: [cpu, disk]}")
      let equal = section.take("equal")?.texts("the name of a label, such as host") ?? []
      section.finish()
      let explaining = source.flatMap { side($0) }
      let explained = target.flatMap { side($0) }
      guard let name, let explaining, let explained else { continue }
      if rules.contains(where: { $0.name == name }) {
        section.fault("there is an inhibition \"\(name)\" already", mend: "give it a name of its own")
      }
      rules.append(InhibitionRule(name: name, source: explaining, target: explained, equal: equal))
    }
    return rules
  }

  private static func side(_ field: Field) -> [Matcher]? {
    let before = field.reading.faults.count
    let matchers = RoutingSection.matchers(field)
    if matchers.isEmpty, field.reading.faults.count == before {
      field.fault("matches every alert", mend: "name at least one label")
    }
    return matchers.isEmpty ? nil : matchers
  }

  /// `{service: {web: [db, cache], db: [disk]}}`: by a label, each child with its parents.
  private static func dependencies(_ field: Field?) -> [DependencyRule] {
    var rules: [DependencyRule] = []
    for (label, field) in field?.section()?.fields ?? [] {
      guard let section = field.section() else { continue }
      var rule = DependencyRule(label: label, parents: [])
      for (child, parents) in section.fields {
        rule.parents.append(.init(child: child, parents: parents.texts("what \(child) depends on")))
      }
      for (child, field) in section.fields {
        if let circle = self.circle(from: child, rule) {
          field.fault(
            "\(child) depends on itself: \(circle.joined(separator: " → "))", mend: "take one of these steps out")
          break
        }
      }
      rules.append(rule)
    }
    return rules
  }

  /// A way that leads back to where it began, or nil.
  private static func circle(from child: String, _ rule: DependencyRule) -> [String]? {
    var seen: Set<String> = []
    func walk(_ entity: String, _ way: [String]) -> [String]? {
      for parent in rule.parents.first(where: { $0.child == entity })?.parents ?? [] {
        if parent == child { return way + [parent] }
        guard seen.insert(parent).inserted else { continue }
        if let found = walk(parent, way + [parent]) { return found }
      }
      return nil
    }
    return walk(child, [child])
  }

  // MARK: - Silences

  private static func silences(_ section: Section, into settings: inout LifecycleSettings) {
    settings.silenceWarning = section.take("warning")?.interval() ?? settings.silenceWarning
    settings.notices = section.take("notify")?.names(.receiver) ?? []
    if let field = section.take("longest"), let longest = field.interval(atLeast: .minutes(1)) {
      if longest > Command.longest { field.fault("must be at most \(Command.longest)") }
      settings.longestSilence = min(longest, Command.longest)
    }
    settings.confirmSilenceOver = section.take("confirm_over")?.int(0...1_000_000)
    section.finish()
  }

  /// `quiet_hours: {from: "22:00", until: "07:00", below: critical}`
  static func quietHours(_ field: Field?, timeZone: String) -> QuietHours? {
    guard let section = field?.section() else { return nil }
    let from = section.need("from", "a time of day such as \"22:00\"")?.timeOfDay()
    let until = section.need("until", "a time of day such as \"07:00\"")?.timeOfDay()
    let zone = section.take("timezone")?.timeZone() ?? timeZone
    let below = section.take("below")?.severity() ?? .critical
    section.finish()
    guard let from, let until else { return nil }
    if from == until { section.fault("begins and ends at the same time", mend: "leave it out, or change one of them") }
    return QuietHours(from: from, until: until, timeZone: zone, atLeast: below)
  }
}

/// `maintenance:` windows that come back.
enum MaintenanceSection {
  static func read(_ field: Field?, timeZone: String) -> [MaintenanceWindow] {
    var windows: [MaintenanceWindow] = []
    for item in field?.list() ?? [] {
      guard let section = item.section(), let window = self.window(section, timeZone: timeZone) else { continue }
      if windows.contains(where: { $0.name == window.name }) {
        section.fault("there is a window \"\(window.name)\" already", mend: "give it a name of its own")
      }
      windows.append(window)
    }
    return windows
  }

  private static func window(_ section: Section, timeZone: String) -> MaintenanceWindow? {
    let name = section.need("name", "what people read, such as nightly load")?.text("a name")
    if !section.has("match"), !section.has("matchers") {
      section.fault(
        "says not which alerts it is for",
        mend: "add match: {label: value}, or matchers: ['event_type=~\".*\"'] for every alert")
    }
    let matchers = RoutingSection.matchers(section)
    let days = section.take("days").map { weekdays($0) } ?? Array(1...7)
    let weeks = section.take("weeks").map { self.weeks($0) } ?? []
    let at = section.need("at", "the time at which it begins, such as \"02:00\"")?.timeOfDay()
    let length = section.need("for", "how long it lasts, such as 2h").flatMap { field -> Interval? in
      guard let length = field.interval(atLeast: .minutes(1)) else { return nil }
      if length > .days(7) {
        field.fault("must be at most 7d", mend: "add a silence by hand for what lasts longer: tocsin silences add")
        return nil
      }
      return length
    }
    let zone = section.take("timezone")?.timeZone() ?? timeZone
    section.finish()
    guard let name, let at, let length else { return nil }
    return MaintenanceWindow(
      name: name, matchers: matchers, weekdays: days, weeks: weeks, minuteOfDay: at, duration: length, timeZone: zone)
  }

  private static func weekdays(_ field: Field) -> [Int] {
    let days = field.items().compactMap { $0.weekday() }
    if days.isEmpty, field.isList, field.items().isEmpty {
      field.fault("names no day", mend: "leave it out for every day")
    }
    return Set(days).sorted()
  }

  /// `first` to `fifth`, `last`, or 1 to 5.
  private static func weeks(_ field: Field) -> [Int] {
    let names = ["last": -1, "first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5]
    return field.items().compactMap { item in
      if let word = item.word, let week = names[word.lowercased()] ?? Int(word), (1...5).contains(week) || week == -1 {
        return week
      }
      item.fault("must be first, second, third, fourth, fifth or last: which of these days of a month")
      return nil
    }
  }
}
