import Alerts
import Bus
import Detectors
import Foundation
import Logging
import Notifiers
import Synchronization

/// What each detector finds in the sample warehouse, as the picture that a message would carry: those of docs/detectors.
struct DetectorPictures {
  let warehouse: SampleWarehouse
  /// The database that was written of it.
  let path: String
  let end: Timestamp

  private struct Example {
    var detector: String
    var metric: String?
    var period: CheckSettings.Period
    var parameters: [String: JSON] = [:]
  }

  private static let listings: [Example] = [
    Example(detector: "threshold", metric: "total_views", period: .daily, parameters: ["min_value": 8000]),
    Example(detector: "percentage_change", metric: "total_views", period: .daily, parameters: ["threshold": 0.3]),
    Example(detector: "zscore", metric: "total_views", period: .daily, parameters: ["threshold": 4]),
    Example(detector: "robust_zscore", metric: "total_views", period: .daily, parameters: ["threshold": 6]),
    Example(detector: "moving_average", metric: "total_views", period: .daily, parameters: ["threshold": 5]),
    Example(detector: "ewma", metric: "total_views", period: .daily, parameters: ["threshold": 5]),
    Example(detector: "seasonal", metric: "total_views", period: .daily, parameters: ["threshold": 6]),
    Example(detector: "change_point", metric: "enquiries", period: .daily, parameters: ["window": 5]),
    Example(detector: "adaptive", metric: "total_views", period: .daily),
    Example(detector: "row_count", period: .daily, parameters: ["threshold": 0.3]),
    Example(detector: "freshness", period: .daily, parameters: ["max_age": "20h"]),
  ]
  private static let shop: [Example] = [
    Example(detector: "revenue_drop", metric: "revenue", period: .point),
    Example(detector: "traffic_spike", metric: "events", period: .point),
    Example(detector: "traffic_drop", metric: "events", period: .point),
    Example(detector: "cart_abandonment", metric: "abandonment_rate", period: .point),
    Example(detector: "conversion_drop", metric: "conversion_rate", period: .point),
    Example(detector: "data_quality", metric: "missing_price_rate", period: .point),
    Example(detector: "missing_data", metric: "missing_price_rate", period: .point, parameters: ["max_ratio": 0.05]),
    Example(detector: "category_imbalance", metric: "top_category_share", period: .point),
    Example(
      detector: "dominant_category", metric: "revenue", period: .point,
      parameters: ["dimensions": ["category"], "max_share": 0.6]),
  ]
  private static let usage: [Example] = [
    Example(detector: "profile", metric: "api_calls", period: .hourly, parameters: ["baseline_days": 30])
  ]

  private final class Collector: AnomalyPort, Sendable {
    private let all = Mutex<[Anomaly]>([])
    var firing: [Anomaly] { all.withLock { $0 } }
    func publish(_ anomalies: [Anomaly]) async throws {
      all.withLock { $0 += anomalies.filter { $0.status == .firing } }
    }
    func heartbeat(_ json: JSON) async {}
  }

  /// Writes `NAME.png` for each detector that finds something; returns their names.
  func write(into folder: String) async throws -> [String] {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    var settings = DetectionSettings()
    settings.connections = [Connection(name: "sample", kind: "sqlite", options: ["path": Option(.string(path))])]
    settings.flood = nil
    settings.events = [
      event(
        "listing_views", "DD_LISTING_STATISTICS_BLENDED", "STATISTIC_DATE", ["DEVICE"], Self.listings,
        [("total_views", "NUMBEROFVIEWS"), ("enquiries", "NUMBEROFENQUIRIES")]),
      event("shop", "shop_events", "window_start", ["category"], Self.shop, Self.ratios, step: "5m"),
      event("usage", "usage_hourly", "hour", ["customer"], Self.usage, [("api_calls", "api_calls")]),
    ]
    let plan = DetectionPlan(settings)
    if let fault = plan.faults.first { throw fault }
    let port = Collector()
    let end = end
    let worker = DetectorWorker(
      name: "pictures", plan: plan, port: port, state: try DetectorState(path: nil), log: Logger(label: "pictures"),
      clock: { end })
    for report in await worker.backfill((end - .days(366))..<end, progress: { _ in }) {
      if case .failed(let why) = report.outcome { throw SourceError(.query, why) }
    }
    var drawn: [String] = []
    for event in plan.events {
      for check in event.checks {
        let name = check.settings.detector
        let found = port.firing.filter { $0.label("check") == check.name }
        guard let worst = Self.clearest(found), let series = ChartSeries(worst) else { continue }
        let dimensions = worst.dimensions.map { "\($0.name)=\($0.value)" }.joined(separator: ", ")
        let chart = Chart(title: "\(worst.metric)\(dimensions.isEmpty ? "" : " (\(dimensions))")", series: series)
        guard let png = chart.png() else { continue }
        try Data(png).write(to: URL(fileURLWithPath: "\(folder)/\(name).png"))
        drawn.append(name)
      }
    }
    return drawn.sorted()
  }

  /// The one furthest from what was expected, among those with a past to show.
  private static func clearest(_ found: [Anomaly]) -> Anomaly? {
    found.filter { (ChartSeries($0)?.points.count ?? 0) >= 30 }
      .max { ($0.deviation?.magnitude ?? 0) < ($1.deviation?.magnitude ?? 0) } ?? found.last
  }

  private static let ratios: [(String, String)] = [
    ("events", "events"), ("revenue", "revenue"),
    (
      "abandonment_rate",
      "1 - 1.0 * sum(CASE WHEN event_type = 'purchase' THEN events ELSE 0 END) / nullif(sum(CASE WHEN event_type = 'add_to_cart' THEN events ELSE 0 END), 0)"
    ),
    (
      "conversion_rate",
      "1.0 * sum(CASE WHEN event_type = 'purchase' THEN events ELSE 0 END) / nullif(sum(CASE WHEN event_type = 'view' THEN events ELSE 0 END), 0)"
    ),
    ("missing_price_rate", "1.0 * sum(missing_price) / nullif(sum(events), 0)"),
    (
      "top_category_share",
      "max(CASE WHEN event_type = 'purchase' THEN revenue ELSE 0 END) / nullif(sum(revenue), 0)"
    ),
  ]

  private func event(
    _ name: String, _ table: String, _ date: String, _ dimensions: [String], _ examples: [Example],
    _ metrics: [(String, String)], step: String? = nil
  ) -> EventSettings {
    var source = DataSource(connection: "sample")
    source.table = table
    source.dateColumn = date
    source.dimensions = dimensions
    source.metrics = metrics.map { .init(column: $1, alias: $0) }
    if let step { source.options = ["step": Option(.string(step))] }
    var event = EventSettings(name: name, source: source, schedule: .every(.hours(1)))
    event.checks = examples.map { example in
      var parameters = example.parameters
      // The shop's packs look at the shop as a whole.
      if step != nil, parameters["dimensions"] == nil { parameters["dimensions"] = [] }
      return CheckSettings(
        name: "\(name)/\(example.metric ?? "")/\(example.detector)", detector: example.detector,
        metric: example.metric, period: example.period, parameters: parameters.mapValues { Option($0) })
    }
    return event
  }
}
