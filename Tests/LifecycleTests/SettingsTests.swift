import Alerts
import Lifecycle
import Testing

@Suite struct SettingsTests {
  @Test func settingsComeBackFromTheLogAsTheyWere() throws {
    var s = LifecycleSettings.plain
    s.timeZone = "Europe/Berlin"
    s.staleAfter = .hours(3)
    s.consoleURL = "https://x.org"
    s.receivers[0].quiet = QuietHours(from: 1, until: 2, timeZone: "Europe/Berlin", atLeast: .high)
    s.receivers[0].fallback = "boss"
    s.receivers[1].schedule = "oncall"
    s.routes[0].continues = true
    s.inhibitions = [
      InhibitionRule(name: "r", source: [Matcher(name: "a", value: "b.*", isRegex: true)], target: [], equal: ["host"])
    ]
    s.dependencies = [DependencyRule(label: "service", parents: [.init(child: "a", parents: ["b", "c"])])]
    s.maintenance = [
      MaintenanceWindow(
        name: "w", matchers: [], weekdays: [6, 7], minuteOfDay: 90, duration: .hours(2), timeZone: "America/New_York")
    ]
    s.notices = ["ops"]
    s.staleRules = [
      StaleRule(matchers: [Matcher(name: "a", value: "b")], after: .minutes(1)), StaleRule(matchers: [], after: nil),
    ]
    s.longestSilence = .days(3)
    s.confirmSilenceOver = 0
    s.policies[0].reminder = .minutes(7)
    s.maintenance[0].weeks = [1, -1]
    s.silenceWarning = .minutes(3)
    for (flapping, storm) in [(FlappingRule(changes: 3), StormRule(after: 7)), (nil, nil)]
      as [(FlappingRule?, StormRule?)]
    {
      s.flapping = flapping
      s.storm = storm
      let back = LifecycleSettings(json: try JSON(parsing: s.json.bytes))
      #expect(back == s)
      #expect(back.digest == s.digest)
    }
  }

  @Test func theSameConfigurationIsTakenUpOnce() {
    var g = Given()
    g.engine.adopt(.plain, now: g.now)
    #expect(g.said() == [])
    g.engine.adopt(.plain.with { $0.staleAfter = .hours(1) }, now: g.now)
    #expect(g.said() == ["configured"])
  }
}
