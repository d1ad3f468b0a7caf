import Alerts
import Detectors
import Lifecycle

/// What one file of `config/metrics/` comes to: what to watch, and who hears of it.
struct EventFile {
  var event: EventSettings
  var receivers: [Receiver] = []
  var receiverOptions: [String: [String: JSON]] = [:]
  var routes: [Route] = []
  /// How long nothing may be heard of this event type's alerts.
  var staleRule: StaleRule?
  /// Receivers that want a summary of this event type every `daily`, `weekly` or `monthly`.
  var digest: (period: String, to: [String])?

  /// A file that says nothing of when it is due is checked every morning, after the night's load.
  static let morning = "0 6 * * *"

  /// Reads either spelling: `event_config:` with everything under it, or the short form that begins with `event_type:`.
  static func read(_ tree: Tree, connections: [String], reading: Reading) -> EventFile? {
    let root = Field(tree: tree, keyPlace: tree.place, path: "", reading: reading)
    guard let section = root.section() else { return nil }
    if let field = section.take("event_config") {
      section.finish()
      return field.section().flatMap { EventFile(full: $0, connections: connections) }
    }
    if section.has("event_type") { return ShortEventFile.read(section, connections: connections) }
    section.fault(
      "describes no event", mend: "begin with event_config:, or with event_type: for the short form")
    return nil
  }

  init?(full section: Section, connections: [String]) {
    let name = section.need("name", "the event type, such as listing_views")?.text("a name")
    let connectionField = section.take("data_source")
    let source = connectionField?.section().flatMap { EventFile.source($0, connections: connections) }
    if connectionField == nil {
      section.fault("\"data_source\" is missing", mend: "add data_source: {connection, table, …}")
    }
    let schedule = EventFile.schedule(section) ?? .cron(EventFile.morning, zone: nil)
    event = EventSettings(name: name ?? "", source: source ?? DataSource(connection: ""), schedule: schedule)
    event.description = section.take("description")?.text()
    event.tenant = section.take("tenant")?.text() ?? event.tenant
    event.place = section.place
    for (label, value) in section.take("labels")?.section()?.fields ?? [] {
      if let text = value.text() { event.labels[label] = text }
    }
    if let stale = section.take("stale_after") {
      let matchers = [Matcher(name: "event_type", value: event.name), Matcher(name: "tenant", value: event.tenant)]
      if stale.word == "never" {
        staleRule = StaleRule(matchers: matchers, after: nil)
      } else if let after = stale.interval(atLeast: .seconds(1)) {
        staleRule = StaleRule(matchers: matchers, after: after)
      }
    }
    if let detection = section.take("detection")?.section() { readChecks(detection) }
    if let alerting = section.take("alerting")?.section() { readAlerting(alerting) }
    section.finish()
    if name == nil || source == nil { return nil }
  }

  /// A source that names no connection takes the only one, or the one called `warehouse`.
  static func connection(_ section: Section, _ connections: [String]) -> String? {
    if let field = section.take("connection") { return field.name(.connection) }
    if connections.count == 1 { return connections[0] }
    if connections.contains("warehouse") { return "warehouse" }
    section.fault(
      "names no connection, and tocsin.yaml has \(connections.isEmpty ? "none" : "several")",
      mend: connections.isEmpty
        ? "add connections: to tocsin.yaml, such as warehouse: {kind: sqlite, path: data/warehouse.sqlite}"
        : "add connection: with one of \(connections.joined(separator: ", "))")
    return nil
  }

