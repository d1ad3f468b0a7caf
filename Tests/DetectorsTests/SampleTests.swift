import Alerts
import Foundation
import GRDB
import Testing

@testable import Detectors

@Suite struct SampleTests {
  private let end = Timestamp(rfc3339: "2026-11-20") ?? .epoch

  private func dump(_ path: String) throws -> [String] {
    try DatabaseQueue(path: path).read { db in
      try ["DD_LISTING_STATISTICS_BLENDED", "shop_events", "usage_hourly", "incidents"].map { table in
        let columns = try db.columns(in: table).map { "\"\($0.name)\"" }.joined(separator: ",")
        return try String.fetchOne(
          db, sql: "SELECT group_concat(r, '|') FROM (SELECT json_array(\(columns)) AS r FROM \(table) ORDER BY 1)")
          ?? ""
      }
    }
  }

  @Test func `the same seed gives the same warehouse, another one another`() throws {
    let folder = try Folder()
    let counts = try SampleWarehouse(seed: 7, end: end).write(to: folder.path + "/a.sqlite")
    _ = try SampleWarehouse(seed: 7, end: end + .hours(13)).write(to: folder.path + "/b.sqlite")
    _ = try SampleWarehouse(seed: 8, end: end).write(to: folder.path + "/c.sqlite")
    #expect(counts.listings > 5000)
    #expect(counts.shop == 14 * 288 * 15)
    #expect(counts.usage == 42 * 24 * 8)
    let (a, b, c) = (
      try dump(folder.path + "/a.sqlite"), try dump(folder.path + "/b.sqlite"), try dump(folder.path + "/c.sqlite")
    )
    #expect(a == b)
    #expect(zip(a, c).allSatisfy { $0 != $1 })
  }

  @Test(arguments: [7, 2026])
  func `the example checks find every incident, and little else`(_ seed: UInt64) async throws {
    let folder = try Folder()
    let path = folder.path + "/w.sqlite"
    let warehouse = SampleWarehouse(seed: seed, end: end)
    _ = try warehouse.write(to: path)
    let plan = DetectionPlan(ExampleSettings.settings(warehouse: path))
    #expect(plan.faults == [])
    let port = RecordingPort()
    let clock = StandingClock("2026-11-20T06:30:00Z")
    let w = DetectorWorker(
      name: "w", plan: plan, port: port, state: try DetectorState(path: nil), log: silence,
      clock: { clock.now })
    let reports = await w.backfill((end - .days(366))..<end) { _ in }
    #expect(reports.map(\.outcome) == [.checked, .checked, .checked])
    let found = port.take().filter { $0.status == .firing }
    for incident in warehouse.incidents {
      let hit = found.contains { a in
        guard let w = a.window else { return false }
        return a.eventType == incident.eventType && w.start < incident.end && w.end > incident.start
      }
      #expect(hit, "\(incident.id): \(incident.story)")
    }
    let false_ = found.filter { a in
      guard let w = a.window else { return true }
      return !warehouse.incidents.contains { $0.eventType == a.eventType && w.start < $0.end && w.end > $0.start }
    }
    #expect(
      Double(false_.count) <= 0.1 * Double(found.count),
      "\(false_.count) of \(found.count): \(false_.prefix(8).map { $0.id + " " + ($0.summary ?? "") })")
  }
}

/// What config/metrics says, as settings.
enum ExampleSettings {
  static func settings(warehouse path: String) -> DetectionSettings {
    var settings = DetectionSettings()
    settings.connections = [Connection(name: "warehouse", kind: "sqlite", options: ["path": Option(.string(path))])]
    settings.events = [listingViews, shop, usage]
    return settings
  }

  private static func event(_ name: String, _ table: String, _ date: String, _ dimensions: [String], _ cron: String)
    -> EventSettings
  {
    var source = DataSource(connection: "warehouse")
    source.table = table
    source.dateColumn = date
    source.dimensions = dimensions
    return EventSettings(name: name, source: source, schedule: .cron(cron, zone: nil))
  }

  private static func add(
    _ event: inout EventSettings, _ detector: String, _ metric: String, _ period: CheckSettings.Period,
    _ parameters: [String: JSON]
  ) {
    event.checks.append(
      CheckSettings(
        name: "\(event.name)/\(metric)/\(detector)", detector: detector, metric: metric, period: period,
        parameters: parameters.mapValues { Option($0) }))
  }

  static var listingViews: EventSettings {
    var e = event("listing_views", "DATAMART.DD_LISTING_STATISTICS_BLENDED", "STATISTIC_DATE", ["DEVICE"], "0 * * * *")
    e.source.metrics = [
      .init(column: "NUMBEROFVIEWS", alias: "total_views"), .init(column: "NUMBEROFENQUIRIES", alias: "enquiries"),
    ]
    add(&e, "threshold", "total_views", .daily, ["min_value": 10000, "max_value": 1_000_000])
    add(&e, "percentage_change", "total_views", .daily, ["lookback_days": 7, "threshold": 0.3])
    add(&e, "statistical", "enquiries", .weekly, ["method": "zscore", "threshold": 3.0])
    e.severities = [
      .init(severity: .critical, condition: "deviation > 0.5"), .init(severity: .high, condition: "deviation > 0.3"),
      .init(severity: .medium, condition: "deviation > 0.2"),
    ]
    return e
  }

  static var shop: EventSettings {
    var e = event("shop", "shop_events", "window_start", [], "*/5 * * * *")
    e.source.options = ["step": Option("5m")]
    e.source.metrics = [
      .init(column: "events", alias: "events"), .init(column: "revenue", alias: "revenue"),
      .init(
        column:
          "1 - 1.0 * sum(CASE WHEN event_type = 'purchase' THEN events ELSE 0 END) / nullif(sum(CASE WHEN event_type = 'add_to_cart' THEN events ELSE 0 END), 0)",
        alias: "abandonment_rate"),
      .init(
        column:
          "1.0 * sum(CASE WHEN event_type = 'purchase' THEN events ELSE 0 END) / nullif(sum(CASE WHEN event_type = 'view' THEN events ELSE 0 END), 0)",
        alias: "conversion_rate"),
      .init(column: "1.0 * sum(missing_price) / nullif(sum(events), 0)", alias: "missing_price_rate"),
      .init(
        column: "max(CASE WHEN event_type = 'purchase' THEN revenue ELSE 0 END) / nullif(sum(revenue), 0)",
        alias: "top_category_share"),
    ]
    add(&e, "revenue_drop", "revenue", .point, [:])
    add(&e, "traffic_spike", "events", .point, ["min_change": 0.1])
    add(&e, "traffic_drop", "events", .point, ["min_change": 0.1])
    add(&e, "cart_abandonment", "abandonment_rate", .point, [:])
    add(&e, "conversion_drop", "conversion_rate", .point, [:])
    add(&e, "data_quality", "missing_price_rate", .point, [:])
    add(&e, "category_imbalance", "top_category_share", .point, [:])
    return e
  }

  static var usage: EventSettings {
    var e = event("usage", "usage_hourly", "hour", ["customer"], "5 * * * *")
    for metric in ["api_calls", "bandwidth", "storage_peak", "compute_time"] {
      e.source.metrics.append(.init(column: metric, alias: metric, aggregate: metric == "storage_peak" ? "max" : nil))
      add(&e, "zscore", metric, .hourly, ["season": "hour", "baseline_days": 30, "threshold": 4, "min_change": 0.5])
      add(&e, "profile", metric, .hourly, ["baseline_days": 30, "similarity": 0.9])
    }
    return e
  }
}
