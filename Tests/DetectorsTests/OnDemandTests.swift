import Alerts
import Foundation
import Testing

@testable import Detectors

@Suite struct OnDemandTests {
  private let now = Timestamp(rfc3339: "2026-03-31T06:30:00Z") ?? .epoch

  private func asking(_ mobile: [Int?], _ checks: [CheckSettings] = [check("zscore")]) -> OnDemandCheck {
    let source = TableSource()
    source.set(table(mobile, Array(repeating: 500, count: 30)))
    return OnDemandCheck(plan: DetectionPlan(listings(checks), kinds: .table(source)))
  }

  private let usual: [Int?] = (0..<29).map { 100 + ($0 % 5) }

  @Test func `the newest whole window against those before it`() async throws {
    var q = OnDemandCheck.Question(metric: "views")
    q.dimensions = [.init("device", "mobile")]
    let a = try await asking(usual + [300]).answer(q, now: now)
    #expect(a.window.start == Timestamp(rfc3339: "2026-03-30"))
    #expect(a.value == 300)
    #expect(a.samples == 29)
    #expect(a.isAnomaly && a.severity == .critical)
    #expect(a.findings.map(\.series) == ["device=mobile"])
    #expect(a.findings.first?.severity == .critical)
    let j = a.json
    for name in ["is_anomaly", "current_value", "baseline", "z_score", "severity", "metric", "device"] {
      #expect(j[name] != nil, "\(name)")
    }
    #expect(j["severity"] == "critical")
    #expect(j["baseline"]?["mean"]?.double == a.mean)
    #expect(j["baseline"]?["stddev"]?.double == a.deviation)
  }

  @Test func `a usual one, and a name with _id behind it`() async throws {
    var q = OnDemandCheck.Question(metric: "views")
    q.dimensions = [.init("device_id", "mobile")]
    let a = try await asking(usual + [103]).answer(q, now: now)
    #expect(!a.isAnomaly && a.severity == nil)
    #expect(a.json["severity"]?.isNull == true)
    #expect(a.findings.allSatisfy { $0.severity == nil })
  }

  @Test func `a window of its own is put together from parts`() async throws {
    let source = TableSource()
    var text = "t,DEVICE,views\n"
    for hour in 0..<240 {
      let t = Timestamp(seconds: 1_772_409_600 + Int64(hour) * 3600)
      text += "\(t.rfc3339),mobile,\(hour >= 234 ? 50 : 10 + hour % 3)\n"
    }
    source.set(text)
    var settings = listings([check("zscore", "views", .hourly)])
    settings.events[0].source.dateColumn = "t"
    let check = OnDemandCheck(plan: DetectionPlan(settings, kinds: .table(source)))
    var q = OnDemandCheck.Question(metric: "views")
    // Six hours that begin at six.
    let end = Timestamp(seconds: 1_772_409_600 + 240 * 3600)
    q.window = Anomaly.Window(start: end - .hours(6), end: end)
    let a = try await check.answer(q, now: end)
    #expect(a.value == 300)
    #expect(a.mean == 66)
    #expect(a.samples == 39)
    #expect(a.isAnomaly)
  }

  @Test func `what can't be answered says why`() async throws {
    func refusal(_ change: (inout OnDemandCheck.Question) -> Void) async -> OnDemandCheck.Refusal? {
      var q = OnDemandCheck.Question(metric: "views")
      change(&q)
      do {
        _ = try await asking(usual).answer(q, now: now)
        return nil
      } catch { return error }
    }
    #expect(await refusal { $0.metric = "view" }?.description.contains("did you mean views?") == true)
    #expect(await refusal { $0.event = "nothing" }?.kind == .unknown)
    #expect(await refusal { $0.dimensions = [.init("country", "DE")] }?.kind == .invalid)
    #expect(
      await refusal { $0.dimensions = [.init("device", "fridge")] }?.description.contains("desktop, mobile") == true)
    let source = TableSource()
    source.fail(SourceError(.unreachable, "the warehouse sleeps"))
    let check = OnDemandCheck(plan: DetectionPlan(listings([check("zscore")]), kinds: .table(source)))
    let error = await #expect(throws: OnDemandCheck.Refusal.self) {
      try await check.answer(OnDemandCheck.Question(metric: "views"), now: now)
    }
    #expect(error?.kind == .unavailable)
  }

  @Test func `no data is told apart from zero`() async throws {
    var q = OnDemandCheck.Question(metric: "views")
    q.dimensions = [.init("device", "mobile")]
    let a = try await asking(usual).answer(q, now: now)
    #expect(a.value == nil && a.z == nil && !a.isAnomaly)
    #expect(a.sentence.contains("no data"))
  }
}

