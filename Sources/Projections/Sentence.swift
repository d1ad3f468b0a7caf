package import Alerts

/// What an event says, as one plain sentence for people: the timeline's line.
package enum Sentence {
  /// The longest part that somebody else wrote (a summary, a comment), in characters. More is cut with an ellipsis.
  static let quoteLimit = 500

  package static func of(_ event: AlertEvent, actor: String) -> String {
    switch event {
    case .detected(let e):
      return "Detected, \(e.severity.name): \(headline(e.anomaly))."
        + (e.generation > 1 ? " It is the \(ordinal(e.generation)) time." : "") + routed(e.route)
    case .deduplicated(let e):
      let times = e.count == 1 ? "Seen again" : "Seen \(Format.number(Double(e.count))) more times"
      return "\(times): \(headline(e.last))."
    case .severityRaised(let e): return "Severity rose from \(e.from.name) to \(e.to.name)."
    case .cleared: return "The detector reports that it is over."
    case .reopened(let e): return "Fires again, \(e.severity.name): \(headline(e.anomaly))."
    case .resolved(let e): return resolved(e, actor)
    case .flapping(let e):
      return "Flapping: it opened and cleared \(e.changes) times. Further changes are not told until it is steady."
    case .steady: return "Steady again."
    case .acknowledged(let e):
      return "Acknowledged by \(actor)" + (e.until.map { ", until \(moment($0))" } ?? "") + note(e.note)
    case .unacknowledged(let e):
      switch e.reason {
      case .responder: return "\(actor) took the acknowledgement back" + note(e.note)
      case .timeout: return "The acknowledgement ran out" + note(e.note)
      case .severity_raised: return "The acknowledgement ended, because the severity rose" + note(e.note)
      case .reopened: return "The acknowledgement ended, because it fires again" + note(e.note)
      }
    case .snoozed(let e): return "Snoozed by \(actor) until \(moment(e.until))\(change(e.unlessChanged))" + note(e.note)
    case .unsnoozed(let e):
      switch e.reason {
      case .responder: return "\(actor) ended the snooze."
      case .elapsed: return "The snooze ended."
      case .severity_raised: return "The snooze ended, because the severity rose."
      case .value_changed: return "The snooze ended, because the value changed."
      }
    case .commented(let e): return "\(actor): \(cut(e.text))"
    case .assigned(let e):
      return (e.to == actor ? "\(actor) took it on" : "Assigned to \(e.to) by \(actor)") + note(e.note)
    case .labelled(let e):
      return "\(actor) says that it is a \(e.label == .true_positive ? "true" : "false") positive" + note(e.note)
    case .silenced(let e): return "Silenced by \(e.silence)."
    case .unsilenced(let e): return "The silence \(e.silence) holds no longer."
    case .inhibited(let e):
      return "Held back, because \(e.by) explains it" + (e.rule.isEmpty ? "." : " (rule \(cut(e.rule))).")
    case .uninhibited(let e): return "\(e.by) holds it back no longer."
    case .escalated(let e): return escalated(e, actor)
    case .exhausted(let e):
      if !e.unreached.isEmpty { return "Nobody was told." + unreached(e.unreached) }
      return
        "The policy has no step left\(e.rounds > 1 ? " after \(e.rounds) rounds" : ""), and nobody has acknowledged."
    case .notificationRequested(let e): return requested(e)
    case .notificationAttempted(let e) where e.isUnsent:
      return "Waits, unsent, until \(moment(e.nextAt))\(e.message.isEmpty ? "" : ": \(cut(e.message))")"
        + stop(e.message)
    case .notificationAttempted(let e):
      return "Try \(e.attempt) failed\(answer(e.status, e.message))"
        + (e.outcomeUnknown ? " It may have arrived all the same." : "") + " Next try at \(moment(e.nextAt))."
    case .notificationDelivered(let e):
      return "Delivered" + (e.attempt > 1 ? " at try \(e.attempt)" : "")
        + (e.latency.map { $0.microseconds >= 0 ? ", in \(latency($0))" : "" } ?? "") + "."
    case .notificationFailed(let e): return "Not delivered, for good\(answer(e.status, e.message))"
    case .notificationCancelled(let e):
      return "Message cancelled" + (e.reason.isEmpty ? "." : ": \(cut(e.reason))" + stop(e.reason))
    case .configured: return "A configuration was taken up."
    case .silenceAdded(let e):
      return "Silence by \(actor) from \(moment(e.startsAt)) to \(moment(e.endsAt))" + note(e.comment)
    case .silenceExpired(let e): return e.early ? "\(actor) ended the silence." : "The silence ended."
    }
  }

  /// The anomaly in one line, without a full stop.
  static func headline(_ a: Anomaly) -> String {
    var text: String
    if let summary = a.summary, !summary.isEmpty {
      text = cut(summary)
      while text.hasSuffix(".") { text.removeLast() }
    } else if let value = a.value {
      text =
        "\(a.metric) is \(Format.number(value))" + (a.expected.map { ", expected \(Format.number($0))" } ?? "")
    } else {
      text = "\(a.metric) is not as expected"
    }
    return text
  }

  private static func resolved(_ e: Resolved, _ actor: String) -> String {
    switch e.how {
    case .responder: return "Resolved by \(actor)" + note(e.note)
    case .cleared:
      return (e.seen ? "Resolved: it is over" : "Resolved: it is over, and nobody had acknowledged it") + note(e.note)
    case .stale: return "Resolved as stale: nothing was heard of it for too long" + note(e.note)
    }
  }

  private static func escalated(_ e: Escalated, _ actor: String) -> String {
    let number = "tep \(e.step + 1)" + (e.round > 0 ? " of round \(e.round + 1)" : "")
    if e.skipped { return "S\(number) was passed over: it is outside its hours." }
    if let until = e.waitsUntil { return "S\(number) waits for its hours, until \(moment(until))." }
    let step = "Escalated to s\(number)"
    let why =
      switch e.reason {
      case .delay where e.step == 0 && e.round == 0: ""
      case .delay: ": nobody had acknowledged in time"
      case .delivery_failed: ": a message of the step before could not be delivered"
      case .by_hand: " by \(actor)"
      case .resumed: ": what held it back has ended, and it still fires"
      case .severity_raised: ": the severity rose"
      case .reopened: ": it fires again"
      case .nobody_reached: ": the step before reached nobody"
      case .hours_began: ": its hours have begun"
      }
    return step + why + "." + unreached(e.unreached)
  }

  /// ` Nobody could be reached by oncall.`
  private static func unreached(_ receivers: [String]) -> String {
    receivers.isEmpty ? "" : " Nobody could be reached by \(receivers.joined(separator: ", "))."
  }

  private static func requested(_ e: NotificationRequested) -> String {
    let who = e.destination.isEmpty || e.destination == e.receiver ? e.receiver : "\(e.receiver) (\(e.destination))"
    var to = "\(who) by \(e.channel)"
    if let other = e.insteadOf { to += ", instead of \(other)," }
    switch e.purpose {
    case .firing:
      let step = e.step.map { "\(to.hasSuffix(",") ? "" : ",") step \($0 + 1)" } ?? ""
      let why = e.occasion.flatMap { $0.kind == .opened ? nil : ", because \($0.sentence)" } ?? ""
      return "Telling \(to)\(step)\(why)"
        + (e.notBefore.map { "; its quiet hours hold it back until \(moment($0))." } ?? ".")
    case .acknowledged: return "Telling \(to) that it was acknowledged."
    case .resolved: return "Telling \(to) that it is over."
    case .reminder: return "Reminding \(to) that the acknowledgement runs out soon."
    case .summary: return "Telling \(to) in one message about \(e.members.count) alerts."
    case .digest: return "Sending the digest to \(to)."
    case .notice: return "Sending a notice to \(to)."
    }
  }

  private static func change(_ fraction: Double?) -> String {
    guard let fraction else { return "" }
    return fraction == 0
      ? ", or until its value changes" : ", or until its value changes by more than \(Format.number(fraction * 100))%"
  }

  private static func routed(_ r: RouteTaken) -> String {
    if r.dashboardOnly { return " It goes to the dashboard and the digest only." }
    if let policy = r.policy { return " Policy \(policy)." }
    if r.group != nil { return " It is told in batches." }
    return ""
  }

  private static func note(_ text: String?) -> String {
    guard let text, !text.isEmpty else { return "." }
    let short = cut(text)
    return ": \(short)" + stop(short)
  }

  private static func answer(_ status: Int?, _ message: String) -> String {
    let words = cut(message)
    switch (status, words.isEmpty) {
    case (nil, true): return "."
    case (nil, false): return ": \(words)" + stop(words)
    case (let s?, true): return ": status \(s)."
    case (let s?, false): return ": status \(s), \(words)" + stop(words)
    }
  }

  /// A full stop, where the text has no end of its own.
  private static func stop(_ text: String) -> String {
    switch text.utf8.last {
    case UInt8(ascii: "."), UInt8(ascii: "!"), UInt8(ascii: "?"): ""
    default: "."
    }
  }

  /// One line, at most ``quoteLimit`` characters.
  static func cut(_ text: String) -> String {
    // Most texts are short and plain: only the others pay for a walk over characters.
    if text.utf8.count <= quoteLimit, !text.utf8.contains(where: { $0 < 0x20 }) { return text }
    var line = ""
    var n = 0
    for c in text {
      if n == quoteLimit { return line + "…" }
      line.append(c.isNewline || c == "\t" ? " " : c)
      n += 1
    }
    return line
  }

  private static func latency(_ i: Interval) -> String {
    i.microseconds < 1_000_000 ? "\(max(1, i.microseconds / 1000)) ms" : i.rounded
  }

  /// `2026-11-20 06:02 UTC`.
  static func moment(_ t: Timestamp) -> String {
    let text = t.rfc3339
    guard text.utf8.count >= 16 else { return text }
    return "\(text.prefix(10)) \(text.dropFirst(11).prefix(5)) UTC"
  }

  static func ordinal(_ n: Int) -> String {
    let tens = n % 100
    switch n % 10 {
    case 1 where tens != 11: return "\(n)st"
    case 2 where tens != 12: return "\(n)nd"
    case 3 where tens != 13: return "\(n)rd"
    default: return "\(n)th"
    }
  }
}
