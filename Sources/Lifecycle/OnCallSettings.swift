package import Alerts

/// Who can be told by name, and who is on call when.
package struct OnCallSettings: Sendable, Equatable {
  package var people: [Person] = []
  package var schedules: [OnCallSchedule] = []
  package init() {}
  package func person(_ name: String) -> Person? { people.first { $0.name == name } }
  package func schedule(_ name: String) -> OnCallSchedule? { schedules.first { $0.name == name } }
}

/// A person, and where they are reached.
package struct Person: Sendable, Equatable {
  package var name: String
  package var email: String?
  /// A Slack member id (`U024BE7LH`) or a channel; also who a click in Slack counts for.
  package var slack: String?
  /// In international form, `+491701234567`.
  package var phone: String?
  /// The address that PagerDuty knows them by.
  package var pagerduty: String?
  package init(name: String) { self.name = name }
}

/// `schedules: {data-oncall: {timezone: Europe/Berlin, rotation: weekly, handover: "monday 09:00", people: [ana, ben]}}`
package struct OnCallSchedule: Sendable, Equatable {
  /// People who take turns.
  package struct Layer: Sendable, Equatable {
    package enum Rotation: Sendable, Equatable {
      case daily, weekly
      /// Shifts of a fixed length, from the start on.
      case every(Interval)
    }
    package var rotation: Rotation
    /// 1 (Monday) to 7; counts for a weekly one.
    package var weekday: Int
    /// The local time of the hand-over, in minutes after midnight.
    package var minuteOfDay: Int
    /// The local date, in days since 1970-01-01, of the shift that the first of ``people`` has.
    package var startDay: Int64
    package var people: [String]
    package init(rotation: Rotation, weekday: Int = 1, minuteOfDay: Int = 540, startDay: Int64 = 4, people: [String]) {
      self.rotation = rotation
      self.weekday = weekday
      self.minuteOfDay = minuteOfDay
      self.startDay = startDay
      self.people = people
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
  package var overrides: [Override]
  package init(name: String, timeZone: String, layers: [Layer], overrides: [Override] = []) {
    self.name = name
    self.timeZone = timeZone
    self.layers = layers
    self.overrides = overrides
  }
}
