import Alerts
import Lifecycle

/// Policies and routes.
enum RoutingSection {
  static func policies(_ field: Field?, timeZone: String) -> [Policy] {
    var policies: [Policy] = []
    for (name, field) in field?.section()?.fields ?? [] {
      guard let section = field.section() else { continue }
      var policy = Policy(name: name, steps: [])
      let steps = section.need("steps", "a list such as [{notify: [data-team]}, {after: 30m, notify: [oncall]}]")?
        .list()
      for (i, step) in (steps ?? []).enumerated() {
        if let step = self.step(step, first: i == 0, timeZone: timeZone) { policy.steps.append(step) }
      }
      if let steps, steps.isEmpty { section.fault("has no steps", mend: "add at least one: - notify: [a-receiver]") }
      policy.repeats = section.take("repeat")?.int(0...1000) ?? 0
      policy.acknowledgeTimeout = section.take("acknowledge_timeout")?.interval(atLeast: .seconds(1))
      if let reminder = section.take("acknowledge_reminder") {
        policy.reminder = reminder.isSwitchedOff ? .zero : reminder.interval()
        if policy.acknowledgeTimeout == nil {
          reminder.fault(
            "nothing runs out that could be reminded of", mend: "add acknowledge_timeout: 4h, or remove it")
        } else if let timeout = policy.acknowledgeTimeout, let before = policy.reminder, before >= timeout {
          reminder.fault("must be shorter than acknowledge_timeout, which is \(timeout)")
        }
      }
      section.finish()
      policies.append(policy)
    }
    return policies
  }

  private static func step(_ field: Field, first: Bool, timeZone: String) -> Policy.Step? {
    guard let section = field.section() else { return nil }
    let after: Interval?
    if first {
      after = section.take("after").map { $0.interval() } ?? .zero
    } else {
      after = section.need("after", "how long after the step before, such as 30m")?.interval()
    }
    let names = section.need("notify", "a list of receivers").map { nonEmpty($0) }
    var hours: StepHours?
    if let field = section.take("hours") {
      hours = StepHours(windows: HoursSection.windows(field, timeZone: timeZone))
    }
    if let field = section.take("outside_hours"), let otherwise = field.choice(StepHours.Otherwise.self) {
      if hours == nil { field.fault("means nothing without hours:", mend: "add hours:, or remove it") }
      hours?.otherwise = otherwise
    }
    section.finish()
    guard let after, let names else { return nil }
    if let last = field.reading.told.indices.last { field.reading.told[last].hours = hours }
    return .init(after: after, receivers: names, hours: hours)
  }

  private static func nonEmpty(_ field: Field) -> [String] {
    if field.isList, field.items().isEmpty { field.fault("names no receiver", mend: "name at least one") }
    let names = field.names(.receiver)
    field.reading.told.append(Told(place: field.place, key: field.path, receivers: names))
    return names
  }

  static func routes(_ field: Field?) -> [Route] {
    (field?.list() ?? []).compactMap { $0.section().flatMap(route) }
  }

  private static func route(_ section: Section) -> Route? {
    let matchers = self.matchers(section)
    let delivery = self.delivery(section)
    let continues = section.take("continue")?.bool() ?? false
    section.finish()
    return delivery.map { Route(matchers: matchers, delivery: $0, continues: continues) }
  }

  /// `policy`, `notify` with or without `group`, or `dashboard_only`: one of them.
  static func delivery(_ section: Section) -> Route.Delivery? {
    let said = ["policy", "notify", "dashboard_only"].filter { section.has($0) }
    let policy = section.take("policy")?.name(.policy)
    let notify = section.take("notify").map { nonEmpty($0) }
    let dashboardOnly = section.take("dashboard_only")?.bool()
    let groupField = section.take("group")
    let group = groupField.flatMap { grouping($0) }
    let mend = "give it policy: a-policy, notify: [receivers], or dashboard_only: true"
    if said.count > 1 {
      section.fault("says both \(said.joined(separator: " and "))", mend: "keep one of them")
    } else if said.isEmpty || (said == ["dashboard_only"] && dashboardOnly == false) {
      section.fault("says nobody to tell", mend: mend)
    } else if let groupField, notify == nil {
      groupField.fault("only what is told by notify: can be grouped", mend: "add notify: [receivers], or remove group:")
    } else if let policy {
      return .policy(policy)
    } else if let notify {
      return group.map { .group(notify, $0) } ?? .notify(notify)
    } else if dashboardOnly == true {
      return .dashboardOnly
    }
    return nil
  }

  static func grouping(_ field: Field) -> Route.Grouping? {
    guard let section = field.section() else { return nil }
    var grouping = Route.Grouping(by: ["event_type"])
    if let by = section.take("by") { grouping.by = by.texts("the name of a label, such as event_type") }
    if let wait = section.take("wait")?.interval() { grouping.wait = wait }
    if let interval = section.take("interval")?.interval(atLeast: .seconds(1)) { grouping.interval = interval }
    section.finish()
    return grouping
  }

  /// `match: {severity: critical, device: [mobile, tablet]}`, and `matchers: ['device=~"mob.*"']`.
  static func matchers(_ section: Section) -> [Matcher] {
    var matchers: [Matcher] = []
    if let field = section.take("match") { matchers += self.matchers(field) }
    matchers += (section.take("matchers")?.items() ?? []).compactMap(matcher)
    return matchers
  }

  /// `{severity: critical, device: [mobile, tablet]}`, or `['device=~"mob.*"']`.
  static func matchers(_ field: Field) -> [Matcher] {
    if field.isList || field.isScalar { return field.items().compactMap(matcher) }
    var matchers: [Matcher] = []
    for (name, value) in field.section()?.fields ?? [] {
      let values = value.items().compactMap { item in
        name == "severity" ? item.severity()?.name : item.text()
      }
      if values.isEmpty, value.isList, value.items().isEmpty { value.fault("lists no value") }
      if let matcher = oneOf(name, values) { matchers.append(matcher) }
    }
    return matchers
  }

  private static func matcher(_ field: Field) -> Matcher? {
    guard let text = field.text("a matcher such as device=~\"mob.*\"") else { return nil }
    guard let matcher = Matcher(text) else {
      field.fault("must be a matcher such as device=mobile, device!=mobile or device=~\"mob.*\"")
      return nil
    }
    return matcher
  }

  /// Equal to the one value, or to any of several.
  static func oneOf(_ name: String, _ values: [String]) -> Matcher? {
    guard let first = values.first else { return nil }
    if values.count == 1 { return Matcher(name: name, value: first) }
    return Matcher(name: name, value: values.map(quoted).joined(separator: "|"), isRegex: true)
  }

  /// The text as a pattern that matches nothing else.
  private static func quoted(_ text: String) -> String {
    var out = ""
    for c in text {
      if "\\.^$*+?{}[]()|".contains(c) { out.append("\\") }
      out.append(c)
    }
    return out
  }
}
