import Service

extension Running {
  /// The service's own figures, in the Prometheus text format.
  static func metrics(_ s: ServiceStatus.Snapshot) -> String {
    var text = ""
    func line(_ name: String, _ kind: String, _ help: String, _ value: some BinaryInteger) {
      text += "# HELP tocsin_\(name) \(help)\n# TYPE tocsin_\(name) \(kind)\ntocsin_\(name) \(value)\n"
    }
    line("log_position", "counter", "The position of the newest event.", s.head)
    line("open_alerts", "gauge", "Alerts that are not resolved.", s.openAlerts)
    line("deadlines", "gauge", "Entries in the timer heap.", s.deadlines)
    line("anomalies_accepted_total", "counter", "Anomalies stored since the service started.", s.accepted)
    line("anomalies_duplicate_total", "counter", "Anomalies that had been stored before.", s.duplicates)
    line("anomalies_rejected_total", "counter", "Anomalies that could not be read.", s.rejected)
    return text
  }
}
