package import Alerts

/// The settings, understood: every name resolved, every expression parsed. What is wrong is in ``faults``, all of it, and what is wrong is left out.
package struct DetectionPlan: Sendable {
  package var events: [EventPlan] = []
  package var faults: [Fault] = []
  package var flood: FloodRule?

  package init(_ settings: DetectionSettings, kinds: SourceKinds = .standard) {
    flood = settings.flood
    for event in settings.events {
      if let same = events.first(where: { $0.name == event.name }) {
        faults.append(
          Fault(
            event.place, key: event.name,
            "this event type is defined twice\(same.settings.place.map { ": also at \($0)" } ?? "")",
            mend: "give one of them another name"))
        continue
      }
      var own: [Fault] = []
      let plan = EventPlan(event, settings, kinds, &own)
      faults += own
      if let plan { events.append(plan) }
    }
  }
}

/// One event type, ready to run.
package struct EventPlan: Sendable {
  package let settings: EventSettings
  package let source: any MetricSource
  /// In place of numbers: what other people's checks said.
  let verdicts: (any VerdictSource)?
  package let schedule: Schedule
  /// The zone of times in the data that name none, and of its days.
  package let zone: Zone
  package let checks: [CheckPlan]
  let rules: [(severity: Severity, condition: Condition)]
  let options: SourceOptions

  package var name: String { settings.name }
}

package struct CheckPlan: Sendable {
  package let settings: CheckSettings
  let detector: any Detector
  /// The metric's alias, ``RowCount/metric``, ``Freshness/metric``, or `revenue_share`: as the anomaly names it.
  package let metric: String
  /// The alias of the source's metric that it reads, where it reads one.
  let alias: String
  let bucket: Bucket
  /// As the source spells them.
  let dimensions: [String]
  let severity: Severity?
  let condition: Condition?
  /// Points in a row that must be anomalous before it fires, and normal before it clears.
  let consecutive: Int
  let clearAfter: Int

  package var name: String { settings.name }
  /// What it looks at of a reading: a metric's values, or what the worker makes of the rows themselves.
  let subject: Subject
  enum Subject: Sendable, Equatable { case metric, rows, age, share }
  var countsRows: Bool { subject == .rows }
}

extension EventPlan {
  init?(_ event: EventSettings, _ all: DetectionSettings, _ kinds: SourceKinds, _ faults: inout [Fault]) {
    let before = faults.count
    var event = event
    // A file of timestamp,value needs no words about its columns.
    if event.source.metrics.isEmpty { event.source.metrics = [.init(column: "", alias: "value", aggregate: "avg")] }
    addMissingRatios(&event)
    settings = event
    let options = SourceOptions(event, &faults)
    self.options = options
    zone = options.zone
    let connection =
      all.connections.first { $0.name == event.source.connection }
      ?? (event.source.connection == "host" ? Connection(name: "host", kind: "host") : nil)
    var verdicts: (any VerdictSource)?
    if let connection, connection.kind.lowercased() == "dbt" || event.source.options["format"] != nil {
      verdicts = kinds.verdicts(connection, event.source, &faults)
      source = NoNumbers()
      if let check = event.checks.first {
        faults.append(
          Fault(
            check.place ?? event.place, key: check.name, "this source gives verdicts, and no numbers to check",
            mend: "take the checks out; severities come from dbt, and alerting says who hears of which"))
      }
    } else if let connection {
      source = kinds.source(connection, event.source, &faults) ?? HostSource()
    } else {
      let near = Nearest.name(to: event.source.connection, in: all.connections.map(\.name))
      faults.append(
        Fault(
          event.source.place ?? event.place, key: "\(event.name).data_source.connection",
          "there is no connection \"\(event.source.connection)\"",
          mend: near.map { "did you mean \($0)?" } ?? "name it under connections in tocsin.yaml"))
      source = HostSource()
    }
    self.verdicts = verdicts
    switch Schedule.read(event.schedule, defaultZone: all.timeZone, place: event.place, key: "\(event.name).schedule") {
    case .success(let s): schedule = s
    case .failure(let fault):
      faults.append(fault)
      schedule = .every(.hours(1))
    }
    let known = Facts.names(event).union(verdicts == nil ? [] : Facts.verdictTexts)
    let numbers = Set(Facts.numbers + event.source.metrics.map(\.alias)).subtracting(event.source.dimensions)
    rules = event.severities.compactMap { rule in
      Condition.read(
        rule.condition, known: known, numbers, rule.place, "\(event.name).alerting.\(rule.severity)", &faults
      )
      .map { (rule.severity, $0) }
    }
    .sorted { $0.severity > $1.severity }
    var checks: [CheckPlan] = []
    for check in event.checks {
      if let plan = CheckPlan(check, event, options, known, numbers, &faults) { checks.append(plan) }
    }
    // The shortest windows tell first; longer ones would say the same again.
    let buckets = checks.map(\.bucket).filter { $0 != .exact }
    if source.keepsHistory, let bucket = buckets.min(by: { ($0.length ?? .zero) < ($1.length ?? .zero) }),
      !checks.contains(where: { $0.countsRows && $0.bucket == bucket && $0.dimensions.isEmpty })
    {
      checks.append(CheckPlan(missingRowsOf: event, bucket, period: checks.first { $0.bucket == bucket }))
    }
    self.checks = checks
    if faults.count > before { return nil }
  }
}