@Suite struct FloodTests {
  private func problems(_ range: Range<Int>, _ severity: Severity = .critical) -> [Anomaly] {
    range.map { i in
      var a = Anomaly(id: "\(i)", source: "d", time: .epoch, eventType: "e\(i % 2)", metric: "m\(i)")
      a.severity = severity
      return a
    }
  }

  @Test func `too many problems are one about the system`() throws {
    var flood = Flood(FloodRule(after: 5, within: .hours(1)))
    let start = Timestamp(seconds: 1_772_409_600)
    let few = flood.take(problems(0..<4), known: [], worker: "w", now: start)
    #expect(few == problems(0..<4))
    let many = flood.take(problems(10..<40), known: [], worker: "w", now: start + .minutes(10))
    #expect(many.count == 31)
    #expect(many[0].eventType == "tocsin" && many[0].severity == .critical && many[0].value == 34)
    #expect(many[0].summary?.contains("34 problems began within 1h, more than 5") == true, "\(many[0].summary ?? "")")
    #expect(many.dropFirst().allSatisfy { $0.severity == .low && $0.label("flood_severity") == "critical" })
    // One that fires on is told as bad as it is, and a repeat is no new problem.
    let known = Set(many.map(\.dedupKey))
    let next = flood.take(problems(10..<12), known: known, worker: "w", now: start + .minutes(20))
    #expect(next == problems(10..<12))
    // An hour later it is over, once.
    let calm = flood.take([], known: known, worker: "w", now: start + .minutes(80))
    #expect(calm.map(\.status) == [.resolved])
    #expect(flood.take([], known: known, worker: "w", now: start + .minutes(90)).isEmpty)
  }

  @Test func `workers with nothing in common count together, and a restart forgets nothing`() async throws {
    let clock = StandingClock("2026-03-11T06:00:05Z")
    let book = try BookPort { clock.now }
    let port = RecordingPort()
    /// A new process each time, with a memory of its own.
    func run(_ name: String, _ problems: Range<Int>) async throws -> [Anomaly] {
      let rows = TableSource()
      rows.set("day,DEVICE,views\n" + problems.map { "2026-03-10,d\($0),9000\n" }.joined())
      var settings = listings([check("threshold", "views", .daily, ["max_value": 500])])
      settings.events[0].name = "e\(problems.lowerBound)"
      settings.flood = FloodRule(after: 5, within: .hours(1))
      let plan = DetectionPlan(settings, kinds: .table(rows))
      let worker = DetectorWorker(
        name: name, plan: plan, port: port, state: try DetectorState(path: nil), leases: Leases(book, holder: name),
        log: silence, clock: { clock.now })
      #expect(await worker.runOnce().map(\.outcome) == [.checked])
      return port.take()
    }
    #expect(try await run("a", 0..<3).map(\.severity) == [.high, .high, .high])
    let tipped = try await run("b", 10..<13)
    #expect(tipped.map(\.eventType).first == "tocsin")
    #expect(tipped.first?.value == 6)
    #expect(tipped.dropFirst().map(\.severity) == [.low, .low, .low])
    clock.advance(.minutes(10))
    let more = try await run("a", 20..<21)
    #expect(more.first?.dedupKey == tipped.first?.dedupKey)
    // The rate is back: whoever comes next says so, once.
    clock.advance(.minutes(70))
    let calm = try await run("c", 30..<31)
    #expect(calm.map(\.status) == [.firing, .resolved])
    #expect(calm.last?.dedupKey == tipped.first?.dedupKey)
    #expect(try await run("a", 40..<41).map(\.severity) == [.high])
  }

  @Test func `a worker in a flood sends one critical anomaly`() async throws {
    let source = TableSource()
    var text = "day,DEVICE,views\n"
    for day in 1...9 { for k in 0..<80 { text += "2026-03-0\(day),d\(k),\(day == 9 ? 1 : 1000)\n" } }
    source.set(text)
    let port = RecordingPort()
    let w = try worker(
      listings([check("percentage_change", "views", .daily, ["threshold": 0.5])]), source, port,
      StandingClock("2026-03-10T06:30:00Z"))
    _ = await w.runOnce()
    let sent = port.take().filter { $0.status == .firing }
    #expect(sent.count == 81)
    #expect(sent.filter { $0.severity == .critical }.map(\.eventType) == ["tocsin"])
  }
}
