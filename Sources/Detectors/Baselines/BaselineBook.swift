package import Alerts
import Foundation
import GRDB

/// The table of baselines, in the worker's file: for anyone with `sqlite3` too. Nothing forgets them but ``reset(event:metric:series:now:)``.
package struct BaselineBook: Sendable {
  let queue: DatabaseQueue

  /// Series of one metric that have baselines. Beyond it the first ones keep theirs, and others have none: a table that grows with every customer's every page
  /// would be read by nobody.
  package static let seriesLimit = 10_000

  static let schema = """
    CREATE TABLE IF NOT EXISTS baselines (
      event_type TEXT NOT NULL, metric TEXT NOT NULL, window_size TEXT NOT NULL, series TEXT NOT NULL, season TEXT NOT NULL,
      avg_value REAL NOT NULL, stddev_value REAL NOT NULL, min_value REAL, max_value REAL, percentile_95 REAL,
      sample_count INTEGER NOT NULL, newest INTEGER NOT NULL, since INTEGER NOT NULL, markers TEXT NOT NULL,
      PRIMARY KEY (event_type, metric, window_size, series, season)) WITHOUT ROWID;
    """

  init(queue: DatabaseQueue) { self.queue = queue }

  package init(_ state: DetectorState) { queue = state.queue }

  package struct Row: Sendable, Equatable {
    package var key: BaselineKey
    package var season: String
    package var baseline: Baseline
    /// The newest window that went into it, and the oldest.
    package var newest: Timestamp
    package var since: Timestamp

    package var json: JSON {
      let head: JSON = [
        "event_type": .string(key.event), "metric": .string(key.metric), "window": .string(key.window),
        "series": .string(key.series), "season": .string(season),
      ]
      let times: JSON = ["since": .string(since.rfc3339), "newest": .string(newest.rfc3339)]
      return .object((head.members ?? []) + (baseline.json.members ?? []) + (times.members ?? []))
    }
  }

  // MARK: Learning

  /// Takes in the points of each series that are newer than what it knows. All or nothing.
  func learn(_ entries: [(key: BaselineKey, points: [Point])], bucket: Bucket, zone: Zone) throws {
    try queue.write { db in
      let read = try db.cachedStatement(
        sql: """
          SELECT * FROM baselines WHERE event_type = ? AND metric = ? AND window_size = ? AND series = ? AND season = ?
          """)
      let write = try db.cachedStatement(
        sql: "INSERT OR REPLACE INTO baselines VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
      func known(_ key: BaselineKey, _ season: BaselineSeason) throws -> Row? {
        try GRDB.Row.fetchOne(read, arguments: [key.event, key.metric, key.window, key.series, season.name])
          .map { BaselineBook.row($0) }
      }
      for (key, points) in entries {
        let newest = try known(key, .all)?.newest
        var cells: [BaselineSeason: (row: Row, points: Int)] = [:]
        for point in points where newest.map({ point.time > $0 }) ?? true {
          for season in BaselineSeason.of(point.time, bucket: bucket, zone: zone) {
            var cell =
              try cells[season]
              ?? (
                known(key, season)
                  ?? Row(key: key, season: season.name, baseline: Baseline(), newest: point.time, since: point.time), 0
              )
            if cell.row.baseline.count == 0 { cell.row.since = point.time }
            cell.row.baseline.push(point.value)
            cell.row.newest = max(cell.row.newest, point.time)
            cells[season] = cell
          }
        }
        for cell in cells.values { try BaselineBook.write(cell.row, write) }
      }
    }
  }

  private static func write(_ row: Row, _ statement: Statement) throws {
    let b = row.baseline
    let markers = (b.upper.heights + b.upper.positions).map { "\($0)" }.joined(separator: " ")
    try statement.execute(arguments: [
      row.key.event, row.key.metric, row.key.window, row.key.series, row.season, b.mean, b.deviation,
      b.count > 0 ? b.least : nil, b.count > 0 ? b.most : nil, b.upper.value, b.count, row.newest.microseconds,
      row.since.microseconds, markers,
    ])
  }

  /// A row that was tampered with begins anew with what it says of mean and deviation, and without its percentile.
  private static func row(_ r: GRDB.Row) -> Row {
    let key = BaselineKey(event: r["event_type"], metric: r["metric"], window: r["window_size"], series: r["series"])
    let numbers = (r["markers"] as String).split(separator: " ").compactMap { Double($0) }
    let count: Int = r["sample_count"]
    let heights = Array(numbers.prefix(min(5, count)))
    let upper = Quantile(
      Baseline.share, heights: heights, positions: Array(numbers.dropFirst(heights.count)), count: Double(count))
    let baseline = Baseline(
      count: count, mean: r["avg_value"], deviation: r["stddev_value"], least: r["min_value"] ?? 0,
      most: r["max_value"] ?? 0, upper: upper ?? Quantile(Baseline.share))
    return Row(
      key: key, season: r["season"], baseline: baseline ?? Baseline(), newest: Timestamp(microseconds: r["newest"]),
      since: Timestamp(microseconds: r["since"]))
  }

  // MARK: Asking

  /// Rows in order, at most `limit`. Nil matches everything; `season: nil` too.
  package func rows(
    event: String? = nil, metric: String? = nil, window: String? = nil, series: String? = nil, season: String? = nil,
    limit: Int = 10_000
  ) throws -> [Row] {
    try queue.read { db in
      let (condition, arguments) = BaselineBook.matching(event, metric, window, series, season)
      return try GRDB.Row.fetchAll(
        db,
        sql:
          "SELECT * FROM baselines \(condition) ORDER BY event_type, metric, window_size, series, season LIMIT \(limit)",
        arguments: arguments
      ).map { BaselineBook.row($0) }
    }
  }

  private static func matching(
    _ event: String?, _ metric: String?, _ window: String?, _ series: String?, _ season: String?
  ) -> (String, StatementArguments) {
    let all = [
      ("event_type", event), ("metric", metric), ("window_size", window), ("series", series), ("season", season),
    ]
    let given = all.compactMap { name, value in value.map { (name, $0) } }
    let condition = given.isEmpty ? "" : "WHERE " + given.map { "\($0.0) = ?" }.joined(separator: " AND ")
    return (condition, StatementArguments(given.map(\.1)))
  }

  /// Begins anew with the next windows: what has been seen until now is left behind for good. Returns how many baselines that were.
  package func reset(event: String, metric: String? = nil, series: String? = nil) throws -> Int {
    try queue.write { db in
      let (condition, arguments) = BaselineBook.matching(event, metric, nil, series, nil)
      try db.execute(
        sql: """
          UPDATE baselines SET avg_value = 0, stddev_value = 0, min_value = NULL, max_value = NULL, percentile_95 = NULL,
          sample_count = 0, markers = '' \(condition)
          """, arguments: arguments)
      return db.changesCount
    }
  }
}
