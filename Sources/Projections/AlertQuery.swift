package import Alerts

/// Which alerts to list, in which order, and where the page begins. What is empty or nil does not limit.
package struct AlertQuery: Sendable, Equatable {
  package enum Order: String, Sendable, CaseIterable {
    /// By opening, newest first.
    case newest
    /// By opening, oldest first.
    case oldest
    /// The worst first; among equals the newest.
    case severity
  }
  /// A reason why nobody is told.
  package enum Hold: String, Sendable, CaseIterable { case silenced, inhibited, snoozed }

  package var states: Set<AlertSummary.State> = []
  package var severities: Set<Severity> = []
  package var eventTypes: [String] = []
  package var metrics: [String] = []
  package var detectors: [String] = []
  /// Nil: all. Empty: none, for a reader who may see no tenant.
  package var tenants: [String]?
  package var assignee: String?
  package var acknowledgedBy: String?
  package var condition: AlertSummary.Condition?
  package var label: Labelled.Label?
  package var dedupKey: String?
  /// True: only those that something holds back; false: only those that nothing does.
  package var isHeld: Bool?
  /// True: only those with a message that failed for good.
  package var hasFailedNotification = false
  /// All must hold, on any label, dimension or built-in name.
  package var matchers: [Matcher] = []
  /// Opened at this instant or later.
  package var openedFrom: Timestamp?
  /// Opened before this instant.
  package var openedBefore: Timestamp?
  /// Words that must all occur, each at least as the beginning of a word, in the summary, event type, metric, dimensions, labels, notes or
  /// comments. An alert's id finds that alert.
  package var text: String?
  package var order = Order.newest
  /// Where the page before ended.
  package var after: AlertCursor?
  /// Alerts on a page, 1 to ``limitLimit``.
  package var limit = 50

  package static let limitLimit = 500

  package init() {}
}

/// The end of a page, to be handed back for the next one. Its text is opaque.
package struct AlertCursor: Sendable, Equatable, CustomStringConvertible {
  var order: AlertQuery.Order
  var severity: UInt8
  var openedAt: Timestamp
  var number: Int64

  init(_ order: AlertQuery.Order, _ s: AlertSummary) {
    self.order = order
    severity = s.severity.rawValue
    openedAt = s.openedAt
    number = s.id.number
  }

  package var description: String { "\(order.rawValue).\(severity).\(openedAt.microseconds).\(number)" }

  /// Nil for what is no cursor.
  package init?(_ text: some StringProtocol) {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 4, let order = AlertQuery.Order(rawValue: String(parts[0])), let severity = UInt8(parts[1]),
      let at = Int64(parts[2]), let number = Int64(parts[3])
    else { return nil }
    self.order = order
    self.severity = severity
    openedAt = Timestamp(microseconds: at)
    self.number = number
  }
}

package struct AlertPage: Sendable, Equatable {
  package var alerts: [AlertSummary]
  /// Nil on the last page.
  package var next: AlertCursor?
}
