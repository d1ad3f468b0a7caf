import Alerts

/// What a condition may ask about one judged window.
struct Facts {
  let event: EventSettings
  let check: CheckPlan
  let judgement: Judgement
  let window: Anomaly.Window
  /// As published.
  let dimensions: [Anomaly.Label]
  /// The event type's other metrics in the same window and series.
  let others: (String) -> Double?

  static let numbers = [
    "deviation", "change", "value", "expected", "lower", "upper", "score", "z", "window_hours", "weekday", "hour",
  ]
  static let texts = ["metric", "event_type", "tenant", "detector", "check"]

  /// What a condition may ask about a verdict beside: dbt's and Elementary's words.
  static let verdictTexts = [
    "severity", "status", "owner", "tags", "model", "source", "column", "package", "path", "schema", "dbt_id", "table",
    "test_type",
  ]

  /// Every name that a condition of this event type may use.
  static func names(_ event: EventSettings) -> Set<String> {
    Set(numbers + texts + event.source.metrics.map(\.alias) + event.labels.keys)
      .union(event.source.dimensions)
      .union(event.source.dimensions.map(published))
  }

  /// A name in capitals alone is a warehouse's way of writing a name in small letters.
  static func published(_ dimension: String) -> String {
    dimension == dimension.uppercased() ? dimension.lowercased() : dimension
  }

  func value(_ name: String) -> Condition.Value? {
    func number(_ d: Double?) -> Condition.Value? { d.map { .number($0) } }
    switch name {
    case "deviation": return number(judgement.deviation?.magnitude)
    case "change": return number(judgement.deviation)
    case "value": return number(judgement.value)
    case "expected": return number(judgement.expected)
    case "lower": return number(judgement.lower)
    case "upper": return number(judgement.upper)
    case "score": return number(judgement.score)
    // Its magnitude, as "z > 2.5" means; `change` has the sign.
    case "z": return number(judgement.z?.magnitude)
    case "window_hours": return .number((window.end - window.start).seconds / 3600)
    case "weekday": return .number(Double(weekday(ofDay: window.start.utcDay.days)))
    case "hour": return .number(Double(window.start.utcDay.microseconds / 3_600_000_000))
    case "metric": return .text(check.metric)
    case "event_type": return .text(event.name)
    case "tenant": return .text(event.tenant)
    case "detector": return .text(check.detector.name)
    case "check": return .text(check.name)
    default:
      for d in dimensions where d.name == name || d.name == Facts.published(name) { return .text(d.value) }
      if let number = others(name) { return .number(number) }
      return event.labels[name].map { .text($0) }
    }
  }
}
