/// What a responder asks for.
package struct Command: Sendable, Equatable {
  package enum Action: Sendable, Equatable {
    case acknowledge
    case unacknowledge
    case resolve
    /// Until then; or, where ``unlessChanged`` is given, until its value differs by more than that fraction of what it was. 0: at all.
    case snooze(Interval, unlessChanged: Double? = nil)
    case unsnooze
    case assign(to: String)
    case comment(String)
    case label(Labelled.Label)
    /// On to the next step of the policy, now.
    case escalate
    /// A silence from `startsAt` (now, if nil) until `endsAt`.
    case silence(matchers: [Matcher], startsAt: Timestamp?, endsAt: Timestamp)
    /// What a silence with these matchers would hold, without making one.
    case previewSilence(matchers: [Matcher])
    case expireSilence(Subject)
    /// A digest's content for one receiver's channel, to be sent once for ever under this key.
    case digest(DigestOrder)
    /// Whether a notification is still wanted: a notifier asks at the moment before it sends.
    case wanted(key: String)
    /// How the service is: answered by the service itself, about itself.
    case status
  }
  package var action: Action
  /// Nil for what is not about an alert.
  package var alert: AlertID?
  package var by: String
  package var note: String?
  /// The alert's version that the sender saw; nil takes any.
  package var version: Int?
  /// Names this one command for ever: sent again under the same id it changes nothing, also after a restart. Nil: see ``AnsweredCommands``.
  package var id: String?
  /// The sender has seen how many alerts a silence holds back, and means it.
  package var confirmed = false

  package init(
    _ action: Action, alert: AlertID? = nil, by: String, note: String? = nil, version: Int? = nil, id: String? = nil,
    confirmed: Bool = false
  ) {
    self.action = action
    self.alert = alert
    self.by = by
    self.note = note
    self.version = version
    self.id = id
    self.confirmed = confirmed
  }
}

/// A digest that is ready to be sent.
package struct DigestOrder: Sendable, Equatable {
  /// `digest/weekly/2026-11-16/director-bi`: sent once, for ever.
  package var key: String
  package var receiver: String
  /// `subject`, `text`, `html`, `markdown`, and `period`, `ending` for people.
  package var content: JSON
  package init(key: String, receiver: String, content: JSON) {
    self.key = key
    self.receiver = receiver
    self.content = content
  }
}

/// Why a command was refused.
package struct CommandError: Error, Sendable, Equatable, CustomStringConvertible {
  package enum Code: String, Sendable {
    case unknown_alert, stale_version, not_allowed_in_state, invalid, forbidden, unavailable
  }
  package var code: Code
  package var message: String
  package init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }
  package var description: String { "\(code.rawValue): \(message)" }
}

/// What a command came to: the alert's new state, or why not.
package struct Reply: Sendable, Equatable {
  package var result: Result<JSON, CommandError>
  package init(_ result: Result<JSON, CommandError>) { self.result = result }

  package var json: JSON {
    switch result {
    case .success(let body): .object([JSON.Member("ok", true)] + (body.members ?? []))
    case .failure(let error):
      ["ok": false, "error": ["code": .string(error.code.rawValue), "message": .string(error.message)]]
    }
  }
  package init(json: JSON) throws(EventDataError) {
    if json["ok"]?.bool == true {
      result = .success(json)
    } else {
      let error = try json.need("error") { $0 }
      result = .failure(
        CommandError(
          error.text("code").flatMap { CommandError.Code(rawValue: $0) } ?? .invalid, error.text("message") ?? ""))
    }
  }
}

// MARK: - JSON

extension Command {
  /// The form on the bus: `{"command":"acknowledge","alert":"A-1042","by":"ana","note":"looking","version":7}`.
  package var json: JSON {
    var members: [JSON.Member] = []
    func add(_ name: String, _ value: JSON) { if !value.isNull { members.append(.init(name, value)) } }
    switch action {
    case .acknowledge, .unacknowledge, .resolve, .unsnooze, .comment, .escalate, .status: break
    case .snooze(let interval, let unlessChanged):
      add("for", .string(interval.description))
      add("until_change", unlessChanged.map { $0 == 0 ? .bool(true) : .number($0) } ?? .null)
    case .assign(let to): add("to", .string(to))
    case .label(let label): add("as", .string(label.rawValue))
    case .silence(let matchers, let startsAt, let endsAt):
      add("matchers", .array(matchers.map(\.json)))
      add("starts_at", .text(startsAt?.rfc3339))
      add("ends_at", .string(endsAt.rfc3339))
    case .previewSilence(let matchers): add("matchers", .array(matchers.map(\.json)))
    case .expireSilence(let silence): add("silence", .string(silence.description))
    case .digest(let order):
      add("key", .string(order.key))
      add("receiver", .string(order.receiver))
      add("content", order.content)
    case .wanted(let key): add("key", .string(key))
    }
    var note = note
    if case .comment(let text) = action { note = text }
    add("alert", .text(alert?.description))
    add("by", .string(by))
    add("note", .text(note))
    add("version", version.map { .int($0) } ?? .null)
    add("id", .text(id))
    if confirmed { add("confirm", true) }
    return .object([JSON.Member("command", .string(name))] + members)
  }

  /// What it is called on the bus.
  package var name: String {
    switch action {
    case .acknowledge: "acknowledge"
    case .unacknowledge: "unacknowledge"
    case .resolve: "resolve"
    case .snooze: "snooze"
    case .unsnooze: "unsnooze"
    case .assign: "assign"
    case .comment: "comment"
    case .label: "label"
    case .escalate: "escalate"
    case .silence: "silence"
    case .previewSilence: "preview_silence"
    case .expireSilence: "expire_silence"
    case .digest: "digest"
    case .wanted: "wanted"
    case .status: "status"
    }
  }