  private static func source(_ section: Section, connections: [String]) -> DataSource? {
    let connection = self.connection(section, connections)
    var source = DataSource(connection: connection ?? "")
    source.place = section.place
    source.table = section.take("table")?.text("a table")
    source.query = section.take("query")?.text("a query")
    if source.table != nil, source.query != nil {
      section.fault("says both table and query", mend: "keep one of them")
    }
    source.dateColumn = section.take("date_column")?.text("a column")
    source.dimensions = section.take("dimensions")?.texts("a column or a list of columns") ?? []
    source.filter = section.take("filter")?.text("an SQL condition")
    for item in section.take("metrics")?.items() ?? [] {
      if item.isScalar {
        if let column = item.text() { source.metrics.append(.init(column: column, alias: column)) }
        continue
      }
      guard let metric = item.section() else { continue }
      let column = metric.need("column", "a column, or an expression over columns")?.text("a column")
      let alias = metric.take("alias")?.text("a name") ?? column
      let aggregate = metric.take("aggregate")?.text("sum, avg, min, max, count, missing or none")
      metric.finish()
      guard let column, let alias else { continue }
      if source.metrics.contains(where: { $0.alias == alias }) {
        metric.fault("there is a metric \"\(alias)\" already", mend: "give it an alias of its own")
      }
      source.metrics.append(.init(column: column, alias: alias, aggregate: aggregate))
    }
    source.options = section.rest()
    return connection == nil ? nil : source
  }

  /// `schedule: "0 6 * * *"`, `schedule: every 10s`, `schedule: {cron: …, timezone: …}`, `schedule: {every: 10s}`, or `every: 10s`.
  static func schedule(_ section: Section) -> ScheduleText? {
    if let every = section.take("every") {
      if section.has("schedule") { section.fault("says both schedule and every", mend: "keep one of them") }
      return every.interval(atLeast: .seconds(1)).map { .every($0) }
    }
    guard let field = section.take("schedule") else { return nil }
    if field.isMap, let inner = field.section() {
      defer { inner.finish() }
      if let every = inner.take("every") { return every.interval(atLeast: .seconds(1)).map { .every($0) } }
      let zone = inner.take("timezone")?.timeZone()
      return inner.need("cron", "five fields such as \"0 6 * * *\"").flatMap { cron($0) }.map { .cron($0, zone: zone) }
    }
    guard let text = field.text("five fields such as \"0 6 * * *\", or every 10s") else { return nil }
    for prefix in ["every ", "@every "] where text.hasPrefix(prefix) {
      guard let interval = Interval(text.dropFirst(prefix.count).trimming()), interval >= .seconds(1) else {
        field.fault("must name a length of time of at least 1s after every, such as every 10s")
        return nil
      }
      return .every(interval)
    }
    return cron(field).map { .cron($0, zone: nil) }
  }

  private static func cron(_ field: Field) -> String? {
    guard let text = field.text("five fields such as \"0 6 * * *\"") else { return nil }
    if text.hasPrefix("@") { return text }
    guard text.split(separator: " ").count == 5 else {
      field.fault(
        "must have five fields (minute, hour, day, month, weekday) such as \"0 6 * * *\"", mend: "put it in quotes")
      return nil
    }
    return text
  }

  private mutating func readChecks(_ section: Section) {
    let kinds: [(String, CheckSettings.Period)] = [
      ("daily_checks", .daily), ("weekly_checks", .weekly), ("hourly_checks", .hourly), ("checks", .point),
    ]
    for (key, period) in kinds {
      for item in section.take(key)?.list() ?? [] {
        guard let check = item.section() else { continue }
        add(check, period: period)
      }
    }
    section.finish()
  }

  private mutating func add(_ section: Section, period: CheckSettings.Period) {
    let detector = section.need("detector", "threshold, percentage_change, …")?.text("a detector")
    let metricField = section.take("metric")
    let metric = metricField?.text("a metric")
    if let metric, let metricField, !event.source.metrics.isEmpty,
      !event.source.metrics.contains(where: { $0.alias == metric })
    {
      let names = event.source.metrics.map(\.alias)
      let near = Suggestion.nearest(to: metric, among: names)
      metricField.fault(
        "the data source has no metric \"\(metric)\"",
        mend: near.map { "did you mean \"\($0)\"?" } ?? "it has \(names.joined(separator: ", "))")
    }
    let name = section.take("name")?.text("a name")
    let parameters = section.rest()
    guard let detector else { return }
    event.add(
      detector: detector, metric: metric, period: period, parameters: parameters, name: name, place: section.place)
  }

