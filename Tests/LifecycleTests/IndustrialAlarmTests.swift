import Alerts
import Lifecycle
import Testing

/// The states of an alarm in process plants (ANSI/ISA-18.2), as our two axes and three reasons for silence give them, and the transitions that
/// the standard asks for.
@Suite struct IndustrialAlarmTests {
  enum State: String {
    case normal, unacknowledged, acknowledged
    /// Over before anybody acknowledged it.
    case returnedUnacknowledged
    /// An operator put it aside for a while.
    case shelved
    /// Another alarm explains it.
    case suppressedByDesign
    /// The plant is under maintenance.
    case outOfService
  }

  private static let maintenance = MaintenanceWindow(
    name: "revision", matchers: [Matcher(name: "metric", value: "level")], minuteOfDay: 12 * 60, duration: .hours(1),
    timeZone: "UTC")
  private static let design = InhibitionRule(
    name: "the plant is down", source: [Matcher(name: "metric", value: "plant")],
    target: [Matcher(name: "metric", value: "level")])

  private static func state(_ g: Given) -> State {
    guard let life = g.engine.lives[StableHash("default|=level")], let a = g.engine.alerts[life.alert] else {
      return .normal
    }
    if a.isResolved { return a.seen ? .normal : .returnedUnacknowledged }
    if a.inhibitedBy != nil { return .suppressedByDesign }
    if let s = a.silencedBy.first, g.engine.silences[s]?.by.hasPrefix("maintenance/") == true { return .outOfService }
    if a.snoozedUntil != nil { return .shelved }
    return a.acknowledgedBy == nil ? .unacknowledged : .acknowledged
  }

  private static func happens(_ word: Substring, _ g: inout Given) {
    let id = AlertID(1)
    switch word {
    case "occurs", "again": g.fires("level", .medium)
    case "worsens": g.fires("level", .critical)
    case "eases": g.fires("level", .low)
    case "clears": g.clears("level")
    case "ack": g.command(.acknowledge, id)
    case "shelve": g.command(.snooze(.hours(1)), id)
    case "unshelve": g.command(.unsnooze, id)
    case "hour": g.passes(.hours(1))
    case "down": g.fires("plant", .critical)
    case "up": g.clears("plant")
    case "noon": g.passes(.hours(2))
    case "quarter": g.passes(.minutes(15))
    default: Issue.record("nobody knows what \(word) is")
    }
  }

  static let table: [(name: String, walk: String)] = [
    ("an alarm is acknowledged and clears", "occurs:B ack:C clears:A"),
    ("it clears before anybody has seen it", "occurs:B clears:D"),
    ("it comes again before anybody has seen that it was there", "occurs:B clears:D occurs:B ack:C clears:A"),
    ("it gets worse after it was acknowledged", "occurs:B ack:C worsens:B ack:C clears:A"),
    ("the same again changes nothing", "occurs:B again:B ack:C again:C clears:A"),
    ("less of it changes nothing", "occurs:B ack:C eases:C clears:A"),
    ("it is shelved and taken off the shelf", "occurs:B shelve:E unshelve:B ack:C"),
    ("a shelf has an end", "occurs:B shelve:E hour:B"),
    ("it clears on the shelf", "occurs:B shelve:E clears:D"),
    ("it was acknowledged before it was shelved", "occurs:B ack:C shelve:E unshelve:C clears:A"),
    ("it gets worse on the shelf", "occurs:B shelve:E worsens:B"),
    ("it is suppressed by design and comes back", "occurs:B down:F up:B ack:C"),
    ("it comes while it is suppressed, and goes", "down:A occurs:F clears:D up:D"),
    ("it is acknowledged before it is suppressed", "occurs:B ack:C down:F up:C"),
    ("it is out of service and comes back", "occurs:B noon:G hour:B ack:C clears:A"),
    ("it clears out of service", "noon:A occurs:G clears:D"),
    ("an unseen return fades", "occurs:B clears:D quarter:A"),
  ]

  @Test(arguments: table.indices)
  func walksAsTheStandardSays(_ i: Int) {
    let letters: [Character: State] = [
      "A": .normal, "B": .unacknowledged, "C": .acknowledged, "D": .returnedUnacknowledged, "E": .shelved,
      "F": .suppressedByDesign, "G": .outOfService,
    ]
    let (name, walk) = IndustrialAlarmTests.table[i]
    var g = Given(
      .plain.with {
        $0.maintenance = [IndustrialAlarmTests.maintenance]
        $0.inhibitions = [IndustrialAlarmTests.design]
        // Where something else opens first, the alarm has another number; here it is always the first.
        $0.storm = nil
      })
    var way = "normal"
    for step in walk.split(separator: " ") {
      let parts = step.split(separator: ":")
      IndustrialAlarmTests.happens(parts[0], &g)
      g.deliver()
      let state = IndustrialAlarmTests.state(g)
      way += ", \(parts[0]) → \(state.rawValue)"
      #expect(state == letters[parts[1].first!], "\(name): \(way)")
    }
    g.replayMatches()
  }
}
