import Alerts
import Bus
import EventLog
import Foundation
import Lifecycle
import Logging
import Projections
import Service

/// How fast a log becomes a state again: without a snapshot, with one, and as the projections' tables.
struct ReplayBench {
  let folder: URL
  /// Open alerts in the log; there are ten times as many events.
  let open: Int

  private func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

  func run(_ table: inout BenchTable) async throws {
    let log = path("replay.sqlite")
    let events = try SampleLog(open: open).write(to: log)
    try replay(log, &table)
    try await start(log, events, &table)
  }

  private func replay(_ path: String, _ table: inout BenchTable) throws {
    // Once to bring the file into the machine's memory, for both.
    _ = RawRows.read(path)
    let log = try SQLiteEventLog(path: path)
    var (raw, rate) = (0.0, 0.0)
    for _ in 1...5 {
      raw = max(raw, RawRows.read(path))
      var engine = Engine()
      let (count, seconds) = try time { try LogReplay.run(log, after: 0, into: &engine) }
      precondition(engine.head == log.head)
      rate = max(rate, Double(count) / seconds)
    }
    table.add(
      "replay without a snapshot", "\(Format.number(rate.rounded()))/s",
      limit: "\(Format.number(raw.rounded()))/s SQLite reads", ratio: rate / raw)
  }

  private func start(_ path: String, _ events: Int64, _ table: inout BenchTable) async throws {
    // An orderly stop leaves a snapshot.
    _ = try await startAndStop(path)
    let seconds = try await startAndStop(path)
    table.add(
      "start with a snapshot", "\(Int(seconds * 1000)) ms",
      limit: "1 s; \(Format.number(Double(events))) events", ratio: seconds)
  }

  /// From opening the log until the first command is answered.
  private func startAndStop(_ path: String) async throws -> Double {
    let gateway = GatewaySettings(
      gateway: "tcp://127.0.0.1:\(BenchPort.free())", feed: "tcp://127.0.0.1:\(BenchPort.free())")
    let host = ServiceHost(logger: BenchLog.quiet) { _ in }
    let start = ContinuousClock.now
    try await host.start(log: path, gateway: gateway, lifecycle: SampleLog.settings)
    let client = try CommandClient(ConnectionSettings(gateway: gateway.gateway, feed: ""), timeout: .minutes(1))
    _ = try await client.send(Command(.comment("bench"), alert: AlertID(7), by: "bench"))
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    client.close()
    host.stop()
    try await host.wait()
    // Its thread lets go of the log a moment after it has said that it is done.
    var tries = 0
    while tries < 200, (try? SQLiteEventLog(path: path)) == nil {
      tries += 1
      try await Task.sleep(for: .milliseconds(50))
    }
    return seconds
  }

  private func time<T>(_ body: () throws -> T) rethrows -> (T, Double) {
    let start = ContinuousClock.now
    let result = try body()
    return (result, (ContinuousClock.now - start) / .seconds(1))
  }
}

/// Events folded into the projections' tables per second, when they are built anew; beside raw SQLite that inserts the log's rows.
struct RebuildBench {
  let folder: URL
  let open: Int

  func run(_ table: inout BenchTable) throws {
    let log = folder.appendingPathComponent("rebuild.sqlite").path
    let events = try SampleLog(open: open).write(to: log)
    var (raw, rate) = (0.0, 0.0)
    // In turn, and the best of three for both: what the neighbours do meanwhile differs from one minute to the next. What was
    // written before has reached the disk first.
    for n in 1...3 {
      sync()
      let part = folder.appendingPathComponent("rebuild-\(n)")
      try FileManager.default.createDirectory(at: part, withIntermediateDirectories: true)
      // Half a gigabyte each.
      defer { try? FileManager.default.removeItem(at: part) }
      raw = max(raw, RawRows.insert(log, into: part.appendingPathComponent("raw.sqlite").path))
      let store = try ProjectionStore(
        path: part.appendingPathComponent("projections.sqlite").path, logger: BenchLog.quiet)
      let reader = try EventLogReader(path: log)
      sync()
      let start = ContinuousClock.now
      try store.rebuild(from: reader)
      rate = max(rate, Double(events) / ((ContinuousClock.now - start) / .seconds(1)))
    }
    table.add(
      "projections rebuilt, events", "\(Format.number(rate.rounded()))/s",
      limit: "\(Format.number(raw.rounded()))/s raw SQLite", ratio: rate / raw)
  }
}
