import Alerts
import Lifecycle
import Service

/// What the world saw of the things that an auditor watches over, in the service's time.
struct Audited {
  /// When the log could not be written, last.
  var stuckAt = Timestamp.epoch
  /// When the service's time last jumped, or it was started.
  var jumpedAt = Timestamp.epoch
  /// How long the service has listened, without the times in which its machine was off, slept, or jumped ahead.
  private(set) var listened = Interval.zero
  private(set) var startedAt = Interval.zero
  /// When a message of each program last came, on the watch of ``listened``.
  var heardAt: [String: Interval] = [:]
  /// When a job last went out on each channel, on the same watch.
  var jobAt: [String: Interval] = [:]
  private var lastStep: Timestamp?
  /// When each finding was last said, by its kind and what it is about.
  var saidAt: [String: Timestamp] = [:]
  private(set) var expected: [(kind: Finding.Kind, since: Timestamp, by: Timestamp)] = []

  /// What was said and not taken back, by its kind and what it is about.
  var stands: Set<String> = []

  /// It must be said, of what was so since then, unless it stands from an earlier time.
  mutating func expect(_ kind: Finding.Kind, since: Timestamp, by: Timestamp) {
    if !stands.contains(kind.rawValue) { expected.append((kind, since, by)) }
  }
  mutating func forget() { expected = [] }

  /// The service is there, at this time of its own.
  mutating func step(at t: Timestamp) {
    if let lastStep, t > lastStep { listened = listened + min(t - lastStep, Audited.longestStep) }
    lastStep = t
  }

  mutating func start(at t: Timestamp) {
    forget()
    lastStep = t
    startedAt = listened
    jumpedAt = t
  }

  /// The auditor wakes the service every ten seconds: if more has passed at once, it was not there.
  private static let longestStep = Interval.seconds(15)

  /// What was to be said by now, and was not.
  mutating func missing(at t: Timestamp) -> Finding.Kind? {
    expected.removeAll { e in saidAt[e.kind.rawValue].map { $0 >= e.since } ?? false }
    return expected.first { $0.by < t }?.kind
  }
}

extension Promises {
  /// A finding stands for so long behind what it is about, is looked at every ten seconds, and its words may wait for a commit.
  private static let lag = Interval.minutes(2)
  /// What went out and what was heard is judged to this.
  private static let slack = Interval.minutes(1)

  /// The auditor says that something is wrong: it must be.
  mutating func auditorSays(_ anomaly: Anomaly, _ e: RecordedEvent) {
    guard let finding = Finding(label: { anomaly.label($0) }) else {
      return fail(8, "the auditor says what nobody can read: \(anomaly.metric)")
    }
    guard anomaly.status == .firing else {
      audit.stands.remove(Promises.name(finding))
      return
    }
    audit.stands.insert(Promises.name(finding))
    defer { audit.saidAt[Promises.name(finding)] = e.recordedAt }
    if anomaly.summary?.isEmpty != false { fail(8, "the auditor finds \(finding.kind.rawValue) and does not say what") }
    // What a full disk kept waiting was so when it was said.
    guard e.recordedAt == serviceNow else { return }
    let (t, about) = (e.recordedAt, finding.about ?? "")
    let isTrue: Bool
    switch finding.kind {
    case .deadlines_late, .log_unwritable:
      isTrue =
        t - audit.stuckAt <= Promises.lag || finding.kind == .deadlines_late && t - audit.jumpedAt <= Promises.lag
    case .messages_untaken:
      let last = max(audit.jobAt[about] ?? .zero, audit.startedAt)
      isTrue =
        audit.listened + Promises.slack >= last + World.audit.messagesUntaken
        && requested.contains { $0.value.target.channel == about && $0.value.end == nil }
    case .messages_overdue:
      isTrue = requested.contains { _, r in
        let patience = r.target.channel == "pagerduty" ? Interval.hours(2) : .hours(24)
        return r.end == nil && t - r.requestedAt >= patience
      }
    case .heartbeat_silent:
      guard let expected = World.audit.expected.first(where: { $0.name == about }) else {
        return fail(4, "the auditor waits for \(about), and nobody asked it to")
      }
      // Who was silent before a start still is; that somebody was heard just before it may have been lost with the process.
      let heard = audit.heardAt[about] ?? .zero
      let wasSilent = heard <= audit.startedAt && audit.saidAt[Promises.name(finding)] != nil
      isTrue = wasSilent || audit.listened + Promises.slack >= heard + expected.within
    case .messages_unaccounted, .resolved_owed, .tables_behind: isTrue = false
    }
    if !isTrue { fail(4, "the auditor cries wolf: \(finding.kind.rawValue) \(about): \(anomaly.summary ?? "")") }
  }

  private static func name(_ finding: Finding) -> String {
    finding.about.map { "\(finding.kind.rawValue)/\($0)" } ?? finding.kind.rawValue
  }

  /// After each step of a service that can write.
  mutating func checkAudit() {
    if let kind = audit.missing(at: serviceNow) {
      fail(3, "the auditor does not say \(kind.rawValue)")
      audit.forget()
    }
    // What was to be said while the disk was full is said in the seconds after it.
    guard serviceNow - audit.stuckAt > Promises.lag else { return }
    for expected in World.audit.expected {
      let name = "heartbeat_silent/\(expected.name)"
      let heard = max(audit.heardAt[expected.name] ?? .zero, audit.startedAt)
      let silent = Interval(microseconds: audit.listened.microseconds - heard.microseconds)
      guard silent > expected.within + Promises.lag else { continue }
      // Said, and said again every ten minutes.
      let said = audit.saidAt[name] ?? .epoch
      if serviceNow - said > silent {
        fail(3, "\(expected.name) is silent for \(silent), and the auditor says nothing")
      }
    }
  }
}
