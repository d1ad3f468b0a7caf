import Alerts
import Bus
import Logging

extension Service {
  /// True if it was a request for a lease. Its answer waits for ``answerLeases()``.
  func take(lease bytes: [UInt8], _ requestID: String, _ peer: Peer, now: Timestamp) -> Bool {
    // Told by its first bytes, so that other commands are not parsed twice.
    guard let leases, String(decoding: bytes.prefix(40), as: UTF8.self).contains("\"lease\""),
      let json = try? JSON(parsing: bytes), json["command"]?.string == "lease"
    else { return false }
    guard peer.permissions.contains(.publish) else {
      let error = CommandError(.forbidden, "this key may not take leases: it needs the permission publish")
      leaseAnswers.append((peer, .reply(requestID: requestID, json: Reply(.failure(error)).json)))
      return true
    }
    leaseAnswers.append((peer, .reply(requestID: requestID, json: leases.answer(json, now: now))))
    return true
  }

  /// Makes durable what was finished in this round, and then says so. Beside the log's commit: leases go on while the log can't be written, and the other way
  /// round.
  func answerLeases() {
    guard let leases, !leaseAnswers.isEmpty else { return }
    var failed: String?
    do { try leases.commit() } catch {
      failed = "the leases can't be written: \(error)"
      logger.error("the leases can't be written", metadata: ["why": "\(error)"])
    }
    for (peer, answer) in leaseAnswers {
      guard let failed, case .reply(let id, _) = answer else {
        gateway.send(answer, to: peer)
        continue
      }
      gateway.send(
        .reply(
          requestID: id, json: ["ok": false, "error": ["code": "unavailable", "message": .string(failed)]]), to: peer)
    }
    leaseAnswers.removeAll(keepingCapacity: true)
  }
}
