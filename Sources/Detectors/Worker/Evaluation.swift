package import Alerts
import Bus
import Logging
import Synchronization

/// How good the checks of a configuration would have been on the past, against a list of what really happened.
package enum Evaluation {
  /// One row of the result: a check, or an event type as a whole.
  package struct Quality: Sendable, Equatable {
    package var name: String
    /// Windows reported.
    package var alarms = 0
    /// Of those, outside every incident.
    package var falseAlarms = 0
    /// Of those, where nobody has said whether they were right.
    package var unlabelled = 0
    package var incidents = 0
    package var found = 0
    /// From an incident's start to the end of the first window that reported it, on average, in seconds.
    package var delay: Double?
    package var days = 0.0
    package var missed: [String] = []

    package var precision: Double? {
      let judged = alarms - unlabelled
      return judged > 0 ? Double(judged - falseAlarms) / Double(judged) : nil
    }
    package var recall: Double? { incidents > 0 ? Double(found) / Double(incidents) : nil }
    package var falsePerDay: Double? { days > 0 ? Double(falseAlarms) / days : nil }

    package var json: JSON {
      .compact([
        "name": .string(name), "alarms": .int(alarms), "false_alarms": .int(falseAlarms),
        "unlabelled": unlabelled > 0 ? .int(unlabelled) : .null, "incidents": .int(incidents),
        "found": .int(found), "precision": .number(precision), "recall": .number(recall),
        "false_alarms_per_day": .number(falsePerDay), "mean_delay_seconds": .number(delay),
        "missed": .array(missed.map { .string($0) }),
      ])
    }
  }

  private final class Collector: AnomalyPort, Sendable {
    private let all = Mutex<[Anomaly]>([])
    var firing: [Anomaly] { all.withLock { $0 } }
    func publish(_ anomalies: [Anomaly]) async throws {
      all.withLock { $0 += anomalies.filter { $0.status == .firing } }
    }
    func heartbeat(_ json: JSON) async {}
  }

  /// Runs all checks over a range, publishes and remembers nothing, and compares. Incidents of event types that the plan lacks are passed over. Sources that
  /// fail are in the reports.
  package static func run(
    _ plan: DetectionPlan, _ range: Range<Timestamp>, labels: Labels
  ) async throws -> (quality: [Quality], reports: [RunReport]) {
    let collector = Collector()
    let worker = DetectorWorker(
      name: "evaluate", plan: plan, port: collector, state: try DetectorState(path: nil),
      log: Logger(label: "evaluate") { _ in SwiftLogNoOpLogHandler() }, clock: { range.upperBound })
    let reports = await worker.backfill(range) { _ in }
    let firing = collector.firing
    var out: [Quality] = []
    for event in plan.events {
      func within(_ all: [SampleIncident]) -> [SampleIncident] {
        all.filter { $0.eventType == event.name && $0.start < range.upperBound && $0.end > range.lowerBound }
      }
      let own = within(labels.incidents)
      let wrong = labels.falseAlarms.map { within($0) }
      let anomalies = firing.filter { $0.eventType == event.name }
      let days = (range.upperBound - range.lowerBound).seconds / 86_400
      for check in event.checks {
        let mine = anomalies.filter { $0.label("check") == check.name }
        let metric = own.filter { $0.metric == check.metric }
        out.append(quality(check.name, mine, incidents: metric, any: own, wrong: wrong, days))
      }
      out.append(quality(event.name, anomalies, incidents: own, any: own, wrong: wrong, days))
    }
    return (out, reports)
  }

  /// An incident is found by an alarm whose window meets it, for a series that its dimensions don't exclude. An alarm is false where it meets none of the
  /// event type's incidents: what another metric shows of the same incident is not false. Where the labels are those of people (`wrong`), only what they
  /// called false is, and the rest is not judged.
  static func quality(
    _ name: String, _ alarms: [Anomaly], incidents: [SampleIncident], any: [SampleIncident],
    wrong: [SampleIncident]? = nil, _ days: Double
  ) -> Quality {
    var q = Quality(name: name)
    q.days = days
    q.alarms = alarms.count
    for alarm in alarms where !any.contains(where: { meets(alarm, $0) }) {
      if wrong?.contains(where: { $0.metric == alarm.metric && meets(alarm, $0) }) ?? true {
        q.falseAlarms += 1
      } else {
        q.unlabelled += 1
      }
    }
    q.incidents = incidents.count
    var delays: [Double] = []
    for incident in incidents {
      if let first = alarms.filter({ meets($0, incident) }).compactMap({ $0.window?.end }).min() {
        delays.append((first - incident.start).seconds)
      } else {
        q.missed.append(incident.id)
      }
    }
    q.found = delays.count
    q.delay = delays.isEmpty ? nil : delays.reduce(0, +) / Double(delays.count)
    return q
  }

  static func meets(_ alarm: Anomaly, _ incident: SampleIncident) -> Bool {
    guard let window = alarm.window, window.start < incident.end, window.end > incident.start else { return false }
    return incident.dimensions.allSatisfy { wanted in
      alarm.dimensions.first { $0.name == wanted.name }.map { $0.value == wanted.value } ?? true
    }
  }

  /// What really happened.
  package struct Labels: Sendable, Equatable {
    package var incidents: [SampleIncident]
    /// What people called false; nil where the incidents are all that there were, so that everything else is.
    package var falseAlarms: [SampleIncident]?
    package init(incidents: [SampleIncident], falseAlarms: [SampleIncident]? = nil) {
      self.incidents = incidents
      self.falseAlarms = falseAlarms
    }
  }

  /// Reads a list of incidents, JSON lines. Throws ``SourceError`` with the line that can't be read.
  package static func labels(path: String) throws -> [SampleIncident] {
    var out: [SampleIncident] = []
    for (i, line) in try FileSource.bytes(path).split(separator: 10).enumerated() {
      guard line.contains(where: { $0 > 32 }) else { continue }
      guard let json = try? JSON(parsing: Array(line)), let incident = SampleIncident(json: json) else {
        throw SourceError(
          .query, "\(path):\(i + 1): an incident needs id, event_type, metric, starts_at and ends_at, in JSON")
      }
      out.append(incident)
    }
    return out
  }
}
