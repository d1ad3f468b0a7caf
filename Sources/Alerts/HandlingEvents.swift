// What people say, and why nobody is told, as facts. Who said it is the row's actor.

package struct Acknowledged: EventPayload {
  package static let type = EventType.acknowledged
  package var note: String?
  /// When it runs out, if the policy limits it.
  package var until: Timestamp?
  package init(note: String? = nil, until: Timestamp? = nil) {
    self.note = note
    self.until = until
  }
  package var json: JSON { .compact(["note": .text(note), "until": .micros(until)]) }
  package init(json: JSON) throws(EventDataError) {
    note = json.text("note")
    until = json["until"]?.micros
  }
}

/// An acknowledgement ended before the alert did.
package struct Unacknowledged: EventPayload {
  package static let type = EventType.unacknowledged
  package enum Reason: String, Sendable { case responder, timeout, severity_raised, reopened }
  package var reason: Reason
  package var note: String?
  package init(reason: Reason, note: String? = nil) {
    self.reason = reason
    self.note = note
  }
  package var json: JSON { .compact(["reason": .string(reason.rawValue), "note": .text(note)]) }
  package init(json: JSON) throws(EventDataError) {
    reason = try json.need("reason") { $0.string.flatMap { Reason(rawValue: $0) } }
    note = json.text("note")
  }
}

package struct Snoozed: EventPayload {
  package static let type = EventType.snoozed
  package var until: Timestamp
  package var note: String?
  /// It ends sooner if the value differs from what it was by more than this fraction; 0: at all.
  package var unlessChanged: Double?
  /// The value at that moment, for one that ends when it changes.
  package var value: Double?
  package init(until: Timestamp, note: String? = nil, unlessChanged: Double? = nil, value: Double? = nil) {
    self.until = until
    self.note = note
    self.unlessChanged = unlessChanged
    self.value = value
  }
  package var json: JSON {
    .compact([
      "until": .micros(until), "note": .text(note), "unless_changed": .number(unlessChanged), "value": .number(value),
    ])
  }
  package init(json: JSON) throws(EventDataError) {
    until = try json.need("until") { $0.micros }
    note = json.text("note")
    unlessChanged = json["unless_changed"]?.double
    value = json["value"]?.double
  }
}

package struct Unsnoozed: EventPayload {
  package static let type = EventType.unsnoozed
  package enum Reason: String, Sendable { case responder, elapsed, severity_raised, value_changed }
  package var reason: Reason
  package init(reason: Reason) { self.reason = reason }
  package var json: JSON { ["reason": .string(reason.rawValue)] }
  package init(json: JSON) throws(EventDataError) {
    reason = try json.need("reason") { $0.string.flatMap { Reason(rawValue: $0) } }
  }
}

package struct Commented: EventPayload {
  package static let type = EventType.commented
  package var text: String
  package init(text: String) { self.text = text }
  package var json: JSON { ["text": .string(text)] }
  package init(json: JSON) throws(EventDataError) { text = try json.needText("text") }
}

package struct Assigned: EventPayload {
  package static let type = EventType.assigned
  package var to: String
  package var note: String?
  package init(to: String, note: String? = nil) {
    self.to = to
    self.note = note
  }
  package var json: JSON { .compact(["to": .string(to), "note": .text(note)]) }
  package init(json: JSON) throws(EventDataError) {
    to = try json.needText("to")
    note = json.text("note")
  }
}

package struct Labelled: EventPayload {
  package static let type = EventType.labelled
  package enum Label: String, Sendable { case true_positive, false_positive }
  package var label: Label
  package var note: String?
  package init(label: Label, note: String? = nil) {
    self.label = label
    self.note = note
  }
  package var json: JSON { .compact(["as": .string(label.rawValue), "note": .text(note)]) }
  package init(json: JSON) throws(EventDataError) {
    label = try json.need("as") { $0.string.flatMap { Label(rawValue: $0) } }
    note = json.text("note")
  }
}

