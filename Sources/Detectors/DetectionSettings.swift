package import Alerts

/// What to watch, from where, and when it is too much.
package struct DetectionSettings: Sendable, Equatable {
  /// IANA name, for schedules and windows whose own zone is not given.
  package var timeZone = "UTC"
  package var connections: [Connection] = []
  package var events: [EventSettings] = []
  /// When so many problems begin at once that they are one; nil: never.
  package var flood: FloodRule? = FloodRule()
  package init() {}
}

/// A place that numbers come from, named in `tocsin.yaml`.
package struct Connection: Sendable, Equatable {
  package var name: String
  /// `sqlite`, `postgres`, `odbc`, `csv`, `json`, `prometheus`, `clickhouse`, `command`, `host`, …
  package var kind: String
  /// `path`, `url`, `dsn`, `user`, `password`, `command`, …: what the kind needs. May hold secrets.
  package var options: [String: Option]
  package var place: Place?

  package init(name: String, kind: String, options: [String: Option] = [:], place: Place? = nil) {
    self.name = name
    self.kind = kind
    self.options = options
    self.place = place
  }
}

/// A value from a configuration file, and where it stands there.
package struct Option: Sendable, Equatable {
  package var value: JSON
  package var place: Place?
  package init(_ value: JSON, place: Place? = nil) {
    self.value = value
    self.place = place
  }
}

/// One file of `config/metrics/`.
package struct EventSettings: Sendable, Equatable {
  package var name: String
  package var description: String?
  package var tenant = "default"
  package var source: DataSource
  package var schedule: ScheduleText
  package var checks: [CheckSettings] = []
  /// From the worst severity down.
  package var severities: [SeverityRule] = []
  /// Given to every anomaly of this event type.
  package var labels: [String: String] = [:]
  package var place: Place?

  package init(name: String, source: DataSource, schedule: ScheduleText) {
    self.name = name
    self.source = source
    self.schedule = schedule
  }
}

/// When checks are due, as written.
package enum ScheduleText: Sendable, Equatable {
  /// Five fields, `0 6 * * *`, in `zone` or the configuration's.
  case cron(String, zone: String?)
  case every(Interval)
}

/// Where one event type's numbers stand.
package struct DataSource: Sendable, Equatable {
  package struct Metric: Sendable, Equatable {
    /// A column, or an SQL expression over columns.
    package var column: String
    package var alias: String
    /// `sum` (default), `avg`, `min`, `max`, `count`, `missing` (the share of rows without a value), or `none`: one row is one point.
    package var aggregate: String?
    package init(column: String, alias: String, aggregate: String? = nil) {
      self.column = column
      self.alias = alias
      self.aggregate = aggregate
    }
  }
  package var connection: String
  package var table: String?
  /// SQL (or the source's own language) with `:window_start` and `:window_end` as bound parameters, instead of a table.
  package var query: String?
  package var dateColumn: String?
  package var dimensions: [String] = []
  package var metrics: [Metric] = []
  /// An SQL condition, for a table.
  package var filter: String?
  /// Whatever else the file's `data_source` says; the source's kind judges it.
  package var options: [String: Option] = [:]
  package var place: Place?
  package init(connection: String) { self.connection = connection }
}

/// One check: a detector on a metric.
package struct CheckSettings: Sendable, Equatable {
  /// Whether it stood under `daily_checks`, `weekly_checks`, or plain `checks` (then it looks at each point of the source).
  package enum Period: String, Sendable { case daily, weekly, hourly, point }
  /// `listing_views/total_views/percentage_change`, with a number behind it if there are several.
  package var name: String
  package var detector: String
  /// The alias of one of the source's metrics; nil for checks on the table itself (`row_count`).
  package var metric: String?
  package var period: Period
  /// Everything else in the check: `threshold`, `min_value`, `lookback_days`, … The detector judges them.
  package var parameters: [String: Option]
  package var place: Place?
  package init(
    name: String, detector: String, metric: String?, period: Period, parameters: [String: Option] = [:],
    place: Place? = nil
  ) {
    self.name = name
    self.detector = detector
    self.metric = metric
    self.period = period
    self.parameters = parameters
    self.place = place
  }
}

/// `critical: {condition: "deviation > 0.5"}`
package struct SeverityRule: Sendable, Equatable {
  package var severity: Severity
  package var condition: String
  package var place: Place?
  package init(severity: Severity, condition: String, place: Place? = nil) {
    self.severity = severity
    self.condition = condition
    self.place = place
  }
}
