package import Alerts
import HeapModule
package import Lifecycle

/// Watches over the service's own promises, always, at a price that does not grow with what it watches.
///
/// It follows the facts as they are committed, and looks at each thing when its time has come: no look goes through all of anything. What it finds are
/// anomalies of Tocsin's own, which live as every other: they open an alert, are repeated while they last, and are cleared. Pure: time is an argument.
package struct Auditor: Sendable {
  /// From one look to the next, where nothing asks for an earlier one.
  package static let interval = Interval.seconds(10)
  /// Looks are never closer, but to go on with one that was too much.
  static let shortest = Interval.seconds(1)
  /// Of what is due, so much is looked at in one look; the rest is for the next, which then comes at once.
  static let lookLimit = 2000
  /// What was so for a moment stands for so long after it: the alert would be over before anybody is told.
  static let lateFor = Interval.minutes(1)

  /// A longer time between two looks is one in which the machine slept, or by which its clock was set forward: nobody could be heard then, and nobody could
  /// take a message, so that it counts for no silence.
  static let awayFrom = Interval.minutes(1)

  private enum Watched: Sendable {
    case message(Int64)
    case end(AlertID)
    case heartbeat(String)
  }
  private struct Entry: Comparable, Sendable {
    var due: Timestamp
    var what: Watched
    static func < (a: Entry, b: Entry) -> Bool { a.due < b.due }
    static func == (a: Entry, b: Entry) -> Bool { a.due == b.due }
  }

  private var settings: AuditSettings
  private var heap = Heap<Entry>()
  private var deadlines = DeadlineWatch()
  private var tables = TableWatch()
  private var messages = MessageWatch()
  private var channels = ChannelWatch()
  private var heartbeats = HeartbeatWatch()
  private var voice = AuditVoice()
  private var lateAt: (at: Timestamp, by: Interval)?
  private var unwritable: (at: Timestamp, why: String)?
  private var channelsUntaken: Set<String> = []
  private var lastLook: Timestamp?
  private var mustLookOn = false
  package private(set) var report = AuditReport()

  package init(_ settings: AuditSettings = AuditSettings(), now: Timestamp) {
    self.settings = settings
    expect(settings, now: now)
  }

  /// When ``look(_:waiting:reached:trouble:now:)`` should be called next.
  package var nextLook: Timestamp {
    guard let lastLook else { return .epoch }
    if mustLookOn { return lastLook + .milliseconds(100) }
    if !voice.isSilent { return lastLook + Auditor.shortest }
    let due = min(lastLook + Auditor.interval, heap.min?.due ?? .distantFuture)
    return max(due, lastLook + Auditor.shortest)
  }

  // MARK: - What it follows

  /// Takes up an edited configuration.
  package mutating func adopt(_ settings: AuditSettings, now: Timestamp) {
    self.settings = settings
    expect(settings, now: now)
  }

  private mutating func expect(_ settings: AuditSettings, now: Timestamp) {
    let (new, gone) = heartbeats.adopt(settings.expected, now: now)
    for (name, due) in new { watch(.heartbeat(name), at: due) }
    for name in gone {
      voice.clear(Finding(.heartbeat_silent, about: name), "\(name) is not expected any more", now: now)
    }
  }

  /// After the log was read: what is pending, and what the auditor said before and may have to take back.
  ///
  /// The one time that it goes through all open alerts; reading the log did so too.
  ///
  /// - Parameter promises: who declared itself before, see ``HeartbeatBook``; nil: nobody knows.
  package mutating func recover(_ engine: Engine, promises: [String: HeartbeatBook.Promise]?, now: Timestamp) {
    for (name, promise) in (promises ?? [:]).sorted(by: { $0.key < $1.key }) {
      if let lookAt = heartbeats.recall(name, promise, now: now) { watch(.heartbeat(name), at: lookAt) }
    }
    for position in engine.ledger.pending.keys.sorted() {
      watch(.message(position), at: now + MessageWatch.firstLook)
    }
    for a in engine.alerts.values {
      if a.isResolved {
        if !a.told.isEmpty { watch(.end(a.id), at: now + MessageWatch.endsWithin) }
      } else if let finding = Finding(label: { a.labels[$0] }) {
        let isSilence = finding.kind == .heartbeat_silent
        let text =
          isSilence
          ? "\(finding.about ?? "this") fell silent before the service started, and has not been heard since the start"
          : "\(finding.about ?? "this") was so before the service started, since \(a.openedAt)"
        // Until the next look says more.
        voice.recall(finding, text, since: a.openedAt, severity: a.severity, now: now)
        guard let about = finding.about else { continue }
        if isSilence {
          if promises == nil || heartbeats.expects(about) {
            heartbeats.recall(silent: about, now: now)
          } else {
            // A configuration that was edited meanwhile named it.
            voice.clear(finding, "\(about) is not expected any more", now: now)
          }
        }
        if finding.kind == .messages_untaken { channelsUntaken.insert(about) }
      }
    }
  }

  /// Facts that were committed.
  package mutating func follow(_ events: [RecordedEvent]) {
    for e in events {
      switch e.event {
      case .notificationRequested: watch(.message(e.position), at: e.recordedAt + MessageWatch.firstLook)
      case .resolved where e.subject.kind == .alert:
        watch(.end(AlertID(e.subject.number)), at: e.recordedAt + MessageWatch.endsWithin)
      default: break
      }
    }
  }

  /// A message went out to a worker.
  package mutating func served(_ channel: String) { channels.served(channel) }

  /// Somebody was heard. `declares` is how long it may be silent from here on, as it says itself: see docs/operations.md.
  package mutating func heard(_ name: String, declares: Interval? = nil, now: Timestamp) {
    let (isOver, lookAt) = heartbeats.heard(name, declares: declares, now: now)
    if let lookAt { watch(.heartbeat(name), at: lookAt) }
    guard isOver else { return }
    voice.clear(
      Finding(.heartbeat_silent, about: name),
      declares == .zero ? "\(name) has taken its leave" : "\(name) is heard again", now: now)
  }

  /// What changed about who must be heard because it said so: to be kept once everything that was said is committed.
  mutating func takePromises() -> [String: HeartbeatBook.Promise?] { voice.isSilent ? heartbeats.takeChanges() : [:] }
  mutating func returnPromises(_ names: some Sequence<String>) { heartbeats.returnChanges(names) }

  /// A round of the service begins: nothing that has come is taken up yet.
  ///
  /// - Parameter awake: see ``ServiceClock/awake``.
  package mutating func begin(next: Timestamp?, now: Timestamp, awake: Int64) {
    deadlines.begin(next: next, now: now, awake: awake)
  }
  /// Deadlines were fired.
  package mutating func end(next: Timestamp?, now: Timestamp) { deadlines.end(next: next, now: now) }

  // MARK: - Looking

  /// Looks at what is due, and gives what is to be said: anomalies for the engine.
  ///
  /// - Parameters:
  ///   - waiting: channels on which a message could go at this moment, if a notifier took it.
  ///   - reached: the position that the tables have reached; nil if nobody knows.
  ///   - trouble: why the log can't be written at the moment.
  package mutating func look(
    _ engine: Engine, waiting: [String], reached: Int64?, trouble: String?, now: Timestamp
  ) -> [Anomaly] {
    if let lastLook, now - lastLook > Auditor.awayFrom {
      heartbeats.excuse(now - lastLook, now: now)
      channels.excuse()
    }
    lastLook = now
    lookAtEntries(engine, trouble, now: now)
    messages.forgetSettled(engine)
    lookAtDeadlines(now: now)
    lookAtTotals(engine.ledger.totals, pending: engine.ledger.pending.count, now: now)
    // While nothing can be written nothing goes out: that is said already.
    lookAtChannels(trouble == nil ? waiting : [], now: now)
    lookAtMessages(now: now)
    lookAtTables(head: engine.head, reached: reached, now: now)
    lookAtLog(trouble, now: now)
    voice.repeatWhatLasts(now: now)
    writeReport(now: now)
    // What can't be stored is said once it can.
    return trouble == nil ? voice.takeWords() : []
  }

  private mutating func lookAtEntries(_ engine: Engine, _ trouble: String?, now: Timestamp) {
    var count = 0
    while count < Auditor.lookLimit, let first = heap.min, first.due <= now {
      _ = heap.popMin()
      count += 1
      switch first.what {
      case .message(let position):
        if let next = messages.look(message: position, in: engine, canGiveUp: trouble == nil, now: now) {
          watch(first.what, at: next)
        }
      case .end(let id):
        if let next = messages.look(end: id, in: engine, now: now) { watch(first.what, at: next) }
      case .heartbeat(let name):
        switch heartbeats.look(name, now: now) {
        case .nothing: break
        case .later(let due): watch(first.what, at: due)
        case .silent(let since, let within, let wasHeard):
          voice.say(
            Finding(.heartbeat_silent, about: name),
            wasHeard
              ? "\(name) should be heard every \(within), and has been silent since \(since)"
              : "\(name) should be heard every \(within), and has not been since \(since), when the service began to listen",
            severity: heartbeats.severity(of: name), now: now)
        }
      }
    }
    mustLookOn = heap.min.map { $0.due <= now } ?? false
  }

  private mutating func lookAtDeadlines(now: Timestamp) {
    let worst = deadlines.take()
    report.lateness = worst
    if worst > settings.deadlinesLate { lateAt = (now, worst) }
    if let late = lateAt, now - late.at >= Auditor.lateFor { lateAt = nil }
    hold(
      .init(.deadlines_late), lateAt != nil,
      "a deadline came up \(lateAt?.by ?? .zero) late, and \(settings.deadlinesLate) is the bound: the service or its disk is overloaded",
      well: "deadlines are fired in time again", now: now)
  }

  mutating func lookAtTotals(_ t: Ledger.Totals, pending: Int, now: Timestamp) {
    let settled = t.delivered + t.failed + t.cancelled
    hold(
      .init(.messages_unaccounted), t.requested != settled + pending,
      "\(t.requested) messages were requested, but \(t.delivered) delivered, \(pending) pending, \(t.failed) failed and \(t.cancelled) cancelled make \(settled + pending): this is an error in Tocsin, please report it",
      well: "every message is accounted for", now: now)
  }

  private mutating func lookAtChannels(_ waiting: [String], now: Timestamp) {
    let untaken = Set(channels.look(waiting: waiting, bound: settings.messagesUntaken, now: now))
    for channel in untaken.sorted() {
      hold(
        .init(.messages_untaken, about: channel), true,
        "messages by \(channel) wait for a notifier that takes them, and none has come for \(settings.messagesUntaken): does `tocsin notify` run?",
        well: "", now: now)
    }
    for channel in channelsUntaken.subtracting(untaken).sorted() {
      voice.clear(.init(.messages_untaken, about: channel), "a notifier takes messages by \(channel) again", now: now)
    }
    channelsUntaken = untaken
  }

  private mutating func lookAtMessages(now: Timestamp) {
    hold(
      .init(.messages_overdue), !messages.overdue.isEmpty,
      "\(messages.overdue.count) messages should have been given up when their receivers' patience ended, and still wait",
      well: "no message waits beyond its receiver's patience", now: now)
    hold(
      .init(.resolved_owed), !messages.owed.isEmpty,
      "\(messages.owed.count) alerts are over, and somebody who was told of them is not told their end; \(messages.owed.min()?.description ?? "") is one",
      well: "every end is told", now: now)
  }

  private mutating func lookAtTables(head: Int64, reached: Int64?, now: Timestamp) {
    let behind = tables.look(head: head, reached: reached, now: now)
    hold(
      .init(.tables_behind), behind > settings.tablesBehind,
      "the tables have not caught up for \(behind): they are at position \(reached ?? 0), the log is at \(head)",
      well: "the tables follow the log again", now: now)
  }

  private mutating func lookAtLog(_ trouble: String?, now: Timestamp) {
    if let trouble { unwritable = (now, trouble) }
    if let u = unwritable, now - u.at >= Auditor.lateFor { unwritable = nil }
    hold(
      .init(.log_unwritable), unwritable != nil, "nothing could be stored: \(unwritable?.why ?? "")",
      well: "the log is written again", now: now)
  }

  // MARK: - Saying

  private mutating func watch(_ what: Watched, at due: Timestamp) { heap.insert(Entry(due: due, what: what)) }

  private mutating func hold(
    _ finding: Finding, _ isSo: Bool, _ text: String, well: String, now: Timestamp
  ) {
    if isSo {
      voice.say(finding, text, severity: settings.severity, now: now)
    } else {
      voice.clear(finding, well, now: now)
    }
  }

  private mutating func writeReport(now: Timestamp) {
    report.at = now
    report.untaken = channelsUntaken.count
    report.expected = heartbeats.count
    report.silent = heartbeats.silent
    voice.write(to: &report)
  }
}
