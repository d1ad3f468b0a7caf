import Alerts
import Detectors
import Projections
import TocsinConfiguration

/// What people said of alerts (`tocsin alerts label`), as incidents to evaluate checks by.
enum LabelledAlerts {
  /// The most alerts of each kind.
  static let limit = 10_000

  static func read(_ configuration: Configuration) throws -> Evaluation.Labels {
    let reader = ProjectionReader(path: configuration.projectionsPath)
    return Evaluation.Labels(
      incidents: try alerts(.true_positive, reader), falseAlarms: try alerts(.false_positive, reader))
  }

  private static func alerts(_ label: Labelled.Label, _ reader: ProjectionReader) throws -> [SampleIncident] {
    var query = AlertQuery()
    query.label = label
    query.limit = AlertQuery.limitLimit
    var out: [SampleIncident] = []
    repeat {
      let page = try reader.alerts(query)
      out += page.alerts.map { incident($0) }
      query.after = page.next
    } while query.after != nil && out.count < limit
    return out
  }

  /// From the window that it was first seen in to the end of the last.
  private static func incident(_ alert: AlertSummary) -> SampleIncident {
    let a = alert.anomaly
    let length = a.window.map { $0.end - $0.start } ?? .zero
    let end = max(
      a.window?.end ?? alert.lastSeenAt, alert.resolvedAt.map { min($0, alert.lastSeenAt) } ?? alert.lastSeenAt)
    let first = min(a.window?.start ?? alert.openedAt, alert.openedAt - length)
    return SampleIncident(
      id: alert.id.description, a.eventType, a.metric, a.dimensions, first, end, 1, a.summary ?? "")
  }
}
