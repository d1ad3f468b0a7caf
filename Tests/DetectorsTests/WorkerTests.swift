import Alerts
import Foundation
import Testing

@testable import Detectors

@Suite struct WorkerTests {
  private let fall = check("percentage_change", "views", .daily, ["threshold": 0.3])
  private let steady = [100, 104, 96, 100, 102, 98, 100]

  @Test func `a fall is published once, with everything that people need`() async throws {
    let (rows, port, clock) = (TableSource(), RecordingPort(), StandingClock("2026-03-09T07:00:00Z"))
    rows.set(table(steady + [13], steady + [101]))
    let w = try worker(
      listings(
        [fall],
        rules: [
          .init(severity: .critical, condition: "deviation > 0.5"),
          .init(severity: .high, condition: "deviation > 0.3"),
        ]), rows, port, clock)
    let reports = await w.runOnce()
    #expect(reports.map(\.outcome) == [.checked])
    let a = try #require(port.take().first)
    #expect(a.id == "2026-03-09/listings/views/device=mobile/percentage_change")
    #expect(a.source == "detector/listings")
    #expect(a.dimensions == [.init("device", "mobile")])
    #expect(a.severity == .critical)
    #expect(a.detector == "percentage_change")
    #expect(
      a.window
        == .init(
          start: try #require(Timestamp(rfc3339: "2026-03-08")), end: try #require(Timestamp(rfc3339: "2026-03-09"))))
    #expect(a.value == 13)
    #expect(a.expected == 100)
    #expect(a.deviation == -0.87)
    #expect(a.summary == "views fell 87% below the 7-day mean (13, expected 100)")
    #expect(a.label("team") == "bi")
    let series = a.more.first { $0.name == "series" }?.value.array ?? []
    #expect(series.count == 8)
    #expect(series.last?["value"]?.double == 13)
    #expect(series.last?["expected"]?.double == 100)
    #expect((try? Anomaly(parsing: a.cloudEvent, now: clock.now)) != nil)
    // The window is done: nothing more, until the next one is due.
    #expect(await w.runOnce().map(\.outcome) == [.nothingDue])
    #expect(port.take().isEmpty)
  }

  @Test func `what is back to normal is resolved, also by a worker that was restarted`() async throws {
    let folder = try Folder()
    let path = folder.path + "/state.sqlite"
    let (rows, port, clock) = (TableSource(), RecordingPort(), StandingClock("2026-03-09T07:00:00Z"))
    rows.set(table(steady + [13]))
    var w = try worker(listings([fall]), rows, port, clock, state: try DetectorState(path: path))
    _ = await w.runOnce()
    #expect(port.take().map(\.status) == [.firing])
    rows.set(table(steady + [13, 95]))
    clock.set("2026-03-10T06:00:00Z")
    w = try worker(listings([fall]), rows, port, clock, state: try DetectorState(path: path))
    _ = await w.runOnce()
    let cleared = port.take()
    #expect(cleared.map(\.status) == [.resolved])
    #expect(cleared.first?.dedupKey == "default|listings|views|device=mobile")
    #expect(cleared.first?.summary?.contains("back to normal") == true)
    clock.set("2026-03-11T06:00:00Z")
    rows.set(table(steady + [13, 95, 99]))
    _ = await w.runOnce()
    #expect(port.take().isEmpty, "it is told once")
  }

  @Test func `before the schedule says so, nothing is due`() async throws {
    let (rows, port, clock) = (TableSource(), RecordingPort(), StandingClock("2026-03-09T05:59:00Z"))
    rows.set(table(steady + [13]))
    let w = try worker(listings([fall]), rows, port, clock)
    _ = await w.runOnce()
    #expect(port.take().isEmpty, "the last window that was due is the seventh")
    clock.set("2026-03-09T06:00:00Z")
    _ = await w.runOnce()
    #expect(port.take().count == 1)
  }

  @Test func `windows that passed while it was down are all checked, in order, once`() async throws {
    let (rows, port, clock) = (TableSource(), RecordingPort(), StandingClock("2026-03-08T07:00:00Z"))
    rows.set(table(steady))
    let w = try worker(listings([fall]), rows, port, clock)
    _ = await w.runOnce()
    #expect(port.take().isEmpty)
    rows.set(table(steady + [13, 100, 12, 11]))
    clock.set("2026-03-12T09:00:00Z")
    _ = await w.runOnce()
    #expect(
      port.take().map(\.id) == [
        "2026-03-09/listings/views/device=mobile/percentage_change",
        "2026-03-10/listings/views/device=mobile/percentage_change/resolved",
        "2026-03-11/listings/views/device=mobile/percentage_change",
        "2026-03-12/listings/views/device=mobile/percentage_change",
      ])
  }

