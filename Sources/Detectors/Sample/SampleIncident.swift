package import Alerts

/// Something that went wrong on purpose in the sample warehouse, written down so that detection can be judged.
package struct SampleIncident: Sendable, Equatable {
  package var id: String
  package var eventType: String
  package var metric: String
  package var dimensions: [Anomaly.Label]
  package var start: Timestamp
  package var end: Timestamp
  /// What was done to the numbers: multiplied by this. Zero for nothing left.
  package var factor: Double
  package var story: String

  package var json: JSON {
    .compact([
      "id": .string(id), "event_type": .string(eventType), "metric": .string(metric),
      "dimensions": .object(dimensions.map { JSON.Member($0.name, .string($0.value)) }),
      "starts_at": .string(start.rfc3339), "ends_at": .string(end.rfc3339), "factor": .number(factor),
      "description": .string(story),
    ])
  }

  package init?(json: JSON) {
    guard let id = json["id"]?.string, let event = json["event_type"]?.string, let metric = json["metric"]?.string,
      let start = json["starts_at"]?.timestamp, let end = json["ends_at"]?.timestamp
    else { return nil }
    self.init(
      id: id, event, metric, json["dimensions"]?.texts.map { .init($0.name, $0.value) } ?? [], start, end,
      json["factor"]?.double ?? 1, json["description"]?.string ?? "")
  }

  package init(
    id: String, _ event: String, _ metric: String, _ dimensions: [Anomaly.Label], _ start: Timestamp, _ end: Timestamp,
    _ factor: Double, _ story: String
  ) {
    self.id = id
    self.eventType = event
    self.metric = metric
    self.dimensions = dimensions
    self.start = start
    self.end = end
    self.factor = factor
    self.story = story
  }

  /// Whether it touches a window.
  func covers(_ t: Timestamp) -> Bool { t >= start && t < end }
}
