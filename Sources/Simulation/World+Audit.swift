import Alerts
import Bus
import Service

// What the world knows about what the auditor says.
extension World {
  /// As people wrote it: the model knows no other.
  static let audit: AuditSettings = {
    var s = AuditSettings()
    s.expected = (0..<3).map { ExpectedHeartbeat(name: "detector/\($0)", within: .minutes(15)) }
    return s
  }()

  /// What the service is given: nothing where nobody watches, and nobody's silence counts once nobody sends any more.
  var auditSettings: AuditSettings? {
    guard load.isAudited else { return nil }
    var s = World.audit
    if mutation == .auditorCriesWolf { s.messagesUntaken = .milliseconds(1500) }
    if mutation == .auditorIsDeaf { for i in s.expected.indices { s.expected[i].within = .days(2) } }
    if isCalm { s.expected = [] }
    return s
  }

  /// After each step: what the service has heard and sent, and what is the matter with its machine.
  func followAudit(heard: [String]) {
    guard load.isAudited else { return }
    let t = clock.now()
    promises.audit.step(at: t)
    for name in heard { promises.audit.heardAt[name] = promises.audit.listened }
    if isStuck {
      if stuckSince == nil { stuckSince = t }
      promises.audit.stuckAt = t
    } else {
      if let since = stuckSince, t - since >= World.stuckFor {
        promises.audit.expect(.log_unwritable, since: since, by: t + World.saysWithin)
      }
      stuckSince = nil
    }
  }

  /// After what it said was judged: a step says first, and hands jobs out then.
  func followJobs() {
    guard load.isAudited else { return }
    for (_, message) in gateway.outgoing {
      guard case .job(let json) = message, let channel = json["channel"]?.string else { continue }
      promises.audit.jobAt[channel] = promises.audit.listened
    }
  }

  /// Time has jumped, for the service: it slept, or its clock was set forward.
  func auditJump() { promises.audit.jumpedAt = clock.now() }

  private static let stuckFor = Interval.seconds(30)
  private static let saysWithin = Interval.seconds(30)
}
