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
    /// What the auditor saw last.
    package var audit = AuditReport()
    /// How late the last deadline was fired.
    package var lastCommitMicroseconds: Int64 = 0
  }
  package struct Heartbeat: Sendable {
    package var at: Timestamp
    /// As it came: its words are read when somebody wants to see them.
    package var bytes: [UInt8]
    package var json: JSON { (try? JSON(parsing: bytes)) ?? .null }
  }
  /// So many names are remembered; beyond, those that were silent longest are forgotten.
  package static let heartbeatLimit = 10_000
  /// One heartbeat's words: two hundred event types with their last runs fit well.
  package static let heartbeatBytes = 64 * 1024
  /// All that is remembered, together; beyond, those that were silent longest are forgotten.
  package static let heartbeatMemory = 32 << 20

  private struct Beats {
    var byName: [String: Heartbeat] = [:]
    var bytes = 0
  }
  private let state = Mutex(Snapshot())
  private let beats = Mutex(Beats())

  package init() {}

  package var snapshot: Snapshot { state.withLock { $0 } }
  package var heartbeats: [String: Heartbeat] { beats.withLock { $0.byName } }

  func update(_ body: (inout Snapshot) -> Void) { state.withLock { body(&$0) } }

  func beat(_ name: String, _ bytes: [UInt8], at now: Timestamp) {
    beats.withLock { beats in
      beats.bytes += bytes.count - (beats.byName[name]?.bytes.count ?? 0)
      beats.byName[name] = Heartbeat(at: now, bytes: bytes)
      guard beats.byName.count > ServiceStatus.heartbeatLimit || beats.bytes > ServiceStatus.heartbeatMemory else {
        return
      }
      // Some at once, so that a flood of new names does not cost a search for each.
      let oldest = beats.byName.sorted { $0.value.at < $1.value.at }.prefix(max(1, beats.byName.count / 4))
      for (name, beat) in oldest {
        beats.bytes -= beat.bytes.count
        beats.byName[name] = nil
      }
    }
  }
}
