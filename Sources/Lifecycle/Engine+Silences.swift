package import Alerts

extension Engine {
  // MARK: - State

  mutating func applyToSilence(_ e: Fact) {
    switch e.event {
    case .silenceAdded(let shared):
      let s = shared.value
      silences[e.subject] = Silence(
        subject: e.subject, version: e.version, matchers: s.matchers, startsAt: s.startsAt, endsAt: s.endsAt,
        by: e.actor, comment: s.comment, command: s.command, madeAt: e.recordedAt)
      if let window = Engine.window(e.actor) { maintenance[window] = (e.subject, s.startsAt) }
    case .silenceExpired(let s):
      // A window that was edited may begin anew; one that somebody ended may not.
      if s.early, e.actor == "tocsin", let window = silences[e.subject].flatMap({ Engine.window($0.by) }),
        maintenance[window]?.silence == e.subject
      {
        maintenance[window] = nil
      }
      silences[e.subject] = nil
    case .notificationRequested:
      // That it was made is said at once; every later word is that it ends soon.
      if silences[e.subject]?.madeAt != e.recordedAt { silences[e.subject]?.wasWarned = true }
    default: break
    }
    if silences[e.subject] != nil { silences[e.subject]?.version = e.version }
  }

  // MARK: - Decisions

  /// The same once more changes nothing.
  func knownSilence(
    _ matchers: [Matcher], from startsAt: Timestamp?, to endsAt: Timestamp, comment: String?, by: String
  ) -> Subject? {
    silences.values.filter {
      $0.matchers == matchers && $0.by == by && $0.comment == comment && $0.endsAt == endsAt
        && (startsAt == nil || startsAt == $0.startsAt)
    }.map(\.subject).min()
  }

  mutating func addSilence(
    _ matchers: [Matcher], from startsAt: Timestamp?, to endsAt: Timestamp, comment: String?, by: String,
    command: String? = nil, now: Timestamp
  ) -> Subject {
    let subject = newSubject(.silence)
    emit(
      .silenceAdded(
        SilenceAdded(
          matchers: matchers, startsAt: startsAt ?? now, endsAt: endsAt, comment: comment, command: command)),
      about: subject, now: now, actor: by)
    turnSilence(subject, now: now)
    return subject
  }

  /// Says to those who hear of notices that somebody made a silence.
  mutating func tellOfBeginning(_ subject: Subject, holding hits: [AlertID], now: Timestamp) {
    guard let s = silences[subject], !settings.notices.isEmpty else { return }
    let many = hits.count == 1 ? "1 alert" : "\(hits.count) alerts"
    let content: JSON = [
      "about": "beginning", "subject": .string("\(s.by) silenced \(Routing.describe(s.matchers))"),
      "text": .string(
        "The silence \(subject) by \(s.by) holds from \(Engine.minute(s.startsAt)) to \(Engine.minute(s.endsAt))\(s.comment.map { " (\($0))" } ?? ""). It matches \(many) that \(hits.count == 1 ? "is" : "are") open now."
      ),
      "silence": .string(subject.description), "ends_at": .string(s.endsAt.rfc3339),
      "alerts": .array(hits.prefix(50).map { .string($0.description) }),
    ]
    for place in places(of: settings.notices, configuration: configuration, now: now) {
      request(.notice, subject, place, content: content, cause: nil, now: now)
    }
  }

  /// For people: `2026-11-20 06:02 UTC`
  private static func minute(_ t: Timestamp) -> String {
    let text = t.rfc3339
    return "\(text.prefix(10)) \(text.dropFirst(11).prefix(5)) UTC"
  }

  /// Open alerts that a silence with these matchers would hold.
  package func hits(_ matchers: [Matcher]) -> [AlertID] {
    alerts.values.filter { !$0.isResolved && $0.labels.matches(matchers, severity: $0.severity) }.map(\.id).sorted()
  }

  /// Begins or ends a silence, as its times say.
  mutating func turnSilence(_ subject: Subject, now: Timestamp) {
    guard let s = silences[subject] else { return }
    if now < s.startsAt { return deadlines.add(.silence(subject), at: s.startsAt) }
    guard now < s.endsAt else { return expireSilence(subject, early: false, by: "tocsin", now: now) }
    deadlines.add(.silence(subject), at: s.endsAt)
    if settings.silenceWarning > .zero, !s.wasWarned, s.endsAt - settings.silenceWarning > now {
      deadlines.add(.silenceWarning(subject), at: s.endsAt - settings.silenceWarning)
    }
    for id in hits(s.matchers) where alerts[id]?.silencedBy.contains(subject) == false {
      let cause = emit(.silenced(Silenced(silence: subject)), about: id.subject, now: now)
      cancel(id, now: now, cause: cause, reason: "silenced by \(subject)") { $0.purpose == .firing }
    }
  }

  /// Ends a silence, and looks again at everything in its scope.
  mutating func expireSilence(_ subject: Subject, early: Bool, by: String, now: Timestamp) {
    guard silences[subject] != nil else { return }
    let cause = emit(.silenceExpired(SilenceExpired(early: early)), about: subject, now: now, actor: by)
    for id in alerts.values.filter({ $0.silencedBy.contains(subject) }).map(\.id).sorted() {
      // One that has begun since, of which nobody has taken notice yet.
      holdByOthers(id, cause: cause, now: now)
      let position = emit(.unsilenced(Unsilenced(silence: subject)), about: id.subject, now: now, cause: cause)
      resume(id, Occasion(.silence_ended, by: subject.description), cause: position, now: now)
    }
  }

