import Alerts
import GRDB

/// Statements of others on an SQLite file: what reads an Elementary table there.
extension SQLiteSource: SQLDatabase {
  func run<T: RowTaking>(_ statement: SQLStatement, timeout: Interval, _ taking: T) async throws -> T {
    let (sql, parameters) = statement.template.rendered { _, _ in "?" }
    return try await working(timeout) { db in
      var taking = taking
      let prepared = try db.makeStatement(sql: sql)
      guard prepared.isReadonly else { throw SourceError(.settings, "the query must only read") }
      try taking.begin(columns: prepared.columnNames)
      let cursor = try Row.fetchCursor(
        prepared, arguments: StatementArguments(parameters.map { statement.wallClock($0) }))
      while let row = try cursor.next() {
        try taking.take(row.databaseValues.map { $0.isNull ? nil : SQLiteSource.text($0) })
      }
      return taking
    }
  }

  func compares(_ column: String, _ sign: String, _ parameter: SQLTemplate.Parameter) -> [SQLTemplate.Piece] {
    [.text("datetime(\(column)) \(sign) datetime("), .parameter(parameter), .text(")")]
  }

  func quoted(_ name: String) throws(SourceError) -> String {
    try SQLText.identifierParts(name).map { SQLText.quote($0) }.joined(separator: ".")
  }
}
