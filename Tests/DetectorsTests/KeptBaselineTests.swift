import Alerts
import Foundation
import Testing

@testable import Detectors

/// What is kept outlives the worker, the process, and the source's own memory.
@Suite struct KeptBaselineTests {
  private let rows = TableSource()
  private let port = RecordingPort()
  private let clock = StandingClock("2026-03-21T06:00:00Z")
  private let folder: Folder

  init() throws { folder = try Folder() }

  /// A worker as a new process would make it.
  private func restarted(_ parameters: [String: JSON] = [:]) throws -> DetectorWorker {
    let checks = [check("zscore", "views", .daily, ["baseline": "kept", "threshold": 4].merging(parameters) { $1 })]
    return try worker(
      listings(checks, dimensions: []), rows, port, clock, state: try DetectorState(path: folder.path + "/d.sqlite"))
  }

  private func days(_ n: Int, _ last: Int? = nil) -> [Int?] {
    (1...n).map { $0 == n ? last ?? 100 + $0 % 5 : 100 + $0 % 5 }
  }

  private func live(through day: Int) async throws {
    for d in 2...day {
      clock.set("2026-03-\(d < 10 ? "0" : "")\(d)T06:00:00Z")
      rows.set(table(days(d - 1)))
      _ = await (try restarted()).runOnce()
    }
    #expect(port.take() == [])
  }

  @Test func `a value is judged by the kept baseline, although the source has forgotten the past`() async throws {
    try await live(through: 21)
    clock.set("2026-03-22T06:00:00Z")
    // Only the newest day is still there.
    rows.set(table(Array(repeating: nil, count: 20) + [160]))
    _ = await (try restarted()).runOnce()
    let said = port.take().filter { $0.metric == "views" }
    #expect(said.map(\.status) == [.firing])
    let first = try #require(said.first)
    #expect(abs((first.expected ?? 0) - 102) < 0.5)
    #expect(first.summary?.contains("its baseline of 20 windows") == true, "\(first.summary ?? "")")
    // Once more: it does not vouch for itself.
    _ = await (try restarted()).runAgain()
    let again = port.take().filter { $0.metric == "views" }
    #expect(again.map(\.id) == [first.id])
    #expect(again.first.map { abs(($0.expected ?? 0) - (first.expected ?? 1)) < 1e-9 } == true)
  }

  @Test func `a reset on purpose begins anew, and nothing else does`() async throws {
    try await live(through: 21)
    let book = BaselineBook(try DetectorState(path: folder.path + "/d.sqlite"))
    #expect(try book.rows(season: "all").map(\.baseline.count) == [20])
    #expect(try book.reset(event: "listings") > 0)
    clock.set("2026-03-22T06:00:00Z")
    rows.set(table(days(21, 160)))
    _ = await (try restarted()).runOnce()
    #expect(port.take() == [])
    #expect(try book.rows(season: "all").map(\.baseline.count) == [1])
    // The same day of the week has too few, and an hour is none of a day.
    #expect(throws: Never.self) { try restarted(["season": "weekday"]) }
    let wrong = listings([check("zscore", "views", .daily, ["baseline": "kept", "season": "hour"])])
    #expect(DetectionPlan(wrong, kinds: .table(rows)).faults.contains { $0.message.contains("of no hour") })
    let odd = listings([check("zscore", "views", .daily, ["baseline": "eternal"])])
    #expect(DetectionPlan(odd, kinds: .table(rows)).faults.count == 1)
  }

  @Test func `what is taken back leaves what was there before`() {
    var random = SeededRandom(seed: 2)
    var baseline = Baseline()
    for _ in 0..<500 { baseline.push(1e6 + random.gaussian()) }
    let before = baseline
    for v in [3.0, -7e6, 1e6] {
      baseline.push(v)
      baseline.remove(v)
      #expect(abs(baseline.mean - before.mean) < 1e-3)
      #expect(abs(baseline.deviation - before.deviation) < 0.05)
      #expect(baseline.count == before.count)
    }
    var one = Baseline()
    one.push(4)
    one.remove(4)
    #expect(one.count == 0)
  }
}

