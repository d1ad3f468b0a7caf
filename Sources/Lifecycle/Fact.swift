package import Alerts

/// What the engine needs of an event, and nothing else of it.
///
/// The engine changes by facts alone, live and in a replay. Live they come from the events that it decides; in a replay ``FactReader`` takes
/// them straight from the log's rows, so that a million rows need not become a million anomalies first.
package struct Fact: Sendable, Equatable {
  package var position: Int64
  package var subject: Subject
  package var version: Int
  package var recordedAt: Timestamp
  package var actor: String
  package var type: EventType
  package var event: What

  /// As ``AlertEvent``, but for what is large and decides nothing.
  package enum What: Sendable, Equatable {
    case detected(Opening)
    case deduplicated(Repeated)
    case severityRaised(SeverityRaised)
    case cleared
    case reopened(Refiring)
    case resolved(Resolved)
    case flapping
    case steady
    case acknowledged(Acknowledged)
    case unacknowledged
    case snoozed(Snoozed)
    case unsnoozed
    case commented
    case assigned(Assigned)
    case labelled
    case silenced(Silenced)
    case unsilenced(Unsilenced)
    case inhibited(Inhibited)
    case uninhibited
    case escalated(Escalated)
    case exhausted
    case notificationRequested(Request)
    case notificationAttempted(NotificationAttempted)
    case notificationDelivered(Delivery)
    case notificationFailed(key: String)
    case notificationCancelled(key: String, into: Subject?)
    case configured(Shared<Configured>)
    case silenceAdded(Shared<SilenceAdded>)
    case silenceExpired(SilenceExpired)
  }

  package struct Opening: Sendable, Equatable {
    package var generation: Int
    package var key: StableHash
    package var severity: Severity
    package var labels: PackedLabels
    package var route: FrozenRoute
  }
  package struct Repeated: Sendable, Equatable {
    package var count: Int
  }
  package struct Refiring: Sendable, Equatable {
    package var severity: Severity
  }
  package struct Request: Sendable, Equatable {
    package var key: String
    package var purpose: Purpose
    package var place: AlertState.Place
    package var step: Int?
    package var round: Int?
    package var members: [AlertID]
    package var notBefore: Timestamp?
    package var occasion: Occasion?
  }
  package struct Delivery: Sendable, Equatable {
    package var key: String
    /// JSON text.
    package var provider: [UInt8]?
  }

  package init(
    position: Int64, subject: Subject, version: Int, recordedAt: Timestamp, actor: String, type: EventType, event: What
  ) {
    self.position = position
    self.subject = subject
    self.version = version
    self.recordedAt = recordedAt
    self.actor = actor
    self.type = type
    self.event = event
  }

  package init(_ e: RecordedEvent) {
    self.init(
      position: e.position, subject: e.subject, version: e.version, recordedAt: e.recordedAt, actor: e.actor,
      type: e.type, event: What(e.event))
  }
}

/// A value that many may hold at once, once in memory.
package final class Shared<Value: Sendable & Equatable>: Sendable, Equatable {
  package let value: Value
  package init(_ value: Value) { self.value = value }
  package static func == (a: Shared, b: Shared) -> Bool { a === b || a.value == b.value }
}

extension Fact.What {
  package init(_ event: AlertEvent) {
    switch event {
    case .detected(let d):
      self = .detected(
        Fact.Opening(
          generation: d.generation, key: StableHash(d.dedupKey), severity: d.severity,
          labels: d.kept.packedLabels, route: d.frozen))
    case .deduplicated(let d): self = .deduplicated(Fact.Repeated(count: d.count))
    case .severityRaised(let r): self = .severityRaised(r)
    case .cleared: self = .cleared
    case .reopened(let r): self = .reopened(Fact.Refiring(severity: r.severity))
    case .resolved(let r): self = .resolved(Resolved(how: r.how, seen: r.seen))
    case .flapping: self = .flapping
    case .steady: self = .steady
    case .acknowledged(let a): self = .acknowledged(a)
    case .unacknowledged: self = .unacknowledged
    case .snoozed(let s): self = .snoozed(s)
    case .unsnoozed: self = .unsnoozed
    case .commented: self = .commented
    case .assigned(let a): self = .assigned(a)
    case .labelled: self = .labelled
    case .silenced(let s): self = .silenced(s)
    case .unsilenced(let s): self = .unsilenced(s)
    case .inhibited(let i): self = .inhibited(i)
    case .uninhibited: self = .uninhibited
    case .escalated(let e): self = .escalated(e)
    case .exhausted: self = .exhausted
    case .notificationRequested(let n):
      self = .notificationRequested(
        Fact.Request(
          key: n.key, purpose: n.purpose,
          place: AlertState.Place(
            receiver: n.receiver, target: .init(channel: n.channel, destination: n.destination)),
          step: n.step, round: n.round, members: n.members, notBefore: n.notBefore, occasion: n.occasion))
    case .notificationAttempted(let a): self = .notificationAttempted(a)
    case .notificationDelivered(let d):
      self = .notificationDelivered(Fact.Delivery(key: d.key, provider: d.provider?.bytes))
    case .notificationFailed(let f): self = .notificationFailed(key: f.key)
    case .notificationCancelled(let c): self = .notificationCancelled(key: c.key, into: c.into)
    case .configured(let c): self = .configured(Shared(c))
    case .silenceAdded(let s): self = .silenceAdded(Shared(s))
    case .silenceExpired(let s): self = .silenceExpired(s)
    }
  }
}
