package import Alerts
import Synchronization

/// What the service tells of itself, to pages and metrics in the same process.
package final class ServiceStatus: Sendable {
  package struct Snapshot: Sendable {
    /// Whether anomalies and commands are taken: false until the log is replayed, and while it can't be written.
    package var isReady = false
    /// Why not, for people.
    package var trouble: String? = "starting"
    package var head: Int64 = 0
    package var openAlerts = 0
    package var pendingNotifications = 0
    package var deadlines = 0
    package var accepted = 0
    package var duplicates = 0
    package var rejected = 0
    package var commits = 0
    package var knownAnomalies = 0
    package var nextDeadline: Timestamp?
    /// How late the last deadline was fired.
    package var lastCommitMicroseconds: Int64 = 0
  }
  package struct Heartbeat: Sendable {
    package var at: Timestamp
    package var json: JSON
  }
  /// So many names are remembered; beyond, the one that was silent longest is forgotten.
  package static let heartbeatLimit = 10_000

  private let state = Mutex(Snapshot())
  private let beats = Mutex<[String: Heartbeat]>([:])

  package init() {}

  package var snapshot: Snapshot { state.withLock { $0 } }
  package var heartbeats: [String: Heartbeat] { beats.withLock { $0 } }

  func update(_ body: (inout Snapshot) -> Void) { state.withLock { body(&$0) } }

  func beat(_ name: String, _ json: JSON, at now: Timestamp) {
    beats.withLock { beats in
      if beats[name] == nil, beats.count >= ServiceStatus.heartbeatLimit,
        let oldest = beats.min(by: { $0.value.at < $1.value.at })?.key
      {
        beats[oldest] = nil
      }
      beats[name] = Heartbeat(at: now, json: json)
    }
  }
}
