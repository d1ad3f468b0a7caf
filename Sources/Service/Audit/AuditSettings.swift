package import Alerts

/// What the auditor holds the service to, and whom it listens for.
package struct AuditSettings: Sendable, Equatable {
  /// No deadline is fired later than this.
  package var deadlinesLate = Interval.seconds(30)
  /// Where messages are due on a channel, some notifier takes one at least this often.
  package var messagesUntaken = Interval.minutes(5)
  /// The tables reach every event within this.
  package var tablesBehind = Interval.minutes(5)
  /// How bad it is when Tocsin itself does not keep one of its promises.
  package var severity = Severity.critical
  /// Programs that must be heard again and again.
  package var expected: [ExpectedHeartbeat] = []
  /// Who is told, again and again, that all is well.
  package var outbound: OutboundHeartbeat?

  package init() {}
}

/// A program whose silence is an alert.
package struct ExpectedHeartbeat: Sendable, Equatable {
  /// As it calls itself in its heartbeats: `detector/warehouse-1`.
  package var name: String
  /// The longest silence.
  package var within: Interval
  package var severity: Severity

  /// Silences shorter than this are not told from a busy network.
  package static let shortest = Interval.seconds(1)
  package static let longest = Interval.days(366)

  package init(name: String, within: Interval, severity: Severity = .high) {
    self.name = name
    self.within = within
    self.severity = severity
  }
}

/// An address elsewhere that is called while all is well, so that somebody outside notices when it is not called any more.
package struct OutboundHeartbeat: Sendable, Equatable {
  /// A secret: whoever has it can keep the watcher quiet.
  package var url: String
  package var every = Interval.minutes(1)
  package var timeout = Interval.seconds(10)

  package init(url: String) { self.url = url }
}