  @Test func `a publish that fails loses no window, and what runs again has the same ids`() async throws {
    let (rows, port, clock) = (TableSource(), RecordingPort(), StandingClock("2026-03-09T07:00:00Z"))
    rows.set(table(steady + [13]))
    let w = try worker(listings([fall]), rows, port, clock)
    port.fail(true)
    if case .failed = await w.runOnce()[0].outcome {} else { Issue.record("it must say that it failed") }
    port.fail(false)
    clock.advance(.hours(1))
    _ = await w.runOnce()
    #expect(port.take().map(\.id) == ["2026-03-09/listings/views/device=mobile/percentage_change"])
  }

  @Test func `a backfill gives the same ids as the runs did, and leaves the present alone`() async throws {
    let (rows, port, clock) = (TableSource(), RecordingPort(), StandingClock("2026-03-09T07:00:00Z"))
    rows.set(table(steady + [13, 100, 12]))
    let w = try worker(listings([fall]), rows, port, clock)
    var live: [String] = []
    for day in ["09", "10", "11"] {
      clock.set("2026-03-\(day)T07:00:00Z")
      _ = await w.runOnce()
      live += port.take().map(\.id)
    }
    let range = try #require(Timestamp(rfc3339: "2026-03-01"))..<(try #require(Timestamp(rfc3339: "2026-03-11")))
    for _ in 0..<2 {
      _ = await w.backfill(range) { _ in }
      #expect(port.take().map(\.id) == live)
    }
    // The alert of the eleventh still fires, and is cleared by the next run.
    rows.set(table(steady + [13, 100, 12, 70]))
    clock.set("2026-03-12T07:00:00Z")
    _ = await w.runOnce()
    #expect(port.take().map(\.status) == [.resolved])
  }

  @Test func `two checks of one problem: it is over when both say so`() async throws {
    let low = check("threshold", "views", .daily, ["min_value": 50])
    let (rows, port, clock) = (TableSource(), RecordingPort(), StandingClock("2026-03-09T07:00:00Z"))
    rows.set(table(steady + [13]))
    let w = try worker(listings([fall, low]), rows, port, clock)
    _ = await w.runOnce()
    #expect(port.take().map(\.detector) == ["percentage_change", "threshold"])
    rows.set(table(steady + [13, 55]))
    clock.set("2026-03-10T07:00:00Z")
    _ = await w.runOnce()
    #expect(port.take().map(\.status) == [.firing], "55 is still a third below, although above the bound")
    rows.set(table(steady + [13, 55, 90]))
    clock.set("2026-03-11T07:00:00Z")
    _ = await w.runOnce()
    #expect(port.take().map(\.status) == [.resolved])
  }

