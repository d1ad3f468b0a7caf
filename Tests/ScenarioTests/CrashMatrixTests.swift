import Alerts
import Bus
import Foundation
import Synchronization
import Testing

/// Each process is killed (SIGKILL, by itself, at the exact place) after each thing that it does, and started again: every message that is owed arrives at the
/// receiver at least once and at most twice, under one key.
@Suite(.serialized) struct CrashMatrixTests {
  struct Row: Sendable {
    var process: String
    /// `append:3`: see `CrashPoint`.
    var at: String
    var firing = 0
    var resolved = 0
    var why: String?
    var metric: String { "\(process)_\(at.replacing(":", with: "_"))" }
  }

  static let serve = [
    "receive:1", "receive:2", "decide:1", "decide:2", "decide:3", "decide:4", "append:1", "append:2", "append:3",
    "append:4", "answer:1", "answer:2", "publish:1", "publish:3", "publish:4", "lease:1", "lease:2", "job:1", "job:2",
    "receipt:1", "receipt:2", "projection:1", "projection:2",
  ]
  static let up = [
    "receive:1", "decide:1", "append:1", "answer:1", "publish:1", "lease:1", "job:1", "take:1", "send:1", "report:1",
    "receipt:1", "projection:1", "send:2", "append:3",
  ]
  static let notify = ["take:1", "send:1", "report:1", "take:2", "send:2", "report:2"]
  static let publish = ["spool:1", "sent:1", "stored:1"]
  static let detect = ["found:1", "spool:1", "sent:1", "stored:1", "watermark:1"]

