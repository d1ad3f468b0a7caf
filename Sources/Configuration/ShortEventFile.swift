import Alerts
import Detectors
import Lifecycle

/// The short form of an event file:
///
/// ```yaml
/// event_type: listing_views
/// source_table: DATAMART.DD_LISTING_STATISTICS_BLENDED
/// metrics:
///   - name: NUMBEROFVIEWS
///     detection_rules:
///       - {type: threshold, min: 1000, max: 1000000}
/// reporting_frequency: daily
/// alert_frequency: weekly
/// stakeholders: {critical: [{email: director-bi@company.com}]}
/// ```
enum ShortEventFile {
  enum Reporting: String, CaseIterable { case hourly, daily, weekly }
  enum Alerting: String, CaseIterable { case immediate, daily, weekly, monthly }

  /// The severities of a file that gives no conditions of its own: a change by half, by 30 % and by 20 %.
  static let conditions: [(Severity, String)] = [
    (.critical, "deviation > 0.5"), (.high, "deviation > 0.3"), (.medium, "deviation > 0.2"),
  ]

  static func read(_ section: Section, connections: [String]) -> EventFile? {
    let name = section.need("event_type", "the event type, such as listing_views")?.text("a name")
    let connection = EventFile.connection(section, connections)
    var source = DataSource(connection: connection ?? "")
    source.place = section.place
    source.table = section.need("source_table", "the table with the numbers")?.text("a table")
    source.dateColumn = section.take("date_column")?.text("a column")
    source.dimensions = section.take("dimensions")?.texts("a column or a list of columns") ?? []
    source.filter = section.take("filter")?.text("an SQL condition")
    let reporting = section.take("reporting_frequency")?.choice(Reporting.self) ?? .daily
    let alerting = section.take("alert_frequency")?.choice(Alerting.self) ?? .immediate
    let schedule =
      EventFile.schedule(section)
      ?? (reporting == .hourly ? .cron("5 * * * *", zone: nil) : .cron(EventFile.morning, zone: nil))
    var file = EventFile(event: EventSettings(name: name ?? "", source: source, schedule: schedule))
    file.event.place = section.place
    file.event.description = section.take("description")?.text()
    file.event.tenant = section.take("tenant")?.text() ?? file.event.tenant
    file.event.severities = conditions.map { SeverityRule(severity: $0.0, condition: $0.1) }
    let period: CheckSettings.Period =
      switch reporting {
      case .hourly: .hourly
      case .daily: .daily
      case .weekly: .weekly
      }
    for item in section.need("metrics", "a list of columns with their detection_rules")?.list() ?? [] {
      guard let metric = item.section() else { continue }
      readMetric(metric, period, into: &file.event)
    }
    if let stakeholders = section.take("stakeholders")?.section() { readStakeholders(stakeholders, into: &file) }
    if alerting != .immediate, !file.receivers.isEmpty {
      file.digest = (alerting.rawValue, file.receivers.map(\.name))
    }
    section.finish()
    return name == nil || connection == nil || source.table == nil ? nil : file
  }

  private static func readMetric(_ section: Section, _ period: CheckSettings.Period, into event: inout EventSettings) {
    let column = section.need("name", "a column")?.text("a column")
    let alias = section.take("alias")?.text("a name") ?? column
    let aggregate = section.take("aggregate")?.text("sum, avg, min, max, count, missing or none")
    for item in section.take("detection_rules")?.list() ?? [] {
      guard let rule = item.section() else { continue }
      let detector = rule.need("type", "threshold, percentage_change, …")?.text("a detector")
      var parameters = rule.rest()
      for (short, full) in [("min", "min_value"), ("max", "max_value")] {
        if let value = parameters.removeValue(forKey: short) { parameters[full] = value }
      }
      if let detector, let alias {
        event.add(
          detector: detector, metric: alias, period: period, parameters: parameters, name: nil, place: rule.place)
      }
    }
    section.finish()
    if let column, let alias { event.source.metrics.append(.init(column: column, alias: alias, aggregate: aggregate)) }
  }

  /// Each severity has a list of `{email: …}` and `{slack: …}`, or one mapping of both.
  private static func readStakeholders(_ section: Section, into file: inout EventFile) {
    for (word, field) in section.fields {
      guard let severity = Severity(name: word) else {
        section.reading.faults.append(
          Fault(
            field.keyPlace, key: field.path, "\"\(word)\" is no severity",
            mend: "use critical, high, medium (or warning) or low"))
        continue
      }
      let receiver = "\(file.event.name)/\(severity)"
      var addresses: [String] = []
      var targets: [Receiver.Target] = []
      var options: [String: JSON] = [:]
      for item in field.items() {
        guard let entry = item.section() else { continue }
        let (more, secrets) = ReceiverSection.channels(entry, receiver: receiver)
        entry.finish()
        for target in more {
          if target.channel == "email" { addresses.append(target.destination) } else { targets.append(target) }
        }
        options.merge(secrets) { $1 }
      }
      if !addresses.isEmpty {
        targets.insert(.init(channel: "email", destination: addresses.joined(separator: ",")), at: 0)
      }
      if let delivery = file.told(receiver, targets, options, severity) { file.route(severity, delivery) }
    }
    // What nobody wants to hear of at once waits for the dashboard and the digest.
    for severity in [Severity.medium, .low]
    where !file.routes.contains(where: { $0.matchers.last?.value == severity.name }) {
      file.route(severity, .dashboardOnly)
    }
  }
}
