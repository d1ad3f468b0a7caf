import GRDB

/// The statements by which a ``ProjectionWriter`` reads and writes its tables, compiled once for its connection.
struct ProjectionStatements {
  var insertAlert: BoundStatement
  var updateAlert: BoundStatement
  var selectAlert: BoundStatement
  var insertSearch: BoundStatement
  var deleteSearch: BoundStatement
  var insertTimeline: BoundStatement
  var insertFact: BoundStatement
  var upsertCount: BoundStatement
  var selectDay: BoundStatement
  var upsertDay: BoundStatement
  var markTold: BoundStatement
  var selectNotification: BoundStatement
  var upsertNotification: BoundStatement
  var insertMember: BoundStatement
  var insertAttempt: BoundStatement
  var insertProblem: BoundStatement
  var setProgress: BoundStatement

  init(_ db: Database) throws {
    insertAlert = try BoundStatement(db, AlertRow.insert)
    updateAlert = try BoundStatement(db, AlertRow.update)
    selectAlert = try BoundStatement(db, "SELECT \(AlertRow.list) FROM alerts WHERE number = ?")
    insertSearch = try BoundStatement(db, "INSERT INTO alert_search (rowid, search) VALUES (?, ?)")
    deleteSearch = try BoundStatement(
      db, "INSERT INTO alert_search (alert_search, rowid, search) VALUES ('delete', ?, ?)")
    insertTimeline = try BoundStatement(
      db,
      """
      INSERT OR REPLACE INTO timeline (alert, position, version, type, occurred_at, recorded_at, actor, cause, sentence)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
      """)
    insertFact = try BoundStatement(
      db, "INSERT OR REPLACE INTO facts (alert, position, at, type, number, word) VALUES (?, ?, ?, ?, ?, ?)")
    upsertCount = try BoundStatement(
      db,
      """
      INSERT INTO anomaly_counts (quarter, alert, count) VALUES (?, ?, ?)
      ON CONFLICT DO UPDATE SET count = count + excluded.count
      """)
    selectDay = try BoundStatement(db, DailyAnomaly.select)
    upsertDay = try BoundStatement(db, DailyAnomaly.upsert)
    markTold = try BoundStatement(db, "UPDATE daily_anomalies SET alert_sent = 1 WHERE alert = ?")
    selectNotification = try BoundStatement(db, NotificationState.select)
    upsertNotification = try BoundStatement(db, NotificationState.upsert)
    insertMember = try BoundStatement(
      db, "INSERT OR IGNORE INTO notification_members (alert, notification) VALUES (?, ?)")
    insertAttempt = try BoundStatement(db, DeliveryAttempt.insert)
    insertProblem = try BoundStatement(db, "INSERT OR REPLACE INTO problems (position, message) VALUES (?, ?)")
    setProgress = try BoundStatement(db, "UPDATE progress SET position = ?, mark = ?")
  }
}
