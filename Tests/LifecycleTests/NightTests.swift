import Alerts
import Lifecycle
import Testing

/// A night of a team: quiet hours, batches and a hand-over in the morning, all at once.
@Suite struct NightTests {
  /// From ten in the evening until seven nobody is told of what is less than critical; at seven ben takes over from ana. It is Monday 2 March, 23:00 UTC.
  static func night() -> Given {
    let settings = LifecycleSettings.plain.with { s in
      s.onCall.people = ["ana", "ben"].map {
        var p = Person(name: $0, channels: ["email"])
        p.email = "\($0)@x.org"
        return p
      }
      let monday = OnCallTests.day("2026-03-02")
      s.onCall.schedules = [
        OnCallSchedule(
          name: "rota", timeZone: "UTC",
          layers: [
            .init(
              Rotation(.every(.hours(24)), weekday: nil, minuteOfDay: 7 * 60, startDay: monday, people: ["ana", "ben"]))
          ])
      ]
      s.receivers = [
        Receiver(
          name: "team", targets: [], schedule: "rota",
          quiet: QuietHours(from: 22 * 60, until: 7 * 60, timeZone: "UTC", atLeast: .critical))
      ]
      s.policies = []
      s.routes = [
        Route(
          matchers: [],
          delivery: .group(["team"], .init(by: ["event_type"], wait: .minutes(5), interval: .minutes(30))))
      ]
    }
    var g = Given(settings)
    g.passes(.hours(13))
    _ = g.said()
    return g
  }

  /// Everything that goes out up to `end`, minute by minute: `07:00 ben@x.org A-1 A-2`.
  static func sent(_ g: inout Given, until end: String) -> [String] {
    var sent: [String] = []
    let end = Timestamp(rfc3339: end)!
    while true {
      g.passes(.zero)
      while let p = g.lease() {
        let members = p.members.map(\.description).joined(separator: " ")
        sent.append("\(g.now.rfc3339.dropFirst(11).prefix(5)) \(p.place.target.destination) \(members)")
        g.receipt(p, .delivered)
      }
      if g.now >= end { return sent }
      g.passes(.minutes(1))
    }
  }

  @Test func aNightOfATeam() {
    var g = Self.night()
    let disk = g.fires("disk", .medium)
    #expect(Self.sent(&g, until: "2026-03-02T23:30:00Z") == [])
    let load = g.fires("load", .high)
    #expect(Self.sent(&g, until: "2026-03-03T02:00:00Z") == [])

    // A critical one passes at once, to whoever is on call at night; what waits for the morning does not come with it.
    let db = g.fires("db", .critical)
    #expect(Self.sent(&g, until: "2026-03-03T03:00:00Z") == ["02:00 ana@x.org \(db)"])
    g.restarts()
    let queue = g.fires("queue", .critical)
    #expect(Self.sent(&g, until: "2026-03-03T05:00:00Z") == ["03:00 ana@x.org \(queue)"])
    g.clears("disk")
    g.replayMatches()
    #expect(Self.sent(&g, until: "2026-03-03T06:59:00Z") == [])

    // In the morning one message tells the one who is on call then of the rest, and nothing else is sent.
    #expect(Self.sent(&g, until: "2026-03-03T09:00:00Z") == ["07:00 ben@x.org \(disk) \(load)"])

    // Each is told the end of what they were told of, also after the hand-over, and nobody else is.
    g.clears("db")
    #expect(Self.sent(&g, until: "2026-03-03T10:00:00Z") == ["09:05 ana@x.org \(db)"])
    g.clears("queue")
    g.clears("load")
    let last = Self.sent(&g, until: "2026-03-03T11:00:00Z")
    #expect(last.sorted() == ["10:05 ana@x.org \(queue)", "10:05 ben@x.org \(load)"])
    #expect(Self.sent(&g, until: "2026-03-04T23:00:00Z") == [])
    #expect(g.engine.groups.isEmpty && g.engine.ledger.pending.isEmpty)
    g.replayMatches()
  }

  /// Without batches the same holds: who is told at the end of quiet hours is who is on call then.
  @Test func whatQuietHoursHoldBackGoesToWhoeverIsOnCallAtTheirEnd() {
    var settings = Self.night().engine.settings
    settings.routes = [Route(matchers: [], delivery: .notify(["team"]))]
    var g = Given(settings)
    g.passes(.hours(13))
    let low = g.fires("low", .medium)
    let bad = g.fires("bad", .critical)
    _ = g.said()
    func destinations() -> [String] {
      var sent: [String] = []
      while let p = g.lease() {
        sent.append("\(p.subject) \(p.purpose) \(p.place.target.destination)")
        g.receipt(p, .delivered)
      }
      return sent
    }
    #expect(destinations() == ["\(bad) firing ana@x.org"])
    g.passes(.hours(9))
    #expect(destinations() == ["\(low) firing ben@x.org"])
    g.clears("low")
    g.clears("bad")
    #expect(destinations().sorted() == ["\(low) resolved ben@x.org", "\(bad) resolved ana@x.org"].sorted())
    g.replayMatches()
  }

  /// A batch that could not be delivered owes its place no end; whoever was told in its stead is told of it, once.
  @Test func theEndGoesWhereTheBatchArrived() {
    var settings = Self.night().engine.settings
    settings.receivers[0].quiet = nil
    settings.receivers[0].fallback = "boss"
    settings.receivers.append(Receiver(name: "boss", targets: [.init(channel: "slack", destination: "#boss")]))
    var g = Given(settings)
    let id = g.fires("disk", .medium)
    g.passes(.minutes(5))
    let first = g.lease()!
    #expect(first.place.target.destination == "ana@x.org")
    g.receipt(first, .failed)
    #expect(Self.sent(&g, until: "2026-03-02T10:06:00Z") == ["10:05 #boss \(id)"])
    g.clears("disk")
    #expect(Self.sent(&g, until: "2026-03-02T12:00:00Z") == ["10:35 #boss \(id)"])
    #expect(g.engine.groups.isEmpty)
    g.replayMatches()
  }
}