  @Test(.timeLimit(.minutes(5)))
  func everyOwedMessageArrivesWhateverIsKilled() async throws {
    let start = ContinuousClock.now
    let rows = try await withThrowingTaskGroup(of: [Row].self) { group in
      group.addTask { try await CrashMatrixTests.notifiers() }
      group.addTask { try await CrashMatrixTests.services("serve", Self.serve) }
      group.addTask { try await CrashMatrixTests.services("up", Self.up) }
      group.addTask { try await CrashMatrixTests.producers() }
      return try await group.reduce(into: []) { $0 += $1 }
    }
    var table = "killed after      firing  resolved\n"
    for row in rows.sorted(by: { ($0.process, $0.at) < ($1.process, $1.at) }) {
      let name = "\(row.process) \(row.at)".padding(toLength: 20, withPad: " ", startingAt: 0)
      table += "\(name) ×\(row.firing)      ×\(row.resolved)\(row.why.map { "   \($0)" } ?? "")\n"
    }
    let took = ContinuousClock.now - start
    print("\(table)\(rows.count) kills in \(took.components.seconds) s")
    #expect(rows.count == Self.serve.count + Self.up.count + Self.notify.count + Self.publish.count + Self.detect.count)
    for row in rows {
      if let why = row.why { Issue.record("\(row.process) killed at \(row.at): \(why)") }
      #expect(
        (1...2).contains(row.firing), "\(row.process) killed at \(row.at): told \(row.firing) times that it fires")
      #expect(
        (1...2).contains(row.resolved), "\(row.process) killed at \(row.at): told \(row.resolved) times that it is over"
      )
    }
  }

  // MARK: - The service, alone and with everything in one process

  private static func services(_ verb: String, _ points: [String]) async throws -> [Row] {
    let w = try World()
    defer { w.end() }
    try w.useHookConfiguration(apart: Set(points.map { String($0.prefix { $0 != ":" }) }).sorted())
    try await w.hooks()
    // The first start writes the configuration into the log; from then on a start writes nothing.
    var victim = try w.tocsin(verb, verb)
    if verb == "serve" { try w.tocsin("notify", "notify", "--name", "n1") }
    try await w.until("it is ready") { w.isReadyQuick() }
    let publisher = try w.publisher()
    defer { publisher.close() }
    var rows: [Row] = []
    for point in points {
      var row = Row(process: verb, at: point)
      // Nothing of the row before is left to be done at a start: the count of passings begins with this row's own.
      try await settled(w)
      kill(victim.processIdentifier, SIGKILL)
      victim.waitUntilExit()
      victim = try w.tocsin(verb, crashAt: point, verb)
      try await w.until("\(verb) is ready, to be killed at \(point)") { w.isReadyQuick() || !victim.isRunning }
      var kills = 0
      for status in ["firing", "resolved"] {
        try publisher.publish(events: [World.anomaly(row.metric, status)])
        try await w.until("\(point): the message \(status) has arrived") {
          if !victim.isRunning {
            kills += 1
            if victim.terminationReason != .uncaughtSignal || victim.terminationStatus != SIGKILL {
              row.why = "it ended by itself, with \(victim.terminationStatus)"
            }
            victim = try w.tocsin(verb, verb)
          }
          return !w.arrivals(row.metric, status).isEmpty
        }
        // What is killed after the message went out goes a little later.
        if status == "resolved", kills == 0 {
          try? await w.until("it was killed", seconds: 5) { !victim.isRunning }
          if !victim.isRunning {
            kills += 1
            victim = try w.tocsin(verb, verb)
            try await w.until("it is ready again") { w.isReadyQuick() }
          }
        }
      }
      if kills != 1 { row.why = "it was killed \(kills) times" }
      rows.append(row)
    }
    // What may still be sent a second time is sent by now.
    try await publisher.flush(timeout: .seconds(30))
    try await settled(w)
    try judge(&rows, w)
    kill(victim.processIdentifier, SIGKILL)
    victim.waitUntilExit()
    let verified = try w.run("log", "verify")
    if verified.status != 0 { rows[0].why = "the log: \(verified.output)" }
    return rows
  }

  /// Nothing is pending any more.
  private static func settled(_ w: World, seconds: Double = 90) async throws {
    try await w.until("nothing is owed any more", seconds: seconds) {
      w.get(raw: "/metrics")?.contains("\ntocsin_messages_pending 0\n") ?? false
    }
  }

  private static func judge(_ rows: inout [Row], _ w: World) throws {
    for i in rows.indices {
      for (status, path) in [("firing", \Row.firing), ("resolved", \Row.resolved)] {
        let keys = w.arrivals(rows[i].metric, status)
        rows[i][keyPath: path] = keys.values.reduce(0, +)
        if keys.count > 1 { rows[i].why = "\(status) came under several keys: \(keys.keys.sorted())" }
      }
    }
  }

  // MARK: - The notifier

  /// What a killed notifier had is given to another when its lease ends, after a minute: for all of them together.
  private static func notifiers() async throws -> [Row] {
    let w = try World()
    defer { w.end() }
    try w.useHookConfiguration()
    try await w.hooks()
    try w.tocsin("serve", "serve")
    try await w.until("it is ready") { w.isReadyQuick() }
    let publisher = try w.publisher()
    defer { publisher.close() }
    var rows: [Row] = []
    for point in notify {
      var row = Row(process: "notify", at: point)
      let victim = try w.tocsin("notify", crashAt: point, "notify", "--name", "n\(rows.count)")
      try publisher.publish(events: [World.anomaly(row.metric)])
      if point.hasSuffix(":2") {
        try await w.until("\(point): the message firing has arrived") { !w.arrivals(row.metric, "firing").isEmpty }
        try publisher.publish(events: [World.anomaly(row.metric, "resolved")])
      }
      try await w.until("the notifier is killed at \(point)") { !victim.isRunning }
      if victim.terminationStatus != SIGKILL { row.why = "it ended by itself" }
      rows.append(row)
    }
    let last = try w.tocsin("notify", "notify", "--name", "last")
    try await w.until("all that began has arrived", seconds: 100) {
      rows.allSatisfy { !w.arrivals($0.metric, "firing").isEmpty }
    }
    for row in rows where row.at.hasSuffix(":1") {
      try publisher.publish(events: [World.anomaly(row.metric, "resolved")])
    }
    try await publisher.flush(timeout: .seconds(30))
    try await w.until("all that ended has arrived", seconds: 100) {
      rows.allSatisfy { !w.arrivals($0.metric, "resolved").isEmpty }
    }
    try await settled(w)
    try judge(&rows, w)
    if !last.isRunning { rows[0].why = "the last notifier has ended" }
    return rows
  }

  // MARK: - Producers

  private static func producers() async throws -> [Row] {
    let w = try World()
    defer { w.end() }
    try w.useHookConfiguration(more: "connections: {readings: {kind: csv, path: readings.csv}}")
    try await w.hooks()
    try w.tocsin("serve", "serve")
    try w.tocsin("notify", "notify", "--name", "n1")
    try await w.until("it is ready") { w.isReadyQuick() }
    var rows: [Row] = []
    for point in publish {
      var row = Row(process: "publish", at: point)
      for status in ["firing", "resolved"] {
        try w.write(
          "line.json", String(decoding: World.anomaly(row.metric, status), as: UTF8.self) + "\n")
        let arguments = ["publish", "--producer", "p", "--outbox", "out", "--timeout", "60s"]
        let victim = try w.start(
          "publish", World.program.path, arguments + ["--file", "line.json"],
          environment: ProcessInfo.processInfo.environment.merging(["TOCSIN_CRASH_AT": point]) { $1 })
        try await w.until("publish is killed at \(point)") { !victim.isRunning }
        if victim.terminationReason != .uncaughtSignal { row.why = "it ended by itself" }
        // The next run sends what the first had taken.
        let next = try w.start("publish", World.program.path, arguments + ["--file", "/dev/null"])
        try await w.until("the next run ends") { !next.isRunning }
        if next.terminationStatus != 0 { row.why = "the next run failed" }
        try await w.until("\(point): \(status) has arrived") { !w.arrivals(row.metric, status).isEmpty }
      }
      rows.append(row)
    }
    for point in detect {
      var row = Row(process: "detect", at: point)
      try detection(w, row.metric)
      for (n, value) in [(1, 500), (2, 5)] {
        // The next second, since a time of the schedule is checked once.
        if n > 1 { try await Task.sleep(for: .seconds(1.1)) }
        try w.write("readings.csv", readings(upTo: n, value))
        if value == 500 {
          let victim = try w.tocsin("detect", crashAt: point, "detect", "--once", "--only", row.metric)
          try await w.until("detect is killed at \(point)") { !victim.isRunning }
          if victim.terminationReason != .uncaughtSignal { row.why = "it ended by itself" }
        }
        let next = try w.tocsin("detect", "detect", "--once", "--only", row.metric)
        try await w.until("the next run ends") { !next.isRunning }
        if next.terminationStatus != 0 { row.why = "the next run failed" }
        let status = value == 500 ? "firing" : "resolved"
        try await w.until("\(point): \(status) has arrived") { !w.arrivals(row.metric, status).isEmpty }
      }
      rows.append(row)
    }
    try await settled(w)
    try judge(&rows, w)
    return rows
  }

  private static func detection(_ w: World, _ name: String) throws {
    try w.write(
      "config/metrics/\(name).yaml",
      """
      event_config:
        name: \(name)
        data_source: {connection: readings, date_column: timestamp, metrics: [{column: value, alias: "\(name)"}]}
        every: 1s
        detection:
          checks: [{detector: threshold, metric: "\(name)", max_value: 100, severity: critical}]
      """)
  }

  private static func readings(upTo n: Int, _ last: Int) -> String {
    let now = Int64(Date().timeIntervalSince1970)
    var text = "timestamp,value\n"
    for i in stride(from: 30, through: 1, by: -1) {
      text += "\(Timestamp(seconds: now - Int64(i) * 60 - 600 + Int64(n) * 120).rfc3339),\(i == 1 ? last : 5)\n"
    }
    return text
  }
}
