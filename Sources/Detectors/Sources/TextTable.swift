import Alerts

/// Turns rows of named texts (CSV, JSON lines) into windows: finds the columns, reads times and numbers, counts what can't be read.
struct TextTable {
  private var grouping: RowGrouping
  private(set) var bad = BadRows()
  private let reading: TimeReading
  private var columns: Columns?
  /// The time of rows that carry none.
  private let now: Timestamp

  struct Columns: Equatable {
    /// Nil: the rows carry no time.
    var time: Int?
    var dimensions: [Int]
    var metrics: [Int]
  }

  init(_ request: SourceRequest) throws(SourceError) {
    grouping = try RowGrouping(request)
    reading = TimeReading(zone: request.calendar.zone)
    now = request.to - Interval(microseconds: 1)
  }

  static let timeNames = ["timestamp", "time", "date", "datetime", "ds", "ts", "day", "hour", "window_start"]

  /// Finds the columns by name, upper and lower case the same. Throws with what there is where one is missing.
  mutating func take(header: [String]) throws(SourceError) {
    let names = header.map { $0.trimmingQuotes.lowercased() }
    func find(_ name: String) -> Int? { names.firstIndex(of: name.lowercased()) }
    func need(_ name: String, _ what: String) throws(SourceError) -> Int {
      guard let i = find(name) else {
        throw SourceError(
          .query, "there is no column \"\(name)\" (\(what)); the columns are \(header.joined(separator: ", "))")
      }
      return i
    }
    let request = grouping.request
    var time: Int?
    if let name = request.source.dateColumn {
      time = try need(name, "date_column")
    } else {
      time = TextTable.timeNames.lazy.compactMap { find($0) }.first
    }
    var dimensions: [Int] = []
    for name in request.dimensions { dimensions.append(try need(name, "dimension")) }
    var metrics: [Int] = []
    for metric in request.metrics { metrics.append(try need(metric.column, "metric")) }
    columns = Columns(time: time, dimensions: dimensions, metrics: metrics)
  }

  /// For text without a header: the time, then the metrics in their order.
  mutating func assumeColumns(width: Int) throws(SourceError) {
    let request = grouping.request
    guard request.dimensions.isEmpty, width == request.metrics.count + 1 || width == request.metrics.count else {
      throw SourceError(
        .query, "the text has no header, and its \(width) columns are not a time and \(request.metrics.count) metrics")
    }
    let time = width == request.metrics.count ? nil : 0
    columns = Columns(
      time: time, dimensions: [], metrics: Array((time == nil ? 0 : 1)..<width))
  }

  /// A row of texts in the header's order.
  mutating func take(row: [Substring], line: Int) throws(SourceError) {
    guard let columns else { return }
    let needed = ([columns.time ?? 0] + columns.dimensions + columns.metrics).max() ?? 0
    guard row.count > needed else {
      bad.add(line: line, "\(row.count) fields, where at least \(needed + 1) are needed")
      return
    }
    var time = now
    if let i = columns.time {
      guard let t = reading.read(row[i]) else {
        bad.add(line: line, "\"\(row[i].prefix(40))\" is not a time")
        return
      }
      time = t
    }
    var values: [Double?] = []
    for (metric, i) in zip(grouping.request.metrics, columns.metrics) {
      let text = row[i].trimmed
      if TextTable.missing.contains(text.lowercased()) {
        values.append(nil)
      } else if let value = Double(text), value.isFinite {
        values.append(value)
      } else if metric.aggregate?.lowercased() == "count" {
        values.append(1)
      } else {
        bad.add(line: line, "\"\(text.prefix(40))\" is not a number")
        return
      }
    }
    try grouping.add(time: time, dimensions: columns.dimensions.map { String(row[$0]) }, values: values)
  }

  mutating func reject(line: Int, _ message: String) { bad.add(line: line, message) }

  static let missing: Set<String> = ["", "null", "na", "n/a", "nan", "none", "\\n"]

  var result: SourceReading { SourceReading(rows: grouping.rows(), bad: bad) }
}
