package import Alerts

/// Where numbers come from. One call reads one event type's rows for a range of time, as aggregated as the source can make them.
package protocol MetricSource: Sendable {
  /// False for a source that only knows the present (this host, a command that prints one number): the worker then keeps its past.
  var keepsHistory: Bool { get }
  /// True for a source that is a recording as it stands, such as a file: a first run looks at all of it, and not at the newest window alone.
  var isRecording: Bool { get }
  /// Throws ``SourceError``. Rows that can't be read are counted in the answer, never an error.
  func read(_ request: SourceRequest) async throws -> SourceReading
}

extension MetricSource {
  package var isRecording: Bool { false }
}

package struct SourceRequest: Sendable {
  package var source: DataSource
  /// Columns that make up a series, as the source spells them.
  package var dimensions: [String]
  package var metrics: [DataSource.Metric]
  package var calendar: WindowCalendar
  /// Rows from this instant on; nil from the beginning.
  package var from: Timestamp?
  /// Rows before this instant.
  package var to: Timestamp
  /// The most rows of the answer (windows × series). Beyond it the read fails: a check over more is a mistake in its dimensions, and would
  /// fill the memory.
  package var rowLimit: Int
  package var timeout: Interval

  package static let defaultRowLimit = 2_000_000
  package static let defaultTimeout = Interval.seconds(30)

  package init(
    source: DataSource, dimensions: [String]? = nil, metrics: [DataSource.Metric]? = nil, calendar: WindowCalendar,
    from: Timestamp?, to: Timestamp, rowLimit: Int = SourceRequest.defaultRowLimit,
    timeout: Interval = SourceRequest.defaultTimeout
  ) {
    self.source = source
    self.dimensions = dimensions ?? source.dimensions
    self.metrics = metrics ?? source.metrics
    self.calendar = calendar
    self.from = from
    self.to = to
    self.rowLimit = rowLimit
    self.timeout = timeout
  }
}

package struct SourceReading: Sendable, Equatable {
  /// One window of one combination of dimensions.
  package struct Row: Sendable, Equatable {
    /// The window's start.
    package var time: Timestamp
    /// In the order of the request's dimensions.
    package var dimensions: [String]
    /// How many rows of the source went into it.
    package var count: Int
    /// In the order of the request's metrics; nil where the source has no number.
    package var values: [Double?]
    package init(time: Timestamp, dimensions: [String] = [], count: Int = 1, values: [Double?]) {
      self.time = time
      self.dimensions = dimensions
      self.count = count
      self.values = values
    }
  }
  /// Sorted by time, then dimensions.
  package var rows: [Row]
  package var bad = BadRows()
  package init(rows: [Row], bad: BadRows = BadRows()) {
    self.rows = rows
    self.bad = bad
  }
}

/// Rows that could not be read: how many, and the first few, so that somebody can mend them.
package struct BadRows: Sendable, Equatable {
  package static let exampleLimit = 5
  package private(set) var count = 0
  /// `line 17: "abc" is not a number`
  package private(set) var examples: [String] = []
  package init() {}

  package mutating func add(line: Int, _ message: @autoclosure () -> String) {
    count += 1
    if examples.count < BadRows.exampleLimit { examples.append("line \(line): \(message())") }
  }
}

/// Why a source could not be read, and what to do about it. Never holds a secret.
package struct SourceError: Error, Sendable, Equatable, CustomStringConvertible {
  package enum Kind: String, Sendable {
    case unreachable, timeout, refused, query, too_many_rows, settings
    /// Nothing came, where there was something before.
    case empty
    /// What came is older than it should be.
    case late
  }
  package var kind: Kind
  package var message: String
  package init(_ kind: Kind, _ message: String) {
    self.kind = kind
    self.message = message
  }
  package var description: String { message }
}
