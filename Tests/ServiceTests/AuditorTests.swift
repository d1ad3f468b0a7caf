import Alerts
import Bus
import EventLog
import Lifecycle
import Synchronization
import Testing

@testable import Service

/// Each finding, made true: it opens an alert of Tocsin's own, which is told as every other and cleared when it is well again.
@Suite struct AuditorTests {
  static let settings = AuditSettings()

  @Test func whereAllIsWellNothingIsSaid() throws {
    let b = try Bench(audit: AuditorTests.settings, reached: { .max })
    b.ready(credit: 100)
    for i in 0..<20 {
      b.fires("m\(i)")
      try b.step()
      for job in b.jobs.suffix(1) { b.receipt(Receipt(key: job.key, attempt: 1, outcome: .delivered)) }
      b.clears("m\(i)")
      b.ready(credit: 100)
      try b.passes(.minutes(20))
    }
    #expect(b.audit.isEmpty, "\(b.audit)")
    let report = b.status.snapshot.audit
    #expect(report.isWell && report.count == 0 && report.at != nil)
  }

  @Test func aLookIsATimerAndNothingElseWakesTheService() throws {
    let b = try Bench(audit: AuditorTests.settings)
    try b.step()
    #expect(b.service.waitingTime() == Auditor.interval.microseconds)
  }

  // MARK: - Deadlines

  @Test func aDeadlineThatIsFiredTooLateIsSaid() throws {
    let b = try Bench(audit: AuditorTests.settings)
    b.ready(credit: 1000)
    b.fires("a")
    try b.step()
    // The second step is due after a minute. The loop stands still for three.
    try b.passes(.seconds(50))
    b.clock.time = b.clock.time + .minutes(3)
    try b.step()
    #expect(b.audit == ["detected deadlines_late"])
    #expect(!b.status.snapshot.audit.isWell && b.status.snapshot.audit.lateness > .minutes(2))
    try b.passes(.minutes(2))
    #expect(b.audit == ["detected deadlines_late", "cleared deadlines_late"])
    #expect(b.status.snapshot.audit.isWell)
  }

