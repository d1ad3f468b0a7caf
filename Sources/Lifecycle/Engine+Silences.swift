import Alerts

extension Engine {
  mutating func applyToSilence(_ e: RecordedEvent) {
    switch e.event {
    case .silenceAdded(let s):
      silences[e.subject] = Silence(
        subject: e.subject, version: e.version, matchers: s.matchers, startsAt: s.startsAt, endsAt: s.endsAt,
        by: e.actor, comment: s.comment)
      deadlines.add(.silence(e.subject), at: s.startsAt)
    case .silenceExpired: silences[e.subject] = nil
    default: break
    }
  }

  mutating func addSilence(
    _ matchers: [Matcher], from startsAt: Timestamp?, to endsAt: Timestamp, comment: String?, by: String, now: Timestamp
  ) -> Subject {
    let subject = newSubject(.silence)
    emit(
      .silenceAdded(SilenceAdded(matchers: matchers, startsAt: startsAt ?? now, endsAt: endsAt, comment: comment)),
      about: subject, now: now, actor: by)
    turnSilence(subject, now: now)
    return subject
  }

  /// Begins or ends a silence, as its times say.
  mutating func turnSilence(_ subject: Subject, now: Timestamp) {
    guard let s = silences[subject] else { return }
    if now < s.startsAt { return deadlines.add(.silence(subject), at: s.startsAt) }
    guard now < s.endsAt else { return expireSilence(subject, early: false, by: "tocsin", now: now) }
    deadlines.add(.silence(subject), at: s.endsAt)
    for (id, a) in alerts.sorted(by: { $0.key < $1.key })
    where !a.isResolved && !a.silencedBy.contains(subject) && a.labels.matches(s.matchers, severity: a.severity) {
      let cause = emit(.silenced(Silenced(silence: subject)), about: id.subject, now: now, cause: nil)
      cancel(id, now: now, cause: cause, reason: "silenced by \(subject)") { $0.purpose == .firing }
    }
  }

  /// Ends a silence, and looks again at everything in its scope.
  mutating func expireSilence(_ subject: Subject, early: Bool, by: String, now: Timestamp) {
    let cause = emit(.silenceExpired(SilenceExpired(early: early)), about: subject, now: now, actor: by)
    for (id, a) in alerts.sorted(by: { $0.key < $1.key }) where a.silencedBy.contains(subject) {
      let position = emit(.unsilenced(Unsilenced(silence: subject)), about: id.subject, now: now, cause: cause)
      resume(id, cause: position, now: now)
    }
  }
}
