/// A fact, with what it says. Every case has a payload that writes itself as the `data` of its row and reads itself back.
package enum AlertEvent: Sendable, Equatable {
  case detected(Detected)
  case deduplicated(Deduplicated)
  case severityRaised(SeverityRaised)
  case cleared(Cleared)
  case reopened(Reopened)
  case resolved(Resolved)
  case flapping(Flapping)
  case steady(Steady)
  case acknowledged(Acknowledged)
  case unacknowledged(Unacknowledged)
  case snoozed(Snoozed)
  case unsnoozed(Unsnoozed)
  case commented(Commented)
  case assigned(Assigned)
  case labelled(Labelled)
  case silenced(Silenced)
  case unsilenced(Unsilenced)
  case inhibited(Inhibited)
  case uninhibited(Uninhibited)
  case escalated(Escalated)
  case exhausted(Exhausted)
  case notificationRequested(NotificationRequested)
  case notificationAttempted(NotificationAttempted)
  case notificationDelivered(NotificationDelivered)
  case notificationFailed(NotificationFailed)
  case notificationCancelled(NotificationCancelled)
  case configured(Configured)
  case silenceAdded(SilenceAdded)
  case silenceExpired(SilenceExpired)

  package var payload: any EventPayload {
    switch self {
    case .detected(let p): p
    case .deduplicated(let p): p
    case .severityRaised(let p): p
    case .cleared(let p): p
    case .reopened(let p): p
    case .resolved(let p): p
    case .flapping(let p): p
    case .steady(let p): p
    case .acknowledged(let p): p
    case .unacknowledged(let p): p
    case .snoozed(let p): p
    case .unsnoozed(let p): p
    case .commented(let p): p
    case .assigned(let p): p
    case .labelled(let p): p
    case .silenced(let p): p
    case .unsilenced(let p): p
    case .inhibited(let p): p
    case .uninhibited(let p): p
    case .escalated(let p): p
    case .exhausted(let p): p
    case .notificationRequested(let p): p
    case .notificationAttempted(let p): p
    case .notificationDelivered(let p): p
    case .notificationFailed(let p): p
    case .notificationCancelled(let p): p
    case .configured(let p): p
    case .silenceAdded(let p): p
    case .silenceExpired(let p): p
    }
  }

  package var type: EventType {
    switch self {
    case .detected: .detected
    case .deduplicated: .deduplicated
    default: Swift.type(of: payload).type
    }
  }
  package var data: JSON { payload.json }

  /// The text of ``data``. The two kinds that come by the hundred thousand write theirs without a tree.
  package func write(to out: inout [UInt8]) {
    switch self {
    case .detected(let p): p.write(to: &out)
    case .deduplicated(let p): p.write(to: &out)
    default: payload.json.write(to: &out)
    }
  }

  /// Reads a row's `data` back. `known` is what this row's type must hold; anything else in it is passed over, so that a newer
  /// Tocsin may add members.
  package init(type: EventType, data: JSON) throws(EventDataError) {
    switch type {
    case .detected: self = .detected(try Detected(json: data))
    case .deduplicated: self = .deduplicated(try Deduplicated(json: data))
    case .severity_raised: self = .severityRaised(try SeverityRaised(json: data))
    case .cleared: self = .cleared(try Cleared(json: data))
    case .reopened: self = .reopened(try Reopened(json: data))
    case .resolved: self = .resolved(try Resolved(json: data))
    case .flapping: self = .flapping(try Flapping(json: data))
    case .steady: self = .steady(try Steady(json: data))
    case .acknowledged: self = .acknowledged(try Acknowledged(json: data))
    case .unacknowledged: self = .unacknowledged(try Unacknowledged(json: data))
    case .snoozed: self = .snoozed(try Snoozed(json: data))
    case .unsnoozed: self = .unsnoozed(try Unsnoozed(json: data))
    case .commented: self = .commented(try Commented(json: data))
    case .assigned: self = .assigned(try Assigned(json: data))
    case .labelled: self = .labelled(try Labelled(json: data))
    case .silenced: self = .silenced(try Silenced(json: data))
    case .unsilenced: self = .unsilenced(try Unsilenced(json: data))
    case .inhibited: self = .inhibited(try Inhibited(json: data))
    case .uninhibited: self = .uninhibited(try Uninhibited(json: data))
    case .escalated: self = .escalated(try Escalated(json: data))
    case .exhausted: self = .exhausted(try Exhausted(json: data))
    case .notification_requested: self = .notificationRequested(try NotificationRequested(json: data))
    case .notification_attempted: self = .notificationAttempted(try NotificationAttempted(json: data))
    case .notification_delivered: self = .notificationDelivered(try NotificationDelivered(json: data))
    case .notification_failed: self = .notificationFailed(try NotificationFailed(json: data))
    case .notification_cancelled: self = .notificationCancelled(try NotificationCancelled(json: data))
    case .configured: self = .configured(try Configured(json: data))
    case .silence_added: self = .silenceAdded(try SilenceAdded(json: data))
    case .silence_expired: self = .silenceExpired(try SilenceExpired(json: data))
    }
  }
}

/// What one kind of event says.
package protocol EventPayload: Sendable, Equatable {
  static var type: EventType { get }
  var json: JSON { get }
  init(json: JSON) throws(EventDataError)
}

/// A row whose `data` is not what its type must hold.
package struct EventDataError: Error, CustomStringConvertible, Equatable {
  package var member: String
  package init(_ member: String) { self.member = member }
  package var description: String { "its data has no usable \"\(member)\"" }
}

extension JSON {
  /// A member that must be there.
  func need<T>(_ name: String, _ read: (JSON) -> T?) throws(EventDataError) -> T {
    guard let member = self[name], let value = read(member) else { throw EventDataError(name) }
    return value
  }
  func needText(_ name: String) throws(EventDataError) -> String { try need(name) { $0.string } }
  func needInt(_ name: String) throws(EventDataError) -> Int { try need(name) { $0.int.map { Int($0) } } }
  func needSeverity(_ name: String) throws(EventDataError) -> Severity {
    try need(name) { $0.string.flatMap { Severity(name: $0) } }
  }
  func severity(_ name: String) -> Severity? { self[name]?.string.flatMap { Severity(name: $0) } }
  func text(_ name: String) -> String? { self[name]?.string }
  func integer(_ name: String) -> Int? { self[name]?.int.map { Int($0) } }
}
