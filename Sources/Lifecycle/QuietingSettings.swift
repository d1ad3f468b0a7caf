package import Alerts

// Rules that keep people from hearing what they need not hear.

/// Alerts that match ``target`` tell nobody while one that matches ``source`` is open and has the same values of ``equal``.
package struct InhibitionRule: Sendable, Equatable {
  package var name: String
  package var source: [Matcher]
  package var target: [Matcher]
  package var equal: [String]
  package init(name: String, source: [Matcher], target: [Matcher], equal: [String] = []) {
    self.name = name
    self.source = source
    self.target = target
    self.equal = equal
  }
}

/// What depends on what, by the values of one label: while an alert of a parent is open, those of its children, and of theirs, tell nobody.
package struct DependencyRule: Sendable, Equatable {
  package var label: String
  /// Each child with its parents, as declared.
  package var parents: [Edge]
  package struct Edge: Sendable, Equatable {
    package var child: String
    package var parents: [String]
    package init(child: String, parents: [String]) {
      self.child = child
      self.parents = parents
    }
  }
  package init(label: String, parents: [Edge]) {
    self.label = label
    self.parents = parents
  }

  /// Every entity above `child`, nearest first. A circle ends where it began.
  package func ancestors(of child: String) -> [String] {
    var found: [String] = []
    var queue = [child]
    while let next = queue.first {
      queue.removeFirst()
      for edge in parents where edge.child == next {
        for parent in edge.parents where parent != child && !found.contains(parent) {
          found.append(parent)
          queue.append(parent)
        }
      }
    }
    return found
  }
}

/// See ``Flaps``.
package struct FlappingRule: Sendable, Equatable {
  package var changes: Int
  package var within: Interval
  package var steadyAfter: Interval
  /// So many reopenings are remembered.
  package static let mostChanges = Flaps.remembered
  package init(changes: Int = 6, within: Interval = .hours(1), steadyAfter: Interval = .minutes(30)) {
    self.changes = min(max(changes, 2), Flaps.remembered)
    self.within = within
    self.steadyAfter = steadyAfter
  }
}

/// More messages than this to one place, and what follows goes into one message. See docs/decisions/0007-storms.md.
package struct StormRule: Sendable, Equatable {
  /// So many messages *firing* within ``within`` are told one by one.
  package var after: Int
  package var within: Interval
  /// How long the one message waits for others.
  package var wait: Interval
  /// How long until the next one, at the soonest.
  package var interval: Interval
  package init(
    after: Int = 20, within: Interval = .minutes(1), wait: Interval = .seconds(10), interval: Interval = .minutes(5)
  ) {
    self.after = min(max(after, 1), 1000)
    self.within = within
    self.wait = wait
    self.interval = interval
  }
}

/// A maintenance window: on certain days, from a local time on, for so long, alerts that match tell nobody.
package struct MaintenanceWindow: Sendable, Equatable {
  package var name: String
  package var matchers: [Matcher]
  /// 1 (Monday) to 7; the days on which it begins.
  package var weekdays: [Int]
  /// Which of those days of a month: 1 for the first to 5 for the fifth, -1 for the last. None: all of them.
  package var weeks: [Int]
  /// The local time at which it begins, in minutes after midnight.
  package var minuteOfDay: Int
  package var duration: Interval
  /// IANA name.
  package var timeZone: String
  package init(
    name: String, matchers: [Matcher], weekdays: [Int] = Array(1...7), weeks: [Int] = [], minuteOfDay: Int,
    duration: Interval, timeZone: String
  ) {
    self.name = name
    self.matchers = matchers
    self.weekdays = weekdays
    self.weeks = weeks
    self.minuteOfDay = minuteOfDay
    self.duration = duration
    self.timeZone = timeZone
  }

  /// The first occurrence that ends after `now`. It begins at the first instant at which the wall clock shows its time (where clocks skip it, at the
  /// skip), and lasts ``duration`` of real time. Nil where its zone is unknown or no day is named.
  package func next(after now: Timestamp) -> (start: Timestamp, end: Timestamp)? {
    guard let zone = LocalZone(timeZone), duration > .zero else { return nil }
    let first = zone.local(now - duration).day - 1
    // A fifth Monday comes again within three months at most.
    let days = (weeks.isEmpty ? 9 : 130) + duration.microseconds / Interval.days(1).microseconds
    for day in first...(first + days) where isDay(LocalTime(day: day, minute: minuteOfDay)) {
      let start = zone.first(LocalTime(day: day, minute: minuteOfDay))
      if start + duration > now { return (start, start + duration) }
    }
    return nil
  }

  /// Whether an occurrence begins at this instant.
  package func begins(at start: Timestamp) -> Bool {
    guard let zone = LocalZone(timeZone) else { return false }
    let local = LocalTime(day: zone.local(start).day, minute: minuteOfDay)
    return isDay(local) && zone.first(local) == start
  }

  private func isDay(_ local: LocalTime) -> Bool {
    guard weekdays.contains(local.weekday) else { return false }
    if weeks.isEmpty || weeks.contains(Int(local.date.day - 1) / 7 + 1) { return true }
    let inAWeek = LocalTime(day: local.day + 7, minute: minuteOfDay)
    return weeks.contains(-1) && inAWeek.date.month != local.date.month
  }
}

/// Hours in which a receiver hears only of what is bad enough; the rest waits for their end.
package struct QuietHours: Sendable, Equatable {
  /// Minutes after midnight, local. An end before the start is on the next day.
  package var from: Int
  package var until: Int
  package var timeZone: String
  /// Alerts of this severity and worse are told all the same.
  package var atLeast: Severity
  package init(from: Int, until: Int, timeZone: String, atLeast: Severity = .critical) {
    self.from = from
    self.until = until
    self.timeZone = timeZone
    self.atLeast = atLeast
  }

  /// When the quiet hours that hold at `now` end; nil if none do.
  package func end(at now: Timestamp) -> Timestamp? {
    guard let zone = LocalZone(timeZone), from != until else { return nil }
    let today = zone.local(now).day
    for day in [today - 1, today] {
      let start = zone.first(LocalTime(day: day, minute: from))
      let end = zone.last(LocalTime(day: until < from ? day + 1 : day, minute: until))
      if start <= now, now < end { return end }
    }
    return nil
  }
}
