/// One observation by a detector: this metric, for these dimensions, in this window, was not what was expected. Immutable.
///
/// On the wire it is a CloudEvent 1.0 in JSON, type `tocsin.anomaly.v1`. Members that Tocsin does not know are kept in
/// ``raw`` and shown, never an error.
package struct Anomaly: Sendable, Equatable {
  package enum Status: String, Sendable { case firing, resolved }
  package struct Label: Sendable, Equatable {
    package var name: String
    package var value: String
    package init(_ name: String, _ value: String) {
      self.name = name
      self.value = value
    }
  }
  package struct Window: Sendable, Equatable {
    package var start: Timestamp
    package var end: Timestamp
    package init(start: Timestamp, end: Timestamp) {
      self.start = start
      self.end = end
    }
  }

  /// With ``source``, names this observation for ever: a second one with both the same is a repeat.
  package var id: String
  package var source: String
  /// When the detector saw it.
  package var time: Timestamp
  package var tenant = "default"
  package var eventType: String
  package var metric: String
  /// Sorted by name.
  package var dimensions: [Label] = []
  package var status: Status = .firing
  package var severity: Severity?
  package var detector: String?
  package var window: Window?
  package var value: Double?
  package var expected: Double?
  package var lower: Double?
  package var upper: Double?
  /// The relative change from expected, with its sign: -0.868 is 86.8 % below.
  package var deviation: Double?
  /// 0 to 1 for detectors that score.
  package var score: Double?
  package var summary: String?
  package var labels: [Label] = []
  /// The dedup key that the detector gave, if any. What counts is ``dedupKey``.
  package var givenKey: String?
  /// The CloudEvent as it came, or nil where this process made it; see ``cloudEvent``.
  package var raw: [UInt8]?
  /// Members of `data` beyond those above (`explanation`, `root_causes`, `links`, `series`, anything).
  package var more: [JSON.Member] = []

  package init(id: String, source: String, time: Timestamp, eventType: String, metric: String) {
    self.id = id
    self.source = source
    self.time = time
    self.eventType = eventType
    self.metric = metric
  }

  /// What makes two anomalies the same problem: the detector's own key, or tenant, event type, metric and dimensions.
  package var dedupKey: String {
    if let givenKey { return "\(tenant)|=\(givenKey)" }
    var key = "\(tenant)|\(eventType)|\(metric)"
    for d in dimensions { key += "|\(d.name)=\(d.value)" }
    return key
  }

  /// The value of a name that matchers, routes and conditions may use. A label of the same name as a dimension yields to it.
  package func label(_ name: String) -> String? {
    switch name {
    case "tenant": return tenant
    case "event_type": return eventType
    case "metric": return metric
    case "detector": return detector
    case "source": return source
    case "severity": return severity?.name
    default:
      for d in dimensions where d.name == name { return d.value }
      for l in labels where l.name == name { return l.value }
      return nil
    }
  }
}

// MARK: - Reading

/// Why an anomaly was rejected. The message goes back to the sender.
package struct AnomalyError: Error, CustomStringConvertible, Equatable {
  package var message: String
  package var description: String { message }
  package init(_ message: String) { self.message = message }
}

extension Anomaly {
  package static let type = "tocsin.anomaly.v1"
  /// The longest string, in bytes of UTF-8, anywhere in an anomaly.
  package static let stringLimit = 16 * 1024
  /// The largest anomaly, in bytes. The bus takes messages of up to 1 MiB; one anomaly may fill a quarter of it.
  package static let sizeLimit = 256 * 1024
  /// 2000-01-01: a time before it is a unit mistaken (seconds for milliseconds), not an observation.
  package static let earliest = Timestamp(seconds: 946_684_800)

  package static func parse(_ bytes: [UInt8], now: Timestamp) -> Result<Anomaly, AnomalyError> {
    do throws(AnomalyError) { return .success(try Anomaly(parsing: bytes, now: now)) } catch { return .failure(error) }
  }

  /// Reads a CloudEvent. `now` bounds its time: more than a day ahead of it is refused.
  package init(parsing bytes: [UInt8], now: Timestamp) throws(AnomalyError) {
    guard bytes.count <= Anomaly.sizeLimit else {
      throw AnomalyError("an anomaly of \(bytes.count) bytes is over the limit of \(Anomaly.sizeLimit)")
    }
    let json: JSON
    do { json = try JSON(parsing: bytes) } catch { throw AnomalyError(error.description) }
    try self.init(json: json, now: now)
    raw = bytes
  }

  /// Reads one that was found valid when it was stored. It is not judged again: rules may have become stricter since.
  package init(stored bytes: [UInt8]) throws(AnomalyError) {
    let json: JSON
    do { json = try JSON(parsing: bytes) } catch { throw AnomalyError(error.description) }
    try self.init(read: json, now: .distantFuture)
    raw = bytes
  }

  package init(json: JSON, now: Timestamp) throws(AnomalyError) {
    try Anomaly.checkStrings(json, path: "")
    try self.init(read: json, now: now)
  }

