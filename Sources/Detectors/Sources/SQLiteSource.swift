import Alerts
import Foundation
import GRDB

/// An SQLite file, opened read-only. Tables are aggregated by SQLite itself: one row comes back for each window and combination of dimensions.
package struct SQLiteSource: MetricSource {
  let path: String
  package var keepsHistory: Bool { true }

  package init(path: String) { self.path = path }

  package func read(_ request: SourceRequest) async throws -> SourceReading {
    try await working(request.timeout) { db in
      try request.source.query == nil ? readTable(db, request) : readQuery(db, request)
    }
  }

  /// Reads on a connection that stays open between reads.
  func working<T: Sendable>(_ timeout: Interval, _ body: @escaping @Sendable (Database) throws -> T) async throws -> T {
    let path = path
    let patience = min(10, timeout.seconds)
    return try await BlockingWork.run(path, timeout: timeout) { watch in
      do {
        return try KeptConnections.shared.using("sqlite\u{1}\(path)\u{1}\(patience)") {
          try SQLiteConnection(path, busyTimeout: patience)
        } _: { connection in
          let queue = connection.queue
          return try BlockingWork.guarded(watch, stop: { queue.interrupt() }) { try queue.read(body) }
        }
      } catch let error as DatabaseError {
        throw SQLiteSource.explain(error, path, timeout)
      }
    }
  }

  private static func explain(_ error: DatabaseError, _ path: String, _ timeout: Interval) -> SourceError {
    let said = error.message ?? "\(error.resultCode)"
    return switch error.resultCode {
    case .SQLITE_CANTOPEN:
      SourceError(.unreachable, "\(path) can't be opened: is there such a file, and may this user read it?")
    case .SQLITE_NOTADB: SourceError(.unreachable, "\(path) is not an SQLite database")
    case .SQLITE_INTERRUPT: SourceError(.timeout, "the query on \(path) took longer than \(timeout)")
    case .SQLITE_BUSY, .SQLITE_LOCKED: SourceError(.timeout, "\(path) stayed locked by another program for \(timeout)")
    default: SourceError(.query, "\(path) refused the query: \(said)")
    }
  }

  // MARK: Tables

  private func readTable(_ db: Database, _ request: SourceRequest) throws -> SourceReading {
    guard let name = request.source.table else {
      throw SourceError(.settings, "the source names neither a table nor a query")
    }
    let table = try resolve(db, name)
    guard !request.metrics.contains(where: { $0.column.isEmpty }) else {
      throw SourceError(.settings, "the table \(name) needs metrics: name its columns")
    }
    guard let dateColumn = request.source.dateColumn else {
      throw SourceError(.settings, "the table \(name) needs a date_column")
    }
    let columns = Set(try db.columns(in: table.name, in: table.schema).map { $0.name.lowercased() })
    let plain = [dateColumn] + request.dimensions + request.metrics.map(\.column).filter { SQLText.isIdentifier($0) }
    for column in plain {
      let part = try SQLText.identifierParts(column).last ?? column
      guard columns.contains(part.lowercased()) else {
        let near = Nearest.name(to: part, in: columns)
        throw SourceError(
          .query,
          "\(name) has no column \"\(column)\"\(near.map { "; did you mean \($0)?" } ?? "") (it has \(columns.sorted().joined(separator: ", ")))"
        )
      }
    }
    let date = SQLText.quote(try SQLText.identifierParts(dateColumn).last ?? dateColumn)
    let from = "\(table.schema.map { SQLText.quote($0) + "." } ?? "")\(SQLText.quote(table.name))"
    guard let form = try SQLiteDate.sample(db, column: date, table: from) else { return SourceReading(rows: []) }

    let dimensions = try request.dimensions.map { SQLText.quote(try SQLText.identifierParts($0).last ?? $0) }
    let values = try request.metrics.map { try SQLText.aggregate($0) }
    var conditions = ["\(date) < :window_end"]
    var arguments: StatementArguments = ["window_end": form.bound(request.to, request.calendar.zone)]
    if let start = request.from {
      conditions.append("\(date) >= :window_start")
      arguments += ["window_start": form.bound(start, request.calendar.zone)]
    }
    if let filter = request.source.filter {
      try SQLText.checkExpression(filter, "filter")
      conditions.append("(\(filter))")
    }
    let bucket = form.bucket(date, request.calendar)
    let keys = (1...(1 + dimensions.count)).map(String.init).joined(separator: ", ")
    let sql = """
      SELECT \(([bucket] + dimensions + ["count(*)"] + values).joined(separator: ", "))
      FROM \(from) WHERE \(conditions.joined(separator: " AND "))
      GROUP BY \(keys) ORDER BY \(keys) LIMIT \(request.rowLimit + 1)
      """
    return try collect(db, sql, arguments, request)
  }

  /// A schema before the name is a database of the warehouse; where SQLite has none of that name, the table stands alone.
  private func resolve(_ db: Database, _ name: String) throws -> (schema: String?, name: String) {
    let parts = try SQLText.identifierParts(name)
    let table = parts.last ?? name
    let schemas = Set(try String.fetchAll(db, sql: "SELECT name FROM pragma_database_list").map { $0.lowercased() })
    let schema = parts.count > 1 && schemas.contains(parts[parts.count - 2].lowercased()) ? parts[parts.count - 2] : nil
    let there =
      try db.tableExists(table, in: schema) || db.viewExists(table, in: schema)
    guard there else {
      let names = try String.fetchAll(
        db, sql: "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') ORDER BY name LIMIT 30")
      throw SourceError(
        .query,
        "\(path) has no table \"\(table)\"\(names.isEmpty ? ": it is empty" : " (it has \(names.joined(separator: ", ")))")"
      )
    }
    return (schema, table)
  }

  private func collect(
    _ db: Database, _ sql: String, _ arguments: StatementArguments, _ request: SourceRequest
  ) throws -> SourceReading {
    let reading = TimeReading(zone: request.calendar.zone)
    var rows: [SourceReading.Row] = []
    var bad = BadRows()
    let d = request.dimensions.count
    var number = 0
    let cursor = try Row.fetchCursor(db, sql: sql, arguments: arguments)
    var isTooMany = false
    while !isTooMany, let row = try cursor.next() {
      number += 1
      isTooMany = rows.count >= request.rowLimit
      let cells = Array(row.databaseValues)
      if let read = SQLiteSource.read(cells, request, reading, dimensions: d) {
        rows.append(read)
      } else {
        bad.add(line: number, "\"\(SQLiteSource.text(cells[0]).prefix(40))\" is not a time")
      }
    }
    if isTooMany {
      throw SourceError(
        .too_many_rows, "more than \(request.rowLimit) windows and series: use fewer dimensions, or a longer window")
    }
    return SourceReading(rows: rows, bad: bad)
  }

  private static func read(
    _ cells: [DatabaseValue], _ request: SourceRequest, _ reading: TimeReading, dimensions d: Int
  ) -> SourceReading.Row? {
    guard let time = time(cells[0], reading) else { return nil }
    let values = cells.dropFirst(d + 2).prefix(request.metrics.count).map { number($0) }
    return SourceReading.Row(
      time: time, dimensions: cells.dropFirst().prefix(d).map { text($0) },
      count: number(cells[d + 1]).flatMap { Int(exactly: $0) } ?? 0,
      values: values)
  }

  /// Nil for NULL, for what is no number, and for what is not finite.
  private static func number(_ value: DatabaseValue) -> Double? {
    switch value.storage {
    case .int64(let i): return Double(i)
    case .double(let x): return x.isFinite ? x : nil
    default: return nil
    }
  }

  private static func time(_ value: DatabaseValue, _ reading: TimeReading) -> Timestamp? {
    switch value.storage {
    case .string(let s): reading.read(s)
    case .int64(let i): reading.read(Double(i))
    case .double(let d): reading.read(d)
    default: nil
    }
  }

  static func text(_ value: DatabaseValue) -> String {
    switch value.storage {
    case .null: "null"
    case .string(let s): s
    case .int64(let i): String(i)
    case .double(let d): String(d)
    case .blob: "blob"
    }
  }

  // MARK: Queries

  /// The query's own columns are named by date_column, dimensions and metrics; `:window_start` and `:window_end` are bound.
  private func readQuery(_ db: Database, _ request: SourceRequest) throws -> SourceReading {
    let statement = try db.makeStatement(sql: request.source.query ?? "")
    guard statement.isReadonly else { throw SourceError(.settings, "the query must only read") }
    var arguments: [String: (any DatabaseValueConvertible)?] = [:]
    // A date alone at midnight: so it compares rightly with dates and with times.
    let form = SQLiteDate.text(dateOnly: false, separator: " ", suffix: "")
    for (name, value) in [("window_start", request.from ?? .epoch), ("window_end", request.to)]
    where request.source.query?.contains(":\(name)") == true {
      arguments[name] = form.bound(value, request.calendar.zone)
    }
    var table = try TextTable(request)
    let header = statement.columnNames
    try table.take(header: header)
    var line = 0
    let cursor = try Row.fetchCursor(statement, arguments: StatementArguments(arguments))
    while let row = try cursor.next() {
      line += 1
      let texts = Array(row.databaseValues).map { $0.isNull ? ""[...] : SQLiteSource.text($0)[...] }
      try table.take(row: texts, line: line)
    }
    return table.result
  }
}

/// One file, open to be read.
private final class SQLiteConnection: KeptConnections.Keepable {
  let queue: DatabaseQueue
  private let path: String
  private let file: (device: dev_t, number: ino_t)?

  init(_ path: String, busyTimeout: Double) throws {
    var configuration = GRDB.Configuration()
    configuration.readonly = true
    configuration.busyMode = .timeout(busyTimeout)
    configuration.label = "source"
    self.path = path
    queue = try DatabaseQueue(path: path, configuration: configuration)
    file = SQLiteConnection.identity(path)
  }

  /// False once another file stands in its place, or none.
  var isFresh: Bool {
    guard let file, let now = SQLiteConnection.identity(path) else { return false }
    return file == now
  }

  private static func identity(_ path: String) -> (device: dev_t, number: ino_t)? {
    var facts = stat()
    return stat(path, &facts) == 0 ? (facts.st_dev, facts.st_ino) : nil
  }
}
