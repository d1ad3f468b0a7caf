import Alerts
import Bus
import Logging
import Synchronization
import Testing

@testable import Detectors

/// Keeps what was published. Fails while told to.
final class RecordingPort: AnomalyPort, Sendable {
  struct Down: Error {}
  private let state = Mutex((anomalies: [Anomaly](), beats: [JSON](), down: false))
  var anomalies: [Anomaly] { state.withLock { $0.anomalies } }
  var beats: [JSON] { state.withLock { $0.beats } }
  func take() -> [Anomaly] {
    state.withLock { s in
      defer { s.anomalies = [] }
      return s.anomalies
    }
  }
  func fail(_ down: Bool) { state.withLock { $0.down = down } }
  func publish(_ anomalies: [Anomaly]) async throws {
    try state.withLock { s in
      if s.down { throw Down() }
      s.anomalies += anomalies
    }
  }
  func heartbeat(_ json: JSON) async { state.withLock { $0.beats.append(json) } }
}

/// A clock that stands where it is put.
final class StandingClock: Sendable {
  private let time: Mutex<Timestamp>
  init(_ text: String) { time = Mutex(Timestamp(rfc3339: text) ?? .epoch) }
  var now: Timestamp { time.withLock { $0 } }
  func set(_ text: String) { time.withLock { $0 = Timestamp(rfc3339: text) ?? .epoch } }
  func advance(_ i: Interval) { time.withLock { $0 = $0 + i } }
}

/// Rows that a test changes, read as a table would be.
final class TableSource: MetricSource {
  let keepsHistory: Bool
  private let state = Mutex((csv: "", error: SourceError?.none))
  init(keepsHistory: Bool = true) { self.keepsHistory = keepsHistory }
  func set(_ csv: String) { state.withLock { $0.csv = csv } }
  func fail(_ error: SourceError?) { state.withLock { $0.error = error } }
  func read(_ request: SourceRequest) async throws -> SourceReading {
    let (csv, error) = state.withLock { ($0.csv, $0.error) }
    if let error { throw error }
    return try TextSource.read(Array(csv.utf8), request)
  }
}

extension SourceKinds {
  static func table(_ table: TableSource) -> SourceKinds { SourceKinds(builders: ["table": { _ in table }]) }
}

func check(
  _ detector: String, _ metric: String? = "views", _ period: CheckSettings.Period = .daily,
  _ parameters: [String: JSON] = [:], name: String? = nil
) -> CheckSettings {
  CheckSettings(
    name: name ?? "listings/\(metric ?? "")/\(detector)", detector: detector, metric: metric, period: period,
    parameters: parameters.mapValues { Option($0) })
}

func listings(_ checks: [CheckSettings], rules: [SeverityRule] = [], dimensions: [String] = ["DEVICE"])
  -> DetectionSettings
{
  var settings = DetectionSettings()
  settings.connections = [Connection(name: "c", kind: "table")]
  var event = EventSettings(
    name: "listings", source: source([.init(column: "views", alias: "views")], date: "day", dimensions: dimensions),
    schedule: .cron("0 6 * * *", zone: nil))
  event.source.connection = "c"
  event.checks = checks
  event.severities = rules
  event.labels = ["team": "bi"]
  settings.events = [event]
  return settings
}

func worker(
  _ settings: DetectionSettings, _ table: TableSource, _ port: RecordingPort, _ clock: StandingClock,
  state: DetectorState? = nil, name: String = "w"
) throws -> DetectorWorker {
  let plan = DetectionPlan(settings, kinds: .table(table))
  #expect(plan.faults == [])
  return DetectorWorker(
    name: name, plan: plan, port: port, state: try state ?? DetectorState(path: nil),
    log: silence, clock: { clock.now })
}

/// `day,DEVICE,views` for days from 1 March 2026 on.
func table(_ mobile: [Int?], _ desktop: [Int?] = []) -> String {
  var text = "day,DEVICE,views\n"
  for (device, values) in [("mobile", mobile), ("desktop", desktop)] {
    for (i, v) in values.enumerated() {
      guard let v else { continue }
      text += "2026-03-\(i < 9 ? "0" : "")\(i + 1),\(device),\(v)\n"
    }
  }
  return text
}

let silence = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
