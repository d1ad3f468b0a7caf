import Alerts
import Lifecycle

/// What the auditor has found and not taken back, and the words about it that wait to be said.
struct AuditVoice: Sendable {
  /// While a finding lasts it is said again this often, so that its alert does not go stale.
  static let sayAgain = Interval.minutes(10)

  private struct Standing: Sendable {
    var since: Timestamp
    var saidAt: Timestamp
    var text: String
    var severity: Severity
  }

  private var standing: [Finding: Standing] = [:]
  /// The newest about each finding that is not said yet: at most one for each, however long nothing can be stored.
  private var words: [Finding: (turn: Int, anomaly: Anomaly)] = [:]
  private var saidAgainAt = Timestamp.epoch
  private var hasChanged = true
  private var turn = 0

  /// Nothing waits to be said.
  var isSilent: Bool { words.isEmpty }

  mutating func say(_ finding: Finding, _ text: String, severity: Severity, now: Timestamp) {
    if standing[finding] != nil {
      standing[finding]?.text = text
      if finding.isOwn { hasChanged = true }
      return
    }
    standing[finding] = Standing(since: now, saidAt: now, text: text, severity: severity)
    hasChanged = true
    speak(finding, .firing, text, severity, now: now)
  }

  mutating func clear(_ finding: Finding, _ text: String, now: Timestamp) {
    guard let s = standing.removeValue(forKey: finding) else { return }
    hasChanged = true
    speak(finding, .resolved, text, s.severity, now: now)
  }

  /// It was said before the service started.
  mutating func recall(_ finding: Finding, _ text: String, since: Timestamp, severity: Severity, now: Timestamp) {
    standing[finding] = Standing(since: since, saidAt: now, text: text, severity: severity)
  }

  mutating func repeatWhatLasts(now: Timestamp) {
    guard now - saidAgainAt >= .minutes(1) else { return }
    saidAgainAt = now
    for (finding, s) in standing where now - s.saidAt >= AuditVoice.sayAgain {
      standing[finding]?.saidAt = now
      speak(finding, .firing, s.text, s.severity, now: now)
    }
  }

  /// What waited to be said, in its order.
  mutating func takeWords() -> [Anomaly] {
    defer { words.removeAll() }
    return words.values.sorted { $0.turn < $1.turn }.map(\.anomaly)
  }

  private mutating func speak(
    _ finding: Finding, _ status: Anomaly.Status, _ text: String, _ severity: Severity, now: Timestamp
  ) {
    turn += 1
    words[finding] = (turn, finding.anomaly(status, text, severity: severity, turn: turn, now: now))
  }

  mutating func write(to report: inout AuditReport) {
    guard hasChanged else { return }
    hasChanged = false
    report.count = standing.count
    report.ownCount = standing.count { $0.key.isOwn }
    let order = standing.sorted { ($0.key.isOwn ? 0 : 1, $0.value.since) < ($1.key.isOwn ? 0 : 1, $1.value.since) }
    report.items = order.prefix(AuditReport.shown).map {
      AuditReport.Item(finding: $0.key, since: $0.value.since, text: $0.value.text)
    }
  }
}
