package import Alerts
import Foundation
import GRDB

/// A small warehouse of a property portal and its shop, made from a seed: the same seed and end give the same rows.
///
/// - `DD_LISTING_STATISTICS_BLENDED`: a year of days by device and country.
/// - `shop_events`: two weeks of five-minute windows by kind of event and category.
/// - `usage_hourly`: six weeks of hours by customer.
/// - `incidents`: what was done to them.
package struct SampleWarehouse {
  package let seed: UInt64
  /// The day after the last one, since 1970.
  let endDay: Int64
  package let incidents: [SampleIncident]

  package static let listingDays: Int64 = 365
  package static let shopDays: Int64 = 14
  package static let usageDays: Int64 = 42

  /// `end`: the first instant that is not in it any more; cut to midnight UTC.
  package init(seed: UInt64, end: Timestamp) {
    self.seed = seed
    endDay = end.utcDay.days
    incidents = SampleScript.incidents(endDay: endDay, seed: seed)
  }

  package struct Counts: Sendable, Equatable {
    package var listings = 0
    package var shop = 0
    package var usage = 0
    package var incidents = 0
  }

  /// Writes the database anew at `path`. What another program has open is replaced, not changed under it.
  package func write(to path: String) throws -> Counts {
    let fresh = path + ".new"
    for name in [fresh, fresh + "-wal", fresh + "-shm", fresh + "-journal"]
    where FileManager.default.fileExists(atPath: name) {
      try FileManager.default.removeItem(atPath: name)
    }
    var configuration = GRDB.Configuration()
    configuration.prepareDatabase { try $0.execute(sql: "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF") }
    let queue = try DatabaseQueue(path: fresh, configuration: configuration)
    var counts = Counts()
    try queue.write { db in
      try db.execute(sql: SampleWarehouse.schema)
      counts.listings = try writeListings(db)
      counts.shop = try writeShop(db)
      counts.usage = try writeUsage(db)
      counts.incidents = incidents.count
      for i in incidents {
        let dimensions = JSON.object(i.dimensions.map { JSON.Member($0.name, .string($0.value)) }).text
        try db.execute(
          sql: "INSERT INTO incidents VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
          arguments: [i.id, i.eventType, i.metric, dimensions, i.start.rfc3339, i.end.rfc3339, i.factor, i.story])
      }
    }
    try queue.close()
    for name in [path + "-wal", path + "-shm"] where FileManager.default.fileExists(atPath: name) {
      try FileManager.default.removeItem(atPath: name)
    }
    guard rename(fresh, path) == 0 else {
      throw SourceError(.unreachable, "\(fresh) can't be renamed to \(path): \(String(cString: strerror(errno)))")
    }
    return counts
  }

  /// The incidents as JSON lines, as `detect --evaluate --labels` reads them.
  package var incidentLines: String { incidents.map { $0.json.text + "\n" }.joined() }

  private static let schema = """
    CREATE TABLE DD_LISTING_STATISTICS_BLENDED (
      STATISTIC_DATE TEXT NOT NULL, DEVICE TEXT NOT NULL, COUNTRY TEXT NOT NULL,
      NUMBEROFVIEWS INTEGER, NUMBEROFENQUIRIES INTEGER, NUMBEROFLISTINGS INTEGER,
      PRIMARY KEY (STATISTIC_DATE, DEVICE, COUNTRY)) WITHOUT ROWID;
    CREATE TABLE shop_events (
      window_start TEXT NOT NULL, event_type TEXT NOT NULL, category TEXT NOT NULL,
      events INTEGER NOT NULL, revenue REAL NOT NULL, missing_price INTEGER NOT NULL, missing_category INTEGER NOT NULL,
      PRIMARY KEY (window_start, event_type, category)) WITHOUT ROWID;
    CREATE TABLE usage_hourly (
      hour TEXT NOT NULL, customer TEXT NOT NULL,
      api_calls INTEGER, bandwidth REAL, storage_peak REAL, compute_time REAL,
      PRIMARY KEY (hour, customer)) WITHOUT ROWID;
    CREATE TABLE incidents (
      id TEXT PRIMARY KEY, event_type TEXT NOT NULL, metric TEXT NOT NULL, dimensions TEXT NOT NULL,
      starts_at TEXT NOT NULL, ends_at TEXT NOT NULL, factor REAL NOT NULL, description TEXT NOT NULL) WITHOUT ROWID;
    """

  /// The product of what the incidents do to a number.
  func factor(_ event: String, _ metric: String, at t: Timestamp, _ has: (Anomaly.Label) -> Bool) -> Double {
    var factor = 1.0
    for i in incidents where i.eventType == event && i.metric == metric && i.covers(t) && i.dimensions.allSatisfy(has) {
      factor *= i.factor
    }
    return factor
  }
}
