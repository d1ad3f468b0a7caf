package import Alerts

/// How many new problems within which time are too many to be told one by one.
package struct FloodRule: Sendable, Equatable {
  /// More than this is a flood.
  package var after: Int
  package var within: Interval
  package init(after: Int = 50, within: Interval = .hours(1)) {
    self.after = after
    self.within = within
  }

  package static let afterRange = 1...100_000
  package static let withinRange = Interval.minutes(1)...Interval.days(1)
}

/// Counts the problems that begin. When too many do, one anomaly says so, and they are published as low, with their own grade in a label: the trouble is then in the data as
/// a whole, or in the checks, and fifty pages would only hide it. One that still fires when the flood is over is told as bad as it is.
struct Flood: Sendable {
  static let eventType = "tocsin"
  static let metric = "anomalies_per_hour"
  static let label = "flood_severity"

  let rule: FloodRule
  /// Problems that began, by the minute and event type, oldest first: at most a day of minutes.
  private var began: [(minute: Int64, event: String, count: Int)] = []
  private(set) var isOn = false

  init(_ rule: FloodRule) { self.rule = rule }

  var count: Int { began.reduce(0) { $0 + $1.count } }

  /// What is kept between runs, and shared by workers: `{"on":false,"began":[[29533000,"listing_views",3]]}`
  var text: String {
    JSON.object([
      .init("on", .bool(isOn)),
      .init("began", .array(began.map { [.int($0.minute), .string($0.event), .int($0.count)] })),
    ]).text
  }

  /// Goes on from ``text``; from nothing where there is none, or one that can't be read.
  init(_ rule: FloodRule, _ text: String?) {
    self.init(rule)
    guard let json = text.flatMap({ try? JSON(parsing: $0) }) else { return }
    isOn = json["on"]?.bool ?? false
    began = (json["began"]?.array ?? []).compactMap { row in
      guard let minute = row[0]?.int, let event = row[1]?.string, let n = row[2]?.int,
        let count = Int(exactly: n), (1...FloodRule.afterRange.upperBound).contains(count)
      else { return nil }
      return (minute, event, count)
    }
  }

  private mutating func begin(_ event: String, _ now: Timestamp) {
    guard count < FloodRule.afterRange.upperBound else { return }
    let minute = now.microseconds / 60_000_000
    if let i = began.lastIndex(where: { $0.minute == minute && $0.event == event }) {
      began[i].count += 1
    } else {
      began.append((minute, event, 1))
    }
  }

  /// The anomalies of one run as they are to be published. `known`: keys that fired before it.
  mutating func take(_ anomalies: [Anomaly], known: Set<String>, worker: String, now: Timestamp) -> [Anomaly] {
    began.removeAll { now - Timestamp(microseconds: $0.minute * 60_000_000) >= rule.within }
    var fresh: Set<String> = []
    for anomaly in anomalies where anomaly.status == .firing && !known.contains(anomaly.dedupKey) {
      if fresh.insert(anomaly.dedupKey).inserted { begin(anomaly.eventType, now) }
    }
    guard count > rule.after else {
      guard isOn else { return anomalies }
      isOn = false
      return anomalies + [over(worker, now)]
    }
    // Another anomaly of the same kind is only sent when there is something new to say.
    guard !fresh.isEmpty || !isOn else { return anomalies }
    isOn = true
    return [alarm(worker, now)]
      + anomalies.map { anomaly in
        guard fresh.contains(anomaly.dedupKey), anomaly.status == .firing, let own = anomaly.severity, own > .low else {
          return anomaly
        }
        var lowered = anomaly
        lowered.severity = .low
        lowered.labels.append(.init(Flood.label, own.name))
        return lowered
      }
  }

  private func blank(_ worker: String, _ now: Timestamp) -> Anomaly {
    var anomaly = Anomaly(
      id: "\(now.rfc3339)/\(Flood.eventType)/\(Flood.metric)/\(worker)", source: "detector/\(worker)", time: now,
      eventType: Flood.eventType, metric: Flood.metric)
    anomaly.detector = "flood"
    anomaly.window = Anomaly.Window(start: now - rule.within, end: now)
    anomaly.value = Double(count)
    anomaly.expected = Double(rule.after)
    anomaly.upper = Double(rule.after)
    return anomaly
  }

  private func alarm(_ worker: String, _ now: Timestamp) -> Anomaly {
    var anomaly = blank(worker, now)
    anomaly.severity = .critical
    anomaly.deviation = Judgement.relativeChange(Double(count), Double(rule.after))
    let most = Dictionary(grouping: began, by: \.event).mapValues { $0.reduce(0) { $0 + $1.count } }
      .sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(3).map { "\($0.key) \($0.value)" }
    anomaly.summary =
      "\(count) problems began within \(rule.within.rounded), more than \(rule.after): look at the data or the checks as a whole (\(most.joined(separator: ", "))). New ones are graded low meanwhile"
    return anomaly
  }

  private func over(_ worker: String, _ now: Timestamp) -> Anomaly {
    var anomaly = blank(worker, now)
    anomaly.id += "/resolved"
    anomaly.status = .resolved
    anomaly.summary = "problems begin at their usual rate again (\(count) within \(rule.within.rounded))"
    return anomaly
  }
}