  /// Tells those who hear of notices what a silence that ends soon still holds back. Nothing, if it holds nothing.
  mutating func warnOfEnd(_ subject: Subject, now: Timestamp) {
    guard let s = silences[subject], s.isActive(now), !s.wasWarned, settings.silenceWarning > .zero else { return }
    let held = alerts.values.filter { $0.silencedBy.contains(subject) }.sorted { $0.id < $1.id }
    guard !held.isEmpty else { return }
    let text =
      "The silence \(subject) by \(s.by) ends at \(Engine.minute(s.endsAt)), and \(held.count) alert\(held.count == 1 ? "" : "s") that it holds back still fire\(held.count == 1 ? "s" : ""): \(held.prefix(5).map { "\($0.id) \($0.labels["metric"] ?? "")" }.joined(separator: ", "))"
    let content: JSON = [
      "about": "end", "subject": .string("Silence \(subject) ends soon"), "text": .string(text),
      "silence": .string(subject.description),
      "ends_at": .string(s.endsAt.rfc3339), "alerts": .array(held.prefix(50).map { .string($0.id.description) }),
    ]
    for place in places(of: settings.notices, configuration: configuration, now: now) {
      request(.notice, subject, place, content: content, cause: nil, now: now)
    }
  }

  /// Holds an alert that a silence matches, and lets go what no longer matches because its severity has changed.
  mutating func holdIfSilenced(_ id: AlertID, now: Timestamp) {
    guard let a = alerts[id] else { return }
    for subject in a.silencedBy {
      if let s = silences[subject], a.labels.matches(s.matchers, severity: a.severity) { continue }
      emit(.unsilenced(Unsilenced(silence: subject)), about: id.subject, now: now, cause: a.decisivePosition)
    }
    holdByOthers(id, cause: a.decisivePosition, now: now)
  }

  private mutating func holdByOthers(_ id: AlertID, cause: Int64, now: Timestamp) {
    guard !silences.isEmpty, let a = alerts[id] else { return }
    for s in silences.values.sorted(by: { $0.subject < $1.subject })
    where s.isActive(now) && !a.silencedBy.contains(s.subject) && a.labels.matches(s.matchers, severity: a.severity) {
      emit(.silenced(Silenced(silence: s.subject)), about: id.subject, now: now, cause: cause)
    }
  }

  // MARK: - Maintenance windows

  private static let windowActor = "maintenance/"
  private static func window(_ actor: String) -> String? {
    actor.hasPrefix(windowActor) ? String(actor.dropFirst(windowActor.count)) : nil
  }

  /// Waits for the next occurrence of each window, and ends the silences of windows that are gone from the configuration.
  mutating func armMaintenance(now: Timestamp) {
    guard !isReplaying else { return }
    for (i, window) in settings.maintenance.enumerated() {
      if let next = nextOccurrence(window, now: now) { deadlines.add(.maintenance(i), at: next.start) }
    }
  }

  /// Silences of windows that the configuration no longer has, or has otherwise.
  private var orphanedWindows: [Subject] {
    silences.values.filter { s in
      guard let name = Engine.window(s.by) else { return false }
      return !settings.maintenance.contains {
        $0.name == name && $0.matchers == s.matchers && s.startsAt + $0.duration == s.endsAt
          && $0.begins(at: s.startsAt)
      }
    }.map(\.subject).sorted()
  }

  /// The occurrence to come, or the present one if its silence was not made yet.
  private func nextOccurrence(_ window: MaintenanceWindow, now: Timestamp) -> (start: Timestamp, end: Timestamp)? {
    guard let next = window.next(after: now) else { return nil }
    if let last = maintenance[window.name]?.startsAt, next.start <= last { return window.next(after: next.end) }
    return next
  }

  /// What a configuration that was taken up changes about alerts that are open: what it explains is held, windows that it no longer has end, and what it
  /// no longer explains is let go of. What holds comes before what lets go: nobody is told what a rule of the same edit holds back.
  mutating func lookAgainAtAll(now: Timestamp) {
    holdExplained(now: now)
    let orphaned = orphanedWindows
    for subject in silences.keys.sorted() where !orphaned.contains(subject) { turnSilence(subject, now: now) }
    // A window of the same name may hold already under its new rules.
    for window in settings.maintenance {
      guard let former = maintenance[window.name]?.silence, orphaned.contains(former),
        let next = window.next(after: now), next.start <= now
      else { continue }
      hold(window, next, now: now)
    }
    for subject in orphaned { expireSilence(subject, early: true, by: "tocsin", now: now) }
    if !orphaned.isEmpty { armMaintenance(now: now) }
    for id in alerts.ids.sorted() {
      guard let a = alerts[id], !a.isResolved, let by = a.inhibitedBy else { continue }
      if !inhibitions.sources(of: id).contains(where: { $0.id == by }) {
        release(id, from: by, cause: a.decisivePosition, now: now)
      }
    }
    // What explained another by the former rules may be explained by it now.
    holdExplained(now: now)
  }

  private mutating func holdExplained(now: Timestamp) {
    if inhibitions.isEmpty { return }
    for id in alerts.ids.sorted() { holdIfInhibited(id, now: now) }
  }

  mutating func beginMaintenance(_ index: Int, now: Timestamp) {
    guard settings.maintenance.indices.contains(index) else { return }
    let window = settings.maintenance[index]
    guard let next = nextOccurrence(window, now: now) else { return }
    guard next.start <= now else { return deadlines.add(.maintenance(index), at: next.start) }
    hold(window, next, now: now)
    if let after = nextOccurrence(window, now: now) { deadlines.add(.maintenance(index), at: after.start) }
  }

  private mutating func hold(_ window: MaintenanceWindow, _ time: (start: Timestamp, end: Timestamp), now: Timestamp) {
    _ = addSilence(
      window.matchers, from: time.start, to: time.end, comment: "maintenance window \(window.name)",
      by: Engine.windowActor + window.name, now: now)
  }
}
