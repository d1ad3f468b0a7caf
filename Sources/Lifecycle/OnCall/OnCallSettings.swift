package import Alerts

/// Who can be told by name, and who is on call when.
package struct OnCallSettings: Sendable, Equatable {
  package var people: [Person] = []
  package var schedules: [OnCallSchedule] = []
  package init() {}
  package func person(_ name: String) -> Person? { people.first { $0.name == name } }
  package func schedule(_ name: String) -> OnCallSchedule? { schedules.first { $0.name == name } }

  /// Who is meant by the name that a command came under: a person's own name, or their email address.
  package func person(acting actor: String) -> Person? {
    let actor = actor.lowercased()
    return people.first { $0.name.lowercased() == actor } ?? people.first { $0.email?.lowercased() == actor }
  }
}

/// A person, and where they are reached.
package struct Person: Sendable, Equatable {
  package var name: String
  package var email: String?
  /// A Slack member id (`U024BE7LH`) or a channel; also who a click in Slack counts for.
  package var slack: String?
  /// In international form, `+491701234567`.
  package var phone: String?
  /// The name or id that PagerDuty knows them by.
  package var pagerduty: String?
  /// The channels that they are told on, in this order: of `email`, `slack` and `sms`.
  package var channels: [String]
  package init(name: String, channels: [String] = ["email", "slack", "sms"]) {
    self.name = name
    self.channels = channels
  }

  /// Where a message to this person goes; empty if it could go nowhere.
  package var targets: [Receiver.Target] {
    channels.compactMap { channel in
      address(on: channel).map { Receiver.Target(channel: channel, destination: $0) }
    }
  }

  package func address(on channel: String) -> String? {
    switch channel {
    case "email": email
    case "slack": slack
    case "sms": phone
    default: nil
    }
  }
}

/// `schedules: {data-oncall: {timezone: Europe/Berlin, rotation: weekly, handover: "monday 09:00", people: [ana, ben]}}`
///
/// What it comes to is in ``OnCallSchedule/turn(at:)`` and ``OnCallSchedule/shifts(from:to:)``.
package struct OnCallSchedule: Sendable, Equatable {
  /// People who take turns, or a calendar that says whose turn it is.
  package struct Layer: Sendable, Equatable {
    package enum Turns: Sendable, Equatable {
      case rotation(Rotation)
      case calendar([CalendarEvent])
    }
    package var turns: Turns
    /// The hours in which it holds; none: always.
    package var windows: [TimeWindow]
    package init(_ turns: Turns, windows: [TimeWindow] = []) {
      self.turns = turns
      self.windows = windows
    }
    package init(_ rotation: Rotation, windows: [TimeWindow] = []) { self.init(.rotation(rotation), windows: windows) }

    /// Everybody who may ever have a turn.
    package var people: [String] {
      switch turns {
      case .rotation(let r): r.people
      case .calendar(let events): events.map(\.person)
      }
    }
  }
  /// One person instead of whoever's turn it is.
  package struct Override: Sendable, Equatable {
    package var person: String
    package var from: Timestamp
    package var until: Timestamp
    package init(person: String, from: Timestamp, until: Timestamp) {
      self.person = person
      self.from = from
      self.until = until
    }
  }
  package var name: String
  package var timeZone: String
  /// The last one that has somebody on call wins.
  package var layers: [Layer]
  /// The last one that holds wins, over every layer.
  package var overrides: [Override]
  package init(name: String, timeZone: String, layers: [Layer], overrides: [Override] = []) {
    self.name = name
    self.timeZone = timeZone
    self.layers = layers
    self.overrides = overrides
  }
}

/// Turns of equal length on the wall clock, handed over from one to the next for ever.
///
/// A hand-over is one instant: the first at which the wall clock shows its time, or that of the skip where clocks skip it. A turn lasts until the next one's
/// hand-over. So turns neither overlap nor leave a hole, and only their length changes on the two days: a night of 12 hours has 11 or 13. Turns of some
/// hours are aligned to the wall clock in the same way: 09:00 and 21:00 stay 09:00 and 21:00. One that begins and ends within a skip has no time at all.
package struct Rotation: Sendable, Equatable {
  package enum Length: Sendable, Equatable {
    case daily, weekly
    /// Of the wall clock, from the start on.
    case every(Interval)
  }
  package var length: Length
  /// 1 (Monday) to 7: the day of the hand-over, where turns last whole weeks; nil: that of the start.
  package var weekday: Int?
  /// The local time of the hand-over, in minutes after midnight.
  package var minuteOfDay: Int
  /// The local date, in days since 1970-01-01, on which it begins to hold, at the time of the hand-over. The first of ``people`` has the turn of that day.
  package var startDay: Int64
  /// The local date on which it no longer holds, from the time of the hand-over on; nil: for ever.
  package var endDay: Int64?
  package var people: [String]

  package init(
    _ length: Length, weekday: Int? = 1, minuteOfDay: Int = 540, startDay: Int64 = 4, endDay: Int64? = nil,
    people: [String]
  ) {
    self.length = length
    self.weekday = weekday
    self.minuteOfDay = minuteOfDay
    self.startDay = startDay
    self.endDay = endDay
    self.people = people
  }
}

/// An event of a calendar that says that a person is on call.
package struct CalendarEvent: Sendable, Equatable {
  /// Which days it comes back on.
  package struct Recurrence: Sendable, Equatable {
    /// Every so many days, or weeks where ``weekdays`` are given. 1 or more.
    package var every: Int
    /// 1 (Monday) to 7; nil: daily.
    package var weekdays: [Int]?
    /// 1 (Monday) to 7: counts for weeks that are left out.
    package var weekStart: Int
    /// The start of the last one; nil: for ever.
    package var last: LocalTime?
    /// The starts of those that do not take place.
    package var except: [LocalTime]
    package init(
      every: Int = 1, weekdays: [Int]? = nil, weekStart: Int = 1, last: LocalTime? = nil, except: [LocalTime] = []
    ) {
      self.every = every
      self.weekdays = weekdays
      self.weekStart = weekStart
      self.last = last
      self.except = except
    }
  }
  package var person: String
  package var start: LocalTime
  package var end: LocalTime
  /// IANA name.
  package var timeZone: String
  package var recurrence: Recurrence?
  package init(person: String, start: LocalTime, end: LocalTime, timeZone: String, recurrence: Recurrence? = nil) {
    self.person = person
    self.start = start
    self.end = end
    self.timeZone = timeZone
    self.recurrence = recurrence
  }
}
