import Alerts
import Glibc
import Testing

@testable import Detectors

/// What a source owes, and what becomes of it when it comes late, changes, or does not come at all.
@Suite struct LateDataTests {
  private let rows = TableSource()
  private let port = RecordingPort()
  private let clock = StandingClock("2026-03-11T06:00:00Z")
  private let state: DetectorState

  init() throws { state = try DetectorState(path: nil) }

  private func run(_ options: [String: JSON] = [:], _ checks: [CheckSettings]? = nil) async throws -> RunReport {
    var settings = listings(checks ?? [check("threshold", "views", .daily, ["max_value": 500])], dimensions: [])
    settings.events[0].source.options = options.mapValues { Option($0) }
    return await (try worker(settings, rows, port, clock, state: state)).runOnce()[0]
  }

  private func days(_ values: [Int?]) -> String { table(values) }

  @Test func `rows that come late clear what their absence raised, at the next turn`() async throws {
    rows.set(days(Array(repeating: 100, count: 10)))
    _ = try await run()
    #expect(port.take() == [])
    // The 11th has not come.
    clock.set("2026-03-12T06:00:00Z")
    _ = try await run()
    let missing = port.take()
    #expect(missing.map(\.metric) == ["row_count"])
    #expect(missing.first?.summary?.contains("no rows at all") == true)
    // Nothing new is due, but somebody waits for those rows.
    rows.set(days(Array(repeating: 100, count: 11)))
    _ = try await run()
    let over = port.take()
    #expect(over.map(\.status) == [.resolved])
    #expect(over.map(\.metric) == ["row_count"])
    _ = try await run()
    #expect(port.take() == [])
  }

  @Test func `a window whose rows changed is judged again, once for each state of them`() async throws {
    rows.set(days(Array(repeating: 100, count: 10)))
    _ = try await run()
    #expect(port.take() == [])
    // The 9th is mended upwards, the 10th too.
    rows.set(days(Array(repeating: 100, count: 8) + [900, 901, 100]))
    clock.set("2026-03-12T06:00:00Z")
    _ = try await run()
    let said = port.take()
    // The 9th: what was wrong then is told, and over; the 10th: it fires, until the 11th, which is normal.
    #expect(said.map(\.status) == [.firing, .resolved, .firing, .resolved])
    #expect(said.map(\.value) == [900, 900, 901, 100])
    #expect(said[0].id.contains("/again-"))
    #expect(Set(said.map(\.id)).count == 4)
    clock.set("2026-03-13T06:00:00Z")
    rows.set(days(Array(repeating: 100, count: 8) + [900, 901, 100, 100]))
    _ = try await run()
    #expect(port.take() == [])
  }

  @Test func `a window that fired and is mended is cleared`() async throws {
    rows.set(days(Array(repeating: 100, count: 9) + [5000]))
    _ = try await run()
    #expect(port.take().map(\.status) == [.firing])
    rows.set(days(Array(repeating: 100, count: 9) + [100, nil]))
    clock.set("2026-03-12T06:00:00Z")
    _ = try await run()
    let said = port.take()
    #expect(said.filter { $0.metric == "views" }.map(\.status) == [.resolved])
  }

  @Test func `with recheck 0 nobody looks back, and delay lets a window ripen`() async throws {
    rows.set(days(Array(repeating: 100, count: 10)))
    _ = try await run(["recheck": 0])
    rows.set(days(Array(repeating: 100, count: 8) + [900, 900, 100]))
    clock.set("2026-03-12T06:00:00Z")
    _ = try await run(["recheck": 0])
    #expect(port.take() == [])
    clock.set("2026-03-13T06:00:00Z")
    rows.set(days(Array(repeating: 100, count: 11) + [nil]))
    let report = try await run(["recheck": 0, "delay": "12h"])
    #expect(report.outcome == .nothingDue)
  }

