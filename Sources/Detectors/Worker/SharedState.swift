package import Alerts
import GRDB

extension DetectorState {
  /// What another worker needs to go on with an event type: how far each check has come, what fires, and what the newest windows were made of.
  package func export(event: String, checks: [String]) throws -> String {
    let marks = try checks.compactMap { check in try watermark(check).map { JSON.Member(check, .micros($0.end)) } }
    let firing = try self.firing(event: event).map { f -> JSON in
      [
        "key": .string(f.dedupKey), "check": .string(f.check), "severity": .string(f.severity.name),
        "since": .micros(f.since), "metric": .string(f.metric),
        "dimensions": .object(f.dimensions.map { JSON.Member($0.name, .string($0.value)) }),
      ]
    }
    let inputs = try self.inputs(event: event).map { i -> JSON in
      [.string(i.series), .int(i.window.microseconds), .string(String(i.hash, radix: 16))]
    }
    return JSON.object([
      .init("watermarks", .object(marks)), .init("firing", .array(firing)), .init("inputs", .array(inputs)),
    ]).text
  }

  /// Takes up what another worker left, in place of what is known here.
  package func adopt(event: String, _ text: String) throws {
    let json = try JSON(parsing: text)
    let firing = (json["firing"]?.array ?? []).compactMap { f -> Firing? in
      guard let key = f["key"]?.string, let check = f["check"]?.string, let since = f["since"]?.micros else {
        return nil
      }
      return Firing(
        dedupKey: key, check: check, severity: Severity(name: f["severity"]?.string ?? "") ?? .high, since: since,
        metric: f["metric"]?.string ?? "",
        dimensions: (f["dimensions"]?.texts ?? []).map { Anomaly.Label($0.name, $0.value) })
    }
    let marks = (json["watermarks"]?.members ?? []).compactMap { m in m.value.micros.map { (m.name, $0) } }
    let inputs = (json["inputs"]?.array ?? []).compactMap { i -> Input? in
      guard let series = i[0]?.string, let window = i[1]?.micros,
        let hash = i[2]?.string.flatMap({ UInt64($0, radix: 16) })
      else { return nil }
      return Input(series: series, window: window, hash: hash)
    }
    try replace(event: event, watermarks: marks, firing: firing, inputs: inputs)
  }

  /// The rows of one window, as they were when it was judged.
  package struct Input: Sendable, Equatable {
    /// Bucket and dimensions: `1d|device`.
    package var series: String
    package var window: Timestamp
    package var hash: UInt64
  }

  package func inputs(event: String) throws -> [Input] {
    try read { db in
      try Row.fetchAll(
        db, sql: "SELECT series, window, hash FROM inputs WHERE event = ? ORDER BY series, window", arguments: [event]
      ).map {
        Input(
          series: $0["series"], window: Timestamp(microseconds: $0["window"]),
          hash: UInt64(bitPattern: $0["hash"] as Int64))
      }
    }
  }

  /// Keeps the newest windows' inputs, and forgets those before `oldest`.
  package func keep(event: String, _ inputs: [Input], since oldest: [String: Timestamp]) throws {
    guard !inputs.isEmpty else { return }
    try write { db in
      for i in inputs { try DetectorState.insert(i, event, db) }
      for (series, time) in oldest {
        try db.execute(
          sql: "DELETE FROM inputs WHERE event = ? AND series = ? AND window < ?",
          arguments: [event, series, time.microseconds])
      }
    }
  }

  private func replace(
    event: String, watermarks: [(String, Timestamp)], firing: [Firing], inputs: [Input]
  ) throws {
    try write { db in
      for (check, end) in watermarks {
        try db.execute(sql: "INSERT OR REPLACE INTO watermarks VALUES (?, ?)", arguments: [check, end.microseconds])
      }
      try db.execute(sql: "DELETE FROM firing WHERE event = ?", arguments: [event])
      for f in firing { try DetectorState.insert(f, event, db) }
      try db.execute(sql: "DELETE FROM inputs WHERE event = ?", arguments: [event])
      for i in inputs { try DetectorState.insert(i, event, db) }
    }
  }

  private static func insert(_ i: Input, _ event: String, _ db: Database) throws {
    try db.execute(
      sql: "INSERT OR REPLACE INTO inputs VALUES (?, ?, ?, ?)",
      arguments: [event, i.series, i.window.microseconds, Int64(bitPattern: i.hash)])
  }

  /// The version of the shared state that this file holds; nil where it was never shared, or is not known to be the same.
  package func sharedVersion(event: String) throws -> Int64? {
    try read { db in try Int64.fetchOne(db, sql: "SELECT version FROM shared WHERE event = ?", arguments: [event]) }
  }

  package func setSharedVersion(event: String, _ version: Int64?) throws {
    try write { db in
      if let version {
        try db.execute(sql: "INSERT OR REPLACE INTO shared VALUES (?, ?)", arguments: [event, version])
      } else {
        try db.execute(sql: "DELETE FROM shared WHERE event = ?", arguments: [event])
      }
    }
  }
}
