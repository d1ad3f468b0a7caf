import Alerts
import GRDB
import Logging

/// The count of problems that begin is one for all workers, and outlives them: it stands beside the leases, or without a service in this machine's file.
extension DetectorWorker {
  /// The name under which workers share it: no event type has a slash.
  static let floodLease = "tocsin/flood"
  /// Tries to write it while others do: each takes a few milliseconds.
  static let floodTries = 8

  /// The anomalies of one run as they are to be published.
  func flooded(_ anomalies: [Anomaly], known: Set<String>, now: Timestamp) async -> [Anomaly] {
    guard let rule = plan.flood else { return anomalies }
    for _ in 0..<DetectorWorker.floodTries {
      let (text, version) = await floodText()
      var flood = Flood(rule, text)
      let (count, wasOn) = (flood.count, flood.isOn)
      let out = flood.take(anomalies, known: known, worker: name, now: now)
      // What only grew old need not be written.
      if flood.count <= count, flood.isOn == wasOn { return out }
      if await keepFlood(flood.text, version) { return out }
    }
    log.warning("too many workers count problems at once: those of this run are not counted")
    return anomalies
  }

  private func floodText() async -> (text: String?, version: Int64?) {
    if let leases, !serviceIsAway, let latest = try? await leases.latest(DetectorWorker.floodLease) {
      return (latest.text, latest.version)
    }
    return ((try? state.floodText()) ?? nil, nil)
  }

  /// False where another worker was first.
  private func keepFlood(_ text: String, _ version: Int64?) async -> Bool {
    do {
      try state.setFloodText(text)
      guard let leases, let version else { return true }
      _ = try await leases.finish(DetectorWorker.floodLease, version: version, slot: "", state: text)
      return true
    } catch {
      return (error as? LeaseError)?.code != "stale_version" && (error as? LeaseError)?.code != "unavailable"
    }
  }
}

extension DetectorState {
  static let floodSchema =
    "CREATE TABLE IF NOT EXISTS flood (id INTEGER PRIMARY KEY CHECK (id = 1), text TEXT NOT NULL);"

  func floodText() throws -> String? {
    try read { db in try String.fetchOne(db, sql: "SELECT text FROM flood WHERE id = 1") }
  }

  func setFloodText(_ text: String) throws {
    try write { db in try db.execute(sql: "INSERT OR REPLACE INTO flood VALUES (1, ?)", arguments: [text]) }
  }
}
