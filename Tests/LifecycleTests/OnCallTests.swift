import Alerts
import Lifecycle
import Testing

@Suite struct OnCallTests {
  static let berlin = "Europe/Berlin"

  static func day(_ date: String) -> Int64 { Timestamp(rfc3339: date)!.utcDay.days }
  static func at(_ text: String) -> Timestamp { Timestamp(rfc3339: text)! }

  static func schedule(_ rotation: Rotation, zone: String = berlin, windows: [TimeWindow] = []) -> OnCallSchedule {
    OnCallSchedule(name: "s", timeZone: zone, layers: [.init(rotation, windows: windows)])
  }

  /// `ana 2026-03-02T08:00:00Z`: each shift with its beginning.
  static func list(_ s: OnCallSchedule, _ from: String, _ to: String) -> [String] {
    s.shifts(from: at(from), to: at(to)).map { "\($0.person ?? "nobody") \($0.from)" }
  }

  @Test func aWeekIsHandedOverOnItsDay() {
    let s = Self.schedule(
      Rotation(.weekly, weekday: 1, minuteOfDay: 540, startDay: Self.day("2026-01-05"), people: ["ana", "ben"]))
    #expect(
      Self.list(s, "2026-01-05T08:00:00Z", "2026-01-26T08:00:00Z") == [
        "ana 2026-01-05T08:00:00Z", "ben 2026-01-12T08:00:00Z", "ana 2026-01-19T08:00:00Z",
      ])
    #expect(s.person(at: Self.at("2026-01-12T07:59:59Z")) == "ana")
    #expect(s.person(at: Self.at("2026-01-12T08:00:00Z")) == "ben")
    // It does not hold before its start.
    #expect(s.person(at: Self.at("2026-01-05T07:59:59Z")) == nil)
  }

  @Test func aStartInTheMiddleOfAWeekIsTheFirstOnesTurn() {
    let s = Self.schedule(
      Rotation(.weekly, weekday: 1, minuteOfDay: 540, startDay: Self.day("2026-01-07"), people: ["ana", "ben"]))
    #expect(
      Self.list(s, "2026-01-07T00:00:00Z", "2026-01-13T00:00:00Z") == [
        "nobody 2026-01-07T00:00:00Z", "ana 2026-01-07T08:00:00Z", "ben 2026-01-12T08:00:00Z",
      ])
  }

  /// The night in which clocks go forward has eleven hours, the one in which they go back has thirteen; 09:00 and 21:00 stay what they are.
  @Test func twelveHourTurnsStayOnTheWallClock() {
    let s = Self.schedule(
      Rotation(
        .every(.hours(12)), weekday: nil, minuteOfDay: 540, startDay: Self.day("2026-01-01"), people: ["a", "b"]))
    #expect(
      Self.list(s, "2026-03-28T08:00:00Z", "2026-03-30T07:00:00Z") == [
        "a 2026-03-28T08:00:00Z", "b 2026-03-28T20:00:00Z", "a 2026-03-29T07:00:00Z", "b 2026-03-29T19:00:00Z",
      ])
    #expect(
      Self.list(s, "2026-10-24T07:00:00Z", "2026-10-26T08:00:00Z") == [
        "a 2026-10-24T07:00:00Z", "b 2026-10-24T19:00:00Z", "a 2026-10-25T08:00:00Z", "b 2026-10-25T20:00:00Z",
      ])
  }

  /// A hand-over at 02:30: on one day it is skipped, and happens at the skip; on the other it comes twice, and happens the first time.
  @Test func aHandOverWithinTheChangeHappensOnce() {
    let s = Self.schedule(Rotation(.daily, minuteOfDay: 150, startDay: Self.day("2026-01-01"), people: ["a", "b"]))
    #expect(
      s.shifts(from: Self.at("2026-03-28T12:00:00Z"), to: Self.at("2026-03-30T12:00:00Z")).map(\.from.rfc3339) == [
        "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z",
      ])
    #expect(
      s.shifts(from: Self.at("2026-10-24T12:00:00Z"), to: Self.at("2026-10-26T12:00:00Z")).map(\.from.rfc3339) == [
        "2026-10-24T12:00:00Z", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z",
      ])
  }

  /// Two layers whose hours meet at 02:30: both ways of reading the doubled hour are covered, and nobody is missing.
  @Test(arguments: ["2026-03-28", "2026-10-24"]) func hoursThatMeetLeaveNoHole(_ date: String) {
    let night = TimeWindow(from: 22 * 60, until: 150, timeZone: Self.berlin)
    let day = TimeWindow(from: 150, until: 22 * 60, timeZone: Self.berlin)
    var s = Self.schedule(Rotation(.daily, people: ["owl"]), windows: [night])
    s.layers.append(.init(Rotation(.daily, people: ["lark"]), windows: [day]))
    let shifts = s.shifts(from: Self.at("\(date)T12:00:00Z"), to: Self.at("\(date)T12:00:00Z") + .days(2))
    #expect(!shifts.contains { $0.person == nil })
    #expect(shifts.map(\.person) == ["lark", "owl", "lark", "owl", "lark"])
  }

  @Test func laterLayersAndOverridesStandAboveEarlierOnes() {
    var s = Self.schedule(Rotation(.daily, minuteOfDay: 0, people: ["base"]), zone: "UTC")
    s.layers.append(
      .init(
        Rotation(.daily, minuteOfDay: 0, people: ["office"]),
        windows: [TimeWindow(weekdays: [1, 2, 3, 4, 5], from: 540, until: 1020, timeZone: "UTC")]))
    s.overrides = [
      .init(person: "guest", from: Self.at("2026-03-02T10:00:00Z"), until: Self.at("2026-03-02T12:00:00Z")),
      .init(person: "boss", from: Self.at("2026-03-02T11:00:00Z"), until: Self.at("2026-03-02T11:30:00Z")),
    ]
    #expect(
      Self.list(s, "2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z") == [
        "base 2026-03-02T00:00:00Z", "office 2026-03-02T09:00:00Z", "guest 2026-03-02T10:00:00Z",
        "boss 2026-03-02T11:00:00Z", "guest 2026-03-02T11:30:00Z", "office 2026-03-02T12:00:00Z",
        "base 2026-03-02T17:00:00Z",
      ])
    // A Saturday.
    #expect(Self.list(s, "2026-03-07T00:00:00Z", "2026-03-08T00:00:00Z") == ["base 2026-03-07T00:00:00Z"])
  }

  @Test func anEndTakesTheLayerAway() {
    let s = Self.schedule(
      Rotation(
        .daily, minuteOfDay: 0, startDay: Self.day("2026-03-01"), endDay: Self.day("2026-03-03"), people: ["a"]),
      zone: "UTC")
    #expect(
      Self.list(s, "2026-02-28T00:00:00Z", "2026-03-05T00:00:00Z") == [
        "nobody 2026-02-28T00:00:00Z", "a 2026-03-01T00:00:00Z", "nobody 2026-03-03T00:00:00Z",
      ])
    #expect(s.turn(at: Self.at("2026-03-04T00:00:00Z")).until == nil)
  }

  @Test func theShiftThatHoldsIsShownInItsWholeLength() {
    let s = Self.schedule(
      Rotation(.weekly, weekday: 1, minuteOfDay: 540, startDay: Self.day("2026-01-05"), people: ["ana", "ben"]))
    let (shift, next) = s.current(at: Self.at("2026-03-04T12:00:00Z"))
    #expect(shift.person == "ana" && shift.from.rfc3339 == "2026-03-02T08:00:00Z")
    #expect(shift.until.rfc3339 == "2026-03-09T08:00:00Z")
    #expect(next?.person == "ben" && next?.until.rfc3339 == "2026-03-16T08:00:00Z")
  }

  // MARK: - No hole, no overlap

  /// Schedules drawn from a seed, against a clock that is watched quarter of an hour by quarter of an hour.
  @Test(
    "a rotation leaves a hole or an overlap when clocks change", arguments: LocalZoneNames.all, [1, 2, 3] as [UInt64])
  func shiftsHaveNoHoleAndNoOverlap(_ name: String, _ seed: UInt64) throws {
    let zone = try #require(LocalZone(name))
    var random = Draw(state: StableHash("\(name)\(seed)").low)
    let people = ["a", "b", "c", "d", "e"]
    for _ in 0..<2 {
      let hours = [1, 2, 4, 5, 6, 8, 12, 24, 36, 48, 72, 168, 336].randomElement(using: &random) ?? 12
      let length: Rotation.Length = hours == 24 ? .daily : hours == 168 ? .weekly : .every(.hours(Int64(hours)))
      let rotation = Rotation(
        length, weekday: Bool.random(using: &random) ? Int.random(in: 1...7, using: &random) : nil,
        minuteOfDay: Int.random(in: 0..<96, using: &random) * 15,
        startDay: Self.day("2025-06-01") + Int64.random(in: 0..<200, using: &random),
        people: Array(people.prefix(Int.random(in: 1...5, using: &random))))
      // Turns: each ends where the next begins, and begins the first time that the wall clock shows its hand-over.
      let from = Self.at("2026-01-01T00:00:00Z")
      let to = Self.at("2027-01-15T00:00:00Z")
      var n: Int64 = 0
      while rotation.handover(n, in: zone) < from { n += 1 }
      var before = rotation.handover(n - 1, in: zone)
      let s = Self.schedule(rotation, zone: name)
      let shifts = s.shifts(from: from, to: to)
      #expect(shifts.first?.from == from && shifts.last?.until == to)
      for (a, b) in zip(shifts, shifts.dropFirst()) {
        #expect(a.until == b.from && a.from < a.until && a.person != b.person)
      }
      #expect(!shifts.contains { $0.person == nil })
      var i = 0
      while before < to {
        let start = rotation.handover(n, in: zone)
        #expect(before <= start)
        if before < start, start > from {
          let middle = Timestamp(microseconds: max(before, from).microseconds / 2 + start.microseconds / 2)
          if middle < to {
            let person = people[Int((n - 1) % Int64(rotation.people.count))]
            #expect(s.person(at: middle) == person)
            while i + 1 < shifts.count, shifts[i].until <= middle { i += 1 }
            #expect(shifts[i].person == person)
          }
        }
        before = start
        n += 1
      }
    }
  }

  /// A watch that knows nothing of hand-overs but that the wall clock shows their time: the person changes at exactly those moments.
  @Test(arguments: ["Europe/Berlin", "America/Santiago", "Australia/Lord_Howe", "Pacific/Chatham"])
  func theTurnChangesWhenTheWallClockFirstShowsItsTime(_ name: String) throws {
    let zone = try #require(LocalZone(name))
    // The weeks around every change of the year, in both halves of the world.
    for (minute, begin) in [0, 120, 150, 180].flatMap({ m in ["2026-03-20", "2026-08-28", "2026-10-15"].map { (m, $0) }
    }) {
      let rotation = Rotation(.daily, minuteOfDay: minute, startDay: Self.day("2026-01-01"), people: ["a", "b", "c"])
      let s = Self.schedule(rotation, zone: name)
      var t = zone.first(LocalTime(day: Self.day(begin), minute: minute))
      let end = t + .days(20)
      var reached = LocalTime(day: Self.day(begin), minute: minute)
      var person = try #require(s.person(at: t))
      while t < end {
        t = t + .minutes(15)
        let next = LocalTime(day: reached.day + 1, minute: minute)
        let now = try #require(s.person(at: t))
        if zone.local(t) >= next {
          reached = next
          #expect(now != person)
          person = now
        } else {
          #expect(now == person, "\(t)")
        }
      }
    }
  }
}

enum LocalZoneNames {
  static let all = [
    "UTC", "Europe/Berlin", "Europe/London", "America/New_York", "America/St_Johns", "America/Santiago",
    "America/Havana", "Asia/Kolkata", "Asia/Tehran", "Africa/Casablanca", "Africa/Cairo", "Australia/Lord_Howe",
    "Pacific/Chatham", "Pacific/Apia", "Antarctica/Troll",
  ]
}