extension CheckPlan {
  fileprivate init?(
    _ check: CheckSettings, _ event: EventSettings, _ options: SourceOptions, _ known: Set<String>,
    _ numbers: Set<String>, _ faults: inout [Fault]
  ) {
    var p = Parameters(check)
    p.zone = options.zone
    let detector = DetectorRegistry.detector(&p)
    settings = check
    bucket =
      switch check.period {
      case .daily: .day
      case .weekly: .week
      case .hourly: .hour
      case .point: options.step.map { .step($0) } ?? .exact
      }
    let aliases = event.source.metrics.map(\.alias)
    subject = CheckPlan.subject(detector)
    if subject == .rows || subject == .age {
      metric = subject == .rows ? RowCount.metric : Freshness.metric
      alias = metric
      if subject == .age, bucket == .exact {
        p.fault(
          nil, "freshness needs windows", mend: "put it under daily_checks or hourly_checks, or give the source a step")
      }
    } else if let name = check.metric {
      alias = name
      metric = subject == .share ? "\(name)_share" : name
      if !aliases.contains(name) {
        let near = Nearest.name(to: name, in: aliases)
        p.fault(
          nil, "the data source has no metric \"\(name)\"",
          mend: (near.map { "did you mean \($0)? " } ?? "") + "It has \(aliases.joined(separator: ", "))")
      }
    } else if aliases.count == 1 {
      alias = aliases[0]
      metric = subject == .share ? "\(alias)_share" : alias
    } else {
      alias = ""
      metric = ""
      p.fault(nil, "it names no metric", mend: "give one of \(aliases.joined(separator: ", "))")
    }
    let dimensions = p.texts("dimensions")
    self.dimensions = dimensions ?? (subject == .rows || subject == .age ? [] : event.source.dimensions)
    if subject == .share, self.dimensions.isEmpty {
      p.fault("dimensions", "dominant_category needs a dimension to compare", mend: "dimensions: [category]")
    }
    for d in dimensions ?? [] where !event.source.dimensions.contains(d) {
      p.fault(
        "dimensions", "\"\(d)\" is not a dimension of the data source",
        mend: "it has \(event.source.dimensions.joined(separator: ", "))")
    }
    severity = p.text("severity").flatMap { text in
      let severity = Severity(name: text)
      if severity == nil { p.fault("severity", "\"\(text)\" is not critical, high, medium or low") }
      return severity
    }
    condition = p.text("condition").flatMap { text in
      var own: [Fault] = []
      let c = Condition.read(
        text, known: known, numbers, check.parameters["condition"]?.place ?? check.place, "\(check.name).condition",
        &own)
      faults += own
      return c
    }
    consecutive = p.integer("consecutive", in: 1...1000) ?? 1
    clearAfter = p.integer("clear_after", in: 1...1000) ?? 1
    if detector != nil { p.finish() }
    faults += p.faults
    guard let detector, p.faults.isEmpty else { return nil }
    self.detector = detector
  }

  fileprivate init(missingRowsOf event: EventSettings, _ bucket: Bucket, period: CheckPlan?) {
    settings = CheckSettings(
      name: "\(event.name)/\(RowCount.metric)/no_rows", detector: "row_count", metric: nil,
      period: period?.settings.period ?? .daily)
    detector = MissingRows()
    metric = RowCount.metric
    alias = RowCount.metric
    subject = .rows
    self.bucket = bucket
    dimensions = []
    severity = .critical
    condition = nil
    consecutive = 1
    clearAfter = 1
  }
}

extension CheckPlan {
  private static func subject(_ detector: (any Detector)?) -> Subject {
    switch detector {
    case is RowCount: .rows
    case is Freshness: .age
    case let share as Share where share.kind == .dominant_category: .share
    default: .metric
    }
  }
}

/// `{detector: missing_data, metric: price}` asks for the share of rows without a price: a metric that the source makes, under a name of its own.
private func addMissingRatios(_ event: inout EventSettings) {
  for i in event.checks.indices {
    let name = event.checks[i].detector.lowercased()
    guard (DetectorRegistry.aliases[name] ?? name) == Share.Kind.missing_data.rawValue,
      let metric = event.source.metrics.first(where: { $0.alias == event.checks[i].metric }),
      Aggregate(name: metric.aggregate) != .missing, !SQLText.aggregates(metric.column)
    else { continue }
    let alias = "\(metric.alias)_missing"
    if !event.source.metrics.contains(where: { $0.alias == alias }) {
      event.source.metrics.append(.init(column: metric.column, alias: alias, aggregate: Aggregate.missing.rawValue))
    }
    event.checks[i].metric = alias
  }
}

extension Condition {
  fileprivate static func read(
    _ text: String, known: Set<String>, _ numbers: Set<String>, _ place: Place?, _ key: String, _ faults: inout [Fault]
  ) -> Condition? {
    do throws(ConditionError) {
      return try Condition(text, known: known, numbers: numbers)
    } catch {
      faults.append(
        Fault(
          place, key: key, "\"\(text)\": \(error)\n    \(text)\n    \(String(repeating: " ", count: error.column - 1))^"
        ))
      return nil
    }
  }
}
