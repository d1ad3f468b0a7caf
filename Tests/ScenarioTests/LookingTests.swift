import Alerts
import Foundation
import Testing

/// A metric looked at on demand, from the command line and over HTTP; the baselines that workers keep; and checks that an edit changes in a running worker.
@Suite(.serialized) struct LookingTests {
  private func metrics(more: String = "") -> String {
    """
    event_config:
      name: orders
      data_source:
        connection: files
        table: orders.csv
        date_column: day
        dimensions: [shop]
        metrics: [{column: orders, alias: orders}]
      every: 1s
      detection:
        daily_checks:
          - {detector: adaptive, metric: orders}
      \(more)
    """
  }

  /// Sixty days until yesterday; the last of one shop is a tenth.
  private func orders() -> String {
    let today = Int64(Date().timeIntervalSince1970) / 86_400
    var text = "day,shop,orders\n"
    for back in stride(from: Int64(60), to: 0, by: -1) {
      let date = Timestamp(seconds: (today - back) * 86_400).utcDate
      text += "\(date),north,\(back == 1 ? 20 : 200 + back % 7)\n\(date),south,\(300 + back % 5)\n"
    }
    return text
  }

  @Test(.timeLimit(.minutes(4)))
  func aMetricIsLookedAtAndBaselinesAreKept() async throws {
    let w = try World()
    defer { w.end() }
    try w.useSmallConfiguration(more: "connections: {files: {kind: csv, path: .}}")
    try w.write("config/metrics/orders.yaml", metrics())
    try w.write("orders.csv", orders())
    try w.tocsin("serve", "serve")
    try await w.ready()

    let unusual = try w.shell("tocsin check orders -d shop=north --json")
    #expect(unusual.status == 2, "\(unusual.output)")
    let answer = try JSON(parsing: unusual.output)
    #expect(answer["is_anomaly"] == true)
    #expect(answer["current_value"]?.double == 20)
    #expect(answer["shop"] == "north")
    #expect(answer["severity"] == "critical")
    let usual = try w.shell("tocsin check orders -d shop=south")
    #expect(usual.status == 0, "\(usual.output)")
    #expect(usual.output.contains("usual: orders is"))
    #expect(try w.shell("tocsin check orders -d shop=west").status == 1)
    #expect(try w.shell("tocsin check orders -d north").status == 64)

    let http = try w.get("/v1/anomalies/check?metric=orders\\&shop_id=north\\&baseline_days=30\\&threshold=3")
    #expect(http.status == 200, "\(http.body)")
    let same = try JSON(parsing: http.body)
    #expect(same["shop_id"] == "north")
    #expect(same["z_score"]?.double == answer["z_score"]?.double)
    #expect(try w.get("/v1/anomalies/check?metric=nothing").status == 404)
    #expect(try w.get("/v1/anomalies/check?metric=orders\\&threshold=lots").status == 400)
    #expect(try w.alerts().isEmpty, "nothing is published")

    // A worker learns what is usual, and takes up an edit of its checks.
    let detect = try w.tocsin("detect", "detect", "--name", "looking")
    try await w.until("baselines are kept") { try w.lines("baselines --json").count == 2 }
    let kept = try w.lines("baselines --json --series shop=south")
    #expect(kept.first?["count"]?.int ?? 0 > 0)
    try w.write(
      "config/metrics/orders.yaml",
      metrics(more: "    - {detector: percentage_change, metric: orders, dimensions: [], threshold: 0.3}"))
    try await w.until("the edited check found it") {
      try w.alerts().contains { $0["anomaly"]?["data"]?["detector"] == "percentage_change" }
    }
    #expect(detect.isRunning)
    let refused = try w.shell("tocsin baselines reset orders")
    #expect(refused.status == 1 && refused.output.contains("--yes"))
    #expect(try w.shell("tocsin baselines reset orders --series shop=south --yes").status == 0)
    #expect(try w.lines("baselines --json --series shop=south").first?["count"] == 0)
    #expect(try w.shell("tocsin baselines reset nothing --yes").status == 1)
    #expect(try await w.stop(detect) == 0)
  }
}