  private init(read json: JSON, now: Timestamp) throws(AnomalyError) {
    guard case .object(let envelope) = json else { throw AnomalyError("an anomaly must be a JSON object") }
    var id: String?
    var source: String?
    var time: Timestamp?
    var data: [JSON.Member]?
    for member in envelope {
      switch member.name {
      case "specversion":
        guard member.value.string == "1.0" else { throw AnomalyError("specversion must be \"1.0\"") }
      case "type":
        guard member.value.string == Anomaly.type else {
          throw AnomalyError("type must be \"\(Anomaly.type)\", not \(member.value.text.prefix(60))")
        }
      case "id": id = member.value.string
      case "source": source = member.value.string
      case "time":
        if member.value.isNull { break }
        guard let t = member.value.timestamp else {
          throw AnomalyError("time must be RFC 3339, such as 2026-11-20T06:02:11Z, not \(member.value.text.prefix(60))")
        }
        time = t
      case "data":
        guard let members = member.value.members else { throw AnomalyError("data must be an object") }
        data = members
      default: break
      }
    }
    guard let id, !id.isEmpty else { throw AnomalyError("id is missing: a text that, with source, names this anomaly") }
    guard let source, !source.isEmpty else { throw AnomalyError("source is missing: the detector's name") }
    guard let data else { throw AnomalyError("data is missing") }
    let seen = time ?? now
    try Anomaly.checkTime(seen, "time", now: now)
    self.init(id: id, source: source, time: seen, eventType: "", metric: "")
    for member in data { try take(member, now: now) }
    guard !eventType.isEmpty else { throw AnomalyError("data.event_type is missing") }
    guard !metric.isEmpty else { throw AnomalyError("data.metric is missing") }
  }

  private mutating func take(_ member: JSON.Member, now: Timestamp) throws(AnomalyError) {
    let v = member.value
    if v.isNull { return }
    func text() throws(AnomalyError) -> String {
      guard let s = v.string else { throw AnomalyError("data.\(member.name) must be a text, not \(v.text.prefix(40))") }
      return s
    }
    func number() throws(AnomalyError) -> Double {
      guard let d = v.double else {
        throw AnomalyError("data.\(member.name) must be a finite number, not \(v.text.prefix(40))")
      }
      return d
    }
    switch member.name {
    case "tenant": tenant = try text()
    case "event_type": eventType = try text()
    case "metric": metric = try text()
    case "dimensions": dimensions = try Anomaly.labels(v, "dimensions").sorted { $0.name < $1.name }
    case "labels": labels = try Anomaly.labels(v, "labels")
    case "status":
      guard let s = Status(rawValue: try text()) else {
        throw AnomalyError("data.status must be \"firing\" or \"resolved\", not \(v.text.prefix(40))")
      }
      status = s
    case "severity":
      guard let s = Severity(name: try text()) else {
        throw AnomalyError("data.severity must be critical, high, medium or low, not \(v.text.prefix(40))")
      }
      severity = s
    case "detector": detector = try text()
    case "window":
      guard let start = v["start"]?.timestamp, let end = v["end"]?.timestamp, start <= end else {
        throw AnomalyError("data.window must have start and end in RFC 3339, start first")
      }
      try Anomaly.checkTime(start, "data.window.start", now: now)
      window = Window(start: start, end: end)
    case "value": value = try number()
    case "expected": expected = try number()
    case "lower": lower = try number()
    case "upper": upper = try number()
    case "deviation": deviation = try number()
    case "score": score = try number()
    case "summary": summary = try text()
    case "dedup_key":
      let key = try text()
      givenKey = key.isEmpty ? nil : key
    default: more.append(member)
    }
  }

  private static func labels(_ json: JSON, _ name: String) throws(AnomalyError) -> [Label] {
    guard let members = json.members else { throw AnomalyError("data.\(name) must be an object of texts") }
    var labels: [Label] = []
    labels.reserveCapacity(members.count)
    for m in members {
      switch m.value {
      case .string(let s): labels.append(Label(m.name, s))
      case .int, .number, .bool: labels.append(Label(m.name, m.value.text))
      case .null: break
      default: throw AnomalyError("data.\(name).\(m.name) must be a text")
      }
    }
    return labels
  }

  private static func checkTime(_ t: Timestamp, _ name: String, now: Timestamp) throws(AnomalyError) {
    guard t >= earliest else { throw AnomalyError("\(name) \(t) is before the year 2000") }
    guard t <= now + .days(1) else { throw AnomalyError("\(name) \(t) is more than a day ahead of \(now)") }
  }

  private static func checkStrings(_ json: JSON, path: String) throws(AnomalyError) {
    switch json {
    case .string(let s):
      guard s.utf8.count <= stringLimit else {
        throw AnomalyError("\(path.isEmpty ? "a text" : path) is longer than \(stringLimit) bytes")
      }
    case .array(let items): for item in items { try checkStrings(item, path: path) }
    case .object(let members):
      for m in members {
        guard m.name.utf8.count <= stringLimit else {
          throw AnomalyError("a member's name is longer than \(stringLimit) bytes")
        }
        try checkStrings(m.value, path: m.name)
      }
    default: break
    }
  }
}

// MARK: - Writing

extension Anomaly {
  /// The CloudEvent, as it came or as this process would write it.
  package var cloudEvent: [UInt8] {
    if let raw { return raw }
    func object(_ labels: [Label]) -> JSON {
      labels.isEmpty ? .null : .object(labels.map { JSON.Member($0.name, .string($0.value)) })
    }
    let data = JSON.compact([
      "tenant": .string(tenant), "event_type": .string(eventType), "metric": .string(metric),
      "dimensions": object(dimensions), "status": .string(status.rawValue), "severity": .text(severity?.name),
      "detector": .text(detector),
      "window": window.map { ["start": .string($0.start.rfc3339), "end": .string($0.end.rfc3339)] } ?? .null,
      "value": .number(value), "expected": .number(expected), "lower": .number(lower), "upper": .number(upper),
      "deviation": .number(deviation), "score": .number(score), "summary": .text(summary), "labels": object(labels),
      "dedup_key": .text(givenKey),
    ])
    let envelope: JSON = [
      "specversion": "1.0", "id": .string(id), "source": .string(source), "type": .string(Anomaly.type),
      "time": .string(time.rfc3339), "data": .object((data.members ?? []) + more),
    ]
    return envelope.bytes
  }
}
