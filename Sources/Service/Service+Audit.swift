import Alerts
import Bus
import Lifecycle
import Logging

extension Service {
  /// Has the auditor look, where it is time, and takes what it says as any other anomaly.
  func audit(now: Timestamp) {
    guard let due = auditor?.nextLook, due <= now else { return }
    let before = auditor?.report.count ?? 0
    let waiting = withEngine { $0.channelsWaiting(now: now) }
    let trouble = isStuck ? status.snapshot.trouble : nil
    let words = auditor?.look(engine, waiting: waiting, reached: tables(), trouble: trouble, now: now)
    for anomaly in words ?? [] {
      let hash = StableHash(source: anomaly.source, id: anomaly.id)
      guard intake.insert(hash) else { continue }
      if case .ignored = withEngine({ $0.take(anomaly, now: now) }) { continue }
      accept(hash)
    }
    guard let report = auditor?.report, report.count != before else { return }
    if let item = report.items.first {
      logger.error(
        "the audit finds what should not be", metadata: ["findings": "\(report.count)", "first": "\(item.text)"])
    } else {
      logger.notice("the audit finds all well")
    }
  }

  /// Keeps what changed about who must be heard. To be called when all that was decided is committed: a silence counts as said only then.
  func keepPromises(now: Timestamp) {
    guard let heartbeats, now >= promisesAt || now + Service.promisesAgain < promisesAt,
      let changes = auditor?.takePromises(), !changes.isEmpty
    else { return }
    do { try heartbeats.write(changes) } catch {
      auditor?.returnPromises(changes.keys)
      promisesAt = now + Service.promisesAgain
      logger.warning(
        "who must be heard can't be kept for the next start; it is tried again", metadata: ["why": "\(error)"])
    }
  }

  /// Who said before the start that it must be heard; nil if nobody knows. Without it all goes on: each says it again with its next heartbeat.
  func promises() -> [String: HeartbeatBook.Promise]? {
    do { return try heartbeats?.all() } catch {
      logger.warning("who must be heard was kept, and can't be read", metadata: ["why": "\(error)"])
      return nil
    }
  }

  /// After they could not be kept, so long until the next try.
  static let promisesAgain = Interval.minutes(1)

  /// Somebody says that it lives, and perhaps how long it may be silent from here on.
  func hear(_ name: String, _ bytes: [UInt8], from peer: Peer, now: Timestamp) {
    func refuse(_ why: String) {
      gateway.send(.error(code: "malformed", message: "a heartbeat that can't be read: \(why)"), to: peer)
    }
    guard bytes.count <= ServiceStatus.heartbeatBytes else {
      return refuse("it has \(bytes.count) bytes, over the limit of \(ServiceStatus.heartbeatBytes)")
    }
    let json: JSON
    do { json = try JSON(parsing: bytes) } catch { return refuse("\(error)") }
    status.beat(name, bytes, at: now)
    held.heard(name, over: peer, now: clock.awake)
    var declares: Interval?
    if let text = json["expect_heartbeat"], !text.isNull {
      guard let interval = text.string.flatMap({ Interval($0) }) else {
        auditor?.heard(name, now: now)
        return refuse("expect_heartbeat must be a length of time such as 5m, or 0s from whoever takes its leave")
      }
      // Who may only read can't have anybody alarmed.
      if !peer.permissions.isDisjoint(with: [.publish, .notify]) { declares = interval }
    }
    auditor?.heard(name, declares: declares, now: now)
    // While nothing can be stored nothing is decided: the next heartbeat says it again.
    if !isStuck, let holds = json["holds"], peer.permissions.contains(.notify) {
      worker(name, holds: holds, over: peer, now: now)
    }
  }
}
