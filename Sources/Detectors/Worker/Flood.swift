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
  /// When problems began, oldest first; at most as many as ``FloodRule/afterRange`` allows, and one run's.
  private var began: [(at: Timestamp, event: String)] = []
  private(set) var isOn = false

  init(_ rule: FloodRule) { self.rule = rule }

  var count: Int { began.count }

  /// The anomalies of one run as they are to be published. `known`: keys that fired before it.
  mutating func take(_ anomalies: [Anomaly], known: Set<String>, worker: String, now: Timestamp) -> [Anomaly] {
    began.removeAll { now - $0.at >= rule.within }
    var fresh: Set<String> = []
    for anomaly in anomalies where anomaly.status == .firing && !known.contains(anomaly.dedupKey) {
      if fresh.insert(anomaly.dedupKey).inserted, began.count < FloodRule.afterRange.upperBound {
        began.append((now, anomaly.eventType))
      }
    }
    guard began.count > rule.after else {
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
    anomaly.dimensions = [.init("worker", worker)]
    anomaly.detector = "flood"
    anomaly.window = Anomaly.Window(start: now - rule.within, end: now)
    anomaly.value = Double(began.count)
    anomaly.expected = Double(rule.after)
    anomaly.upper = Double(rule.after)
    return anomaly
  }

  private func alarm(_ worker: String, _ now: Timestamp) -> Anomaly {
    var anomaly = blank(worker, now)
    anomaly.severity = .critical
    anomaly.deviation = Judgement.relativeChange(Double(began.count), Double(rule.after))
    let most = Dictionary(grouping: began, by: \.event).mapValues(\.count)
      .sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(3).map { "\($0.key) \($0.value)" }
    anomaly.summary =
      "\(began.count) problems began within \(rule.within.rounded), more than \(rule.after): look at the data or the checks as a whole (\(most.joined(separator: ", "))). New ones are graded low meanwhile"
    return anomaly
  }

  private func over(_ worker: String, _ now: Timestamp) -> Anomaly {
    var anomaly = blank(worker, now)
    anomaly.id += "/resolved"
    anomaly.status = .resolved
    anomaly.summary = "problems begin at their usual rate again (\(began.count) within \(rule.within.rounded))"
    return anomaly
  }
}
