import Alerts

/// Takes a statement's rows one by one, on the thread that reads them.
protocol RowTaking: Sendable {
  /// Called once, before the first row.
  mutating func begin(columns: [String]) throws
  /// Nil is NULL.
  mutating func take(_ row: [String?]) throws
}

/// A database that takes SQL.
protocol SQLDatabase: Sendable {
  /// Runs one statement that only reads, its parameters bound, and hands over its rows. Throws ``SourceError``.
  func run<T: RowTaking>(_ statement: SQLStatement, timeout: Interval, _ taking: T) async throws -> T
  /// A column of times, as an expression that compares with the parameter on the other side.
  func compares(_ column: String, _ sign: String, _ parameter: SQLTemplate.Parameter) -> [SQLTemplate.Piece]
  /// What a table is called in a statement: checked, and quoted as this database quotes.
  func quoted(_ name: String) throws(SourceError) -> String
}

/// The answer to a statement that the source made itself: a window, the dimensions, how many rows, the metrics.
struct WindowRows: RowTaking {
  let request: SourceRequest
  private let reading: TimeReading
  /// Nil: the window comes as text or a number that tells its own unit.
  private let microseconds: Bool
  private(set) var rows: [SourceReading.Row] = []
  private(set) var bad = BadRows()
  private var number = 0

  /// `microseconds`: the window's start comes as microseconds since 1970.
  init(_ request: SourceRequest, microseconds: Bool = false) {
    self.request = request
    self.microseconds = microseconds
    reading = TimeReading(zone: request.calendar.zone)
  }

  mutating func begin(columns: [String]) {}

  mutating func take(_ row: [String?]) throws {
    number += 1
    let d = request.dimensions.count
    guard row.count == 2 + d + request.metrics.count else {
      throw SourceError(
        .query, "the answer has \(row.count) columns, where \(2 + d + request.metrics.count) were asked")
    }
    guard rows.count < request.rowLimit else { throw WindowRows.tooMany(request) }
    guard let time = time(row[0]) else {
      bad.add(line: number, "\"\((row[0] ?? "null").prefix(40))\" is not a time")
      return
    }
    rows.append(
      SourceReading.Row(
        // What the source cut a little differently (a driver that drops fractions) still names one window.
        time: request.calendar.bucket == .exact ? time : request.calendar.window(at: time).start,
        dimensions: row[1..<1 + d].map { $0 ?? "null" }, count: row[1 + d].flatMap { Double($0) }.map { Int($0) } ?? 0,
        values: row[(2 + d)...].map { $0.flatMap { Double($0) }.flatMap { $0.isFinite ? $0 : nil } }))
  }

  private func time(_ text: String?) -> Timestamp? {
    guard let text else { return nil }
    if microseconds { return Int64(text).map { Timestamp(microseconds: $0) } }
    return reading.read(text)
  }

  static func tooMany(_ request: SourceRequest) -> SourceError {
    SourceError(
      .too_many_rows, "more than \(request.rowLimit) windows and series: use fewer dimensions, or a longer window")
  }

  /// Sorted, whatever the source's collation.
  var result: SourceReading {
    SourceReading(
      rows: rows.sorted {
        $0.time != $1.time ? $0.time < $1.time : $0.dimensions.lexicographicallyPrecedes($1.dimensions)
      }, bad: bad)
  }
}

/// The answer to a query of the configuration: its columns are found by name, as a file's are.
struct QueryRows: RowTaking {
  private var table: TextTable
  private var line = 0
  init(_ request: SourceRequest) throws { table = try TextTable(request) }
  mutating func begin(columns: [String]) throws { try table.take(header: columns) }
  mutating func take(_ row: [String?]) throws {
    line += 1
    try table.take(row: row.map { $0.map { $0[...] } ?? "" }, line: line)
  }
  var result: SourceReading { table.result }
}

/// Whatever comes, up to a bound: for statements whose answers are small.
struct AllRows: RowTaking {
  let limit: Int
  private(set) var columns: [String] = []
  private(set) var rows: [[String?]] = []
  init(limit: Int) { self.limit = limit }
  mutating func begin(columns: [String]) { self.columns = columns }
  mutating func take(_ row: [String?]) throws {
    guard rows.count < limit else { throw SourceError(.too_many_rows, "the answer has more than \(limit) rows") }
    rows.append(row)
  }
}

extension SourceRequest {
  /// A table that is read with one statement needs these three named.
  func tableParts() throws -> (table: String, dateColumn: String) {
    guard let table = source.table else {
      throw SourceError(.settings, "the source names neither a table nor a query")
    }
    guard !metrics.contains(where: { $0.column.isEmpty }) else {
      throw SourceError(.settings, "the table \(table) needs metrics: name its columns")
    }
    guard let dateColumn = source.dateColumn else {
      throw SourceError(.settings, "the table \(table) needs a date_column")
    }
    return (table, dateColumn)
  }
}

extension SourceError {
  /// Without passwords that a driver or a server repeated.
  func hiding(_ secrets: [String]) -> SourceError {
    var text = message
    for secret in secrets where secret.utf8.count >= 3 {
      text = text.split(separator: secret, omittingEmptySubsequences: false).joined(separator: "•••")
    }
    return SourceError(kind, text)
  }
}
