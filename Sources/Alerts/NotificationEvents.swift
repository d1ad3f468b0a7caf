// Telling people, as facts.

/// The policy moved on to a step. The first step of an alert that opens unsilenced is part of `detected`, without an event of its own.
package struct Escalated: EventPayload {
  package static let type = EventType.escalated
  package enum Reason: String, Sendable {
    /// The step's delay went by and nobody had acknowledged.
    case delay
    /// A delivery of the step before failed for good.
    case delivery_failed
    /// Somebody asked for it.
    case by_hand
    /// What had held it back (a silence, a snooze, an inhibition, an acknowledgement) ended, and it still fires.
    case resumed
    case severity_raised
    case reopened
  }
  /// The step's place in the policy, from 0.
  package var step: Int
  /// How often the whole policy had been gone through before, from 0.
  package var round: Int
  package var reason: Reason
  package init(step: Int, round: Int, reason: Reason) {
    self.step = step
    self.round = round
    self.reason = reason
  }
  package var json: JSON { ["step": .int(step), "round": .int(round), "reason": .string(reason.rawValue)] }
  package init(json: JSON) throws(EventDataError) {
    step = try json.needInt("step")
    round = try json.needInt("round")
    reason = try json.need("reason") { $0.string.flatMap { Reason(rawValue: $0) } }
  }
}

/// The policy has no step left, and nobody has acknowledged.
package struct Exhausted: EventPayload {
  package static let type = EventType.exhausted
  package var rounds: Int
  package init(rounds: Int) { self.rounds = rounds }
  package var json: JSON { ["rounds": .int(rounds)] }
  package init(json: JSON) throws(EventDataError) { rounds = try json.needInt("rounds") }
}

/// What a message is for.
package enum Purpose: String, Sendable, CaseIterable {
  /// It fires: the first word, an escalation's, or a repeat's.
  case firing
  /// Somebody took it: for channels that show it (Slack's message, PagerDuty's incident).
  case acknowledged
  /// It is over: owed once to each that was told *firing*.
  case resolved
  /// To the one who acknowledged: it runs out soon.
  case reminder
  /// Many alerts in one message.
  case summary
  /// A weekly, daily or monthly digest.
  case digest
  /// A word about a silence or about Tocsin itself.
  case notice
}

/// A message is owed. From here on it is delivered, or failed, or cancelled, and nothing else.
package struct NotificationRequested: EventPayload {
  package static let type = EventType.notification_requested
  /// The idempotency key: the same for every try, and for ever. `A-1042/firing/1/data-team/slack/#data-alerts`.
  package var key: String
  package var purpose: Purpose
  package var receiver: String
  /// `email`, `slack`, `pagerduty`, `webhook`, …
  package var channel: String
  /// Where on the channel, without secrets: addresses joined by commas, a Slack channel, or the receiver's own name.
  package var destination: String
  /// The step of the policy that asked for it, from 0.
  package var step: Int?
  package var round: Int?
  /// The alerts that a summary tells of.
  package var members: [AlertID]
  /// A digest's content, rendered when it was requested, so that a late try sends the same.
  package var content: JSON?
  /// Quiet hours hold it back until then; nil: it may go at once.
  package var notBefore: Timestamp?
  /// Why a message *firing* is owed.
  package var occasion: Occasion?

  package init(
    key: String, purpose: Purpose, receiver: String, channel: String, destination: String, step: Int? = nil,
    round: Int? = nil, members: [AlertID] = [], content: JSON? = nil, notBefore: Timestamp? = nil,
    occasion: Occasion? = nil
  ) {
    self.key = key
    self.purpose = purpose
    self.receiver = receiver
    self.channel = channel
    self.destination = destination
    self.step = step
    self.round = round
    self.members = members
    self.content = content
    self.notBefore = notBefore
    self.occasion = occasion
  }
  package var json: JSON {
    .compact([
      "key": .string(key), "purpose": .string(purpose.rawValue), "receiver": .string(receiver),
      "channel": .string(channel), "destination": .string(destination), "step": step.map { .int($0) } ?? .null,
      "round": round.map { .int($0) } ?? .null,
      "members": members.isEmpty ? .null : .array(members.map { .string($0.description) }), "content": content ?? .null,
      "not_before": .micros(notBefore), "why": occasion?.json ?? .null,
    ])
  }
  package init(json: JSON) throws(EventDataError) {
    key = try json.needText("key")
    purpose = try json.need("purpose") { $0.string.flatMap { Purpose(rawValue: $0) } }
    receiver = try json.needText("receiver")
    channel = try json.needText("channel")
    destination = json.text("destination") ?? ""
    step = json.integer("step")
    round = json.integer("round")
    members = (json["members"]?.array ?? []).compactMap { $0.string.flatMap { AlertID($0) } }
    content = json["content"]
    notBefore = json["not_before"]?.micros
    occasion = json["why"].flatMap { Occasion(json: $0) }
  }
}

