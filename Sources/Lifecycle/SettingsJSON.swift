package import Alerts

// Settings as the log keeps them, in a `configured` event.

extension LifecycleSettings {
  package var json: JSON {
    .compact([
      "timezone": .string(timeZone), "reopen_within_us": .int(reopenWithin.microseconds),
      "stale_after_us": staleAfter.map { .int($0.microseconds) } ?? .null, "console_url": .text(consoleURL),
      "receivers": .array(receivers.map(\.json)), "policies": .array(policies.map(\.json)),
      "routes": .array(routes.map(\.json)), "inhibitions": .list(inhibitions.map(\.json)),
      "dependencies": .list(dependencies.map(\.json)), "maintenance": .list(maintenance.map(\.json)),
      "flapping": flapping?.json ?? false, "storm": storm?.json ?? false,
      "silence_warning_us": .int(silenceWarning.microseconds), "notices": .list(notices.map { .string($0) }),
      "stale_rules": .list(staleRules.map(\.json)),
      "longest_silence_us": longestSilence == Command.longest ? .null : .int(longestSilence.microseconds),
      "confirm_silence_over": confirmSilenceOver.map { .int($0) } ?? .null,
      "people": .list(onCall.people.map(\.json)), "schedules": .list(onCall.schedules.map(\.json)),
    ])
  }

  package init(json: JSON) {
    self.init()
    timeZone = json["timezone"]?.string ?? "UTC"
    reopenWithin = json.interval("reopen_within_us") ?? reopenWithin
    staleAfter = json.interval("stale_after_us")
    consoleURL = json["console_url"]?.string
    receivers = (json["receivers"]?.array ?? []).compactMap { Receiver(json: $0) }
    policies = (json["policies"]?.array ?? []).compactMap { Policy(json: $0) }
    routes = (json["routes"]?.array ?? []).compactMap { Route(json: $0) }
    inhibitions = (json["inhibitions"]?.array ?? []).compactMap { InhibitionRule(json: $0) }
    dependencies = (json["dependencies"]?.array ?? []).compactMap { DependencyRule(json: $0) }
    maintenance = (json["maintenance"]?.array ?? []).compactMap { MaintenanceWindow(json: $0) }
    if let f = json["flapping"] { flapping = FlappingRule(json: f) }
    if let f = json["storm"] { storm = StormRule(json: f) }
    silenceWarning = json.interval("silence_warning_us") ?? silenceWarning
    notices = json.texts("notices")
    staleRules = (json["stale_rules"]?.array ?? []).map { StaleRule(json: $0) }
    longestSilence = json.interval("longest_silence_us") ?? longestSilence
    confirmSilenceOver = json["confirm_silence_over"]?.int.map { Int($0) }
    onCall.people = (json["people"]?.array ?? []).compactMap { Person(json: $0) }
    onCall.schedules = (json["schedules"]?.array ?? []).compactMap { OnCallSchedule(json: $0) }
  }

  /// 32 hexadecimal digits that name these settings: the same settings are taken up once.
  package var digest: String {
    let h = json.bytes.withUnsafeBytes { StableHash($0) }
    func hex(_ x: UInt64) -> String {
      let t = String(x, radix: 16)
      return String(repeating: "0", count: 16 - t.count) + t
    }
    return hex(h.high) + hex(h.low)
  }
}

extension JSON {
  static func list(_ items: [JSON]) -> JSON { items.isEmpty ? .null : .array(items) }
  fileprivate func matchers(_ name: String) -> [Matcher] {
    (self[name]?.array ?? []).compactMap { Matcher(json: $0) }
  }
  func interval(_ name: String) -> Interval? { self[name]?.int.map { Interval(microseconds: $0) } }
  func texts(_ name: String) -> [String] { (self[name]?.array ?? []).compactMap(\.string) }
  static func texts(_ values: [String]) -> JSON { .array(values.map { .string($0) }) }
}

extension Receiver {
  var json: JSON {
    .compact([
      "name": .string(name),
      "targets": .array(
        targets.map { ["channel": .string($0.channel), "destination": .string($0.destination)] }),
      "schedule": .text(schedule), "fallback": .text(fallback), "patience_us": .int(patience.microseconds),
      "send_resolved": .bool(sendResolved),
      "quiet": quiet.map {
        [
          "from": .int($0.from), "until": .int($0.until), "timezone": .string($0.timeZone),
          "at_least": .string($0.atLeast.name),
        ]
      } ?? .null,
    ])
  }
  init?(json: JSON) {
    guard let name = json["name"]?.string else { return nil }
    self.init(
      name: name,
      targets: (json["targets"]?.array ?? []).compactMap { t in
        t["channel"]?.string.map { Target(channel: $0, destination: t["destination"]?.string ?? "") }
      },
      schedule: json["schedule"]?.string, fallback: json["fallback"]?.string,
      patience: json.interval("patience_us") ?? .hours(24), sendResolved: json["send_resolved"]?.bool ?? true,
      quiet: json["quiet"].map { q in
        QuietHours(
          from: Int(q["from"]?.int ?? 0), until: Int(q["until"]?.int ?? 0), timeZone: q["timezone"]?.string ?? "UTC",
          atLeast: q["at_least"]?.string.flatMap { Severity(name: $0) } ?? .critical)
      })
  }
}

