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
    /// The step before reached nobody.
    case nobody_reached
    /// The step had waited for its hours, and they have begun.
    case hours_began
  }
  /// The step's place in the policy, from 0.
  package var step: Int
  /// How often the whole policy had been gone through before, from 0.
  package var round: Int
  package var reason: Reason
  /// Receivers of the step that nobody could be reached by: nobody is on call, or who is has no address.
  package var unreached: [String]
  /// The step was passed over, for it is outside its hours.
  package var skipped: Bool
  /// The step waits until then for its hours, and tells nobody before.
  package var waitsUntil: Timestamp?
  package init(
    step: Int, round: Int, reason: Reason, unreached: [String] = [], skipped: Bool = false, waitsUntil: Timestamp? = nil
  ) {
    self.step = step
    self.round = round
    self.reason = reason
    self.unreached = unreached
    self.skipped = skipped
    self.waitsUntil = waitsUntil
  }
  package var json: JSON {
    .compact([
      "step": .int(step), "round": .int(round), "reason": .string(reason.rawValue),
      "unreached": unreached.isEmpty ? .null : .array(unreached.map { .string($0) }), "skipped": skipped ? true : .null,
      "waits_until": .micros(waitsUntil),
    ])
  }
  package init(json: JSON) throws(EventDataError) {
    step = try json.needInt("step")
    round = try json.needInt("round")
    reason = try json.need("reason") { $0.string.flatMap { Reason(rawValue: $0) } }
    unreached = (json["unreached"]?.array ?? []).compactMap(\.string)
    skipped = json["skipped"]?.bool ?? false
    waitsUntil = json["waits_until"]?.micros
  }
}

/// The policy has no step left, and nobody has acknowledged.
package struct Exhausted: EventPayload {
  package static let type = EventType.exhausted
  package var rounds: Int
  /// For a route without a policy: its receivers, by none of which anybody could be reached.
  package var unreached: [String]
  package init(rounds: Int, unreached: [String] = []) {
    self.rounds = rounds
    self.unreached = unreached
  }
  package var json: JSON {
    .compact([
      "rounds": .int(rounds), "unreached": unreached.isEmpty ? .null : .array(unreached.map { .string($0) }),
    ])
  }
  package init(json: JSON) throws(EventDataError) {
    rounds = try json.needInt("rounds")
    unreached = (json["unreached"]?.array ?? []).compactMap(\.string)
  }
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
  /// The receiver that the rules name and by which nobody could be reached: this one is its fallback.
  package var insteadOf: String?

  package init(
    key: String, purpose: Purpose, receiver: String, channel: String, destination: String, step: Int? = nil,
    round: Int? = nil, members: [AlertID] = [], content: JSON? = nil, notBefore: Timestamp? = nil,
    occasion: Occasion? = nil, insteadOf: String? = nil
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
    self.insteadOf = insteadOf
  }
  package var json: JSON {
    .compact([
      "key": .string(key), "purpose": .string(purpose.rawValue), "receiver": .string(receiver),
      "channel": .string(channel), "destination": .string(destination), "step": step.map { .int($0) } ?? .null,
      "round": round.map { .int($0) } ?? .null,
      "members": members.isEmpty ? .null : .array(members.map { .string($0.description) }), "content": content ?? .null,
      "not_before": .micros(notBefore), "instead_of": .text(insteadOf), "why": occasion?.json ?? .null,
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
    insteadOf = json.text("instead_of")
  }
}

/// A try that did not deliver, or a message that has to wait without one, and when it goes on.
package struct NotificationAttempted: EventPayload {
  package static let type = EventType.notification_attempted
  package var key: String
  /// From 1. Where nothing was sent, the tries so far.
  package var attempt: Int
  /// The provider's status: HTTP's or SMTP's code, if there was an answer.
  package var status: Int?
  package var message: String
  /// Whether the provider may have taken it all the same: the connection ended after the last byte, or the worker vanished.
  package var outcomeUnknown: Bool
  package var nextAt: Timestamp
  /// From taking the job up to the provider's answer, or to giving up on one.
  package var latency: Interval?
  /// Of the destination's addresses, those that took it in this try.
  package var taken: [String]
  /// Nothing was sent: its destination takes no more for now, and ``message`` says why.
  package var isUnsent: Bool
  package init(
    key: String, attempt: Int, status: Int?, message: String, outcomeUnknown: Bool, nextAt: Timestamp,
    latency: Interval? = nil, taken: [String] = [], isUnsent: Bool = false
  ) {
    self.key = key
    self.attempt = attempt
    self.status = status
    self.message = message
    self.outcomeUnknown = outcomeUnknown
    self.nextAt = nextAt
    self.taken = taken
    self.isUnsent = isUnsent
    self.latency = latency
  }
  package var json: JSON {
    .compact([
      "key": .string(key), "attempt": .int(attempt), "status": status.map { .int($0) } ?? .null,
      "message": .string(message), "outcome_unknown": outcomeUnknown ? true : .null, "next_at": .micros(nextAt),
      "taken": taken.isEmpty ? .null : .array(taken.map { .string($0) }),
      "latency_us": latency.map { .int($0.microseconds) } ?? .null, "unsent": isUnsent ? true : .null,
    ])
  }
  package init(json: JSON) throws(EventDataError) {
    key = try json.needText("key")
    attempt = try json.needInt("attempt")
    status = json.integer("status")
    message = json.text("message") ?? ""
    outcomeUnknown = json["outcome_unknown"]?.bool ?? false
    nextAt = try json.need("next_at") { $0.micros }
    taken = (json["taken"]?.array ?? []).compactMap(\.string)
    isUnsent = json["unsent"]?.bool ?? false
    latency = json["latency_us"]?.int.map { Interval(microseconds: $0) }
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
  package var latency: Interval?
  package init(key: String, attempt: Int, status: Int?, message: String, latency: Interval? = nil) {
    self.key = key
    self.attempt = attempt
    self.status = status
    self.message = message
    self.latency = latency
  }
  package var json: JSON {
    .compact([
      "key": .string(key), "attempt": .int(attempt), "status": status.map { .int($0) } ?? .null,
      "message": .string(message), "latency_us": latency.map { .int($0.microseconds) } ?? .null,
    ])
  }
  package init(json: JSON) throws(EventDataError) {
    key = try json.needText("key")
    attempt = try json.needInt("attempt")
    status = json.integer("status")
    message = json.text("message") ?? ""
    latency = json["latency_us"]?.int.map { Interval(microseconds: $0) }
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
