import Alerts
import Lifecycle

/// What people in a simulated world have configured, and how they edit it.
enum SimulatedSettings {
  /// So many configurations there are; an edit takes up another.
  static let count = 4

  static func variant(_ n: Int) -> LifecycleSettings {
    var s = base
    switch n {
    case 1:
      s.policies = [policy("urgent", second: .minutes(5)), slow]
      s.staleAfter = nil
      s.maintenance = []
    case 2:
      stand(in: &s)
      s.storm = StormRule(after: 4, within: .minutes(2))
      s.flapping = nil
      s.routes[1] = Route(matchers: [Matcher(name: "severity", value: "high")], delivery: .policy("slow"))
    case 3:
      stand(in: &s)
      s.staleAfter = .hours(3)
      s.reopenWithin = .minutes(40)
      s.inhibitions = []
      s.maintenance.append(
        MaintenanceWindow(
          name: "sunday", matchers: [Matcher(name: "service", value: "mail")], weekdays: [7], minuteOfDay: 30,
          duration: .hours(3), timeZone: "Europe/Berlin"))
    default: break
    }
    return s
  }

  /// Whose turn it is at night, day by day; and on weekdays, week by week.
  static let nights = ["ana", "ben", "cleo"]
  static let days = ["ben", "cleo"]
  static let addresses: [String: [Receiver.Target]] = [
    "ana": [.init(channel: "email", destination: "ana@example.org"), .init(channel: "slack", destination: "UANA")],
    "ben": [.init(channel: "email", destination: "ben@example.org")],
    "cleo": [.init(channel: "slack", destination: "UCLEO")],
  ]

  private static let onCall: OnCallSettings = {
    var s = OnCallSettings()
    s.people = addresses.keys.sorted().map { name in
      var p = Person(name: name)
      for target in addresses[name] ?? [] {
        if target.channel == "email" { p.email = target.destination } else { p.slack = target.destination }
      }
      return p
    }
    s.schedules = [
      // On the day when clocks go forward there is no such time; on the day when they go back there are two.
      OnCallSchedule(
        name: "nights", timeZone: "Europe/Berlin",
        layers: [.init(Rotation(.daily, weekday: nil, minuteOfDay: 150, people: nights))]),
      OnCallSchedule(
        name: "days", timeZone: "Europe/Berlin",
        layers: [
          .init(
            Rotation(.weekly, people: days),
            windows: [TimeWindow(weekdays: Array(1...5), from: 480, until: 1080, timeZone: "Europe/Berlin")])
        ]),
    ]
    return s
  }()

  /// Ana takes the nights' turn for some hours, near each of the times at which worlds begin.
  private static func stand(in s: inout LifecycleSettings) {
    s.onCall.schedules[0].overrides = World.starts.map { start in
      .init(person: "ana", from: start + .hours(3), until: start + .hours(11))
    }
  }

  private static func policy(_ name: String, second: Interval) -> Policy {
    Policy(
      name: name,
      steps: [
        .init(after: .zero, receivers: ["ops"]), .init(after: second, receivers: ["chat", "ops"]),
        .init(after: .minutes(30), receivers: ["boss", "duty"]),
      ], repeats: 2, acknowledgeTimeout: .hours(3))
  }

  /// Its first step waits, and it runs out soon.
  private static let slow = Policy(
    name: "slow",
    steps: [.init(after: .minutes(7), receivers: ["chat"]), .init(after: .minutes(20), receivers: ["desk"])])

  private static let base: LifecycleSettings = {
    var s = LifecycleSettings()
    s.staleAfter = .hours(8)
    s.storm = StormRule(after: 8, within: .minutes(1))
    s.flapping = FlappingRule(changes: 3, within: .hours(1), steadyAfter: .minutes(20))
    s.receivers = [
      Receiver(name: "ops", targets: [.init(channel: "email", destination: "ops@example.org")], fallback: "boss"),
      Receiver(
        name: "chat",
        targets: [
          .init(channel: "slack", destination: "#ops"), .init(channel: "webhook", destination: "https://x.example.org"),
        ]),
      Receiver(name: "boss", targets: [.init(channel: "pagerduty", destination: "boss")], patience: .hours(2)),
      Receiver(
        name: "office", targets: [.init(channel: "email", destination: "office@example.org")],
        quiet: QuietHours(from: 22 * 60, until: 6 * 60, timeZone: "Europe/Berlin", atLeast: .high)),
      Receiver(name: "duty", targets: [], schedule: "nights"),
      // Outside its hours nobody is there.
      Receiver(name: "desk", targets: [], schedule: "days", fallback: "boss"),
    ]
    s.policies = [policy("urgent", second: .minutes(15)), slow]
    s.routes = [
      Route(matchers: [Matcher(name: "severity", value: "critical")], delivery: .policy("urgent")),
      Route(
        matchers: [Matcher(name: "severity", value: "high"), Matcher(name: "service", value: "mail", isEqual: false)],
        delivery: .group(["chat"], .init(by: ["event_type"]))),
      Route(matchers: [Matcher(name: "severity", value: "high")], delivery: .policy("slow")),
      Route(matchers: [Matcher(name: "severity", value: "medium")], delivery: .notify(["office"])),
      Route(matchers: [], delivery: .dashboardOnly),
    ]
    s.inhibitions = [
      InhibitionRule(
        name: "k0 explains", source: [Matcher(name: "metric", value: "k0")],
        target: [Matcher(name: "metric", value: "k[1-3]", isRegex: true)])
    ]
    s.dependencies = [DependencyRule(label: "service", parents: [.init(child: "web", parents: ["db"])])]
    s.maintenance = [
      MaintenanceWindow(
        // On the day when clocks go forward there is no such time; on the day when they go back there are two.
        name: "nightly", matchers: [Matcher(name: "metric", value: "k4")], minuteOfDay: 150, duration: .hours(1),
        timeZone: "Europe/Berlin")
    ]
    s.notices = ["chat"]
    s.onCall = onCall
    return s
  }()
}