/// Every detector gives the same verdicts whether its worker runs on or is a new process each time: those that look back read their past again, the others keep it.
@Suite struct RestartTests {
  @Test func `a restart changes no verdict`() async throws {
    let rows = TableSource()
    let folder = try Folder()
    let ports = [RecordingPort(), RecordingPort()]
    let clock = StandingClock("2026-03-01T00:05:00Z")
    var settings = listings([])
    settings.events[0].schedule = .cron("5 */12 * * *", zone: nil)
    settings.events[0].source.metrics = [
      .init(column: "views", alias: "views"), .init(column: "views", alias: "gaps", aggregate: "missing"),
    ]
    let names = [
      "percentage_change", "zscore", "robust_zscore", "moving_average", "ewma", "seasonal", "change_point", "profile",
      "adaptive",
    ]
    settings.events[0].checks =
      names.map { check($0, "views", .hourly, $0 == "percentage_change" ? ["threshold": 0.5] : [:]) } + [
        check("threshold", "views", .hourly, ["max_value": 250]), check("row_count", nil, .hourly),
        check("freshness", nil, .hourly, ["max_age": "2h"]),
        check("missing_data", "gaps", .hourly, ["max_ratio": 0.1]),
        check("dominant_category", "views", .hourly, ["dimensions": ["DEVICE"], "max_share": 0.7]),
        check("zscore", "views", .hourly, ["baseline": "kept", "season": "hour", "threshold": 5], name: "kept"),
      ]
    var random = SeededRandom(seed: 8)
    var lines: [(Timestamp, String)] = []
    let start = try #require(Timestamp(rfc3339: "2026-03-01"))
    for hour in 0..<(24 * 9) where hour != 150 {
      let t = start + .hours(Int64(hour))
      for (k, device) in ["mobile", "desktop"].enumerated() {
        var v = 100 + 30 * sin(2 * .pi * Double(hour % 24) / 24) + 4 * random.gaussian()
        if [140, 160, 161].contains(hour) { v *= k == 0 ? 4 : 1 }
        if hour > 180 { v += 60 }
        lines.append((t, "\(t.rfc3339),\(device),\(hour == 155 ? "" : "\(v)")"))
      }
    }
    let plan = DetectionPlan(settings, kinds: .table(rows))
    #expect(plan.faults == [])
    func make(_ port: RecordingPort, _ state: DetectorState) -> DetectorWorker {
      DetectorWorker(name: "w", plan: plan, port: port, state: state, log: silence, clock: { clock.now })
    }
    let steady = make(ports[0], try DetectorState(path: nil))
    for turn in 0..<19 {
      clock.set((start + .hours(Int64(12 * turn)) + .minutes(5)).rfc3339)
      rows.set("day,DEVICE,views\n" + lines.filter { $0.0 < clock.now }.map(\.1).joined(separator: "\n") + "\n")
      _ = await steady.runOnce()
      _ = await make(ports[1], try DetectorState(path: folder.path + "/d.sqlite")).runOnce()
    }
    let (a, b) = (ports[0].anomalies, ports[1].anomalies)
    #expect(a.map(\.id) == b.map(\.id))
    // (The curves that go with them may be shorter: of the far past a memory keeps what it needs, and not every point.)
    func verdicts(_ all: [Anomaly]) -> [String] {
      all.map { "\($0.status) \($0.severity?.name ?? "") \($0.value ?? 0) \($0.expected ?? 0) \($0.score ?? 0)" }
    }
    #expect(verdicts(a) == verdicts(b))
    let spoke = Set(a.filter { $0.status == .firing }.map { $0.label("check") ?? "" })
    #expect(spoke.count >= 13, "\(Set(settings.events[0].checks.map(\.name)).subtracting(spoke)) never spoke")
  }
}