  @Test func `an emptied table is a fault of the source, and no zero`() async throws {
    rows.set(days(Array(repeating: 100, count: 10)))
    _ = try await run()
    rows.set("day,DEVICE,views\n")
    clock.set("2026-03-12T06:00:00Z")
    let report = try await run()
    guard case .failed(let why) = report.outcome else {
      Issue.record("an empty table passed for a quiet day")
      return
    }
    #expect(why.contains("no row at all"))
    let said = port.take()
    #expect(said.map(\.metric) == ["source"])
    #expect(said.first?.label("kind") == "empty")
    // Back again, with a real zero in it: nothing is missing, and the windows in between are not left out.
    rows.set(days(Array(repeating: 100, count: 10) + [0, 9999]))
    clock.set("2026-03-13T06:00:00Z")
    _ = try await run()
    #expect(port.take().map { "\($0.metric) \($0.status.rawValue)" } == ["source resolved", "views firing"])
  }

  @Test func `what may pass is tried again, what may not is not`() async throws {
    for (kind, reads) in [(SourceError.Kind.unreachable, 2), (.query, 1)] {
      let source = FailingSource(kind, times: 1)
      var settings = listings([check("threshold", "views", .daily, ["max_value": 500])])
      settings.events[0].source.options = ["retries": Option(1)]
      let plan = DetectionPlan(settings, kinds: SourceKinds(builders: ["table": { _ in source }]))
      let clock = clock
      let w = DetectorWorker(
        name: "w", plan: plan, port: port, state: try DetectorState(path: nil), log: silence, clock: { clock.now })
      let outcome = await w.runOnce()[0].outcome
      #expect((outcome == .checked) == (kind == .unreachable))
      #expect(await source.reads >= reads)
      if kind == .query { #expect(await source.reads == 1) }
    }
  }

  actor FailingSource: MetricSource {
    nonisolated var keepsHistory: Bool { true }
    private let kind: SourceError.Kind
    private var left: Int
    var reads = 0
    init(_ kind: SourceError.Kind, times: Int) {
      self.kind = kind
      left = times
    }
    func read(_ request: SourceRequest) async throws -> SourceReading {
      reads += 1
      if left > 0 {
        left -= 1
        throw SourceError(kind, "not now")
      }
      return SourceReading(rows: [])
    }
  }

  @Test func `reads run beside each other, within a bound`() async throws {
    let source = SlowSource()
    var settings = DetectionSettings()
    settings.connections = [Connection(name: "c", kind: "table")]
    for k in 0..<20 {
      var event = listings([check("threshold", "views", .daily, ["max_value": 500])]).events[0]
      event.name = "e\(k)"
      settings.events.append(event)
    }
    let plan = DetectionPlan(settings, kinds: SourceKinds(builders: ["table": { _ in source }]))
    let clock = clock
    let w = DetectorWorker(
      name: "w", plan: plan, port: port, state: try DetectorState(path: nil), log: silence, clock: { clock.now })
    #expect(await w.runOnce().count == 20)
    #expect(await source.most > 1)
    #expect(await source.most <= DetectorWorker.parallelLimit)
  }

  actor SlowSource: MetricSource {
    nonisolated var keepsHistory: Bool { true }
    private var now = 0
    var most = 0
    func read(_ request: SourceRequest) async throws -> SourceReading {
      now += 1
      most = max(most, now)
      try await Task.sleep(for: .milliseconds(20))
      now -= 1
      return SourceReading(rows: [])
    }
  }

  @Test func `ten thousand series on one worker`() async throws {
    var csv = "day,DEVICE,views\n"
    let n = 10_000
    for day in 1...10 {
      for k in 0..<n {
        csv += "2026-03-\(day < 10 ? "0" : "")\(day),s\(k),\(day == 10 && k % 1000 == 7 ? 9000 : 100 + k % 7)\n"
      }
    }
    rows.set(csv)
    let settings = listings([
      check("zscore", "views", .daily, ["threshold": 3.0, "lookback_days": 7]),
      check("threshold", "views", .daily, ["max_value": 5000]),
    ])
    // Of the processor, and not of the wall clock: the machine may have much else to do.
    let begin = Glibc.clock()
    let report = await (try worker(settings, rows, port, clock, state: state)).runOnce()[0]
    let took = Double(Glibc.clock() - begin) / 1_000_000
    #expect(report.outcome == .checked)
    #expect(Set(port.anomalies.map(\.dedupKey)).count == n / 1000)
    // Of an unoptimised build; see `tocsin bench` for what it is in earnest.
    #expect(took < 60)
    print("10,000 series, 2 checks, 10 days of rows read and judged in \(took) s of processor time")
  }
}