extension Policy {
  var json: JSON {
    .compact([
      "name": .string(name),
      "steps": .array(
        steps.map {
          .compact([
            "after_us": .int($0.after.microseconds), "notify": .texts($0.receivers), "hours": $0.hours?.json ?? .null,
          ])
        }),
      "repeat": .int(repeats),
      "acknowledge_timeout_us": acknowledgeTimeout.map { .int($0.microseconds) } ?? .null,
      "reminder_us": reminder.map { .int($0.microseconds) } ?? .null,
    ])
  }
  init?(json: JSON) {
    guard let name = json["name"]?.string else { return nil }
    self.init(
      name: name,
      steps: (json["steps"]?.array ?? []).map {
        Step(
          after: $0.interval("after_us") ?? .zero, receivers: $0.texts("notify"),
          hours: $0["hours"].map { StepHours(json: $0) })
      },
      repeats: Int(json["repeat"]?.int ?? 0), acknowledgeTimeout: json.interval("acknowledge_timeout_us"),
      reminder: json.interval("reminder_us"))
  }
}

extension StaleRule {
  var json: JSON {
    .compact(["match": .array(matchers.map(\.json)), "after_us": after.map { .int($0.microseconds) } ?? .null])
  }
  init(json: JSON) { self.init(matchers: json.matchers("match"), after: json.interval("after_us")) }
}

extension Route {
  var json: JSON {
    var members: [JSON.Member] = [.init("match", .array(matchers.map(\.json)))]
    switch delivery {
    case .policy(let name): members.append(.init("policy", .string(name)))
    case .notify(let receivers): members.append(.init("notify", .texts(receivers)))
    case .group(let receivers, let g):
      members.append(.init("notify", .texts(receivers)))
      members.append(
        .init(
          "group",
          ["by": .texts(g.by), "wait_us": .int(g.wait.microseconds), "interval_us": .int(g.interval.microseconds)]))
    case .dashboardOnly: members.append(.init("dashboard_only", true))
    }
    if continues { members.append(.init("continue", true)) }
    return .object(members)
  }
  init?(json: JSON) {
    let matchers = (json["match"]?.array ?? []).compactMap { Matcher(json: $0) }
    let delivery: Delivery
    if let name = json["policy"]?.string {
      delivery = .policy(name)
    } else if let g = json["group"] {
      delivery = .group(
        json.texts("notify"),
        Grouping(
          by: g.texts("by"), wait: g.interval("wait_us") ?? .minutes(5),
          interval: g.interval("interval_us") ?? .minutes(30)))
    } else if json["dashboard_only"]?.bool == true {
      delivery = .dashboardOnly
    } else {
      delivery = .notify(json.texts("notify"))
    }
    self.init(matchers: matchers, delivery: delivery, continues: json["continue"]?.bool ?? false)
  }
}

extension InhibitionRule {
  var json: JSON {
    [
      "name": .string(name), "source": .array(source.map(\.json)), "target": .array(target.map(\.json)),
      "equal": .texts(equal),
    ]
  }
  init?(json: JSON) {
    guard let name = json["name"]?.string else { return nil }
    self.init(
      name: name, source: json.matchers("source"), target: json.matchers("target"), equal: json.texts("equal"))
  }
}

extension DependencyRule {
  var json: JSON {
    [
      "label": .string(label),
      "parents": .array(parents.map { ["child": .string($0.child), "parents": .texts($0.parents)] }),
    ]
  }
  init?(json: JSON) {
    guard let label = json["label"]?.string else { return nil }
    self.init(
      label: label,
      parents: (json["parents"]?.array ?? []).compactMap { e in
        e["child"]?.string.map { Edge(child: $0, parents: e.texts("parents")) }
      })
  }
}

extension MaintenanceWindow {
  var json: JSON {
    .compact([
      "name": .string(name), "matchers": .array(matchers.map(\.json)),
      "weekdays": .array(weekdays.map { .int($0) }), "weeks": .list(weeks.map { .int($0) }),
      "minute_of_day": .int(minuteOfDay), "duration_us": .int(duration.microseconds), "timezone": .string(timeZone),
    ])
  }
  init?(json: JSON) {
    guard let name = json["name"]?.string else { return nil }
    self.init(
      name: name, matchers: json.matchers("matchers"),
      weekdays: (json["weekdays"]?.array ?? []).compactMap { $0.int.map { Int($0) } },
      weeks: (json["weeks"]?.array ?? []).compactMap { $0.int.map { Int($0) } },
      minuteOfDay: Int(json["minute_of_day"]?.int ?? 0), duration: json.interval("duration_us") ?? .zero,
      timeZone: json["timezone"]?.string ?? "UTC")
  }
}

extension FlappingRule {
  var json: JSON {
    [
      "changes": .int(changes), "within_us": .int(within.microseconds),
      "steady_after_us": .int(steadyAfter.microseconds),
    ]
  }
  /// `false`: nothing counts as flapping.
  init?(json: JSON) {
    guard let changes = json["changes"]?.int else { return nil }
    self.init(
      changes: Int(changes), within: json.interval("within_us") ?? .hours(1),
      steadyAfter: json.interval("steady_after_us") ?? .minutes(30))
  }
}

extension StormRule {
  var json: JSON {
    [
      "after": .int(after), "within_us": .int(within.microseconds), "wait_us": .int(wait.microseconds),
      "interval_us": .int(interval.microseconds),
    ]
  }
  /// `false`: every message is told by itself.
  init?(json: JSON) {
    guard let after = json["after"]?.int else { return nil }
    self.init(
      after: Int(after), within: json.interval("within_us") ?? .minutes(1),
      wait: json.interval("wait_us") ?? .seconds(10),
      interval: json.interval("interval_us") ?? .minutes(5))
  }
}
