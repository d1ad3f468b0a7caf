import Alerts
import Lifecycle
import Testing
import TocsinConfiguration

/// What keeps people from hearing what they need not hear: read, checked, and printed as it counts.
@Suite struct QuietingTests {
  static let whole = """
    timezone: Europe/Berlin
    channels: {outbox: {directory: o}}
    receivers:
      ops: {email: ops@example.org, quiet_hours: {from: "22:00", until: "07:00", below: high}}
      chat: {slack: "#a", quiet_hours: {from: "12:00", until: "13:00", timezone: Asia/Kolkata}}
    policies:
      urgent:
        steps: [{notify: [ops]}]
        acknowledge_timeout: 4h
        acknowledge_reminder: 30m
    routes: [{policy: urgent}]
    reopen_within: 20m
    stale_after:
      - {match: {event_type: shop}, after: 1h}
      - {match: {detector: quarterly}, after: never}
      - {after: 36h}
    flapping: {changes: 4, within: 30m, steady_after: 15m}
    storms: {after: 5, within: 30s, wait: 2s, interval: 1m}
    inhibitions:
      - {name: host down, source: {metric: host_up, severity: critical}, target: ['metric=~"cpu|disk"'], equal: [host]}
    dependencies:
      service: {web: [db, cache], db: [disk]}
    maintenance:
      - {name: nightly load, match: {event_type: listing_views}, at: "02:00", for: 90m}
      - {name: patches, match: {team: ops}, days: [sunday], weeks: [first, last], at: "23:30", for: 4h, timezone: UTC}
    silences: {warning: 30m, notify: [chat], longest: 14d, confirm_over: 10}
    """

