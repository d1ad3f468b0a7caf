import Alerts
import Testing
import TocsinConfiguration

/// What is wrong is named with its line, its column and its key, and everything at once.
@Suite struct FaultTests {
  static let table: [(yaml: String, faults: [String])] = [
    (
      "audit:\n  deadlines_late: soon\n  heartbeat: {every: 1s, timeout: 5s}\n  expect_heartbeat:\n    - {name: a}\n    - {name: b, within: 1m}\n    - {name: b, within: 1m, urgent: yes}\n",
      [
        "tocsin.yaml:2:19 audit.deadlines_late: must be a length of time such as 90s, 15m, 4h or 7d, not \"soon\"",
        "tocsin.yaml:3:3 audit.heartbeat: \"url\" is missing",
        "tocsin.yaml:5:7 audit.expect_heartbeat[0]: \"within\" is missing",
        "tocsin.yaml:7:14 audit.expect_heartbeat[2].name: \"b\" is expected already",
        "tocsin.yaml:7:29 audit.expect_heartbeat[2].urgent: unknown key \"urgent\"",
      ]
    ),
    (
      "audit:\n  heartbeat: {url: \"ftp://x\", every: 1s, timeout: 5s}\n  watch: yes\n",
      [
        "tocsin.yaml:2:20 audit.heartbeat.url: must be an address that begins with https:// or http://, with a host",
        "tocsin.yaml:3:3 audit.watch: unknown key \"watch\"",
      ]
    ),
    (
      "audit:\n  heartbeat: {url: \"https://x.org/y\", every: 1s, timeout: 5s}\n",
      ["tocsin.yaml:2:59 audit.heartbeat.timeout: is longer than every (1s)"]
    ),
    ("timezone: UTC\nreciever: {}\n", ["tocsin.yaml:2:1 reciever: unknown key \"reciever\""]),
    (
      "timezone: Berlin\n",
      ["tocsin.yaml:1:11 timezone: must be a time zone such as Europe/Berlin or UTC, not \"Berlin\""]
    ),
    ("timezone: [UTC]\n", ["tocsin.yaml:1:11 timezone: must be a time zone such as Europe/Berlin, not a list"]),
    ("receivers:\n  a: {}\n", ["tocsin.yaml:2:3 receivers.a: reaches nobody"]),
    (
      "receivers: {a: {email: nobody}}\n",
      ["tocsin.yaml:1:24 receivers.a.email: must be an email address such as data-team@company.com"]
    ),
    (
      "channels: {outbox: {directory: o}}\nreceivers: {a: {email: a@b.c, fallback: b}}\n",
      ["tocsin.yaml:2:41 receivers.a.fallback: there is no receiver \"b\""]
    ),
    (
      "receivers: {a: {email: a@b.c}}\n",
      ["tocsin.yaml:1:13 receivers.a: is told by email, which is not configured"]
    ),
    (
      "receivers: {a: {schedule: nights}}\n",
      ["tocsin.yaml:1:27 receivers.a.schedule: there is no schedule \"nights\""]
    ),
    ("policies: {p: {steps: []}}\n", ["tocsin.yaml:1:12 policies.p: has no steps"]),
    ("policies: {p: {}}\n", ["tocsin.yaml:1:12 policies.p: \"steps\" is missing"]),
    (
      "policies:\n  p:\n    steps:\n      - notify: [x]\n      - {after: 15, notify: [y]}\n    repeat: -1\n",
      [
        "tocsin.yaml:4:18 policies.p.steps[0].notify[0]: there is no receiver \"x\"",
        "tocsin.yaml:5:17 policies.p.steps[1].after: must be a length of time such as 90s, 15m, 4h or 7d, not \"15\"",
        "tocsin.yaml:5:30 policies.p.steps[1].notify[0]: there is no receiver \"y\"",
        "tocsin.yaml:6:13 policies.p.repeat: must be a whole number from 0 to 1000, not \"-1\"",
      ]
    ),
    (
      "routes:\n  - {match: {severity: terrible}, policy: p}\n",
      [
        "tocsin.yaml:2:24 routes[0].match.severity: must be critical, high, medium or low, not \"terrible\"",
        "tocsin.yaml:2:43 routes[0].policy: there is no policy \"p\"",
      ]
    ),
    ("routes:\n  - {match: {a: b}}\n", ["tocsin.yaml:2:5 routes[0]: says nobody to tell"]),
    (
      "routes:\n  - {dashboard_only: true, notify: []}\n",
      [
        "tocsin.yaml:2:5 routes[0]: says both notify and dashboard_only",
        "tocsin.yaml:2:36 routes[0].notify: names no receiver",
      ]
    ),
    (
      "routes:\n  - {matchers: ['a=~\"(\"'], dashboard_only: true}\n",
      [
        "tocsin.yaml:2:17 routes[0].matchers[0]: must be a matcher such as device=mobile, device!=mobile or device=~\"mob.*\""
      ]
    ),
    ("routes: {a: b}\n", ["tocsin.yaml:1:9 routes: must be a list, not a mapping"]),
    (
      "digests:\n  - {period: wekly, day: frunday, at: 8, to: [x]}\n",
      [
        "tocsin.yaml:2:14 digests[0].period: must be one of daily, weekly, monthly, not \"wekly\"",
        "tocsin.yaml:2:39 digests[0].at: must be a time of day such as \"08:00\", not \"8\"",
        "tocsin.yaml:2:47 digests[0].to[0]: there is no receiver \"x\"",
      ]
    ),
    (
      "digests: [{period: weekly, day: 31, to: []}]\n",
      [
        "tocsin.yaml:1:33 digests[0].day: must be a day of the week such as monday, not \"31\"",
        "tocsin.yaml:1:41 digests[0].to: names no receiver",
      ]
    ),
    (
      "channels:\n  email: {server: \"http://x\", from: a@b.c, username: u}\n",
      [
        "tocsin.yaml:2:3 channels.email: has only one of username and password",
        "tocsin.yaml:2:19 channels.email.server: must be an address that begins with smtps:// or smtp://, with a host",
      ]
    ),
    (
      "bus: {gateway: \"tcp://0.0.0.0:7801\"}\n",
      ["tocsin.yaml:1:16 bus.gateway: would be open to other machines, without keys"]
    ),
    (
      "bus: {gateway: nowhere}\n",
      ["tocsin.yaml:1:16 bus.gateway: must be an endpoint such as tcp://127.0.0.1:7801 or ipc:///run/tocsin/gateway"]
    ),
    (
      "console: {listen: here}\n",
      ["tocsin.yaml:1:19 console.listen: must be an address and a port such as 127.0.0.1:7800 or [::1]:7800"]
    ),
    (
      "console: {listen: \"0.0.0.0:7800\"}\n",
      ["tocsin.yaml:1:1 console: would let everyone who can reach 0.0.0.0 do everything"]
    ),
    (
      "console: {users: {ana: {role: boss, token: short}}}\n",
      [
        "tocsin.yaml:1:31 console.users.ana.role: must be one of viewer, responder, admin, not \"boss\"",
        "tocsin.yaml:1:44 console.users.ana.token: is shorter than 16 characters",
      ]
    ),
    ("log: postgres://x/y\n", ["tocsin.yaml:1:6 log: only SQLite is known as a store"]),
    ("archive_after: 2h\n", ["tocsin.yaml:1:16 archive_after: must be at least 1d, not 2h"]),
    (
      "reopen_within: soon\n",
      ["tocsin.yaml:1:16 reopen_within: must be a length of time such as 90s, 15m, 4h or 7d, not \"soon\""]
    ),
    (
      "schedules: {s: {rotation: fortnightly, handover: noon, people: [ana]}}\n",
      [
        "tocsin.yaml:1:27 schedules.s.rotation: must be weekly, daily, or a length of time of at least 15m, such as 12h",
        "tocsin.yaml:1:50 schedules.s.handover: must be a day and a time such as \"monday 09:00\", or a time alone",
        "tocsin.yaml:1:65 schedules.s.people[0]: there is no person \"ana\"",
      ]
    ),
    ("a: 1\na: 2\n", ["tocsin.yaml:1:1 a: this key stands more than once in one mapping"]),
    ("just a text\n", ["tocsin.yaml:1:1 : must be a mapping, not \"just a text\""]),
  ]

