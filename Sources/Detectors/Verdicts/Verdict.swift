import Alerts

/// What somebody else's check said once: a dbt test, a model that was built, a row of Elementary's results.
struct Verdict: Sendable, Equatable {
  enum Status: Sendable, Equatable {
    case pass
    /// Its severity, if the check itself says one.
    case bad(Severity)
    /// It said nothing this time: skipped, or not run.
    case silent
  }
  /// Of the check, for ever: dbt's unique_id.
  var check: String
  /// Of this one saying: the run and the check.
  var id: String
  var at: Timestamp
  var status: Status
  /// As it was said: `fail`, `warn`, `error`, …
  var word = ""
  /// Its owner wrote the severity beside the check: no rule overrules that.
  var isGraded = false
  /// What becomes the anomaly's metric, dimensions and labels.
  var metric: String
  var dimensions: [Anomaly.Label] = []
  var labels: [Anomaly.Label] = []
  var detector: String
  var summary: String
  /// How many rows failed, or seconds of age.
  var value: Double?
  /// Members of the anomaly's data beside: where it stands, what it asked.
  var more: [JSON.Member] = []
}

struct VerdictReading: Sendable {
  var verdicts: [Verdict] = []
  /// Every check that exists, whether it ran or not; nil where the source can't tell.
  var known: Set<String>?
  /// When the newest run was.
  var newest: Timestamp?
}

/// Where other people's checks leave their verdicts.
protocol VerdictSource: Sendable {
  /// At least what was said after `since`. Throws ``SourceError``.
  func verdicts(since: Timestamp, now: Timestamp, timeout: Interval) async throws -> VerdictReading
  /// A newest run that is older than this is late; nil where nobody asked.
  var longestSilence: Interval? { get }
}

/// An event type that takes verdicts measures nothing itself.
struct NoNumbers: MetricSource {
  var keepsHistory: Bool { true }
  func read(_ request: SourceRequest) async throws -> SourceReading {
    throw SourceError(.settings, "this source gives verdicts, and no numbers to check")
  }
}

extension SourceKinds {
  /// The verdicts that a data source names: kind `dbt`, or `format: elementary` on a connection that takes SQL. Nil where it names none.
  func verdicts(_ connection: Connection, _ source: DataSource, _ faults: inout [Fault]) -> (any VerdictSource)? {
    if connection.kind.lowercased() == "dbt" {
      var options = ConnectionOptions(connection, source)
      let path = options.text("path", needed: true)
      let silence = options.interval("max_age")
      options.finish()
      faults += options.faults
      return path.map { DbtSource(path: $0, longestSilence: silence) }
    }
    guard let format = source.options["format"] else { return nil }
    guard format.value.string == "elementary" else {
      faults.append(
        Fault(
          format.place ?? source.place, key: "data_source.format", "\(format.value.text) is not a format",
          mend: "give elementary, or leave it out"))
      return nil
    }
    var plain = source
    let own = ["format", "schema", "max_age"]
    var options = ConnectionOptions(connection, source)
    let schema = options.text("schema")
    let silence = options.interval("max_age")
    faults += options.faults
    plain.options = source.options.filter { !own.contains($0.key) }
    guard let built = self.source(connection, plain, &faults) else { return nil }
    guard let database = built as? any SQLDatabase else {
      faults.append(
        Fault(
          source.place, key: "data_source.format", "a connection of kind \(connection.kind) takes no SQL",
          mend:
            "Elementary's tables are in your warehouse: name a connection of kind postgres, odbc, clickhouse or sqlite")
      )
      return nil
    }
    return ElementarySource(database: database, schema: schema, longestSilence: silence)
  }
}

extension ConnectionOptions {
  mutating func interval(_ name: String) -> Interval? {
    guard let text = text(name) else { return nil }
    guard let value = Interval(text), value > .zero else {
      fault(name, "\"\(text)\" is not a length of time", mend: "such as 26h")
      return nil
    }
    return value
  }
}
