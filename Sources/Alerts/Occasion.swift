/// Why people are told of an alert now: the reason that its message gives.
package struct Occasion: Sendable, Hashable {
  package enum Kind: String, Sendable, CaseIterable {
    /// It opened.
    case opened
    /// Nobody acknowledged it for ``after``.
    case unacknowledged
    /// A message to ``by`` could not be delivered.
    case delivery_failed
    /// By ``by``, whom the step before names, nobody could be reached.
    case nobody_reached
    /// ``by`` escalated it.
    case by_hand
    case severity_raised
    case reopened
    /// The acknowledgement of ``by`` ran out.
    case acknowledgement_timed_out
    /// ``by`` took an acknowledgement back.
    case acknowledgement_taken_back
    case snooze_elapsed
    /// ``by`` ended the snooze.
    case snooze_ended
    /// Its value changed while it was snoozed until that.
    case value_changed
    /// The silence ``by`` holds no longer.
    case silence_ended
    /// The alert ``by``, which explained it, does so no longer.
    case inhibition_ended
    /// More came at once than are told one by one: a summary tells of them.
    case storm
  }
  package var kind: Kind
  /// A person, a receiver, a silence or an alert, as the kind says.
  package var by: String?
  package var after: Interval?

  package init(_ kind: Kind, by: String? = nil, after: Interval? = nil) {
    self.kind = kind
    self.by = by
    self.after = after
  }

  package var json: JSON {
    .compact([
      "kind": .string(kind.rawValue), "by": .text(by), "after_us": after.map { .int($0.microseconds) } ?? .null,
    ])
  }
  /// Nil for a kind that this version does not know: a message without a reason is better than none.
  package init?(json: JSON) {
    guard let kind = json["kind"]?.string.flatMap({ Kind(rawValue: $0) }) else { return nil }
    self.init(kind, by: json["by"]?.string, after: json["after_us"]?.int.map { Interval(microseconds: $0) })
  }

  /// As the end of a sentence that begins with "because": `nobody acknowledged for 15m`.
  package var sentence: String {
    let somebody = by ?? "somebody"
    return switch kind {
    case .opened: "it opened"
    case .unacknowledged: "nobody acknowledged" + (after.map { " for \($0.rounded)" } ?? "")
    case .delivery_failed: "a message to \(by ?? "the step before") could not be delivered"
    case .nobody_reached: "nobody could be reached by \(by ?? "the step before")"
    case .by_hand: "\(somebody) escalated it"
    case .severity_raised: "it got worse"
    case .reopened: "it fires again"
    case .acknowledgement_timed_out: "the acknowledgement by \(somebody) ran out and it still fires"
    case .acknowledgement_taken_back: "\(somebody) took the acknowledgement back"
    case .snooze_elapsed: "its snooze is over and it still fires"
    case .snooze_ended: "\(somebody) ended its snooze"
    case .value_changed: "its value has changed since it was snoozed"
    case .silence_ended: "the silence \(by ?? "on it") has ended and it still fires"
    case .storm: "more came at once than are told one by one"
    case .inhibition_ended: "\(by ?? "what explained it") no longer explains it and it still fires"
    }
  }
}