  @Test(arguments: table.indices) func namesEachFault(_ i: Int) throws {
    let (yaml, faults) = FaultTests.table[i]
    #expect(try ConfigurationFixture(yaml).faults() == faults)
  }

  @Test func namesTheLineOfBrokenYAML() throws {
    let faults = try ConfigurationFixture("timezone: UTC\nroutes: [a, b\npolicies: {}\n").faults()
    #expect(faults.count == 1)
    #expect(faults[0].hasPrefix("tocsin.yaml:3:"))
    #expect(faults[0].contains("this is not YAML"))
  }

  @Test func saysWhenThereIsNoFile() throws {
    #expect(try ConfigurationFixture(nil).faults() == ["tocsin.yaml:1:1 : there is no such file"])
  }

  @Test func takesAnEmptyFileAsAllDefaults() throws {
    let configuration = try ConfigurationFixture("# nothing yet\n").load()
    #expect(configuration.logPath == "data/tocsin.sqlite")
    #expect(configuration.projectionsPath == "data/tocsin-projections.sqlite")
    #expect(configuration.dataDirectory == "data")
    #expect(configuration.bus.gateway == "tcp://127.0.0.1:7801")
  }

  @Test func suggestsWhatWasMeant() throws {
    #expect(try ConfigurationFixture("recievers: {}\n").mends() == ["did you mean \"receivers\"?"])
    #expect(try ConfigurationFixture("timezone: Europe/Berln\n").mends() == ["did you mean Europe/Berlin?"])
  }

  @Test func survivesNestedAliases() throws {
    var yaml = "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
    for (i, name) in "bcdefgh".enumerated() {
      let before = Array("abcdefgh")[i]
      yaml += "\(name): &\(name) [\(Array(repeating: "*\(before)", count: 10).joined(separator: ","))]\n"
    }
    let faults = try ConfigurationFixture(yaml).faults()
    #expect(faults.contains { $0.contains("holds more than 200000 values") })
  }

  @Test func printsAllFaultsOneUnderAnother() throws {
    let fixture = try ConfigurationFixture("timezone: X/Y\nlog: []\n")
    do {
      _ = try fixture.load()
      Issue.record("it loaded")
    } catch {
      let text = "\(error)"
      #expect(text.contains("tocsin.yaml:1:11: timezone: "))
      #expect(text.contains("\n\(fixture.directory)/tocsin.yaml:2:6: log: "))
      #expect(text.hasSuffix("2 faults in the configuration"))
    }
  }
}
