import Alerts
import Console
import Service

extension Running {
  /// The service's own figures, in the Prometheus text format.
  static func metrics(_ s: ServiceStatus.Snapshot, _ outbound: OutboundCounts) -> String {
    var text = ""
    func line(_ name: String, _ kind: String, _ help: String, _ value: some BinaryInteger) {
      text += "# HELP tocsin_\(name) \(help)\n# TYPE tocsin_\(name) \(kind)\ntocsin_\(name) \(value)\n"
    }
    line("log_position", "counter", "The position of the newest event.", s.head)
    line("open_alerts", "gauge", "Alerts that are not resolved.", s.openAlerts)
    line("messages_pending", "gauge", "Messages that are owed at this moment.", s.pendingNotifications)
    line("deadlines", "gauge", "Entries in the timer heap.", s.deadlines)
    line("anomalies_accepted_total", "counter", "Anomalies stored since the service started.", s.accepted)
    line("anomalies_duplicate_total", "counter", "Anomalies that had been stored before.", s.duplicates)
    line("anomalies_rejected_total", "counter", "Anomalies that could not be read.", s.rejected)
    let audit = s.audit
    line("audit_findings", "gauge", "What the auditor finds that should not be.", audit.count)
    line(
      "audit_well", "gauge", "Whether Tocsin keeps its own promises, as far as the auditor sees.", audit.isWell ? 1 : 0)
    line(
      "audit_deadline_lateness_microseconds", "gauge", "How late the latest deadline was of late.",
      audit.lateness.microseconds)
    line(
      "audit_channels_untaken", "gauge", "Channels from which no notifier takes the messages that are due.",
      audit.untaken)
    line("heartbeats_expected", "gauge", "Programs that must be heard again and again.", audit.expected)
    line("heartbeats_silent", "gauge", "Those that are silent.", audit.silent)
    line(
      "outbound_heartbeats_total", "counter", "Calls to the outbound heartbeat's address that were answered.",
      outbound.sent)
    line("outbound_heartbeats_failed_total", "counter", "Such calls that were not, or not well.", outbound.failed)
    line(
      "outbound_heartbeats_withheld_total", "counter", "Such calls that were not made, since not all is well.",
      outbound.withheld)
    return text
  }

  /// What the auditor sees, for pages.
  static func audit(_ report: AuditReport, _ outbound: OutboundCounts) -> AuditView {
    AuditView(
      isWell: report.isWell, findings: report.count, lateness: report.lateness, expected: report.expected,
      silent: report.silent, outboundError: outbound.error,
      items: report.items.map { item in
        AuditView.Item(
          name: item.finding.kind.rawValue, about: item.finding.about, since: item.since, text: item.text)
      })
  }
}
