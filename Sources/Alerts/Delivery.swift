/// A message for one notifier worker to deliver, with the time that it has for it.
package struct Job: Sendable, Equatable {
  /// The idempotency key, the same for every try.
  package var key: String
  package var subject: Subject
  package var purpose: Purpose
  package var receiver: String
  package var channel: String
  package var destination: String
  /// From 1.
  package var attempt: Int
  package var requestedAt: Timestamp
  /// After this the job may be given to another worker.
  package var leaseUntil: Timestamp
  /// The alert at the moment of leasing; nil for summaries, digests and notices.
  package var alert: AlertSummary?
  /// A summary's alerts, worst first: the top ones of ``memberCount``.
  package var members: [AlertSummary]
  package var memberCount: Int
  /// What all of a summary's alerts have in common; nil where the service did not say.
  package var tally: Tally?
  /// What earlier deliveries about this subject to this place returned (Slack's `ts`, …), merged, newest last.
  package var thread: JSON?
  /// A digest's or notice's content.
  package var content: JSON?
  /// Where the console is, for links; nil where it has no address that people can open.
  package var consoleURL: String?
  /// Of the destination's addresses, those that an earlier try reached: they must not get it again.
  package var taken: [String] = []
  /// Why a message *firing* goes out now; nil for what a log of before this was known asked for.
  package var occasion: Occasion?

  package init(
    key: String, subject: Subject, purpose: Purpose, receiver: String, channel: String, destination: String,
    attempt: Int, requestedAt: Timestamp, leaseUntil: Timestamp, alert: AlertSummary? = nil,
    members: [AlertSummary] = [], memberCount: Int = 0, thread: JSON? = nil, content: JSON? = nil,
    consoleURL: String? = nil, occasion: Occasion? = nil
  ) {
    self.key = key
    self.subject = subject
    self.purpose = purpose
    self.receiver = receiver
    self.channel = channel
    self.destination = destination
    self.attempt = attempt
    self.requestedAt = requestedAt
    self.leaseUntil = leaseUntil
    self.alert = alert
    self.members = members
    self.memberCount = memberCount
    self.thread = thread
    self.content = content
    self.consoleURL = consoleURL
    self.occasion = occasion
  }

  package var json: JSON {
    .compact([
      "key": .string(key), "subject": .string(subject.description), "purpose": .string(purpose.rawValue),
      "receiver": .string(receiver), "channel": .string(channel), "destination": .string(destination),
      "attempt": .int(attempt), "requested_at": .string(requestedAt.rfc3339),
      "lease_until": .string(leaseUntil.rfc3339),
      "alert": alert?.json ?? .null, "tally": tally?.json ?? .null,
      "members": members.isEmpty ? .null : .array(members.map(\.json)),
      "member_count": memberCount == 0 ? .null : .int(memberCount), "thread": thread ?? .null,
      "content": content ?? .null, "console_url": .text(consoleURL), "why": occasion?.json ?? .null,
      "taken": taken.isEmpty ? .null : .array(taken.map { .string($0) }),
    ])
  }
  package init(json: JSON) throws(EventDataError) {
    key = try json.needText("key")
    subject = try json.need("subject") { $0.string.flatMap { Subject($0) } }
    purpose = try json.need("purpose") { $0.string.flatMap { Purpose(rawValue: $0) } }
    receiver = try json.needText("receiver")
    channel = try json.needText("channel")
    destination = json.text("destination") ?? ""
    attempt = try json.needInt("attempt")
    requestedAt = try json.need("requested_at") { $0.timestamp }
    leaseUntil = try json.need("lease_until") { $0.timestamp }
    if let alert = json["alert"] { self.alert = try AlertSummary(json: alert) }
    members = []
    for member in json["members"]?.array ?? [] { members.append(try AlertSummary(json: member)) }
    memberCount = json.integer("member_count") ?? members.count
    tally = json["tally"].map { Tally(json: $0) }
    thread = json["thread"]
    content = json["content"]
    consoleURL = json.text("console_url")
    taken = (json["taken"]?.array ?? []).compactMap(\.string)
    occasion = json["why"].flatMap { Occasion(json: $0) }
  }
}