  @Test func readsAllOfIt() throws {
    let s = try ConfigurationFixture(QuietingTests.whole).load().lifecycle
    #expect(s.receiver("ops")?.quiet == QuietHours(from: 1320, until: 420, timeZone: "Europe/Berlin", atLeast: .high))
    #expect(s.receiver("chat")?.quiet == QuietHours(from: 720, until: 780, timeZone: "Asia/Kolkata"))
    #expect(s.policy("urgent")?.acknowledgeTimeout == .hours(4))
    #expect(s.policy("urgent")?.reminder == .minutes(30))
    #expect(s.reopenWithin == .minutes(20))
    #expect(s.staleAfter == nil)
    #expect(
      s.staleRules == [
        StaleRule(matchers: [Matcher(name: "event_type", value: "shop")], after: .hours(1)),
        StaleRule(matchers: [Matcher(name: "detector", value: "quarterly")], after: nil),
        StaleRule(matchers: [], after: .hours(36)),
      ])
    #expect(s.flapping == FlappingRule(changes: 4, within: .minutes(30), steadyAfter: .minutes(15)))
    #expect(s.storm == StormRule(after: 5, within: .seconds(30), wait: .seconds(2), interval: .minutes(1)))
    #expect(
      s.inhibitions == [
        InhibitionRule(
          name: "host down",
          source: [Matcher(name: "metric", value: "host_up"), Matcher(name: "severity", value: "critical")],
          target: [Matcher(name: "metric", value: "cpu|disk", isRegex: true)], equal: ["host"])
      ])
    #expect(
      s.dependencies == [
        DependencyRule(
          label: "service",
          parents: [.init(child: "web", parents: ["db", "cache"]), .init(child: "db", parents: ["disk"])])
      ])
    #expect(
      s.maintenance == [
        MaintenanceWindow(
          name: "nightly load", matchers: [Matcher(name: "event_type", value: "listing_views")], minuteOfDay: 120,
          duration: .minutes(90), timeZone: "Europe/Berlin"),
        MaintenanceWindow(
          name: "patches", matchers: [Matcher(name: "team", value: "ops")], weekdays: [7], weeks: [1, -1],
          minuteOfDay: 1410, duration: .hours(4), timeZone: "UTC"),
      ])
    #expect(s.silenceWarning == .minutes(30))
    #expect(s.notices == ["chat"] && s.longestSilence == .days(14) && s.confirmSilenceOver == 10)
    // And through the log, where it comes back from.
    #expect(LifecycleSettings(json: try JSON(parsing: s.json.bytes)) == s)
  }

  @Test func printsWhatCountsSoThatItReadsBackTheSame() throws {
    let first = try ConfigurationFixture(QuietingTests.whole).load()
    let shown = Outline.text(first.effective)
    for wanted in [
      "flapping:", "storms:", "inhibitions:", "dependencies:", "maintenance:", "silences:", "quiet_hours:",
      "acknowledge_reminder:", "stale_after:", "reopen_within: \"20m\"", "confirm_over: 10", "weeks: [1, last]",
    ] {
      #expect(shown.contains(wanted), "\(wanted) is not in\n\(shown)")
    }
    // The parts that have the form of the file are taken from what was printed.
    var yaml = "channels: {outbox: {directory: o}}\nreceivers: {chat: {slack: \"#a\"}}\ntimezone: Europe/Berlin\n"
    for name in ["flapping", "storms", "inhibitions", "dependencies", "maintenance", "silences", "stale_after"] {
      yaml += "\(name): \(first.effective[name]?.text ?? "")\n"
    }
    let second = try ConfigurationFixture(yaml).load().lifecycle
    let s = first.lifecycle
    #expect(second.flapping == s.flapping && second.storm == s.storm && second.inhibitions == s.inhibitions)
    #expect(second.dependencies == s.dependencies && second.maintenance == s.maintenance)
    #expect(second.notices == s.notices && second.longestSilence == s.longestSilence)
    #expect(second.staleRules == s.staleRules)
  }

  @Test func whatIsSwitchedOffIsOff() throws {
    let s = try ConfigurationFixture("flapping: false\nstorms: off\n").load().lifecycle
    #expect(s.flapping == nil && s.storm == nil)
    let usual = try ConfigurationFixture("timezone: UTC\n").load().lifecycle
    #expect(usual.flapping == FlappingRule() && usual.storm == StormRule() && usual.confirmSilenceOver == nil)
    #expect(usual.longestSilence == Command.longest)
  }

  @Test func anEventFileMaySayWhenItsAlertsAreStale() throws {
    let file = """
      event_config:
        name: orders
        stale_after: 26h
        data_source: {connection: c, metrics: [value]}
        detection: {checks: [{detector: threshold, metric: value, max_value: 1}]}
      """
    let s = try ConfigurationFixture(
      "connections: {c: {kind: command, command: [cat, x]}}\n", metrics: ["orders.yaml": file]
    ).load().lifecycle
    #expect(s.staleRules.count == 1 && s.staleRules.first?.after == .hours(26))
    #expect(s.staleRules.first?.matchers.first == Matcher(name: "event_type", value: "orders"))
  }

  static let faults: [(yaml: String, faults: [String])] = [
    (
      "flapping: {changes: 1, steady: 3m}\n",
      [
        "tocsin.yaml:1:21 flapping.changes: must be a whole number from 2 to 32, not \"1\"",
        "tocsin.yaml:1:24 flapping.steady: unknown key \"steady\"",
      ]
    ),
    (
      "storms: {after: many, wait: 10}\n",
      [
        "tocsin.yaml:1:17 storms.after: must be a whole number from 1 to 1000, not \"many\"",
        "tocsin.yaml:1:29 storms.wait: must be a length of time such as 90s, 15m, 4h or 7d, not \"10\"",
      ]
    ),
    (
      "inhibitions:\n  - {source: {metric: down}}\n  - {name: n, source: {}, target: ['x=~\"(\"']}\n",
      [
        "tocsin.yaml:2:5 inhibitions[0]: \"name\" is missing", "tocsin.yaml:2:5 inhibitions[0]: \"target\" is missing",
        "tocsin.yaml:3:23 inhibitions[1].source: matches every alert",
        "tocsin.yaml:3:36 inhibitions[1].target[0]: must be a matcher such as device=mobile, device!=mobile or device=~\"mob.*\"",
      ]
    ),
    (
      "dependencies:\n  service:\n    web: [db]\n    db: [disk]\n    disk: [web]\n",
      ["tocsin.yaml:3:10 dependencies.service.web: web depends on itself: web → db → disk → web"]
    ),
    (
      "maintenance:\n  - {name: a, at: \"25:00\", for: 8d, days: [frunday], timezone: Mars/Crater}\n",
      [
        "tocsin.yaml:2:5 maintenance[0]: says not which alerts it is for",
        "tocsin.yaml:2:19 maintenance[0].at: must be a time of day such as \"08:00\", not \"25:00\"",
        "tocsin.yaml:2:33 maintenance[0].for: must be at most 7d",
        "tocsin.yaml:2:44 maintenance[0].days[0]: must be a day of the week such as monday, not \"frunday\"",
        "tocsin.yaml:2:64 maintenance[0].timezone: must be a time zone such as Europe/Berlin or UTC, not \"Mars/Crater\"",
      ]
    ),
    (
      "maintenance:\n  - {name: a, match: {x: y}, at: \"01:00\", for: 1h, weeks: [sixth]}\n",
      [
        "tocsin.yaml:2:60 maintenance[0].weeks[0]: must be first, second, third, fourth, fifth or last: which of these days of a month"
      ]
    ),
    (
      "silences: {longest: 3y, notify: [nobody], confirm_over: -1}\n",
      [
        "tocsin.yaml:1:21 silences.longest: must be a length of time such as 90s, 15m, 4h or 7d, not \"3y\"",
        "tocsin.yaml:1:34 silences.notify[0]: there is no receiver \"nobody\"",
        "tocsin.yaml:1:57 silences.confirm_over: must be a whole number from 0 to 1000000, not \"-1\"",
      ]
    ),
    (
      "channels: {outbox: {directory: o}}\nreceivers: {a: {email: a@b.c, quiet_hours: {from: \"07:00\", until: \"07:00\", below: bad}}}\n",
      [
        "tocsin.yaml:2:31 receivers.a.quiet_hours: begins and ends at the same time",
        "tocsin.yaml:2:83 receivers.a.quiet_hours.below: must be critical, high, medium or low, not \"bad\"",
      ]
    ),
    (
      "channels: {outbox: {directory: o}}\nreceivers: {a: {email: a@b.c}}\npolicies:\n  p: {steps: [{notify: [a]}], acknowledge_timeout: 10m, acknowledge_reminder: 10m}\n  q: {steps: [{notify: [a]}], acknowledge_reminder: 10m}\n",
      [
        "tocsin.yaml:4:79 policies.p.acknowledge_reminder: must be shorter than acknowledge_timeout, which is 10m",
        "tocsin.yaml:5:53 policies.q.acknowledge_reminder: nothing runs out that could be reminded of",
      ]
    ),
    (
      "stale_after:\n  - {match: {a: b}}\n  - {after: soon}\n",
      [
        "tocsin.yaml:2:5 stale_after[0]: \"after\" is missing",
        "tocsin.yaml:3:13 stale_after[1].after: must be a length of time such as 90s, 15m, 4h or 7d, not \"soon\"",
      ]
    ),
  ]

  @Test(arguments: faults.indices) func namesEachFaultAndAllOfThem(_ i: Int) throws {
    let (yaml, faults) = QuietingTests.faults[i]
    #expect(try ConfigurationFixture(yaml).faults() == faults)
  }

  @Test func saysWhatIsHardlyMeant() throws {
    let c = try ConfigurationFixture(
      """
      channels: {outbox: {directory: o}}
      receivers: {a: {email: a@b.c}, lonely: {email: b@b.c}}
      policies: {unused: {steps: [{notify: [a]}]}}
      routes: [{notify: [a]}, {match: {severity: critical}, dashboard_only: true}]
      maintenance: [{name: all, match: {}, at: "01:00", for: 1h}]
      """
    ).load()
    #expect(c.advice.map(\.key) == ["routes[0]", "receivers.lonely", "policies.unused", "maintenance"])
    #expect(try ConfigurationFixture("timezone: UTC\n").load().advice.map(\.key) == ["routes"])
  }
}
