import Alerts
import Bus
import EventLog
import Lifecycle
import Testing

@testable import Service

/// Every bound of the service, reached: what stands at it is as its comment says.
@Suite struct BoundTests {
  @Test func aRoundTakesNoMoreThanTheDrainLimit() throws {
    let b = try Bench()
    try b.step()
    #expect(b.gateway.limits == [Service.drainLimit])
  }

  @Test func noMoreWorkersAreKnownThanTheirCapacity() {
    var workers = Workers()
    for i in 0..<Workers.capacity + 50 {
      workers.ready(
        "w\(i)", Bench.peer("w\(i)"), credit: 1, channels: [], now: Bench.start + .seconds(Int64(i)))
    }
    #expect(workers.all.count == Workers.capacity)
    // Whoever was silent longest is forgotten, and known again with its next word.
    #expect(workers.all["w0"] == nil && workers.all["w\(Workers.capacity + 49)"] != nil)
  }

  @Test func nobodyHasMoreCreditThanTheBusAllows() {
    var workers = Workers()
    workers.ready("w", Bench.peer(), credit: .max, channels: [], now: Bench.start)
    workers.ready("v", Bench.peer(), credit: -7, channels: [], now: Bench.start)
    #expect(workers.all["w"]?.credit == Limits.credit && workers.all["v"]?.credit == 0)
  }

  @Test func repliesAreRememberedInNumberAndTime() {
    var answered = AnsweredCommands()
    let peer = Bench.peer()
    func json(_ i: Int) -> [UInt8] { Array("{\"n\":\(i)}".utf8) }
    for i in 0..<AnsweredCommands.capacity + 10 { answered.remember(.int(i), "r\(i)", peer, json(i), Bench.start) }
    #expect(answered["r0", peer, json(0), Bench.start] == nil)
    #expect(answered["r9", peer, json(9), Bench.start] == nil)
    #expect(answered["r10", peer, json(10), Bench.start] == .int(10))
    let last = AnsweredCommands.capacity + 9
    #expect(answered["r\(last)", peer, json(last), Bench.start + AnsweredCommands.memory] == .int(last))
    let late = Bench.start + AnsweredCommands.memory + .seconds(1)
    #expect(answered["r\(last)", peer, json(last), late] == nil)
  }

  private func detected(_ position: Int64, bytes: Int = 0) throws -> RecordedEvent {
    let b = try Bench()
    var json = String(decoding: b.event("m", id: "n\(position)"), as: UTF8.self)
    if bytes > 0 {
      json = json.replacing(#""severity""#, with: #""summary":"\#(String(repeating: "x", count: bytes))","severity""#)
    }
    let anomaly = try Anomaly(parsing: Array(json.utf8), now: Bench.start)
    return RecordedEvent(
      position: position, subject: Subject(.alert, position), version: 1, occurredAt: Bench.start,
      recordedAt: Bench.start, actor: "test", cause: nil,
      event: .detected(
        Detected(
          generation: 1, previous: nil, dedupKey: anomaly.dedupKey, severity: .low,
          route: RouteTaken(configuration: 1, index: nil, match: ""), anomaly: anomaly)))
  }

  @Test func recentAnomaliesAreBoundedInNumberAndSize() throws {
    var recent = RecentAnomalies()
    let template = try detected(1)
    for i in 1...Int64(RecentAnomalies.capacity + 5) {
      var e = template
      e.position = i
      recent.remember([e], bytes: 500)
    }
    #expect(recent.count == RecentAnomalies.capacity)
    #expect(recent[5] == nil && recent[6] != nil)
    // Whole commits: one that is larger than all may be is not kept, and one that fits drives out the older ones.
    var large = template
    large.position = 100_000
    recent.remember([large], bytes: RecentAnomalies.bytes + 1)
    #expect(recent[100_000] == nil && recent[Int64(RecentAnomalies.capacity)] != nil)
    large.position = 100_001
    recent.remember([large], bytes: RecentAnomalies.bytes)
    #expect(recent[100_001] != nil && recent.count == 1 && recent.size <= RecentAnomalies.bytes)
  }

  @Test func aLargeAnomalyIsWholeInItsMessage() throws {
    let b = try Bench()
    let text = String(repeating: "x", count: 8192)
    let json = String(decoding: b.event("big"), as: UTF8.self)
      .replacing(#""severity""#, with: #""summary":"\#(text)","severity""#)
    b.publish([Array(json.utf8)])
    b.ready()
    try b.step()
    #expect(b.jobs.first?.alert?.anomaly.summary?.utf8.count == text.utf8.count)
  }

  @Test func heartbeatsAreBoundedInNumberAndSize() throws {
    let status = ServiceStatus()
    let limit = ServiceStatus.heartbeatLimit
    for i in 0..<limit + 100 { status.beat("w\(i)", [123, 125], at: Bench.start + .seconds(Int64(i))) }
    let known = status.heartbeats
    #expect(known.count <= limit && known.count > limit / 2)
    #expect(known["w0"] == nil && known["w\(limit + 99)"] != nil)

    let large = [UInt8](repeating: 32, count: ServiceStatus.heartbeatBytes)
    for i in 0..<1000 { status.beat("l\(i)", large, at: Bench.start + .hours(9) + .seconds(Int64(i))) }
    #expect(status.heartbeats.values.reduce(0) { $0 + $1.bytes.count } <= ServiceStatus.heartbeatMemory)
    #expect(status.heartbeats["l999"] != nil)

    let b = try Bench()
    b.heartbeat("w", "{\"x\":\"\(String(repeating: "x", count: ServiceStatus.heartbeatBytes))\"}")
    try b.step()
    #expect(b.errors.first?.contains("limit") == true && b.status.heartbeats.isEmpty)
  }

  @Test func aMillionTimersDueAtOnceDoNotKeepACommandWaiting() throws {
    var settings = LifecycleSettings.sample
    settings.staleAfter = .minutes(1)
    settings.routes = [Route(matchers: [], delivery: .dashboardOnly)]
    let b = try Bench(settings)
    let many = 12_000
    for start in stride(from: 0, to: many, by: 4000) {
      b.publish((start..<start + 4000).map { b.event("m\($0)", severity: "low") })
      try b.step()
    }
    b.clock.time = b.clock.time + .minutes(2)
    try b.step()
    // The first round fires as many as it may; what is left is due at once.
    let first = b.types.count { $0 == "resolved" }
    #expect(first > 0 && first <= 10_000)
    #expect(b.service.waitingTime() == 0)
    b.command(#"{"command":"comment","alert":"A-1","by":"ana","note":"x"}"#)
    try b.step()
    // A large commit is written while the next batch is decided: its answers go out in the round after.
    try b.step()
    #expect(b.replies.count == 1)
    #expect(b.types.count { $0 == "resolved" } == many)
  }

  @Test func aSummaryShowsSoManyInFull() throws {
    var settings = LifecycleSettings.sample
    settings.routes = [
      Route(
        matchers: [], delivery: .group(["team"], .init(by: ["event_type"], wait: .seconds(1), interval: .minutes(1))))
    ]
    let b = try Bench(settings)
    b.publish((0..<20).map { b.event("m\($0)") })
    b.ready()
    try b.step()
    try b.passes(.seconds(2), every: .seconds(1))
    #expect(b.jobs.count == 1 && b.jobs.first?.memberCount == 20)
    #expect(b.jobs.first?.members.count == Service.membersShown)
  }
}