  @Test func `severity rules decide, and nothing is published where none holds`() async throws {
    let rules = [
      SeverityRule(severity: .critical, condition: "deviation > 0.5 and device == \"desktop\""),
      SeverityRule(severity: .medium, condition: "deviation > 0.5"),
    ]
    let (rows, port, clock) = (TableSource(), RecordingPort(), StandingClock("2026-03-09T07:00:00Z"))
    rows.set(table(steady + [13], steady + [60]))
    let w = try worker(listings([fall], rules: rules), rows, port, clock)
    _ = await w.runOnce()
    #expect(port.take().map { "\($0.label("device") ?? "") \($0.severity?.name ?? "")" } == ["mobile medium"])
    rows.set(table(steady + [13, 100], steady + [60, 20]))
    clock.set("2026-03-10T07:00:00Z")
    _ = await w.runOnce()
    #expect(
      port.take().filter { $0.status == .firing }.map { "\($0.label("device") ?? "") \($0.severity?.name ?? "")" } == [
        "desktop critical"
      ])
  }

  @Test func `no rows, no device, and a source that fails are three things`() async throws {
    let (rows, port, clock) = (TableSource(), RecordingPort(), StandingClock("2026-03-09T07:00:00Z"))
    // The mobile rows are gone: zero.
    rows.set(table(steady + [nil], steady + [101]))
    let w = try worker(listings([fall]), rows, port, clock)
    _ = await w.runOnce()
    let gone = port.take()
    #expect(gone.map(\.metric) == ["views"])
    #expect(gone.first?.value == 0)
    // All rows are gone: the table is what is wrong, and the device is not said to be back.
    rows.set(table(steady + [nil, nil], steady + [101, nil]))
    clock.set("2026-03-10T07:00:00Z")
    _ = await w.runOnce()
    let empty = port.take()
    #expect(empty.map(\.metric) == ["row_count"])
    #expect(empty.first?.severity == .critical)
    // The source fails: told once, not every run, and the window stays due.
    rows.fail(SourceError(.unreachable, "the disk is gone"))
    clock.set("2026-03-11T07:00:00Z")
    _ = await w.runOnce()
    clock.advance(.minutes(1))
    _ = await w.runOnce()
    let failed = port.take()
    #expect(failed.map(\.metric) == ["source"])
    #expect(failed.first?.summary?.contains("the disk is gone") == true)
    rows.fail(nil)
    rows.set(table(steady + [nil, nil, 99], steady + [101, nil, 100]))
    clock.advance(.minutes(1))
    _ = await w.runOnce()
    let back = port.take()
    #expect(Set(back.map(\.metric)) == ["source", "row_count", "views"])
    #expect(back.allSatisfy { $0.status == .resolved })
  }

  @Test func `points of a recording are all judged, and later only new ones`() async throws {
    let folder = try Folder()
    var text = "timestamp,value\n"
    func row(_ i: Int, _ v: Double) -> String {
      "\(Timestamp(seconds: 1_400_000_000 + Int64(i) * 1800).rfc3339),\(v)\n"
    }
    for i in 0..<200 { text += row(i, i == 120 ? 900 : 100 + Double(i % 5)) }
    let path = try folder.write("taxi.csv", text)
    var settings = DetectionSettings()
    settings.connections = [Connection(name: "taxi", kind: "csv", options: ["path": Option(.string(path))])]
    var event = EventSettings(name: "taxi", source: source(), schedule: .every(.seconds(10)))
    event.source.connection = "taxi"
    event.checks = [check("zscore", "value", .point, [:], name: "taxi/value/zscore")]
    settings.events = [event]
    let plan = DetectionPlan(settings)
    #expect(plan.faults == [])
    let (port, clock) = (RecordingPort(), StandingClock("2026-03-09T07:00:00Z"))
    let w = DetectorWorker(
      name: "w", plan: plan, port: port, state: try DetectorState(path: nil), log: silence,
      clock: { clock.now })
    _ = await w.runOnce()
    #expect(port.take().map { "\($0.status) \($0.value ?? 0)" } == ["firing 900.0", "resolved 101.0"])
    _ = try folder.write("taxi.csv", text + row(200, 100) + row(201, 950))
    clock.advance(.seconds(10))
    _ = await w.runOnce()
    #expect(port.take().map { "\($0.status) \($0.value ?? 0)" } == ["firing 950.0"])
  }

  @Test func `a source without a past gets one, and waits for several readings in a row`() async throws {
    let rows = TableSource(keepsHistory: false)
    let (port, clock) = (RecordingPort(), StandingClock("2026-03-09T07:00:00Z"))
    let high = check("threshold", "views", .point, ["max_value": 10, "consecutive": 3, "clear_after": 2])
    var settings = listings([high], dimensions: [])
    settings.events[0].source.dateColumn = nil
    let w = try worker(settings, rows, port, clock)
    var said: [String] = []
    for value in [1, 50, 50, 50, 50, 1, 50, 1, 1, 1] {
      rows.set("views\n\(value)\n")
      clock.advance(.seconds(10))
      // The schedule is daily here; points are judged whenever the worker looks.
      _ = await w.runOnce()
      said.append(port.take().map { $0.status.rawValue }.joined())
    }
    #expect(said == ["", "", "", "firing", "firing", "", "", "", "resolved", ""])
  }

  @Test func `what a check that is gone left firing is cleared`() async throws {
    let state = try DetectorState(path: nil)
    let (rows, port, clock) = (TableSource(), RecordingPort(), StandingClock("2026-03-09T07:00:00Z"))
    rows.set(table(steady + [13]))
    _ = await (try worker(listings([fall]), rows, port, clock, state: state)).runOnce()
    #expect(port.take().count == 1)
    clock.set("2026-03-10T07:00:00Z")
    _ = await (try worker(listings([check("row_count", nil)]), rows, port, clock, state: state)).runOnce()
    let over = port.take().filter { $0.status == .resolved }
    #expect(over.map(\.dedupKey) == ["default|listings|views|device=mobile"])
  }

  @Test func `two workers that share their memory check a window once`() async throws {
    let state = try DetectorState(path: nil)
    let (rows, port, clock) = (TableSource(), RecordingPort(), StandingClock("2026-03-09T07:00:00Z"))
    rows.set(table(steady + [13]))
    let a = try worker(listings([fall]), rows, port, clock, state: state, name: "a")
    let b = try worker(listings([fall]), rows, port, clock, state: state, name: "b")
    async let first = a.runOnce()
    async let second = b.runOnce()
    _ = await (first, second)
    _ = await b.runOnce()
    #expect(port.take().count == 1)
  }

  @Test func `that rows are missing is watched once, by the shortest windows`() {
    let plan = DetectionPlan(listings([fall, check("zscore", "views", .weekly)]), kinds: .table(TableSource()))
    let counting = plan.events.flatMap(\.checks).filter(\.countsRows)
    #expect(counting.map(\.bucket) == [.day])
    #expect(Set(plan.events.flatMap(\.checks).map(\.name)).count == 3)
  }

  @Test func `heartbeats tell what was done`() async throws {
    let (rows, port, clock) = (TableSource(), RecordingPort(), StandingClock("2026-03-09T07:00:00Z"))
    rows.set(table(steady + [13]))
    let w = try worker(listings([fall]), rows, port, clock)
    _ = await w.runOnce()
    let beat = try #require(port.beats.last)
    #expect(beat["firing"]?.int == 1)
    #expect(beat["last"]?[0]?["event_type"]?.string == "listings")
    #expect(beat["last"]?[0]?["newest"]?.string == "2026-03-09T00:00:00Z")
  }

  @Test func `everything that is wrong with the settings is said at once`() {
    var settings = listings([
      check("zscores"), check("threshold", "clicks", .daily, ["min_value": 1]),
      check("threshold", "views", .daily, ["min_value": 1, "dimensions": ["REGION"]]),
    ])
    settings.events[0].severities = [.init(severity: .high, condition: "deviaton > 1")]
    settings.events[0].schedule = .cron("0 25 * * *", zone: nil)
    var second = settings.events[0]
    second.name = "other"
    second.source.connection = "d"
    second.schedule = .cron("0 6 * * *", zone: "Mars/Olympus")
    settings.events.append(second)
    let plan = DetectionPlan(settings, kinds: .table(TableSource()))
    #expect(plan.events.isEmpty)
    let text = plan.faults.map(\.description).joined(separator: "\n")
    for word in ["zscores", "clicks", "REGION", "did you mean deviation", "hour", "connection \"d\"", "Mars/Olympus"] {
      #expect(text.contains(word), "\(word): \(text)")
    }
  }
}