  private mutating func readAlerting(_ section: Section) {
    for (word, field) in section.fields {
      guard let severity = Severity(name: word) else {
        let near = Suggestion.nearest(
          to: word, among: ["critical", "high", "medium", "low", "warning", "error", "info"])
        section.reading.faults.append(
          Fault(
            field.keyPlace, key: field.path, "\"\(word)\" is no severity",
            mend: near.map { "did you mean \"\($0)\"?" } ?? "use critical, high, medium (or warning) or low"))
        continue
      }
      guard let level = field.section() else { continue }
      if let condition = level.need("condition", "\"deviation > 0.5\""), let text = condition.text("a condition") {
        if event.severities.contains(where: { $0.severity == severity }) {
          level.fault("there is a rule for \(severity) already", mend: "keep one: warning and medium are the same")
        }
        event.severities.append(.init(severity: severity, condition: text, place: condition.place))
      }
      readRoute(level, severity)
      level.finish()
    }
    event.severities.sort { $0.severity > $1.severity }
  }

  /// `recipients`, `notify`, `policy` or `dashboard_only` of one severity become a route; none of them leaves it to the general ones.
  private mutating func readRoute(_ section: Section, _ severity: Severity) {
    var delivery: Route.Delivery?
    if let recipients = section.take("recipients")?.section() {
      if ["notify", "policy", "dashboard_only"].contains(where: section.has) {
        section.fault("says recipients and another way to tell people", mend: "keep one of them")
      }
      let name = "\(event.name)/\(severity)"
      let (targets, options) = ReceiverSection.channels(recipients, receiver: name)
      recipients.finish()
      delivery = told(name, targets, options, severity, section.take("group"))
    } else if ["notify", "policy", "dashboard_only"].contains(where: section.has) {
      delivery = RoutingSection.delivery(section)
    }
    let continues = section.take("continue")?.bool() ?? false
    if let delivery { route(severity, delivery, continues: continues) }
  }

  /// The worst is told at once, what is less in batches.
  mutating func told(
    _ name: String, _ targets: [Receiver.Target], _ options: [String: JSON], _ severity: Severity, _ group: Field? = nil
  ) -> Route.Delivery? {
    guard !targets.isEmpty else { return nil }
    receivers.append(Receiver(name: name, targets: targets))
    if !options.isEmpty { receiverOptions[name] = options }
    if let group {
      if group.isScalar { return group.bool() == true ? .group([name], .init(by: ["event_type"])) : .notify([name]) }
      return RoutingSection.grouping(group).map { .group([name], $0) }
    }
    return severity == .critical ? .notify([name]) : .group([name], .init(by: ["event_type"]))
  }

  mutating func route(_ severity: Severity, _ delivery: Route.Delivery, continues: Bool = false) {
    let matchers = [Matcher(name: "event_type", value: event.name), Matcher(name: "severity", value: severity.name)]
    routes.append(Route(matchers: matchers, delivery: delivery, continues: continues))
  }

  init(event: EventSettings) { self.event = event }
}

extension EventSettings {
  /// Adds a check under a name of its own: `listing_views/total_views/threshold`, with a number behind it from the second on.
  mutating func add(
    detector: String, metric: String?, period: CheckSettings.Period, parameters: [String: Option], name: String?,
    place: Place?
  ) {
    let base = name ?? [self.name, metric, detector].compactMap { $0 }.joined(separator: "/")
    var unique = base
    var n = 1
    while checks.contains(where: { $0.name == unique }) {
      n += 1
      unique = "\(base)-\(n)"
    }
    checks.append(
      .init(name: unique, detector: detector, metric: metric, period: period, parameters: parameters, place: place))
  }
}
