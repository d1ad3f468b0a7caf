import Alerts
import Foundation
import Testing

/// A detector in another language: the worked example, as people would run it.
@Suite(.serialized) struct PythonDetectorTests {
  /// Two numbers that rise and fall together, but for two rows where they don't: each number alone is in its usual range there.
  private var orders: String {
    var text = "at,visits,orders\n"
    for i in 0..<400 {
      let wave = sin(Double(i) / 7)
      let visits = 1000 + 400 * wave + Double(i * 7919 % 13)
      let isOdd = i == 300 || i == 301
      let orders = isOdd ? 20 : 50 + 20 * wave + Double(i * 104_729 % 5) / 5
      let at = Timestamp(seconds: 1_772_323_200 + Int64(i) * 3600).rfc3339
      text += "\(at),\(isOdd ? 1450 : visits),\(orders)\n"
    }
    return text
  }

  @Test(.timeLimit(.minutes(3))) func anIsolationForestJoinsOverTheBus() async throws {
    let w = try World()
    defer { w.end() }
    try w.useSmallConfiguration()
    try w.write("orders.csv", orders)
    try w.tocsin("serve", "serve")
    try await w.ready()
    let script = World.repository.appendingPathComponent("examples/isolation_forest.py").path
    let command = "\(World.python) \(script) --file orders.csv --gateway tcp://127.0.0.1:\(w.gateway)"
    let first = try w.shell(command)
    #expect(first.status == 0, "\(first.output)")
    #expect(first.output.contains(#""firing": 2, "resolved": 1, "duplicates": 0"#), "\(first.output)")
    let alerts = try w.alerts()
    #expect(alerts.count == 1)
    #expect(
      alerts.first?["anomaly"]?["data"]?["detector"]?.string ?? alerts.first?["anomaly"]?["detector"]?.string
        == "isolation_forest")
    #expect(
      try w.lines("events").count { $0["type"]?.string == "tocsin.alert.cleared.v1" } > 0)

    // PyOD's own detectors join the same way.
    let pypi = World.repository.appendingPathComponent(".build/pypi/bin/python").path
    try #require(FileManager.default.isExecutableFile(atPath: pypi), "scripts/setup --tests installs PyOD")
    let pyod = try w.shell(
      "\(pypi) \(script) --file orders.csv --gateway tcp://127.0.0.1:\(w.gateway) --name detector/pyod --event-type orders_pyod --model pyod.models.knn.KNN"
    )
    #expect(pyod.status == 0, "\(pyod.output)")
    #expect(pyod.output.contains(#""firing": 2, "resolved": 1, "duplicates": 0"#), "\(pyod.output)")
    #expect(try w.alerts().count == 2)

    // The same again changes nothing.
    let second = try w.shell(command)
    #expect(second.output.contains(#""firing": 2, "resolved": 1, "duplicates": 3"#), "\(second.output)")
    #expect(try w.alerts().count == 2)
  }
}
