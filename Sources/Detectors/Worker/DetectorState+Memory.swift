import Alerts
import Foundation
import GRDB

// Checks' memories on disk: a row for each series, and one for each check that says how far it has come.

extension DetectorState {
  static let memorySchema = """
    CREATE TABLE IF NOT EXISTS check_memory (
      check_name TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, reached INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS series_memory (
      check_name TEXT NOT NULL, series TEXT NOT NULL, newest INTEGER NOT NULL, state BLOB NOT NULL,
      PRIMARY KEY (check_name, series));
    """

  /// What a check knew. Nil where it knew nothing, knew it of something else, or where any of it can't be believed: then it is made anew from the past.
  func memory(check: String, fingerprint: String, now: Timestamp) throws -> CheckMemory? {
    try queue.read { db in
      guard
        let head = try Row.fetchOne(
          db, sql: "SELECT reached FROM check_memory WHERE check_name = ? AND fingerprint = ?",
          arguments: [check, fingerprint])
      else { return nil }
      var memory = CheckMemory(
        fingerprint: fingerprint, reached: Timestamp(microseconds: head["reached"]), savedAt: now)
      let rows = try Row.fetchCursor(
        db, sql: "SELECT series, newest, state FROM series_memory WHERE check_name = ?", arguments: [check])
      var isSound = true
      while isSound, let row = try rows.next() {
        let bytes: [UInt8] = try row.withUnsafeData(named: "state") { $0.map { Array($0) } ?? [] }
        let series = (row["series"] as String).components
        if let one = try? SeriesMemory(bytes), one.newest?.microseconds == row["newest"] {
          memory.series[series] = one
        } else {
          isSound = false
        }
      }
      return isSound ? memory : nil
    }
  }

  /// Writes what changed. Another worker's newer rows stay.
  func save(_ memory: CheckMemory, check: String) throws {
    try queue.write { db in
      let known = try String.fetchOne(
        db, sql: "SELECT fingerprint FROM check_memory WHERE check_name = ?", arguments: [check])
      let isAnew = known != memory.fingerprint || memory.changed.count == memory.series.count
      if isAnew { try db.execute(sql: "DELETE FROM series_memory WHERE check_name = ?", arguments: [check]) }
      try db.execute(
        sql: """
          INSERT INTO check_memory VALUES (?1, ?2, ?3) ON CONFLICT (check_name) DO UPDATE
          SET fingerprint = excluded.fingerprint,
          reached = CASE WHEN ?4 THEN excluded.reached ELSE max(reached, excluded.reached) END
          """, arguments: [check, memory.fingerprint, memory.reached.microseconds, isAnew])
      let insert = try db.makeStatement(
        sql: """
          INSERT INTO series_memory VALUES (?, ?, ?, ?) ON CONFLICT (check_name, series) DO UPDATE
          SET newest = excluded.newest, state = excluded.state WHERE excluded.newest >= newest
          """)
      for series in memory.changed {
        guard let one = memory.series[series], let newest = one.newest else { continue }
        try insert.execute(arguments: [
          check, series.joined(separator: "\u{1}"), newest.microseconds, Data(one.bytes),
        ])
      }
    }
  }
}

extension String {
  /// What was joined by U+0001. Nothing joined is nothing.
  fileprivate var components: [String] {
    isEmpty ? [] : split(separator: "\u{1}", omittingEmptySubsequences: false).map(String.init)
  }
}
