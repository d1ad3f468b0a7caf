package import Alerts
import GRDB

/// What a worker remembers between runs, in one SQLite file: how far each check has come, what is firing, and the past of sources that have none.
///
/// Several workers of one machine may share the file: a claim keeps an event type to one of them at a time.
package final class DetectorState: Sendable {
  let queue: DatabaseQueue

  /// Something that a check reported as firing and has not cleared.
  package struct Firing: Sendable, Equatable {
    package var dedupKey: String
    package var check: String
    package var severity: Severity
    package var since: Timestamp
    package var metric: String
    package var dimensions: [Anomaly.Label]
    package init(
      dedupKey: String, check: String, severity: Severity, since: Timestamp, metric: String,
      dimensions: [Anomaly.Label] = []
    ) {
      self.dedupKey = dedupKey
      self.check = check
      self.severity = severity
      self.since = since
      self.metric = metric
      self.dimensions = dimensions
    }
  }

  package struct Watermark: Sendable, Equatable {
    /// The end of the newest window that was checked; for points, the newest point's time.
    package var end: Timestamp
    package init(end: Timestamp) { self.end = end }
  }

  /// Points kept for one series of a source without history: a day of readings every ten seconds.
  package static let pointLimit = 8640

  /// `nil` keeps it in memory.
  package init(path: String?) throws {
    var configuration = GRDB.Configuration()
    configuration.busyMode = .timeout(10)
    configuration.label = "detector state"
    configuration.prepareDatabase { db in
      // A crash may lose the last runs, which then run again and are recognised by their ids.
      try db.execute(sql: "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL")
    }
    queue =
      try path.map { try DatabaseQueue(path: $0, configuration: configuration) }
      ?? DatabaseQueue(configuration: configuration)
    try queue.write { db in
      try db.execute(
        sql: """
          CREATE TABLE IF NOT EXISTS watermarks (check_name TEXT PRIMARY KEY, end INTEGER NOT NULL) WITHOUT ROWID;
          CREATE TABLE IF NOT EXISTS firing (
            event TEXT NOT NULL, dedup_key TEXT NOT NULL, check_name TEXT NOT NULL, severity TEXT NOT NULL, since INTEGER NOT NULL,
            metric TEXT NOT NULL, dimensions TEXT NOT NULL,
            PRIMARY KEY (event, dedup_key, check_name)) WITHOUT ROWID;
          CREATE TABLE IF NOT EXISTS points (
            series TEXT NOT NULL, time INTEGER NOT NULL, value REAL NOT NULL, PRIMARY KEY (series, time)) WITHOUT ROWID;
          CREATE TABLE IF NOT EXISTS claims (event TEXT PRIMARY KEY, worker TEXT NOT NULL, until INTEGER NOT NULL) WITHOUT ROWID;
          CREATE TABLE IF NOT EXISTS inputs (
            event TEXT NOT NULL, series TEXT NOT NULL, window INTEGER NOT NULL, hash INTEGER NOT NULL,
            PRIMARY KEY (event, series, window)) WITHOUT ROWID;
          CREATE TABLE IF NOT EXISTS shared (event TEXT PRIMARY KEY, version INTEGER NOT NULL) WITHOUT ROWID;
          """)
      try db.execute(sql: DetectorState.memorySchema + BaselineBook.schema + DetectorState.floodSchema)
    }
  }

  package func watermark(_ check: String) throws -> Watermark? {
    try queue.read { db in
      try Int64.fetchOne(db, sql: "SELECT end FROM watermarks WHERE check_name = ?", arguments: [check])
        .map { Watermark(end: Timestamp(microseconds: $0)) }
    }
  }

  package func firing(event: String) throws -> [Firing] {
    try queue.read { db in
      try Row.fetchAll(
        db, sql: "SELECT * FROM firing WHERE event = ? ORDER BY dedup_key, check_name",
        arguments: [event]
      ).map {
        Firing(
          dedupKey: $0["dedup_key"], check: $0["check_name"],
          severity: Severity(name: $0["severity"] as String) ?? .high, since: Timestamp(microseconds: $0["since"]),
          metric: $0["metric"],
          dimensions: ((try? JSON(parsing: $0["dimensions"] as String))?.texts ?? []).map { .init($0.name, $0.value) })
      }
    }
  }

  /// Everything that a run changed, at once. A watermark never goes back.
  package func commit(event: String, watermarks: [String: Timestamp], firing: [Firing]?) throws {
    try queue.write { db in
      for (check, end) in watermarks {
        try db.execute(
          sql: """
            INSERT INTO watermarks (check_name, end) VALUES (?, ?)
            ON CONFLICT (check_name) DO UPDATE SET end = max(end, excluded.end)
            """, arguments: [check, end.microseconds])
      }
      guard let firing else { return }
      try db.execute(sql: "DELETE FROM firing WHERE event = ?", arguments: [event])
      for f in firing { try DetectorState.insert(f, event, db) }
    }
  }

  static func insert(_ f: Firing, _ event: String, _ db: Database) throws {
    try db.execute(
      sql: "INSERT OR REPLACE INTO firing VALUES (?, ?, ?, ?, ?, ?, ?)",
      arguments: [
        event, f.dedupKey, f.check, f.severity.name, f.since.microseconds, f.metric,
        JSON.object(f.dimensions.map { JSON.Member($0.name, .string($0.value)) }).text,
      ])
  }

  func read<T>(_ body: (Database) throws -> T) throws -> T { try queue.read(body) }
  func write<T>(_ body: (Database) throws -> T) throws -> T { try queue.write(body) }

  /// Takes an event type for this worker until `until`. False while another worker's claim stands.
  package func claim(event: String, worker: String, now: Timestamp, until: Timestamp) throws -> Bool {
    try queue.write { db in
      try db.execute(
        sql: """
          INSERT INTO claims VALUES (:event, :worker, :until) ON CONFLICT (event) DO UPDATE
          SET worker = excluded.worker, until = excluded.until WHERE worker = excluded.worker OR until <= :now
          """,
        arguments: ["event": event, "worker": worker, "until": until.microseconds, "now": now.microseconds])
      return db.changesCount > 0
    }
  }

  package func release(event: String, worker: String) throws {
    try queue.write { db in
      try db.execute(sql: "DELETE FROM claims WHERE event = ? AND worker = ?", arguments: [event, worker])
    }
  }

  /// Adds a reading to the past of a series that has none of its own.
  package func append(_ points: [(series: String, point: Point)]) throws {
    try queue.write { db in
      for (series, point) in points {
        try db.execute(
          sql: "INSERT OR REPLACE INTO points VALUES (?, ?, ?)",
          arguments: [series, point.time.microseconds, point.value])
        try db.execute(
          sql: """
            DELETE FROM points WHERE series = ?1 AND time <=
            (SELECT time FROM points WHERE series = ?1 ORDER BY time DESC LIMIT 1 OFFSET ?2)
            """, arguments: [series, DetectorState.pointLimit])
      }
    }
  }

  /// The newest points of a series, oldest first.
  package func points(_ series: String, limit: Int) throws -> [Point] {
    try queue.read { db in
      try Row.fetchAll(
        db, sql: "SELECT time, value FROM points WHERE series = ? ORDER BY time DESC LIMIT ?",
        arguments: [series, limit]
      ).map { Point(Timestamp(microseconds: $0["time"]), $0["value"]) }.reversed()
    }
  }
}