/// A silence holds for this alert from now on.
package struct Silenced: EventPayload {
  package static let type = EventType.silenced
  package var silence: Subject
  package init(silence: Subject) { self.silence = silence }
  package var json: JSON { ["silence": .string(silence.description)] }
  package init(json: JSON) throws(EventDataError) {
    silence = try json.need("silence") { $0.string.flatMap { Subject($0) } }
  }
}

package struct Unsilenced: EventPayload {
  package static let type = EventType.unsilenced
  package var silence: Subject
  package init(silence: Subject) { self.silence = silence }
  package var json: JSON { ["silence": .string(silence.description)] }
  package init(json: JSON) throws(EventDataError) {
    silence = try json.need("silence") { $0.string.flatMap { Subject($0) } }
  }
}

/// Another open alert explains this one.
package struct Inhibited: EventPayload {
  package static let type = EventType.inhibited
  package var by: AlertID
  package var rule: String
  package init(by: AlertID, rule: String) {
    self.by = by
    self.rule = rule
  }
  package var json: JSON { ["by": .string(by.description), "rule": .string(rule)] }
  package init(json: JSON) throws(EventDataError) {
    by = try json.need("by") { $0.string.flatMap { AlertID($0) } }
    rule = json.text("rule") ?? ""
  }
}

package struct Uninhibited: EventPayload {
  package static let type = EventType.uninhibited
  package var by: AlertID
  package init(by: AlertID) { self.by = by }
  package var json: JSON { ["by": .string(by.description)] }
  package init(json: JSON) throws(EventDataError) { by = try json.need("by") { $0.string.flatMap { AlertID($0) } } }
}

/// A silence was made or changed. Its subject is `S-…`.
package struct SilenceAdded: EventPayload {
  package static let type = EventType.silence_added
  package var matchers: [Matcher]
  package var startsAt: Timestamp
  package var endsAt: Timestamp
  package var comment: String?
  /// The id of the command that asked for it, if it had one.
  package var command: String?
  package init(
    matchers: [Matcher], startsAt: Timestamp, endsAt: Timestamp, comment: String? = nil, command: String? = nil
  ) {
    self.matchers = matchers
    self.startsAt = startsAt
    self.endsAt = endsAt
    self.comment = comment
    self.command = command
  }
  package var json: JSON {
    .compact([
      "matchers": .array(matchers.map(\.json)), "starts_at": .micros(startsAt), "ends_at": .micros(endsAt),
      "comment": .text(comment), "command": .text(command),
    ])
  }
  package init(json: JSON) throws(EventDataError) {
    matchers = try json.need("matchers") { $0.array.map { $0.compactMap { Matcher(json: $0) } } }
    startsAt = try json.need("starts_at") { $0.micros }
    endsAt = try json.need("ends_at") { $0.micros }
    comment = json.text("comment")
    command = json.text("command")
  }
}

/// A silence ended: its time was up, or somebody ended it.
package struct SilenceExpired: EventPayload {
  package static let type = EventType.silence_expired
  package var early: Bool
  package init(early: Bool) { self.early = early }
  package var json: JSON { ["early": .bool(early)] }
  package init(json: JSON) throws(EventDataError) { early = json["early"]?.bool ?? false }
}

/// The service took up a configuration. Its subject is `C-…`, which every alert that opens names.
package struct Configured: EventPayload {
  package static let type = EventType.configured
  /// SHA-256 of the settings, in hexadecimal: the same settings are taken up once.
  package var digest: String
  /// Routes, policies and receivers, without any secret.
  package var settings: JSON
  package init(digest: String, settings: JSON) {
    self.digest = digest
    self.settings = settings
  }
  package var json: JSON { ["digest": .string(digest), "settings": settings] }
  package init(json: JSON) throws(EventDataError) {
    digest = try json.needText("digest")
    settings = try json.need("settings") { $0 }
  }
}