  /// What fell due while the machine slept, or was skipped by a clock that was set forward, is fired at once, and nobody is told that it was late: nothing
  /// could have been done about it.
  @Test func aMachineThatSleptOrWhoseClockWasSetForwardIsNotLate() throws {
    let b = try Bench(audit: AuditorTests.settings)
    b.ready(credit: 1000)
    b.fires("a")
    try b.step()
    try b.passes(.seconds(50))
    b.clock.sleeps(.hours(8))
    try b.step()
    #expect(b.types.contains("escalated"))
    try b.passes(.minutes(2))
    #expect(b.audit.isEmpty, "\(b.audit)")
    #expect(b.status.snapshot.audit.lateness < .seconds(30))
    // Asleep, and then busy with something else for a minute: that minute counts.
    b.fires("b")
    try b.passes(.seconds(50))
    b.clock.sleeps(.hours(8))
    b.clock.time = b.clock.time + .seconds(61)
    try b.step()
    #expect(b.audit == ["detected deadlines_late"])
    #expect(
      b.status.snapshot.audit.items.first?.text.contains("1m1s late") == true, "\(b.status.snapshot.audit.items)")
  }

  @Test func beingAwayOrIdleIsNotBeingLate() throws {
    var b = try Bench(audit: AuditorTests.settings)
    b.fires("a")
    try b.step()
    b = try b.restarted(after: .hours(3), audit: AuditorTests.settings)
    try b.step()
    #expect(b.types.contains("escalated"))
    // A deadline that lies in the past when it is set, after a quiet hour.
    b.clock.time = b.clock.time + .seconds(10)
    try b.step()
    b.clears("a")
    try b.step()
    try b.passes(.minutes(1))
    #expect(b.audit.isEmpty, "\(b.audit)")
  }

  @Test func whatARoundLeavesBehindGoesOnBeingLate() {
    var watch = DeadlineWatch()
    let start = Bench.start
    func awake(_ t: Timestamp) -> Int64 { t.microseconds }
    watch.begin(next: nil, now: start, awake: awake(start))
    for second in 1...50 {
      let now = start + .seconds(Int64(second))
      watch.begin(next: start, now: now, awake: awake(now))
      watch.end(next: start + .milliseconds(Int64(second)), now: now)
    }
    #expect(watch.take() == .seconds(50))
    watch.begin(next: start + .hours(1), now: start + .seconds(51), awake: awake(start + .seconds(51)))
    #expect(watch.take() == .zero)
  }

  // MARK: - Messages

  @Test func aCounterThatIsWrongIsSaid() throws {
    var engine = Engine()
    engine.adopt(.sample, now: Bench.start)
    var anomaly = Anomaly(id: "1", source: "s", time: Bench.start, eventType: "e", metric: "m")
    anomaly.severity = .critical
    engine.take(anomaly, now: Bench.start)
    var auditor = Auditor(AuditSettings(), now: Bench.start)
    #expect(auditor.look(engine, waiting: [], reached: nil, trouble: nil, now: Bench.start).isEmpty)
    // A request that is counted twice: the second takes the first's place among the pending.
    let batch = engine.takeBatch(now: Bench.start)
    let request = try #require(batch.filter { $0.type == .notification_requested }.last)
    engine.replay(request)
    let said = auditor.look(engine, waiting: [], reached: nil, trouble: nil, now: Bench.start + .seconds(10))
    #expect(said.map(\.metric) == ["messages_unaccounted"] && said.first?.status == .firing)
    #expect(said.first?.summary?.contains("2 messages were requested") == true)
    #expect(said.first?.severity == .critical && !auditor.report.isWell)
    auditor.lookAtTotals(Engine().ledger.totals, pending: 0, now: Bench.start + .seconds(20))
    let over = auditor.look(Engine(), waiting: [], reached: nil, trouble: nil, now: Bench.start + .seconds(30))
    #expect(over.map(\.status) == [.resolved])
  }

  @Test func aMessageThatNobodyTakesIsSaidAndClearedWhenSomebodyDoes() throws {
    let b = try Bench(audit: AuditorTests.settings)
    b.fires("a")
    try b.passes(.minutes(4))
    #expect(b.audit.isEmpty)
    try b.passes(.minutes(2))
    #expect(b.audit == ["detected messages_untaken"])
    #expect(b.status.snapshot.audit.untaken == 1)
    let item = try #require(b.status.snapshot.audit.items.first)
    #expect(item.finding.about == "webhook" && item.text.contains("tocsin notify") && item.text.contains("webhook"))
    // Somebody comes. The auditor's own message goes the same way.
    b.ready()
    try b.step()
    try b.passes(.minutes(2))
    #expect(b.audit == ["detected messages_untaken", "cleared messages_untaken"])
    #expect(b.jobs.contains { $0.alert?.anomaly.metric == "messages_untaken" })
  }

  @Test func whatWaitsWhenTheMachineFallsAsleepIsNotUntakenWhenItWakes() throws {
    let b = try Bench(audit: AuditorTests.settings)
    b.fires("a")
    try b.passes(.minutes(1))
    b.clock.time = b.clock.time + .hours(3)
    try b.step()
    b.ready(credit: 10)
    try b.step()
    #expect(!b.audit.contains { $0.contains("messages_untaken") }, "\(b.audit)")
  }

  @Test func aMessageThatIsReplacedAgainAndAgainIsUntakenAllTheSame() {
    var watch = ChannelWatch()
    func look(_ seconds: Int64) -> [String] {
      watch.look(waiting: ["email"], bound: .minutes(5), now: Bench.start + .seconds(seconds))
    }
    for second in stride(from: 0, to: 300, by: 10) { #expect(look(Int64(second)).isEmpty) }
    #expect(look(300) == ["email"])
    // One message goes: somebody is there, however long the others wait.
    watch.served("email")
    #expect(look(360).isEmpty)
  }

  @Test func aMessageThatIsNotDueIsNotUntaken() throws {
    let b = try Bench(audit: AuditorTests.settings)
    b.ready("w", credit: 1)
    b.fires("a")
    try b.step()
    let key = try #require(b.jobs.first?.key)
    // A provider asks for patience again and again; the next step waits behind this one.
    for attempt in 1...4 {
      b.receipt(Receipt(key: key, attempt: attempt, outcome: .retry, retryAfter: .minutes(4)))
      try b.passes(.minutes(5))
      b.ready("w", credit: 1)
      try b.step()
    }
    #expect(b.audit.isEmpty, "\(b.audit)")
  }

  @Test func aMessageThatIsNeverGivenUpIsSaid() throws {
    var watch = MessageWatch()
    var engine = Engine()
    engine.adopt(.sample, now: Bench.start)
    var anomaly = Anomaly(id: "1", source: "s", time: Bench.start, eventType: "e", metric: "m")
    anomaly.severity = .critical
    engine.take(anomaly, now: Bench.start)
    let position = try #require(engine.ledger.pending.keys.first)
    let key = try #require(engine.ledger[position]?.key)
    // Tried once, and to be tried again in a year: nothing asks for patience beyond a receiver's own.
    let attempted = RecordedEvent(
      position: engine.head + 1, subject: Subject(.alert, 1), version: 9, occurredAt: Bench.start,
      recordedAt: Bench.start, actor: "notifier/w", cause: nil,
      event: .notificationAttempted(
        NotificationAttempted(
          key: key, attempt: 1, status: 503, message: "", outcomeUnknown: false, nextAt: Bench.start + .days(365))))
    _ = engine.takeBatch(now: Bench.start)
    engine.replay(attempted)
    let inTime = Bench.start + .minutes(65)
    let late = Bench.start + .minutes(71)
    #expect(watch.look(message: position, in: engine, canGiveUp: true, now: inTime) != nil)
    #expect(watch.overdue.isEmpty)
    // A full disk is said by itself.
    #expect(watch.look(message: position, in: engine, canGiveUp: false, now: late) != nil)
    #expect(watch.overdue.isEmpty)
    _ = watch.look(message: position, in: engine, canGiveUp: true, now: late)
    #expect(watch.overdue == [position])
    watch.forgetSettled(engine)
    #expect(watch.overdue == [position])
    var settled = watch
    settled.forgetSettled(Engine())
    #expect(settled.overdue.isEmpty)
    #expect(watch.look(message: position, in: Engine(), canGiveUp: true, now: inTime) == nil)
    #expect(watch.overdue.isEmpty)
  }

  @Test func anEndThatNobodyRequestedIsSaid() throws {
    // The facts of an alert that was told to the team and then ended, without the request for its end.
    let b = try Bench(audit: AuditorTests.settings)
    b.ready()
    b.fires("a")
    try b.step()
    b.receipt(Receipt(key: try #require(b.jobs.first?.key), attempt: 1, outcome: .delivered))
    try b.step()
    b.clears("a")
    try b.step()
    var engine = Engine()
    for stored in b.log.all where stored.subject == Subject(.alert, 1) || stored.subject.kind == .configuration {
      let e = try stored.read()
      if case .notificationRequested(let n) = e.event, n.purpose == .resolved { continue }
      engine.replay(e)
    }
    var auditor = Auditor(AuditSettings(), now: b.clock.time)
    auditor.follow(try b.log.all.map { try $0.read() })
    var now = b.clock.time + .seconds(30)
    #expect(auditor.look(engine, waiting: [], reached: nil, trouble: nil, now: now).isEmpty)
    now = now + .seconds(31)
    let said = auditor.look(engine, waiting: [], reached: nil, trouble: nil, now: now)
    #expect(said.map(\.metric) == ["resolved_owed"])
    #expect(said.first?.summary?.contains("A-1") == true)
    // As it really went, nothing is owed.
    var well = Auditor(AuditSettings(), now: b.clock.time)
    well.follow(try b.log.all.map { try $0.read() })
    #expect(well.look(b.service.engine, waiting: [], reached: nil, trouble: nil, now: now).isEmpty)
    // It is over once the end is requested.
    now = now + .minutes(2)
    let over = auditor.look(b.service.engine, waiting: [], reached: nil, trouble: nil, now: now)
    #expect(over.map(\.status) == [.resolved])
  }

  // MARK: - Tables

  @Test func tablesThatStandStillAreSaid() throws {
    let reached = Reached()
    let b = try Bench(audit: AuditorTests.settings, reached: { reached.value })
    reached.value = b.log.head
    try b.passes(.minutes(20))
    #expect(b.audit.isEmpty)
    b.fires("a", severity: "low")
    try b.step()
    try b.passes(.minutes(4))
    #expect(b.audit.isEmpty)
    try b.passes(.minutes(2))
    #expect(b.audit == ["detected tables_behind"])
    reached.value = b.log.head
    try b.passes(.seconds(20))
    #expect(b.audit.last == "cleared tables_behind")
  }

  @Test func tablesThatAreAlwaysALittleBehindAreWell() throws {
    let reached = Reached()
    let b = try Bench(audit: AuditorTests.settings, reached: { reached.value })
    for i in 0..<100 {
      let before = b.log.head
      b.fires("m\(i)", severity: "low")
      try b.passes(.seconds(10))
      reached.value = before
    }
    #expect(!b.audit.contains("detected tables_behind"))
  }

  final class Reached: Sendable {
    private let position = Mutex<Int64>(0)
    var value: Int64 {
      get { position.withLock { $0 } }
      set { position.withLock { $0 = newValue } }
    }
  }

  // MARK: - The log

  @Test func aLogThatCouldNotBeWrittenIsShownAndToldAfterwards() throws {
    let b = try Bench(audit: AuditorTests.settings)
    try b.step()
    b.log.failure = LoopTests.full
    b.fires("a")
    try b.passes(.minutes(30))
    let report = b.status.snapshot.audit
    #expect(!report.isWell && report.items.contains { $0.finding.kind == .log_unwritable && $0.text.contains("full") })
    #expect(b.audit.isEmpty)
    b.log.failure = nil
    try b.passes(.seconds(20))
    #expect(b.audit.contains("detected log_unwritable"))
    try b.passes(.minutes(3))
    #expect(b.audit.contains("cleared log_unwritable"))
    // However long it lasted, it is said once; what else was late for it too.
    #expect(b.audit.count { $0.hasPrefix("detected") } <= 2, "\(b.audit)")
  }

  // MARK: - The auditor's alerts

  @Test func whatLastsIsSaidAgainAndWhatAPersonResolvesComesBack() throws {
    var settings = LifecycleSettings.sample
    settings.staleAfter = .minutes(30)
    let b = try Bench(settings, audit: AuditorTests.settings)
    b.fires("a", severity: "critical")
    try b.passes(.minutes(25))
    #expect(b.audit.first == "detected messages_untaken")
    #expect(b.audit.contains("deduplicated messages_untaken"))
    b.command(#"{"command":"resolve","alert":"A-2","by":"ana"}"#)
    try b.step()
    #expect(b.service.engine.alerts[AlertID(2)]?.isResolved == true)
    // It is still so, and is said again.
    try b.passes(.minutes(15))
    #expect(b.types.contains("reopened") || b.audit.count { $0 == "detected messages_untaken" } > 1)
  }

  @Test func whatWasSaidBeforeARestartIsTakenBack() throws {
    var b = try Bench(audit: AuditorTests.settings)
    b.fires("a")
    try b.passes(.minutes(6))
    #expect(b.audit == ["detected messages_untaken"])
    b = try b.restarted(after: .minutes(1), audit: AuditorTests.settings)
    b.ready()
    try b.step()
    try b.passes(.minutes(1))
    #expect(b.audit.last == "cleared messages_untaken")
  }
}
