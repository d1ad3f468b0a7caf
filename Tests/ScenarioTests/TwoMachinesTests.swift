import Alerts
import Foundation
import Testing

/// Two detectors that share nothing but the service: each has a data folder of its own, as on two machines.
@Suite(.serialized) struct TwoMachinesTests {
  private func machine(_ w: World, _ name: String) throws {
    let files = FileManager.default
    try files.createDirectory(
      at: w.folder.appendingPathComponent("\(name)/config/metrics"), withIntermediateDirectories: true)
    try w.write(
      "\(name)/config/tocsin.yaml",
      """
      log: sqlite:\(w.folder.path)/\(name)/data/tocsin.sqlite
      bus: {gateway: "tcp://127.0.0.1:\(w.gateway)", feed: "tcp://127.0.0.1:\(w.feed)"}
      console: {listen: "127.0.0.1:\(w.console)"}
      connections:
        queue: {kind: csv, path: \(w.folder.path)/queue.csv}
      channels:
        outbox: {directory: data/outbox}
      """)
    try w.write(
      "\(name)/config/metrics/queue.yaml",
      """
      event_config:
        name: queue
        data_source: {connection: queue}
        every: 1s
        detection:
          checks: [{detector: threshold, metric: value, max_value: 100}]
      """)
  }

  @Test(.timeLimit(.minutes(3))) func whatOneMachineRaisedTheOtherClears() async throws {
    let w = try World()
    defer { w.end() }
    try w.useSmallConfiguration()
    try w.tocsin("serve", "serve")
    try await w.ready()
    for name in ["one", "two"] { try machine(w, name) }
    func detect(_ name: String) throws -> String {
      let r = try w.shell("tocsin detect --once --name \(name) --config \(name)/config --json")
      #expect(r.status == 0, "\(r.output)")
      return r.output
    }
    let rows = "timestamp,value\n2026-03-01T00:00:00Z,3\n2026-03-01T01:00:00Z,4\n2026-03-01T02:00:00Z,900\n"
    try w.write("queue.csv", rows)
    #expect(try detect("one").contains(#""firing":1"#))
    #expect(try w.alerts().count == 1)
    try await Task.sleep(for: .seconds(1.1))
    // The other machine has never run: it knows all the same how far the check has come.
    let second = try detect("two")
    #expect(!second.contains(#""firing":1"#), "\(second)")
    try w.write("queue.csv", rows + "2026-03-01T03:00:00Z,5\n")
    try await Task.sleep(for: .seconds(1.1))
    #expect(try detect("two").contains(#""resolved":1"#))
    try await Task.sleep(for: .seconds(1.1))
    // And back: the first machine's own memory is older by now.
    let third = try detect("one")
    #expect(!third.contains(#""firing":1"#) && !third.contains(#""resolved":1"#), "\(third)")
    let types = try w.lines("events").compactMap { $0["type"]?.string }
    #expect(types.count { $0.hasSuffix("detected") || $0.hasSuffix("detected.v1") } == 1, "\(types)")
    #expect(!types.contains { $0.contains("deduplicated") }, "\(types)")
  }
}
