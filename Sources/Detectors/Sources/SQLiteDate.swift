import Alerts
import GRDB

/// How a table of SQLite, which has no type for times, writes them: learnt from its newest row.
enum SQLiteDate {
  case text(dateOnly: Bool, separator: String, suffix: String)
  case seconds
  case milliseconds

  /// Nil for a table without a single time.
  static func sample(_ db: Database, column: String, table: String) throws -> SQLiteDate? {
    guard let row = try Row.fetchOne(db, sql: "SELECT max(\(column)) FROM \(table)"), !row.hasNull(atIndex: 0) else {
      return nil
    }
    let value: DatabaseValue = row[0]
    switch value.storage {
    case .int64(let i): return i.magnitude < 100_000_000_000 ? .seconds : .milliseconds
    case .double(let d): return d.magnitude < 1e11 ? .seconds : .milliseconds
    case .string(let s) where Timestamp(rfc3339: s) != nil:
      let separator = s.dropFirst(10).first.map(String.init) ?? " "
      return .text(dateOnly: s.count == 10, separator: separator, suffix: s.hasSuffix("Z") ? "Z" : "")
    default:
      throw SourceError(
        .query,
        "the date column \(column) holds \"\(SQLiteSource.text(value).prefix(40))\", which is not a time: ISO 8601 and seconds since 1970 are read"
      )
    }
  }

  /// An instant, in the form in which the table's own times compare with it.
  func bound(_ t: Timestamp, _ zone: Zone) -> any DatabaseValueConvertible {
    switch self {
    case .seconds: return t.seconds
    case .milliseconds: return t.seconds * 1000
    case .text(let dateOnly, let separator, let suffix):
      let local = suffix == "Z" ? t : Timestamp(microseconds: t.microseconds + zone.offset(at: t) * 1_000_000)
      // Rounded up to the second or the day: a row belongs to the range if it is not before it.
      let unit: Int64 = dateOnly ? 86_400_000_000 : 1_000_000
      let up = Timestamp(microseconds: floorDivide(local.microseconds + unit - 1, unit) * unit).rfc3339
      if dateOnly || up.hasSuffix("T00:00:00Z") { return String(up.prefix(10)) }
      return up.prefix(10) + separator + up.dropFirst(11).prefix(8)
    }
  }

  /// An expression for the window that a row falls in.
  func bucket(_ column: String, _ calendar: WindowCalendar) -> String {
    switch self {
    case .text(let dateOnly, _, _):
      switch calendar.bucket {
      case .exact: return column
      case .day: return dateOnly ? column : "substr(\(column), 1, 10)"
      case .week: return "date(\(column), 'weekday 0', '-6 days')"
      case .hour: return dateOnly ? column : "substr(\(column), 1, 13) || ':00'"
      case .step(let length):
        // Back to text, so that it is read in the data's own zone.
        let n = length.wholeSeconds
        return "datetime((CAST(strftime('%s', \(column)) AS INTEGER) / \(n)) * \(n), 'unixepoch')"
      }
    case .seconds, .milliseconds:
      var seconds = column
      if case .milliseconds = self { seconds = "(\(column) / 1000)" }
      // Days and weeks of a zone other than UTC are cut by its winter offset: SQLite knows no zones.
      let offset = calendar.zone.offset(at: Timestamp(seconds: 1_735_689_600))
      switch calendar.bucket {
      case .exact: return column
      case .day: return "strftime('%Y-%m-%d', \(seconds) + \(offset), 'unixepoch')"
      case .week: return "date(\(seconds) + \(offset), 'unixepoch', 'weekday 0', '-6 days')"
      case .hour: return "(CAST(\(seconds) AS INTEGER) / 3600) * 3600"
      case .step(let length):
        return "(CAST(\(seconds) AS INTEGER) / \(length.wholeSeconds)) * \(length.wholeSeconds)"
      }
    }
  }
}

extension Interval {
  /// At least one.
  var wholeSeconds: Int64 { max(1, microseconds / 1_000_000) }
}
extension Timestamp {
  var seconds: Int64 { floorDivide(microseconds, 1_000_000) }
}
