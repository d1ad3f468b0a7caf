import Alerts
import Bus
import EventLog
import Lifecycle
import Testing

@testable import Service

/// Drain, decide, commit, answer, publish, hand out: in this order, whatever happens in between.
@Suite struct LoopTests {
  @Test func whatCameTogetherIsOneCommit() throws {
    let b = try Bench()
    let before = b.log.commits.count
    b.fires("a", "b", severity: "low")
    b.fires("c", severity: "low")
    b.command(#"{"command":"silence","by":"ana","matchers":[{"name":"device","value":"x"}],"for":"1h"}"#)
    try b.step()
    #expect(b.log.commits.count == before + 1)
    #expect(b.log.commits.last?.events.count == 4)
    // Three anomalies and a command that must not be carried out twice.
    #expect(b.log.commits.last?.intake.count == 4 * 16)
    #expect(b.commits.last == b.log.head)
  }

  @Test func nothingIsAnsweredOrPublishedBeforeItsCommit() throws {
    let b = try Bench()
    let before = b.log.head
    b.fires("a")
    b.command(#"{"command":"acknowledge","alert":"A-1","by":"ana"}"#)
    b.ready()
    try b.step()
    #expect(b.stored.count == 1 && b.replies.count == 1)
    for sent in b.gateway.sent { #expect(sent.head > before) }
    for p in b.gateway.published { #expect(p.head >= p.position) }
    #expect(b.gateway.published.map(\.position) == Array(1...b.log.head))
    #expect(b.gateway.topics.contains("default/load"))
  }

  @Test func whatNobodyCanReadIsAnsweredWithItsPlace() throws {
    let b = try Bench()
    b.publish([b.event("a"), Array("{".utf8), b.event("b"), Array(#"{"specversion":"1.0"}"#.utf8)])
    try b.step()
    let answer = try #require(b.stored.first?.json)
    #expect(answer["accepted"]?.int == 2)
    #expect(answer["rejected"]?.array?.compactMap { $0["index"]?.int } == [1, 3])
    #expect(b.status.snapshot.rejected == 2 && b.status.snapshot.accepted == 2)
  }

  @Test func aRepeatIsNoSecondAnomalyAlsoAfterARestart() throws {
    var b = try Bench()
    b.publish([b.event("a", id: "one")])
    try b.step()
    b.publish([b.event("a", id: "one")])
    try b.step()
    #expect(b.stored.last?.json["duplicates"]?.int == 1)
    b = try b.restarted(after: .seconds(1))
    b.publish([b.event("a", id: "one"), b.event("a", id: "two")])
    try b.step()
    #expect(b.stored.last?.json["duplicates"]?.int == 1 && b.stored.last?.json["accepted"]?.int == 1)
    #expect(b.types.count { $0 == "detected" } == 1)
  }

  @Test func theSameCommandSentAgainIsAnsweredTheSameAndDoesNothing() throws {
    let b = try Bench()
    b.fires("a")
    try b.step()
    let json = #"{"command":"comment","alert":"A-1","by":"ana","note":"looking"}"#
    b.command(json, id: "7")
    b.command(json, id: "7")
    try b.step()
    b.command(json, id: "7")
    try b.step()
    // Another client that counts from the same number is not given this one's answer.
    b.command(json, id: "7", from: Bench.peer("other"))
    try b.step()
    #expect(b.types.count { $0 == "commented" } == 2)
    #expect(Set(b.replies.prefix(3).map(\.text)).count == 1)
  }

  @Test func brokenCommandsAndReceiptsAreAnswered() throws {
    let b = try Bench()
    b.command("{")
    b.command(#"{"command":"dance","by":"ana"}"#, id: "r2")
    b.gateway.incoming.append(.receipt(Bench.peer(), worker: "w", json: Array("[]".utf8)))
    b.heartbeat("w", "{")
    try b.step()
    #expect(b.replies.allSatisfy { $0["ok"]?.bool == false && $0["error"]?["code"]?.string == "invalid" })
    #expect(b.replies.count == 2 && b.errors.count == 2)
    #expect(b.errors.allSatisfy { $0.hasPrefix("malformed: a ") })
  }

  // MARK: - A log that can't be written

  static let full = EventLogError(.unwritable, "the disk is full")

  @Test func whileNothingCanBeStoredNobodyIsToldStored() throws {
    let b = try Bench()
    b.fires("a")
    try b.step()
    b.log.failure = LoopTests.full
    b.fires("b")
    b.command(#"{"command":"acknowledge","alert":"A-1","by":"ana"}"#)
    try b.step()
    #expect(b.stored.count == 1 && b.replies.isEmpty)
    #expect(!b.status.snapshot.isReady && b.status.snapshot.trouble == "the disk is full")
    #expect(b.service.waitingTime() == Service.retryInterval.microseconds)

    // What comes meanwhile is refused at once, and keeps its sender's right to send it again.
    b.clock.time = b.clock.time + .milliseconds(500)
    b.fires("c")
    b.command(#"{"command":"acknowledge","alert":"A-1","by":"ben"}"#, id: "r2")
    b.ready("w")
    try b.step()
    #expect(b.errors == ["unavailable: the disk is full"])
    #expect(b.replies.map { $0["error"]?["code"]?.string } == ["unavailable"])
    #expect(b.jobs.isEmpty)

    // Within a second of the cause's end everything that waited is committed as it was, answered, and work goes on.
    b.log.failure = nil
    b.clock.time = b.clock.time + .milliseconds(500)
    try b.step()
    #expect(b.status.snapshot.isReady && b.status.snapshot.trouble == nil)
    #expect(b.stored.count == 2 && b.replies.count == 2 && b.replies.last?["ok"]?.bool == true)
    b.fires("c")
    try b.step()
    #expect(b.stored.count == 3)
    #expect(b.types.count { $0 == "detected" } == 3)
    // The worker that asked meanwhile has its credit: what is wanted goes out. A-1 was acknowledged.
    #expect(b.jobs.map(\.subject.description).sorted() == ["A-2", "A-3"])
  }

  @Test func aStuckCommitIsTriedOnceASecondAndNotOftener() throws {
    let b = try Bench()
    b.log.failure = LoopTests.full
    b.fires("a")
    try b.step()
    b.log.failure = nil
    // Woken by something else, long before the second is over.
    b.clock.time = b.clock.time + .milliseconds(10)
    try b.step()
    #expect(b.stored.isEmpty && b.service.isRefusing)
    b.clock.time = b.clock.time + .milliseconds(990)
    try b.step()
    #expect(b.stored.count == 1 && !b.service.isRefusing)
  }

  @Test func jobsThatCouldNotBeRecordedDoNotGoOut() throws {
    // A message that may have gone out before the service stopped: leasing it again writes that into the history first.
    var b = try Bench()
    b.fires("a")
    try b.step()
    b = try b.restarted(after: .seconds(1))
    b.log.failure = LoopTests.full
    b.ready()
    try b.step()
    #expect(b.jobs.isEmpty && b.service.isRefusing)
    b.log.failure = nil
    b.clock.time = b.clock.time + Service.retryInterval
    try b.step()
    #expect(b.jobs.count == 1)
    #expect(b.types.filter { $0 == "notification_attempted" }.count == 1)
  }

  @Test(arguments: [EventLogError.Kind.conflict, .corrupt, .locked, .unreadable])
  func aLogThatContradictsItselfEndsTheService(_ kind: EventLogError.Kind) throws {
    let b = try Bench()
    b.log.failure = EventLogError(kind, "no")
    b.fires("a")
    #expect(throws: EventLogError.self) { try b.step() }
    #expect(b.stored.isEmpty)
  }

  // MARK: - Stop

  @Test func anOrderlyStopAnswersWhatItHasTaken() throws {
    let b = try Bench()
    b.fires("a")
    b.control.stop()
    try b.service.run()
    #expect(b.stored.count == 1)
    #expect(!b.status.snapshot.isReady && b.status.snapshot.trouble == "stopping")
  }

  @Test func anEditedConfigurationIsTakenUpWithTheNextRound() throws {
    let b = try Bench()
    var edited = LifecycleSettings.sample
    edited.routes = [Route(matchers: [], delivery: .dashboardOnly)]
    b.control.adopt(edited)
    b.fires("a")
    try b.step()
    #expect(b.types.count { $0 == "configured" } == 2)
    #expect(!b.types.contains("notification_requested"))
    // The same again is no change.
    b.control.adopt(edited)
    try b.step()
    #expect(b.types.count { $0 == "configured" } == 2)
  }

  /// A silence is ended by hand in the round that takes up a rule by which somebody else explains the alert.
  @Test func aRuleHoldsBeforeACommandOfTheSameRoundLetsGo() throws {
    let b = try Bench()
    b.command(#"{"command":"silence","by":"ana","for":"2h","matchers":[{"name":"metric","value":"cpu"}]}"#)
    try b.step()
    b.fires("host down", "cpu")
    try b.step()
    var edited = LifecycleSettings.sample
    edited.inhibitions = [
      InhibitionRule(
        name: "down", source: [Matcher(name: "metric", value: "host down")],
        target: [Matcher(name: "metric", value: "cpu")])
    ]
    let before = b.types.count
    b.control.adopt(edited)
    b.command(#"{"command":"expire_silence","by":"ana","silence":"S-1"}"#, id: "r2")
    try b.step()
    let since = b.types.dropFirst(before)
    #expect(Array(since) == ["configured", "inhibited", "silence_expired", "unsilenced"])
  }
}
