import Alerts
import Bus
import EventLog
import Lifecycle
import Testing

@testable import Service

/// A notifier that is gone keeps nothing waiting; one that is only away for a moment keeps what it has.
@Suite struct HeldJobsTests {
  /// A service whose worker `a` has one job in hand, and `b` has none.
  private func given(saying: Bool = true) throws -> (Bench, key: String) {
    let b = try Bench()
    if saying { b.heartbeat("a", #"{"holds":[]}"#, from: Bench.peer("a")) }
    b.ready("a", credit: 1)
    b.fires("a")
    try b.step()
    b.ready("b", credit: 10)
    try b.step()
    #expect(b.jobs.count == 1)
    return (b, try #require(b.jobs.first?.key))
  }

  private func attempts(_ b: Bench) throws -> [NotificationAttempted] {
    try b.log.all.compactMap { if case .notificationAttempted(let a) = try $0.read().event { a } else { nil } }
  }

  private func expectGivenToAnother(_ b: Bench, _ key: String, sourceLocation: SourceLocation = #_sourceLocation) throws
  {
    #expect(b.jobs.map(\.key) == [key, key] && b.jobs.last?.attempt == 2, sourceLocation: sourceLocation)
    #expect(b.gateway.sent.last?.peer == Bench.peer("b"), sourceLocation: sourceLocation)
    let attempts = try attempts(b)
    #expect(attempts.count == 1 && attempts.first?.outcomeUnknown == true, sourceLocation: sourceLocation)
    #expect(attempts.first?.message == "the worker a is gone; it may have been sent", sourceLocation: sourceLocation)
  }

  @Test func oneWhoseConnectionEndsHasFiveSecondsToComeBack() throws {
    let (b, key) = try given()
    b.gateway.incoming.append(.left(Bench.peer("a")))
    try b.step()
    #expect(b.service.waitingTime() == HeldJobs.absence)
    try b.passes(.milliseconds(4900), every: .milliseconds(100))
    #expect(b.jobs.count == 1)
    try b.passes(.milliseconds(100))
    try expectGivenToAnother(b, key)
  }

  @Test func oneThatIsSilentIsGone() throws {
    let (b, key) = try given()
    for _ in 0..<3 {
      try b.passes(.seconds(10))
      b.ready("b", credit: 10)
      b.heartbeat("a", #"{"holds":["\#(key)"]}"#, from: Bench.peer("a"))
      try b.step()
    }
    #expect(b.jobs.filter { $0.key == key }.count == 1)
    try b.passes(.seconds(24), every: .seconds(1))
    #expect(b.jobs.filter { $0.key == key }.count == 1)
    try b.passes(.seconds(1))
    #expect(b.jobs.filter { $0.key == key }.count == 2)
  }

  @Test func whatANewProcessOfTheSameNameDoesNotHaveIsLostAtOnce() throws {
    let (b, key) = try given()
    b.gateway.incoming.append(.left(Bench.peer("a")))
    b.heartbeat("a", #"{"holds":[]}"#, from: Bench.peer("a again"))
    try b.step()
    try expectGivenToAnother(b, key)
  }

  @Test func oneThatIsBackAndHasItStillKeepsIt() throws {
    let (b, key) = try given()
    b.gateway.incoming.append(.left(Bench.peer("a")))
    try b.passes(.seconds(4))
    b.heartbeat("a", #"{"holds":["\#(key)"]}"#, from: Bench.peer("a again"))
    try b.passes(.seconds(20))
    #expect(b.jobs.count == 1)
    b.receipt(Receipt(key: key, attempt: 1, outcome: .delivered, status: 200), worker: "a")
    try b.passes(.seconds(30))
    #expect(b.jobs.count == 1 && b.types.contains("notification_delivered"))
    #expect(try attempts(b).isEmpty)
  }

  /// A heartbeat that was on its way when the job was, or two programs that use one name by mistake: nothing counts as lost while its connection stands.
  @Test func whatMayBeOnItsWayIsNotLost() throws {
    let (b, _) = try given()
    b.heartbeat("a", #"{"holds":[]}"#, from: Bench.peer("a"))
    b.heartbeat("a", #"{"holds":[]}"#, from: Bench.peer("another a"))
    try b.passes(.seconds(20))
    #expect(b.jobs.count == 1)
  }

  @Test func oneThatSaysNothingKeepsItsLease() throws {
    let (b, key) = try given(saying: false)
    b.gateway.incoming.append(.left(Bench.peer("a")))
    try b.passes(.seconds(Int64(Engine.leaseTime.seconds) - 1), every: .seconds(1))
    #expect(b.jobs.count == 1)
    b.ready("b", credit: 10)
    try b.passes(.seconds(1))
    #expect(b.jobs.filter { $0.key == key }.count == 2)
  }

  @Test func aMachineThatSleptMakesNobodySilent() throws {
    let (b, _) = try given()
    b.clock.sleeps(.seconds(50))
    try b.step()
    #expect(b.jobs.count == 1)
  }

  @Test func whoMayNotNotifyLosesNobodysJobs() throws {
    let (b, _) = try given()
    b.gateway.incoming.append(.left(Bench.peer("a")))
    b.heartbeat("a", #"{"holds":[]}"#, from: Bench.peer("x", .publish))
    try b.step()
    #expect(b.jobs.count == 1)
  }
}