/// How a summary's alerts stand, those that it does not name as well.
package struct Tally: Sendable, Equatable {
  package var bySeverity: [Severity: Int] = [:]
  /// Those that are over.
  package var ended = 0
  /// Where all of them are of one event type.
  package var eventType: String?
  package init() {}

  /// Worst first, without zeros: `1 critical, 12 high`.
  package var words: String {
    Severity.allCases.sorted(by: >).compactMap { s in
      bySeverity[s].flatMap { $0 > 0 ? "\(Format.number(Double($0))) \(s.name)" : nil }
    }.joined(separator: ", ")
  }

  package var json: JSON {
    .compact([
      "severities": .object(
        bySeverity.sorted { $0.key > $1.key }.map { JSON.Member($0.key.name, .int($0.value)) }),
      "ended": .int(ended), "event_type": .text(eventType),
    ])
  }
  package init(json: JSON) {
    for m in json["severities"]?.members ?? [] {
      if let severity = Severity(name: m.name), let n = m.value.int { bySeverity[severity] = Int(clamping: n) }
    }
    ended = json.integer("ended") ?? 0
    eventType = json.text("event_type")
  }
}

/// What became of a job.
package struct Receipt: Sendable, Equatable {
  package enum Outcome: String, Sendable {
    case delivered
    /// Not now; again later.
    case retry
    /// Never, unchanged.
    case failed
  }
  package var key: String
  package var attempt: Int
  package var outcome: Outcome
  /// The provider's HTTP or SMTP code, if it answered.
  package var status: Int?
  /// The provider's words, without secrets.
  package var message: String
  /// The provider asked for this much patience.
  package var retryAfter: Interval?
  /// Whether the provider may have taken it although no answer came.
  package var outcomeUnknown: Bool
  package var latency: Interval?
  /// What later messages of the same thread need.
  package var provider: JSON?
  /// Of several addresses, those that took it although the try as a whole is to be made again.
  package var taken: [String] = []
  /// With ``Outcome/retry``: nothing was sent, and ``message`` says what it waits for, ``retryAfter`` until when. Such a job comes back without having been tried.
  package var isUnsent = false

  package init(
    key: String, attempt: Int, outcome: Outcome, status: Int? = nil, message: String = "", retryAfter: Interval? = nil,
    outcomeUnknown: Bool = false, latency: Interval? = nil, provider: JSON? = nil
  ) {
    self.key = key
    self.attempt = attempt
    self.outcome = outcome
    self.status = status
    self.message = message
    self.retryAfter = retryAfter
    self.outcomeUnknown = outcomeUnknown
    self.latency = latency
    self.provider = provider
  }

  package var json: JSON {
    .compact([
      "key": .string(key), "attempt": .int(attempt), "outcome": .string(outcome.rawValue),
      "status": status.map { .int($0) } ?? .null, "message": .string(message),
      "retry_after_us": retryAfter.map { .int($0.microseconds) } ?? .null,
      "outcome_unknown": outcomeUnknown ? true : .null, "latency_us": latency.map { .int($0.microseconds) } ?? .null,
      "provider": provider ?? .null, "taken": taken.isEmpty ? .null : .array(taken.map { .string($0) }),
      "unsent": isUnsent ? true : .null,
    ])
  }
  package init(json: JSON) throws(EventDataError) {
    key = try json.needText("key")
    attempt = try json.needInt("attempt")
    outcome = try json.need("outcome") { $0.string.flatMap { Outcome(rawValue: $0) } }
    status = json.integer("status")
    message = json.text("message") ?? ""
    retryAfter = json["retry_after_us"]?.int.map { Interval(microseconds: $0) }
    outcomeUnknown = json["outcome_unknown"]?.bool ?? false
    latency = json["latency_us"]?.int.map { Interval(microseconds: $0) }
    provider = json["provider"]
    taken = (json["taken"]?.array ?? []).compactMap(\.string)
    isUnsent = json["unsent"]?.bool ?? false
  }
}
