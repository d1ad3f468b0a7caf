package import Alerts

/// Everything that people decide about how alerts live and who hears of them. No secret is ever in here: it is written
/// into the log, so that any alert can be traced to the settings that it was opened under.
package struct LifecycleSettings: Sendable, Equatable {
  /// IANA name. For rules whose own zone is not given.
  package var timeZone = "UTC"
  /// An anomaly this soon after its alert ended reopens it instead of opening a new one.
  package var reopenWithin = Interval.minutes(10)
  /// An alert of which nothing is heard for this long is resolved as `stale`. Nil: never.
  package var staleAfter: Interval?
  /// Other times for alerts that match; the first of these that does counts.
  package var staleRules: [StaleRule] = []
  package var receivers: [Receiver] = []
  package var policies: [Policy] = []
  /// First match wins, but for `continues`.
  package var routes: [Route] = []
  /// Where people can open the console, for links in messages.
  package var consoleURL: String?
  package var inhibitions: [InhibitionRule] = []
  package var dependencies: [DependencyRule] = []
  package var maintenance: [MaintenanceWindow] = []
  /// Nil: nothing counts as flapping.
  package var flapping: FlappingRule? = FlappingRule()
  /// Nil: every message is told by itself.
  package var storm: StormRule? = StormRule()
  /// So long before a silence ends, whoever hears of notices is told what it still holds back. Zero: not at all.
  package var silenceWarning = Interval.minutes(15)
  /// Receivers of words about silences: that one was made, and that it ends soon.
  package var notices: [String] = []
  /// The longest silence that somebody may ask for.
  package var longestSilence = Command.longest
  /// A silence that would hold back more open alerts than this must be confirmed. Nil: none must.
  package var confirmSilenceOver: Int?
  /// People and schedules. Who is on call is looked up in the settings in force, not in those that an alert was opened under: an
  /// override that is written today counts for everything that is open.
  package var onCall = OnCallSettings()

  package init() {}

  package func receiver(_ name: String) -> Receiver? { receivers.first { $0.name == name } }
  package func policy(_ name: String) -> Policy? { policies.first { $0.name == name } }

  /// How long nothing may be heard of this alert until it counts as stale. Nil: for ever.
  package func staleAfter(of a: borrowing AlertState) -> Interval? {
    for rule in staleRules where a.labels.matches(rule.matchers, severity: a.severity) { return rule.after }
    return staleAfter
  }
}

/// See ``LifecycleSettings/staleRules``.
package struct StaleRule: Sendable, Equatable {
  package var matchers: [Matcher]
  /// Nil: never.
  package var after: Interval?
  package init(matchers: [Matcher], after: Interval?) {
    self.matchers = matchers
    self.after = after
  }
}

/// A named place that notifications go to.
package struct Receiver: Sendable, Equatable {
  package struct Target: Sendable, Equatable, Hashable {
    /// `email`, `slack`, `pagerduty`, `webhook`, …
    package var channel: String
    /// Without secrets: addresses joined by commas, a Slack channel, or the receiver's own name.
    package var destination: String
    package init(channel: String, destination: String) {
      self.channel = channel
      self.destination = destination
    }
  }
  package var name: String
  package var targets: [Target]
  /// An on-call schedule whose present person is told, beside ``targets``.
  package var schedule: String?
  /// The receiver that is told instead, when a delivery here fails for good.
  package var fallback: String?
  /// For how long a delivery is tried before it counts as failed.
  package var patience: Interval
  package var sendResolved: Bool
  package var quiet: QuietHours?

  package init(
    name: String, targets: [Target], schedule: String? = nil, fallback: String? = nil, patience: Interval = .hours(24),
    sendResolved: Bool = true, quiet: QuietHours? = nil
  ) {
    self.name = name
    self.targets = targets
    self.schedule = schedule
    self.fallback = fallback
    self.patience = patience
    self.sendResolved = sendResolved
    self.quiet = quiet
  }
}

/// An escalation policy.
package struct Policy: Sendable, Equatable {
  package struct Step: Sendable, Equatable {
    /// After the step before; for the first, after the alert opened.
    package var after: Interval
    package var receivers: [String]
    /// The hours in which it may tell anybody; nil: always.
    package var hours: StepHours?
    package init(after: Interval, receivers: [String], hours: StepHours? = nil) {
      self.after = after
      self.receivers = receivers
      self.hours = hours
    }
  }
  package var name: String
  package var steps: [Step]
  /// How often the whole is gone through again after the first time.
  package var repeats: Int
  /// How long an acknowledgement holds. Nil: until the alert ends.
  package var acknowledgeTimeout: Interval?
  /// So long before that, a reminder goes out. Nil: a quarter of the timeout, and fifteen minutes at most. Zero: none.
  package var reminder: Interval?
  package init(
    name: String, steps: [Step], repeats: Int = 0, acknowledgeTimeout: Interval? = nil, reminder: Interval? = nil
  ) {
    self.name = name
    self.steps = steps
    self.repeats = repeats
    self.acknowledgeTimeout = acknowledgeTimeout
    self.reminder = reminder
  }
}

/// When a step may tell anybody, and what becomes of it at other times.
package struct StepHours: Sendable, Equatable {
  package enum Otherwise: String, Sendable, CaseIterable {
    /// The step tells nobody, and the policy goes on in its own time.
    case skip
    /// The step waits until its hours begin, and the policy with it.
    case wait
  }
  package var windows: [TimeWindow]
  package var otherwise: Otherwise
  package init(windows: [TimeWindow], otherwise: Otherwise = .skip) {
    self.windows = windows
    self.otherwise = otherwise
  }
  package func contains(_ t: Timestamp) -> Bool { windows.contains { $0.contains(t) } }
  package func next(from t: Timestamp) -> Timestamp? { windows.compactMap { $0.next(from: t) }.min() }
  package var text: String { windows.map(\.text).joined(separator: ", ") }
}

/// Which alerts go where.
package struct Route: Sendable, Equatable {
  package struct Grouping: Sendable, Equatable {
    /// The labels whose values make a group.
    package var by: [String]
    /// How long the first one waits for others.
    package var wait: Interval
    /// How long until the next message of the same group, at the soonest.
    package var interval: Interval
    package init(by: [String], wait: Interval = .minutes(5), interval: Interval = .minutes(30)) {
      self.by = by
      self.wait = wait
      self.interval = interval
    }
  }
  package enum Delivery: Sendable, Equatable {
    case policy(String)
    /// Told once, without escalation.
    case notify([String])
    /// Told in batches.
    case group([String], Grouping)
    case dashboardOnly
  }
  /// All must hold; none: every alert.
  package var matchers: [Matcher]
  package var delivery: Delivery
  package var continues: Bool
  package init(matchers: [Matcher], delivery: Delivery, continues: Bool = false) {
    self.matchers = matchers
    self.delivery = delivery
    self.continues = continues
  }
}
