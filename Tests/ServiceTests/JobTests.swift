import Alerts
import Bus
import EventLog
import Lifecycle
import Testing

@testable import Service

/// Jobs, leases, receipts and timers, through the whole loop.
@Suite struct JobTests {
  @Test func aMessageGoesToWhoeverAsksForItsChannel() throws {
    let b = try Bench()
    b.ready("mailer", channels: ["email"])
    b.fires("a")
    try b.step()
    #expect(b.jobs.isEmpty && b.clock.kept.isEmpty)
    b.ready("hooks", channels: ["webhook"])
    try b.step()
    #expect(b.clock.kept == [b.clock.time], "a later start must know that it went out by then")
    let job = try #require(b.jobs.first)
    #expect(b.jobs.count == 1 && job.attempt == 1 && job.alert?.id == AlertID(1) && job.purpose == .firing)
    #expect(job.leaseUntil == b.clock.time + Engine.leaseTime)
    #expect(b.gateway.sent.last?.peer == Bench.peer("hooks"))
  }

  @Test func nobodyGetsMoreThanTheyAskedFor() throws {
    let b = try Bench()
    b.publish((0..<10).map { b.event("m\($0)") })
    b.ready(credit: 3)
    try b.step()
    #expect(b.jobs.count == 3)
    try b.step()
    #expect(b.jobs.count == 3)
    b.ready(credit: 2)
    try b.step()
    #expect(b.jobs.count == 5)
  }

  @Test func severalWorkersShareTheWork() throws {
    let b = try Bench()
    b.publish((0..<10).map { b.event("m\($0)") })
    for worker in ["a", "b"] { b.ready(worker, credit: 10) }
    try b.step()
    let byWorker = Dictionary(grouping: b.gateway.sent.filter { if case .job = $0.message { true } else { false } }) {
      $0.peer
    }
    #expect(byWorker.values.map(\.count) == [5, 5])
  }

  @Test func aDeliveryIsWrittenDownAndItsEndFollows() throws {
    let b = try Bench()
    b.ready()
    b.fires("a")
    try b.step()
    let key = try #require(b.jobs.first?.key)
    b.receipt(Receipt(key: key, attempt: 1, outcome: .delivered, status: 200))
    // The same receipt again, from a connection that was lost and is back.
    b.receipt(Receipt(key: key, attempt: 1, outcome: .delivered, status: 200))
    try b.step()
    #expect(b.types.count { $0 == "notification_delivered" } == 1)
    b.clears("a")
    try b.step()
    #expect(b.jobs.map(\.purpose) == [.firing, .resolved])
    #expect(Set(b.jobs.map(\.key)).count == 2)
  }

  @Test func aLeaseThatRunsOutIsGivenToAnotherAndTheHistorySaysSo() throws {
    let b = try Bench()
    b.ready("a", credit: 1)
    b.fires("a")
    try b.step()
    b.ready("b", credit: 1)
    // One second before the end nothing happens; the next step of the policy waits behind the first.
    b.clock.time = b.clock.time + Engine.leaseTime + .seconds(-1)
    try b.step()
    #expect(b.jobs.count == 1)
    b.clock.time = b.clock.time + .seconds(1)
    try b.step()
    #expect(b.jobs.count == 2 && b.jobs[0].key == b.jobs[1].key && b.jobs[1].attempt == 2)
    let attempted = try b.log.all.last { $0.type == .notification_attempted }?.read().event
    guard case .notificationAttempted(let a)? = attempted else {
      Issue.record("the history does not say that it may have been sent")
      return
    }
    #expect(a.outcomeUnknown && a.message.contains("a did not say"))
  }

  @Test func whatWasWithAWorkerWhenTheServiceStoppedMayHaveBeenSent() throws {
    var b = try Bench()
    b.ready()
    b.fires("a")
    try b.step()
    let key = try #require(b.jobs.first?.key)
    b = try b.restarted(after: .seconds(2))
    b.ready()
    try b.step()
    #expect(b.jobs.map(\.key) == [key] && b.jobs.first?.attempt == 2)
    #expect(b.types.contains("notification_attempted"))
  }

  @Test func timersFireInTheirOwnTimeAndOnce() throws {
    let b = try Bench()
    b.fires("a")
    try b.step()
    #expect(b.service.waitingTime() == 60_000_000)
    b.clock.time = b.clock.time + .milliseconds(59_999)
    try b.step()
    #expect(!b.types.contains("escalated"))
    b.clock.time = b.clock.time + .milliseconds(1)
    try b.step()
    try b.step()
    #expect(b.types.count { $0 == "escalated" } == 1)
  }

  @Test func aDeadlineThatPassedWhileNobodyWasThereFiresAtOnce() throws {
    var b = try Bench()
    b.fires("a")
    try b.step()
    b = try b.restarted(after: .hours(5))
    try b.step()
    #expect(b.types.count { $0 == "escalated" } == 1)
  }

  @Test func anAlertThatHasLeftMemoryIsStillShownInItsMessages() throws {
    let b = try Bench()
    b.ready(credit: 0)
    b.fires("a")
    try b.step()
    b.command(#"{"command":"resolve","alert":"A-1","by":"ana"}"#)
    try b.step()
    try b.passes(.hours(1), every: .minutes(5))
    #expect(b.service.engine.alerts[AlertID(1)] == nil)
    b.command(#"{"command":"comment","alert":"A-1","by":"ana","note":"it was the proxy"}"#, id: "late")
    try b.step()
    #expect(b.replies.last?["ok"]?.bool == true)
    #expect(b.types.last == "commented")
  }

  @Test func aWorkerThatIsGoneKeepsNoMessageWaiting() throws {
    let b = try Bench()
    b.ready("dead", credit: 100)
    try b.step()
    b.gateway.gone = [Bench.peer("dead")]
    // Alone it is: the message waits for somebody, and not for the end of a lease.
    b.fires("a")
    try b.step()
    #expect(b.jobs.isEmpty && b.service.workers.all["dead"] == nil)
    b.ready("alive", credit: 100)
    try b.step()
    #expect(b.jobs.count == 1)
    // Beside others: what it was meant to get goes to them in the same round.
    b.ready("dead", credit: 100)
    b.fires("b", "c", "d", "e")
    try b.step()
    #expect(b.jobs.count == 5 && b.jobs.allSatisfy { $0.attempt == 1 })
    #expect(!b.types.contains("notification_attempted"))
  }

  @Test func receiptsOfNobodysMessagesDoNothing() throws {
    let b = try Bench()
    let head = b.log.head
    b.receipt(Receipt(key: "A-9/firing/1/x/webhook/y", attempt: 1, outcome: .delivered))
    b.receipt(Receipt(key: "", attempt: -5, outcome: .failed))
    try b.step()
    #expect(b.log.head == head && b.errors.isEmpty)
  }
}
