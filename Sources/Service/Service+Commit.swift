import Alerts
import Bus
import CrashPoints
import EventLog
import Lifecycle
import Logging

// What was decided is written, and only then answered and published: here, and in no other place.
extension Service {
  /// Writes what was decided, and only then answers and publishes.
  func commit(now: Timestamp) {
    begin(now: now, overlapping: false)
    finishWriting(now: now)
  }

  /// Hands what was decided to the writer, once that is done with what it has.
  func begin(now: Timestamp, overlapping: Bool) {
    let events = engine.takeBatch(now: now)
    defer { bytesTaken = 0 }
    if events.isEmpty {
      // What is a repeat of something on its way to the disk is not stored before that is.
      if writing != nil {
        writing?.answers.append(contentsOf: answers)
        answers.removeAll(keepingCapacity: true)
        if let outcome = writer.outcome(waiting: false) { conclude(outcome, now: now) }
      } else if isStuck {
        stuck[stuck.count - 1].answers.append(contentsOf: answers)
        answers.removeAll(keepingCapacity: true)
      } else {
        send(answers)
        answers.removeAll(keepingCapacity: true)
      }
      return
    }
    let round = Round(
      commit: Commit(facts: events, intake: intakeBytes, recordedAt: now), events: events, bytes: bytesTaken,
      answers: answers,
      isOverlapping: overlapping && events.count > Service.overlapFrom)
    intakeBytes.removeAll(keepingCapacity: true)
    answers.removeAll(keepingCapacity: true)
    finishWriting(now: now)
    if failure != nil { return }
    if isStuck {
      stuck.append(round)
    } else {
      overlapped = round.isOverlapping ? overlapped + 1 : 0
      writing = round
      CrashPoint.pass(.decide)
      writer.begin(round.commit, overlapping: round.isOverlapping)
    }
  }

  /// Waits for the commit that is with the writer, if there is one.
  func finishWriting(now: Timestamp) {
    guard writing != nil, let outcome = writer.outcome(waiting: true) else { return }
    conclude(outcome, now: now)
  }

  /// Tries the commits that were refused again, in their order.
  func tryAgain(now: Timestamp) {
    let rounds = stuck
    stuck = []
    for round in rounds {
      if isStuck || failure != nil {
        stuck.append(round)
      } else {
        writing = round
        CrashPoint.pass(.decide)
        writer.begin(round.commit, overlapping: false)
        finishWriting(now: now)
      }
    }
  }

  func conclude(_ outcome: Result<Void, EventLogError>, now: Timestamp) {
    guard let round = writing else { return }
    writing = nil
    if case .failure(let error) = outcome {
      switch error.kind {
      case .unwritable:
        stuck.append(round)
        stuckAt = now
        retryAt = now + Service.retryInterval
        if status.snapshot.trouble != error.message {
          logger.error("nothing can be stored; what comes is refused until it can", metadata: ["why": "\(error)"])
        }
        status.update {
          $0.isReady = false
          $0.trouble = error.message
        }
      case .locked, .unreadable, .corrupt, .conflict: failure = error
      }
      return
    }
    if status.snapshot.trouble != nil { logger.info("anomalies and commands are taken") }
    CrashPoint.pass(.append)
    writer.letGo(recent.remember(round.events, bytes: round.bytes))
    auditor?.follow(round.events)
    send(round.answers)
    publish(round.commit, round.events)
    CrashPoint.pass(.publish)
    committed = round.commit.lastPosition ?? committed
    hasNews = true
  }

  private func send(_ answers: [(Peer, Outgoing)]) {
    if answers.isEmpty { return }
    for (peer, answer) in answers { gateway.send(answer, to: peer) }
    CrashPoint.pass(.answer)
  }

  private func publish(_ commit: Commit, _ events: [RecordedEvent]) {
    guard gateway.isHeard else { return }
    for (stored, e) in zip(commit.events, events) {
      var topic = "default/tocsin"
      if e.subject.kind == .alert, let labels = engine.alerts[AlertID(e.subject.number)]?.labels {
        topic = "\(labels["tenant"] ?? "default")/\(labels["event_type"] ?? "")"
      }
      gateway.publish(topic: topic, position: e.position, json: e.cloudEvent(data: stored.data).bytes)
    }
  }
}
