package import Alerts

/// Something that does not hold. It becomes an alert of Tocsin's own, and is cleared when it holds again.
package struct Finding: Hashable, Sendable {
  /// The `metric` of the alert.
  package enum Kind: String, Sendable, CaseIterable {
    /// A timer was fired too late, or has not been yet.
    case deadlines_late
    /// Requested is not delivered, pending, failed and cancelled together.
    case messages_unaccounted
    /// An alert is over, and somebody who was told of it has neither been told the end nor is about to be.
    case resolved_owed
    /// Messages are due on a channel, and no notifier takes any.
    case messages_untaken
    /// A message is neither delivered nor given up, long after its receiver's patience.
    case messages_overdue
    /// The tables don't follow the log.
    case tables_behind
    /// The log can't be written. Nothing can be stored about it meanwhile: it is shown, the outbound heartbeat stops, and it is told afterwards.
    case log_unwritable
    /// Somebody who should be heard is not.
    case heartbeat_silent
  }
  package var kind: Kind
  /// The channel, or the name of who is silent.
  package var about: String?

  package init(_ kind: Kind, about: String? = nil) {
    self.kind = kind
    self.about = about
  }

  /// The label that ``about`` is the value of.
  package var label: String? {
    switch kind {
    case .messages_untaken: "channel"
    case .heartbeat_silent: "heartbeat"
    default: nil
    }
  }

  /// Whether it is Tocsin's own failure. A silent detector is told through the channels, as everything else is; only when Tocsin itself does not keep
  /// its promises is somebody outside needed.
  package var isOwn: Bool { kind != .heartbeat_silent }

  package static let source = "tocsin/auditor"
  package static let eventType = "tocsin"

  /// The finding that an open alert is about, if the auditor raised it.
  package init?(label: (String) -> String?) {
    guard label("event_type") == Finding.eventType, let kind = label("metric").flatMap(Kind.init(rawValue:)) else {
      return nil
    }
    self.kind = kind
    about = self.label.flatMap(label)
    if self.label != nil, about == nil { return nil }
  }

  /// - Parameter turn: raised by one for each thing that is said, so that no two have one id.
  func anomaly(_ status: Anomaly.Status, _ text: String, severity: Severity, turn: Int, now: Timestamp) -> Anomaly {
    var anomaly = Anomaly(
      id: "\(kind.rawValue)/\(about ?? "")/\(now.microseconds)/\(turn)", source: Finding.source, time: now,
      eventType: Finding.eventType, metric: kind.rawValue)
    if let label, let about { anomaly.dimensions = [.init(label, about)] }
    anomaly.status = status
    anomaly.severity = severity
    anomaly.detector = "auditor"
    anomaly.summary = text
    return anomaly
  }
}

/// What the auditor saw when it last looked.
package struct AuditReport: Sendable, Equatable {
  package struct Item: Sendable, Equatable {
    package var finding: Finding
    package var since: Timestamp
    package var text: String
  }
  /// So many are shown; all are counted.
  package static let shown = 100

  /// Nil before the first look.
  package var at: Timestamp?
  package var items: [Item] = []
  package var count = 0
  /// Those that are Tocsin's own failure.
  package var ownCount = 0
  /// The worst lateness of a deadline since the look before.
  package var lateness = Interval.zero
  /// Channels from which no notifier takes messages that are due.
  package var untaken = 0
  package var expected = 0
  package var silent = 0

  package init() {}

  package var isWell: Bool { at != nil && ownCount == 0 }
}