  /// The longest id, in bytes of UTF-8.
  package static let idLimit = 200
  /// The longest note, comment or name, in bytes of UTF-8.
  package static let textLimit = 16 * 1024
  /// The longest snooze or silence.
  package static let longest = Interval.days(366)

  /// Reads a command. `now` is for a silence that says `for`.
  package init(json: JSON, now: Timestamp) throws(CommandError) {
    func invalid(_ message: String) -> CommandError { CommandError(.invalid, message) }
    guard json.members != nil else { throw invalid("a command must be a JSON object") }
    guard let name = json.text("command") else { throw invalid("\"command\" is missing") }
    func text(_ member: String) throws(CommandError) -> String {
      guard let s = json.text(member), !s.trimming().isEmpty else { throw invalid("\(name) needs \"\(member)\"") }
      guard s.utf8.count <= Command.textLimit else {
        throw invalid("\"\(member)\" is longer than \(Command.textLimit) bytes")
      }
      return s
    }
    func interval() throws(CommandError) -> Interval {
      guard let i = Interval(try text("for")), i > .zero, i <= Command.longest else {
        throw invalid("\"for\" must be a length of time such as 2h, at most \(Command.longest)")
      }
      return i
    }
    let by = try text("by")
    var note = json.text("note")
    if note?.utf8.count ?? 0 > Command.textLimit { throw invalid("\"note\" is longer than \(Command.textLimit) bytes") }
    if note?.trimming().isEmpty == true { note = nil }
    var needsAlert = true
    let action: Action
    switch name {
    case "acknowledge": action = .acknowledge
    case "unacknowledge": action = .unacknowledge
    case "resolve": action = .resolve
    case "snooze":
      let unlessChanged = try Command.change(json["until_change"])
      action = .snooze(
        unlessChanged != nil && json["for"] == nil ? Command.longest : try interval(), unlessChanged: unlessChanged)
    case "unsnooze": action = .unsnooze
    case "assign": action = .assign(to: try text("to"))
    case "comment": action = .comment(try text("note"))
    case "label":
      guard let label = Labelled.Label(rawValue: try text("as")) else {
        throw invalid("\"as\" must be true_positive or false_positive")
      }
      action = .label(label)
    case "escalate": action = .escalate
    case "silence", "preview_silence":
      needsAlert = false
      var matchers: [Matcher] = []
      for m in json["matchers"]?.array ?? [] {
        guard let matcher = Matcher(json: m) else { throw invalid("not a matcher: \(m.text.prefix(200))") }
        matchers.append(matcher)
      }
      guard !matchers.isEmpty else { throw invalid("a silence needs at least one matcher") }
      if name == "preview_silence" {
        action = .previewSilence(matchers: matchers)
        break
      }
      var starts: Timestamp?
      if let s = json["starts_at"] {
        guard let t = s.timestamp else { throw invalid("\"starts_at\" must be RFC 3339") }
        starts = t
      }
      let ends: Timestamp
      if json["for"] != nil {
        ends = (starts ?? now) + (try interval())
      } else {
        guard let t = json["ends_at"]?.timestamp else { throw invalid("a silence needs \"ends_at\" or \"for\"") }
        ends = t
      }
      guard ends > starts ?? now, ends > now else {
        throw invalid("the silence would end before it begins, or has ended")
      }
      guard ends - (starts ?? now) <= Command.longest else {
        throw invalid("a silence lasts \(Command.longest) at most")
      }
      action = .silence(matchers: matchers, startsAt: starts, endsAt: ends)
    case "expire_silence":
      needsAlert = false
      guard let s = Subject(try text("silence")), s.kind == .silence else {
        throw invalid("\"silence\" must be such as S-7")
      }
      action = .expireSilence(s)
    case "digest":
      needsAlert = false
      action = .digest(
        DigestOrder(key: try text("key"), receiver: try text("receiver"), content: json["content"] ?? .null))
    case "wanted":
      needsAlert = false
      action = .wanted(key: try text("key"))
    case "status":
      needsAlert = false
      action = .status
    default: throw invalid("unknown command \"\(name.prefix(60))\"")
    }
    var alert: AlertID?
    if let id = json.text("alert") {
      guard let parsed = AlertID(id) else {
        throw CommandError(.unknown_alert, "\"\(id.prefix(40))\" is no alert id such as A-1042")
      }
      alert = parsed
    }
    if needsAlert, alert == nil { throw invalid("\(name) needs \"alert\"") }
    if let v = json["version"], !v.isNull, v.int == nil { throw invalid("\"version\" must be a whole number") }
    var id: String?
    if let member = json["id"], !member.isNull {
      guard let s = member.string, !s.isEmpty, s.utf8.count <= Command.idLimit else {
        throw invalid("\"id\" must be a text of 1 to \(Command.idLimit) bytes that names this one command")
      }
      id = s
    }
    self.init(
      action, alert: alert, by: by, note: note, version: json.integer("version"), id: id,
      confirmed: json["confirm"]?.bool ?? false)
  }

  /// `true`: any change. A number: a change by more than that fraction.
  private static func change(_ json: JSON?) throws(CommandError) -> Double? {
    guard let json, !json.isNull else { return nil }
    if let flag = json.bool { return flag ? 0 : nil }
    guard let fraction = json.double, fraction.isFinite, fraction >= 0, fraction <= 1000 else {
      throw CommandError(.invalid, "\"until_change\" must be true, or a fraction such as 0.1 for a change by a tenth")
    }
    return fraction
  }
}
