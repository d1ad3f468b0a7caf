import Alerts
import EventLog
import Foundation
import Testing

/// Archiving beside a running service, killed (SIGKILL) at each of its steps: nothing is lost, nothing is there twice, and the next run finishes it.
@Suite struct ArchiveCrashTests {
  /// What a log of a year ago holds: lives that are over, and one that is not.
  private static func write(_ path: String) throws {
    try FileManager.default.createDirectory(
      atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    let log = try SQLiteEventLog(path: path)
    let old = Timestamp(microseconds: Int64(Date().timeIntervalSince1970 * 1_000_000)) - .days(365)
    var position: Int64 = 0
    func event(_ event: AlertEvent, _ subject: Subject, _ version: Int) -> StoredEvent {
      position += 1
      return StoredEvent(
        RecordedEvent(
          position: position, subject: subject, version: version, occurredAt: old, recordedAt: old, actor: "tocsin",
          cause: nil, event: event))
    }
    let configuration = event(.configured(Configured(digest: "d", settings: [:])), Subject(.configuration, 1), 1)
    try log.append(Commit(events: [configuration], recordedAt: old))
    for first in stride(from: Int64(1), through: 3000, by: 500) {
      let events = (first..<first + 500).flatMap { n in
        let anomaly = Anomaly(id: "a\(n)", source: "s", time: old, eventType: "load", metric: "m\(n)")
        let detected = Detected(
          generation: 1, previous: nil, dedupKey: anomaly.dedupKey, severity: .low,
          route: RouteTaken(configuration: 1, index: nil, match: "", dashboardOnly: true), anomaly: anomaly)
        let opened = event(.detected(detected), Subject(.alert, n), 1)
        // The very first one stays open.
        return n == 1
          ? [opened] : [opened, event(.resolved(Resolved(how: .stale, seen: false)), Subject(.alert, n), 2)]
      }
      try log.append(Commit(events: events, recordedAt: old))
    }
  }

  @Test(.timeLimit(.minutes(3)))
  func whereverItIsKilledNothingIsLostOrThereTwice() async throws {
    let w = try World()
    defer { w.end() }
    try w.useSmallConfiguration()
    let path = w.folder.appendingPathComponent("data/tocsin.sqlite").path
    try Self.write(path)
    let service = try w.tocsin("serve", "serve")
    try await w.until("the service is ready") { w.isReadyQuick() }
    let before = try w.shell("tocsin events").output
    let lines = before.split(separator: "\n").count
    #expect(lines >= 6000)

    // The second step of taking rows out is in the middle of it.
    for point in ["copied:1", "named:1", "noted:1", "moved:1", "moved:2"] {
      let killed = try w.shell("TOCSIN_CRASH_AT=\(point) tocsin log archive --before 2026-01-01; echo ended with $?")
      #expect(killed.output.contains("ended with 137"), "\(point): \(killed.output)")
      #expect(try w.shell("tocsin events --limit \(lines)").output == before, "killed at \(point)")
      let verified = try w.run("log", "verify")
      #expect(verified.status == 0 && verified.output.contains("sound"), "killed at \(point): \(verified.output)")
      let shown = try w.shell("tocsin alerts show A-7 --json")
      #expect(shown.status == 0 && shown.output.contains("resolved"), "killed at \(point): \(shown.output)")
      // The service beside it takes what comes.
      #expect(try w.publish(#""event_type":"load","metric":"new""#).status == 0)
    }
    let finished = try w.run("log", "archive", "--before", "2026-01-01")
    #expect(finished.status == 0 && finished.output.contains("finished an earlier move"), "\(finished.output)")
    #expect(try w.shell("tocsin events --limit \(lines)").output == before)
    #expect(
      try w.shell("sqlite3 data/tocsin.sqlite \"SELECT count(*) FROM events WHERE alert = 'A-1'\"").output != "0\n")
    let again = try w.run("log", "archive", "--before", "2026-01-01")
    #expect(again.output.contains("nothing was over before"), "\(again.output)")
    let archives = try FileManager.default.contentsOfDirectory(atPath: w.folder.appendingPathComponent("data").path)
      .filter { $0.contains("archive-") }
    #expect(archives == ["tocsin-archive-1.sqlite"], "\(archives)")
    #expect(try w.run("log", "verify").output.contains("1 archive"))
    let rebuilt = try w.run("projections", "rebuild")
    #expect(rebuilt.status == 0, "\(rebuilt.output)")
    #expect(try w.shell("tocsin alerts show A-7 --json").output.contains("resolved"))
    #expect(try w.lines("alerts list --json").contains { $0["id"]?.string == "A-1" })
    _ = try await w.stop(service)
  }
}
