import Alerts

/// A row of `daily_anomalies`: what one alert was on one day, UTC. However often a detector repeats itself within a day, it stays one row,
/// whose values are those of the largest deviation.
///
/// A class, so that a fold changes it in place.
final class DailyAnomaly {
  let alert: Int64
  let date: String
  let eventType: String
  let metric: String
  let tenant: String
  let dimensions: String
  var expected: Double?
  var actual: Double?
  /// In percent, with its sign.
  var deviation: Double?
  var severity: Severity
  var detector: String?
  /// Whether a message about the alert has arrived anywhere, that day or another.
  var sent = false
  var createdAt: String
  /// How many anomalies the row stands for.
  var anomalies = 0

  /// Before the first anomaly was taken.
  var isNew: Bool { anomalies == 0 }

  init(alert: Int64, day: Int64, anomaly: Anomaly) {
    self.alert = alert
    date = DailyAnomaly.date(day)
    eventType = anomaly.eventType
    metric = anomaly.metric
    tenant = anomaly.tenant
    dimensions = JSON.object(anomaly.dimensions.map { JSON.Member($0.name, .string($0.value)) }).text
    severity = .low
    createdAt = ""
  }

  /// One more anomaly, the newest of this alert.
  func take(_ alert: AlertState, _ severity: Severity, count: Int, at: Timestamp) {
    // Each asked for where it stands: a copy of the anomaly is a copy of all its texts.
    let change = alert.summary.anomaly.deviation.map { $0 * 100 }
    if isNew {
      createdAt = at.rfc3339
      self.severity = severity
    } else {
      self.severity = max(self.severity, severity)
    }
    let isWorse = (change?.magnitude ?? -1) > (deviation?.magnitude ?? -1)
    if isNew || isWorse {
      expected = alert.summary.anomaly.expected
      actual = alert.summary.anomaly.value
      deviation = change
      detector = alert.summary.anomaly.detector
    }
    anomalies += count
  }

  /// `2026-11-20`, from days since 1970.
  static func date(_ day: Int64) -> String { Timestamp(seconds: day &* 86_400).utcDate }

  // MARK: - Rows

  static let columns = """
    alert, detection_date, event_type, metric_name, expected_value, actual_value, deviation_percentage, severity,
    detection_method, alert_sent, created_at, tenant, dimensions, anomalies
    """
  static let select = "SELECT \(columns) FROM daily_anomalies WHERE alert = ? AND detection_date = ?"
  static let upsert = """
    INSERT INTO daily_anomalies (\(columns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET expected_value = excluded.expected_value, actual_value = excluded.actual_value,
      deviation_percentage = excluded.deviation_percentage, severity = excluded.severity,
      detection_method = excluded.detection_method, alert_sent = excluded.alert_sent, anomalies = excluded.anomalies
    """

  init(_ c: ColumnReader) {
    alert = c.int64(0)
    date = c.text(1)
    eventType = c.text(2)
    metric = c.text(3)
    expected = c.double(4)
    actual = c.double(5)
    deviation = c.double(6)
    severity = Severity(name: c.text(7)) ?? .low
    detector = c.textOrNil(8)
    sent = c.bool(9)
    createdAt = c.text(10)
    tenant = c.text(11)
    dimensions = c.text(12)
    anomalies = c.int(13)
  }

  func bind(to b: inout BoundStatement) {
    b.int(alert)
    b.text(date)
    b.text(eventType)
    b.text(metric)
    b.double(expected)
    b.double(actual)
    b.double(deviation)
    b.text(severity.name)
    b.text(detector)
    b.bool(sent)
    b.text(createdAt)
    b.text(tenant)
    b.text(dimensions)
    b.int(anomalies)
  }
}
