import Alerts
import Bus
import EventLog
import Foundation
import Lifecycle
import Testing

@testable import Service

/// Who must be heard, and is not.
@Suite struct HeartbeatTests {
  static func expecting(_ names: String..., within: Interval = .minutes(5)) -> AuditSettings {
    var s = AuditSettings()
    s.expected = names.map { ExpectedHeartbeat(name: $0, within: within) }
    return s
  }

  @Test("the watchers themselves are dead, and nobody notices")
  func aDetectorThatFallsSilentIsAnAlertUntilItIsHeardAgain() throws {
    let b = try Bench(audit: HeartbeatTests.expecting("detector/1"))
    for _ in 0..<60 {
      b.heartbeat("detector/1")
      try b.passes(.seconds(20))
    }
    #expect(b.audit.isEmpty)
    try b.passes(.minutes(4))
    #expect(b.audit.isEmpty)
    try b.passes(.minutes(2))
    #expect(b.audit == ["detected heartbeat_silent"])
    let item = try #require(b.status.snapshot.audit.items.first)
    #expect(item.text.contains("detector/1 should be heard every 5m") && b.status.snapshot.audit.silent == 1)
    // Others are told of it as of any alert; that Tocsin itself keeps its promises still holds.
    #expect(b.status.snapshot.audit.isWell)
    b.heartbeat("detector/1")
    try b.passes(.seconds(20))
    #expect(b.audit == ["detected heartbeat_silent", "cleared heartbeat_silent"])
  }

  @Test func whoWasRefusedBecauseTheLogCouldNotBeWrittenWasHeard() throws {
    let b = try Bench(audit: HeartbeatTests.expecting("detector/1"))
    try b.step()
    b.log.failure = LoopTests.full
    b.fires("a")
    for i in 0..<30 {
      b.publish([b.event("m\(i)", severity: "low")], producer: "detector/1")
      try b.passes(.minutes(1))
    }
    b.log.failure = nil
    try b.passes(.seconds(20))
    #expect(!b.audit.contains("detected heartbeat_silent"), "\(b.audit)")
  }

  /// A machine that slept for hours could hear nobody. From when it is awake, silence counts again.
  @Test func aSleepIsNobodysSilence() throws {
    let b = try Bench(audit: HeartbeatTests.expecting("detector/1"))
    b.heartbeat("detector/1")
    try b.passes(.minutes(3))
    b.clock.time = b.clock.time + .hours(10)
    try b.step()
    try b.passes(.minutes(1))
    #expect(b.audit.isEmpty, "\(b.audit)")
    try b.passes(.minutes(2))
    #expect(b.audit == ["detected heartbeat_silent"])
  }

  @Test func whatWasNeverHeardIsSaidToo() throws {
    let b = try Bench(audit: HeartbeatTests.expecting("detector/1"))
    try b.passes(.minutes(6))
    #expect(b.audit == ["detected heartbeat_silent"])
    #expect(b.status.snapshot.audit.items.first?.text.contains("when the service began to listen") == true)
  }

  @Test func anomaliesAndRequestsForJobsAreSignsOfLifeToo() throws {
    let b = try Bench(audit: HeartbeatTests.expecting("detector/1", "notifier/1"))
    for i in 0..<20 {
      b.publish([b.event("m\(i)", severity: "low")], producer: "detector/1")
      b.ready("notifier/1")
      try b.passes(.minutes(1))
    }
    #expect(b.audit.isEmpty)
  }

