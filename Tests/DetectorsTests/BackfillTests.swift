import Alerts
import Synchronization
import Testing

@testable import Detectors

/// What was checked, checked once more: on purpose, and without telling anything twice.
@Suite struct BackfillTests {
  private let rows = TableSource()
  private let port = RecordingPort()
  private let clock = StandingClock("2026-03-11T06:00:00Z")
  private let state: DetectorState

  init() throws { state = try DetectorState(path: nil) }

  private func make(_ options: [String: JSON] = [:], leases: Leases? = nil, _ checks: [CheckSettings]? = nil) throws
    -> DetectorWorker
  {
    var settings = listings(checks ?? [check("threshold", "views", .daily, ["max_value": 500])])
    settings.events[0].source.options = options.mapValues { Option($0) }
    let plan = DetectionPlan(settings, kinds: .table(rows))
    #expect(plan.faults == [])
    let clock = clock
    return DetectorWorker(
      name: "w", plan: plan, port: port, state: state, leases: leases, log: silence, clock: { clock.now })
  }

  private var march: Range<Timestamp> {
    (Timestamp(rfc3339: "2026-03-01") ?? .epoch)..<(Timestamp(rfc3339: "2026-03-11") ?? .epoch)
  }
  private let high = [100, 900, 100, 100, 900, 900, 100, 100, 100, 900]

  @Test func `a range of more rows than one reading may have is read in pieces, to the same end`() async throws {
    // A hundred and twenty days of two devices: beside each window thirty are read that came before it.
    var csv = "day,DEVICE,views\n"
    let zone = WindowCalendar(.day, zone: .utc)
    for (i, window) in zone.windows(from: march.upperBound - .days(120), to: march.upperBound).enumerated() {
      for (k, device) in ["mobile", "desktop"].enumerated() {
        csv += "\(window.start.rfc3339),\(device),\((i + k) % 9 == 0 ? 900 : 100)\n"
      }
    }
    rows.set(csv)
    let checks = [
      check("threshold", "views", .daily, ["max_value": 500]),
      check("percentage_change", "views", .weekly, ["lookback": 1, "threshold": 0.1, "min_points": 1]),
    ]
    let whole = try await run(make(checks))
    let small = try await run(make(["row_limit": 150], checks))
    #expect(whole.count > 50)
    #expect(Set(small.map(\.id)) == Set(whole.map(\.id)))
    #expect(small.count == whole.count)
    // What one window and its past alone exceed can't be helped.
    let report = await (try make(["row_limit": 1], checks)).backfill(long) { _ in }
    guard case .failed(let why) = report[0].outcome else {
      Issue.record("it must say that it failed")
      return
    }
    #expect(why.contains("more than 1 windows"))
  }

  private var long: Range<Timestamp> { march.upperBound - .days(120)..<march.upperBound }
  private func make(_ checks: [CheckSettings]) throws -> DetectorWorker { try make([:], leases: nil, checks) }
  private func make(_ options: [String: JSON], _ checks: [CheckSettings]) throws -> DetectorWorker {
    try make(options, leases: nil, checks)
  }

  private func run(_ worker: DetectorWorker) async throws -> [Anomaly] {
    let reports = await worker.backfill(long) { _ in }
    #expect(reports.map(\.outcome) == [.checked])
    return port.take()
  }

  @Test func `its progress counts windows`() async throws {
    rows.set(table(high, high))
    let heard = Mutex<[BackfillProgress]>([])
    _ = await (try make()).backfill(march) { p in heard.withLock { $0.append(p) } }
    let all = heard.withLock { $0 }
    #expect(all.allSatisfy { $0.of == 10 && $0.event == "listings" })
    #expect(all.first?.windows == 0)
    #expect(all.last?.windows == 10)
    #expect(all.last?.share == 1)
    // Two devices: the half of it lies between.
    #expect(all.contains { $0.share == 0.5 && $0.windows == 5 })
    #expect(all.map(\.share) == all.map(\.share).sorted())
  }

  @Test func `the newest window once more: nothing new, then what was mended`() async throws {
    rows.set(table(high))
    let worker = try make()
    _ = await worker.runOnce()
    let first = port.take()
    #expect(first.map(\.status) == [.firing])
    let idle = await worker.runOnce()[0]
    #expect(idle.outcome == .nothingDue)
    #expect(idle.newest?.rfc3339 == "2026-03-11T00:00:00Z")
    #expect(idle.next?.rfc3339 == "2026-03-12T06:00:00Z")
    #expect(port.take() == [])
    #expect(await worker.runAgain().map(\.outcome) == [.checked])
    // The same id: the service knows it.
    #expect(port.take().map(\.id) == first.map(\.id))
    rows.set(table(high.dropLast() + [100]))
    _ = await worker.runAgain()
    let over = port.take()
    #expect(over.map(\.status) == [.resolved])
    #expect(over.map(\.dedupKey) == first.map(\.dedupKey))
    #expect(try state.firing(event: "listings") == [])
    // And an edit of the check is seen on the window that it was made for.
    let strict = try make([check("threshold", "views", .daily, ["max_value": 50])])
    _ = await strict.runOnce()
    #expect(port.take() == [])
    _ = await strict.runAgain()
    #expect(port.take().map(\.status) == [.firing])
  }

  @Test func `what fires is not forgotten by a backfill that does not look at it`() async throws {
    rows.set(table(high, high))
    _ = await (try make()).runOnce()
    #expect(try state.firing(event: "listings").count == 2)
    // Desktop is gone from the table; mobile is normal now.
    rows.set(table(high.dropLast() + [100]))
    _ = await (try make()).backfill(march) { _ in }
    #expect(try state.firing(event: "listings").map(\.dimensions) == [[.init("device", "desktop")]])
  }

  @Test func `a backfill takes a lease, waits for whoever has it, and hands on what it left`() async throws {
    rows.set(table(high))
    let clock = clock
    let book = try BookPort { clock.now }
    let other = Leases(book, holder: "other")
    guard case .granted = try await other.take("listings", slot: "x") else {
      Issue.record("no lease")
      return
    }
    let worker = try make(leases: Leases(book, holder: "me"))
    async let filled = worker.backfill(march) { _ in }
    try await Task.sleep(for: .milliseconds(300))
    #expect(port.anomalies == [])
    await other.release("listings")
    #expect(await filled.map(\.outcome) == [.checked])
    #expect(port.take().filter { $0.status == .firing }.count == 4)
    #expect(book.count("finish") == 1)
    // Somebody else, who knows nothing, goes on from there.
    let stranger = DetectorWorker(
      name: "stranger", plan: worker.plan, port: port, state: try DetectorState(path: nil),
      leases: Leases(book, holder: "stranger"), log: silence, clock: { clock.now })
    rows.set(table(high + [100]))
    clock.set("2026-03-12T06:00:00Z")
    #expect(await stranger.runOnce().map(\.outcome) == [.checked])
    #expect(port.take().map(\.status) == [.resolved])
    // And whoever comes later in the same turn is told by whom it was done, and when.
    clock.advance(.minutes(5))
    let late = await worker.runOnce()[0]
    #expect(late.outcome == .nothingDue)
    #expect(late.doneBy == "stranger")
    #expect(late.doneAt?.rfc3339 == "2026-03-12T06:00:00Z")
  }
}