/// A try that did not deliver, and when the next one is due.
package struct NotificationAttempted: EventPayload {
  package static let type = EventType.notification_attempted
  package var key: String
  /// From 1.
  package var attempt: Int
  /// The provider's status: HTTP's or SMTP's code, if there was an answer.
  package var status: Int?
  package var message: String
  /// Whether the provider may have taken it all the same: the connection ended after the last byte, or the worker vanished.
  package var outcomeUnknown: Bool
  package var nextAt: Timestamp
  package init(key: String, attempt: Int, status: Int?, message: String, outcomeUnknown: Bool, nextAt: Timestamp) {
    self.key = key
    self.attempt = attempt
    self.status = status
    self.message = message
    self.outcomeUnknown = outcomeUnknown
    self.nextAt = nextAt
  }
  package var json: JSON {
    .compact([
      "key": .string(key), "attempt": .int(attempt), "status": status.map { .int($0) } ?? .null,
      "message": .string(message), "outcome_unknown": outcomeUnknown ? true : .null, "next_at": .micros(nextAt),
    ])
  }
  package init(json: JSON) throws(EventDataError) {
    key = try json.needText("key")
    attempt = try json.needInt("attempt")
    status = json.integer("status")
    message = json.text("message") ?? ""
    outcomeUnknown = json["outcome_unknown"]?.bool ?? false
    nextAt = try json.need("next_at") { $0.micros }
  }
}

package struct NotificationDelivered: EventPayload {
  package static let type = EventType.notification_delivered
  package var key: String
  package var attempt: Int
  package var status: Int?
  /// From taking the job up to the provider's answer.
  package var latency: Interval?
  /// What later messages to the same place need: Slack's `ts` and `channel`, the email's thread root.
  package var provider: JSON?
  package init(key: String, attempt: Int, status: Int?, latency: Interval?, provider: JSON?) {
    self.key = key
    self.attempt = attempt
    self.status = status
    self.latency = latency
    self.provider = provider
  }
  package var json: JSON {
    .compact([
      "key": .string(key), "attempt": .int(attempt), "status": status.map { .int($0) } ?? .null,
      "latency_us": latency.map { .int($0.microseconds) } ?? .null, "provider": provider ?? .null,
    ])
  }
  package init(json: JSON) throws(EventDataError) {
    key = try json.needText("key")
    attempt = try json.needInt("attempt")
    status = json.integer("status")
    latency = json["latency_us"]?.int.map { Interval(microseconds: $0) }
    provider = json["provider"]
  }
}

/// It will never be delivered: the provider refused it for good, or patience ran out.
package struct NotificationFailed: EventPayload {
  package static let type = EventType.notification_failed
  package var key: String
  package var attempt: Int
  package var status: Int?
  package var message: String
  package init(key: String, attempt: Int, status: Int?, message: String) {
    self.key = key
    self.attempt = attempt
    self.status = status
    self.message = message
  }
  package var json: JSON {
    .compact([
      "key": .string(key), "attempt": .int(attempt), "status": status.map { .int($0) } ?? .null,
      "message": .string(message),
    ])
  }
  package init(json: JSON) throws(EventDataError) {
    key = try json.needText("key")
    attempt = try json.needInt("attempt")
    status = json.integer("status")
    message = json.text("message") ?? ""
  }
}

/// Nobody wants it any more.
package struct NotificationCancelled: EventPayload {
  package static let type = EventType.notification_cancelled
  package var key: String
  package var reason: String
  /// The group whose message tells of it instead: so many came at once that one message says it for all.
  package var into: Subject?
  package init(key: String, reason: String, into: Subject? = nil) {
    self.key = key
    self.reason = reason
    self.into = into
  }
  package var json: JSON {
    .compact(["key": .string(key), "reason": .string(reason), "into": .text(into?.description)])
  }
  package init(json: JSON) throws(EventDataError) {
    key = try json.needText("key")
    reason = json.text("reason") ?? ""
    into = json.text("into").flatMap { Subject($0) }
  }
}