  @Test func aProgramMaySayItselfThatItMustBeHeard() throws {
    let b = try Bench(audit: AuditSettings())
    b.heartbeat("cron/backup", #"{"expect_heartbeat":"1h"}"#)
    try b.passes(.minutes(59), every: .minutes(1))
    #expect(b.status.snapshot.audit.expected == 1 && b.audit.isEmpty)
    try b.passes(.minutes(2), every: .minutes(1))
    #expect(b.audit == ["detected heartbeat_silent"])
    // A shorter promise counts from when it is made.
    b.heartbeat("cron/backup", #"{"expect_heartbeat":"2m"}"#)
    try b.passes(.seconds(90))
    #expect(b.audit.last == "cleared heartbeat_silent")
    try b.passes(.minutes(1))
    #expect(b.audit.last == "deduplicated heartbeat_silent" || b.types.contains("reopened"))
    // And it takes its leave.
    b.heartbeat("cron/backup", #"{"expect_heartbeat":"0s"}"#)
    try b.passes(.hours(2), every: .minutes(1))
    #expect(b.status.snapshot.audit.expected == 0 && b.audit.last == "cleared heartbeat_silent")
  }

  @Test func whoMayOnlyReadAlarmsNobodyAndNonsenseIsAnswered() throws {
    let b = try Bench(audit: AuditSettings())
    b.heartbeat("reader", #"{"expect_heartbeat":"1m"}"#, from: Bench.peer("r", .read))
    b.heartbeat("w", #"{"expect_heartbeat":"soon"}"#)
    b.heartbeat("v", #"{"expect_heartbeat":7}"#)
    try b.step()
    #expect(b.status.snapshot.audit.expected == 0)
    #expect(b.errors.count == 2 && b.errors.allSatisfy { $0.contains("expect_heartbeat must be") })
  }

  @Test func noMoreDeclareThemselvesThanTheirBound() throws {
    let b = try Bench(audit: HeartbeatTests.expecting("mine"))
    for i in 0..<HeartbeatWatch.declaredCapacity + 100 { b.heartbeat("w\(i)", #"{"expect_heartbeat":"1m"}"#) }
    try b.passes(.seconds(10))
    #expect(b.status.snapshot.audit.expected == HeartbeatWatch.declaredCapacity + 1)
  }

  @Test func anEditTakesNamesUpAndLetsThemGo() throws {
    let b = try Bench(audit: HeartbeatTests.expecting("a"))
    try b.passes(.minutes(6))
    #expect(b.audit == ["detected heartbeat_silent"])
    b.control.adopt(HeartbeatTests.expecting("b"))
    try b.passes(.seconds(20))
    #expect(b.audit == ["detected heartbeat_silent", "cleared heartbeat_silent"])
    try b.passes(.minutes(6))
    #expect(b.status.snapshot.audit.items.first?.finding.about == "b")
  }

  @Test func anEditWhileTheServiceWasDownLetsANameGo() throws {
    var b = try Bench(audit: HeartbeatTests.expecting("a"), heartbeats: try HeartbeatBook(path: nil))
    try b.passes(.minutes(6))
    #expect(b.audit == ["detected heartbeat_silent"])
    b = try b.restarted(after: .minutes(1), audit: HeartbeatTests.expecting("b"))
    try b.passes(.seconds(20))
    #expect(b.audit == ["detected heartbeat_silent", "cleared heartbeat_silent"])
    #expect(b.status.snapshot.audit.silent == 0 && b.status.snapshot.audit.count == 0)
  }

  @Test func aSilenceIsRememberedOverARestart() throws {
    var b = try Bench(audit: AuditSettings())
    b.heartbeat("detector/1", #"{"expect_heartbeat":"1m"}"#)
    try b.passes(.minutes(3))
    #expect(b.audit == ["detected heartbeat_silent"])
    b = try b.restarted(after: .minutes(1), audit: AuditSettings())
    try b.passes(.minutes(3))
    #expect(b.status.snapshot.audit.silent == 1)
    // And is said again in words.
    try b.passes(.minutes(15))
    let summaries = try b.log.all.compactMap { e -> String? in
      guard case .deduplicated(let d) = try e.read().event, d.last.source == Finding.source else { return nil }
      return d.last.summary
    }
    #expect(summaries.contains { $0.contains("detector/1 fell silent before") }, "\(summaries)")
    b.heartbeat("detector/1", #"{"expect_heartbeat":"1m"}"#)
    try b.passes(.seconds(20))
    #expect(b.audit.last == "cleared heartbeat_silent" && b.status.snapshot.audit.silent == 0)
  }

  /// What a worker said of itself outlives the service: it falls silent while the service restarts, and is missed.
  @Test func whoDeclaredItselfIsMissedAlsoAfterARestart() throws {
    var b = try Bench(audit: AuditSettings(), heartbeats: try HeartbeatBook(path: nil))
    b.heartbeat("detector/1", #"{"expect_heartbeat":"2m"}"#)
    b.heartbeat("detector/2", #"{"expect_heartbeat":"2m"}"#)
    b.heartbeat("detector/3", #"{"expect_heartbeat":"2m"}"#)
    try b.passes(.seconds(30))
    b.heartbeat("detector/2", #"{"expect_heartbeat":"0s"}"#)
    try b.step()
    b = try b.restarted(after: .hours(1), audit: AuditSettings())
    try b.passes(.minutes(1))
    #expect(b.status.snapshot.audit.expected == 2 && b.audit.isEmpty)
    b.heartbeat("detector/3")
    try b.passes(.seconds(90))
    #expect(b.audit == ["detected heartbeat_silent"])
    #expect(b.status.snapshot.audit.items.first?.finding.about == "detector/1")
    #expect(b.status.snapshot.audit.items.first?.text.contains("when the service began to listen") == true)
  }

  /// Somebody resolved the alert, since that worker will not come back: a restart does not bring it up again.
  @Test func aSilenceThatWasSaidIsNotSaidAgainByARestart() throws {
    let book = try HeartbeatBook(path: nil)
    var b = try Bench(audit: AuditSettings(), heartbeats: book)
    b.heartbeat("detector/1", #"{"expect_heartbeat":"2m"}"#)
    try b.passes(.minutes(4))
    #expect(b.audit == ["detected heartbeat_silent"])
    #expect(try book.all() == ["detector/1": .init(within: .minutes(2), isSilent: true)])
    b.command(#"{"command":"resolve","alert":"A-1","by":"ana"}"#)
    try b.step()
    #expect(b.types.last == "resolved")
    b = try b.restarted(after: .hours(1), audit: AuditSettings())
    try b.passes(.minutes(30))
    #expect(b.audit == ["detected heartbeat_silent"] && b.status.snapshot.audit.silent == 1)
    // Once it is heard, its promise holds again.
    b.heartbeat("detector/1", #"{"expect_heartbeat":"2m"}"#)
    try b.passes(.minutes(1))
    #expect(try book.all() == ["detector/1": .init(within: .minutes(2))])
    try b.passes(.minutes(2))
    #expect(b.audit == ["detected heartbeat_silent", "detected heartbeat_silent"])
  }

  /// A book that can't be written keeps nobody from anything, and is tried again.
  @Test func aPromiseIsKeptOnFileAndOnlyWhenItChanges() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("tocsin-promises-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = folder.appendingPathComponent("leases").path
    let leases = try LeaseBook(path: path)
    do {
      let b = try Bench(audit: AuditSettings(), heartbeats: try HeartbeatBook(path: path))
      b.heartbeat("w", #"{"expect_heartbeat":"5m"}"#)
      try b.step()
    }
    let book = try HeartbeatBook(path: path)
    #expect(try book.all() == ["w": .init(within: .minutes(5))])
    let b = try Bench(audit: AuditSettings(), heartbeats: book)
    try book.write(["w": nil])
    for _ in 0..<10 {
      b.heartbeat("w", #"{"expect_heartbeat":"5m"}"#)
      try b.passes(.seconds(10))
    }
    #expect(try book.all().isEmpty)
    _ = leases
  }

  /// Ten thousand names, of which a hundred fall silent: each is one entry of a heap, and only what is due is looked at.
  @Test("heartbeats are missed where there are many") func tenThousandAreWatchedOver() throws {
    var settings = AuditSettings()
    settings.expected = (0..<10_000).map { ExpectedHeartbeat(name: "d\($0)", within: .minutes(5)) }
    var lifecycle = LifecycleSettings.sample
    lifecycle.routes = [Route(matchers: [], delivery: .dashboardOnly)]
    let b = try Bench(lifecycle, audit: settings)
    for minute in 0..<7 {
      for i in 0..<10_000 where minute == 0 || i >= 100 { b.heartbeat("d\(i)") }
      let clock = ContinuousClock()
      let took = try clock.measure { try b.passes(.minutes(1), every: .seconds(10)) }
      #expect(took < .seconds(5))
    }
    #expect(b.status.snapshot.audit.expected == 10_000 && b.status.snapshot.audit.silent == 100)
    #expect(b.audit.count == 100 && Set(b.audit) == ["detected heartbeat_silent"])
    for i in 0..<100 { b.heartbeat("d\(i)") }
    try b.passes(.seconds(20))
    #expect(b.audit.count { $0 == "cleared heartbeat_silent" } == 100 && b.status.snapshot.audit.silent == 0)
  }
}
