import Alerts
import Bus
import CrashPoints
import EventLog
import Lifecycle

extension Service {
  /// Judges one message. Its answer waits for the commit.
  func take(_ message: Incoming, now: Timestamp) {
    switch message {
    case .anomalies(let peer, let producer, let sequence, let events):
      CrashPoint.pass(.receive)
      auditor?.heard(producer, now: now)
      answers.append((peer, .stored(sequence: sequence, json: take(events, now: now))))
    case .command(let peer, let requestID, let json): take(command: json, requestID, peer, now: now)
    case .ready(let peer, let worker, let credit, let channels):
      auditor?.heard(worker, now: now)
      held.heard(worker, over: peer, now: clock.awake)
      workers.ready(worker, peer, credit: credit, channels: channels, now: now)
    case .receipt(let peer, let worker, let json):
      do {
        let receipt = try Receipt(json: try JSON(parsing: json))
        withEngine { $0.receive(receipt, from: "notifier/\(worker)", now: now) }
        CrashPoint.pass(.receipt)
      } catch {
        gateway.send(.error(code: "malformed", message: "a receipt that can't be read: \(error)"), to: peer)
      }
    case .heartbeat(let peer, let name, let json): hear(name, json, from: peer, now: now)
    case .left(let peer): held.left(peer, now: clock.awake)
    }
  }

  private func take(_ events: Frames, now: Timestamp) -> JSON {
    bytesTaken += events.byteCount
    var taken = AnomaliesTaken()
    taken.take(events, &scanners, &intake, &engine, &intakeBytes, now: now)
    status.update {
      $0.accepted += taken.accepted
      $0.duplicates += taken.duplicates
      $0.rejected += taken.rejected.count
    }
    return taken.answer
  }

  private func take(command json: [UInt8], _ requestID: String, _ peer: Peer, now: Timestamp) {
    if take(lease: json, requestID, peer, now: now) { return }
    // Sent again because the answer was lost: answered like the first, and nothing changes.
    if let reply = answered[requestID, peer, json, now] {
      answers.append((peer, .reply(requestID: requestID, json: reply)))
      return
    }
    let reply: Reply
    do throws(CommandError) {
      let parsed: JSON
      do { parsed = try JSON(parsing: json) } catch { throw CommandError(.invalid, error.description) }
      let command = try Command(json: parsed, now: now)
      if case .status = command.action {
        answers.append((peer, .reply(requestID: requestID, json: Reply(.success(condition)).json)))
        return
      }
      if let id = command.alert { try recall(id) }
      // Before a restart, or longer ago than replies are kept.
      if let mark = CommandMark(command, requestID, peer, json, now), mark.isKnown(to: intake) {
        reply = engine.repeated(command)
      } else {
        let value = lastValue(command)
        reply = withEngine { $0.obey(command, now: now, lastValue: { value }) }
        if case .wanted = command.action {
          answers.append((peer, .reply(requestID: requestID, json: reply.json)))
          return
        }
        if case .success = reply.result, let mark = CommandMark(command, requestID, peer, json, now),
          intake.insert(mark.hash)
        {
          accept(mark.hash)
        }
      }
    } catch { reply = Reply(.failure(error)) }
    // What could not be judged now may be judged later.
    if case .failure(let error) = reply.result, error.code == .unavailable {
    } else {
      answered.remember(reply.json, requestID, peer, json, now)
    }
    answers.append((peer, .reply(requestID: requestID, json: reply.json)))
  }

  /// What an alert that is to be snoozed until its value changes has for a value now.
  private func lastValue(_ command: Command) -> Double? {
    guard case .snooze(_, let unlessChanged) = command.action, unlessChanged != nil, let id = command.alert,
      let a = engine.alerts[id]
    else { return nil }
    return (try? anomaly(at: a.anomalyPosition))?.value
  }

  /// What `status` is answered with.
  private var condition: JSON {
    let s = status.snapshot
    return .compact([
      "ready": .bool(s.isReady), "trouble": .text(s.trouble), "position": .int(s.head),
      "open_alerts": .int(s.openAlerts), "pending_notifications": .int(s.pendingNotifications),
      "next_deadline": .text(s.nextDeadline?.rfc3339),
      "workers": .array(
        status.heartbeats.sorted { $0.key < $1.key }.map {
          ["name": .string($0.key), "heard_at": .string($0.value.at.rfc3339), "said": $0.value.json]
        }),
    ])
  }

  /// Brings an alert that ended long ago back into memory, for a comment or a label.
  private func recall(_ id: AlertID) throws(CommandError) {
    guard engine.alerts[id] == nil else { return }
    do {
      let life = try log.life(of: id.subject).map { try $0.read() }
      withEngine { $0.recall(life) }
    } catch { throw CommandError(.unavailable, "\(id) can't be read from the log: \(error)") }
  }

  /// While the log can't be written: nobody is told `stored`, and people are told why. Producers and workers send again.
  func refuseMeanwhile(now: Timestamp) {
    let why = status.snapshot.trouble ?? "the log can't be written"
    for message in gateway.receive(limit: Service.drainLimit) {
      switch message {
      case .anomalies(let peer, let producer, _, _):
        // Refused, but alive.
        auditor?.heard(producer, now: now)
        gateway.send(.error(code: "unavailable", message: why), to: peer)
      case .command(let peer, let requestID, let json):
        if take(lease: json, requestID, peer, now: now) { break }
        gateway.send(
          .reply(requestID: requestID, json: Reply(.failure(CommandError(.unavailable, why))).json), to: peer)
      case .ready(let peer, let worker, let credit, let channels):
        held.heard(worker, over: peer, now: clock.awake)
        auditor?.heard(worker, now: now)
        workers.ready(worker, peer, credit: credit, channels: channels, now: now)
      case .receipt: break  // The lease runs out, and the message goes again: at least once.
      case .heartbeat(let peer, let name, let json): hear(name, json, from: peer, now: now)
      case .left(let peer): held.left(peer, now: clock.awake)
      }
    }
  }
}

/// Replies to commands of late, so that one that is sent again is answered like the first and changes nothing.
///
/// The same command is one with the same request id, from the same key, that says the same: two clients that both count from 1 don't get each other's
/// answers. Bounded in number and time: a client gives up long before.
struct AnsweredCommands {
  static let capacity = 4096
  static let memory = Interval.minutes(15)
  private struct Key: Hashable {
    var peer: String?
    var requestID: String
    var said: StableHash
    init(_ requestID: String, _ peer: Peer, _ json: [UInt8]) {
      self.peer = peer.name
      self.requestID = requestID
      said = json.withUnsafeBytes { StableHash($0) }
    }
  }
  private struct Answer {
    var reply: JSON
    var at: Timestamp
  }
  private var replies: [Key: Answer] = [:]
  private var order: [Key] = []
  private var oldest = 0

  var count: Int { replies.count }

  subscript(requestID: String, peer: Peer, json: [UInt8], now: Timestamp) -> JSON? {
    guard let answer = replies[Key(requestID, peer, json)], now - answer.at <= AnsweredCommands.memory else {
      return nil
    }
    return answer.reply
  }

  mutating func remember(_ reply: JSON, _ requestID: String, _ peer: Peer, _ json: [UInt8], _ now: Timestamp) {
    let key = Key(requestID, peer, json)
    let isKnown = replies.updateValue(Answer(reply: reply, at: now), forKey: key) != nil
    if isKnown { return }
    if order.count < AnsweredCommands.capacity {
      order.append(key)
    } else {
      replies[order[oldest]] = nil
      order[oldest] = key
      oldest = (oldest + 1) % AnsweredCommands.capacity
    }
  }
}
