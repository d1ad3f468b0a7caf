/// The tables of the projections' file. Everything in them follows from the event log alone, so the file is disposable:
/// a change here raises ``version``, and a file of another version is thrown away and rebuilt.
///
/// Instants are microseconds since 1970, UTC, as in the log, but in `daily_anomalies`, which is for people with
/// `sqlite3` and keeps texts that SQLite's own date functions read.
enum ProjectionSchema {
  /// Kept in `PRAGMA user_version`.
  static let version = 3
  /// `PRAGMA application_id`: "Tocp".
  static let applicationID = 0x546F_6370

  static let tables = """
    CREATE TABLE progress (
      one INTEGER PRIMARY KEY CHECK (one = 1),
      position INTEGER NOT NULL,
      mark TEXT NOT NULL,
      building INTEGER NOT NULL
    ) STRICT;
    INSERT INTO progress VALUES (1, 0, '', 0);

    CREATE TABLE alerts (
      number INTEGER PRIMARY KEY,
      version INTEGER NOT NULL,
      generation INTEGER NOT NULL,
      dedup_key TEXT NOT NULL,
      tenant TEXT NOT NULL,
      event_type TEXT NOT NULL,
      metric TEXT NOT NULL,
      detector TEXT,
      severity INTEGER NOT NULL,
      state TEXT NOT NULL,
      condition TEXT NOT NULL,
      resolved_how TEXT,
      seen INTEGER NOT NULL,
      acknowledged_by TEXT,
      acknowledged_at INTEGER,
      acknowledged_until INTEGER,
      resolved_by TEXT,
      assignee TEXT,
      snoozed_until INTEGER,
      silenced_by TEXT,
      inhibited_by INTEGER,
      flapping INTEGER NOT NULL,
      opened_at INTEGER NOT NULL,
      last_seen_at INTEGER NOT NULL,
      resolved_at INTEGER,
      count INTEGER NOT NULL,
      route TEXT NOT NULL,
      step INTEGER,
      steps INTEGER,
      round INTEGER NOT NULL,
      next_escalation_at INTEGER,
      exhausted INTEGER NOT NULL,
      previous INTEGER,
      label TEXT,
      first_acknowledged_at INTEGER,
      delivered INTEGER NOT NULL,
      failed INTEGER NOT NULL,
      opening TEXT NOT NULL,
      anomaly TEXT NOT NULL,
      search TEXT NOT NULL
    ) STRICT;

    CREATE VIRTUAL TABLE alert_search USING fts5 (
      search, content = 'alerts', content_rowid = 'number', tokenize = 'unicode61 remove_diacritics 2', prefix = '3'
    );

    CREATE TABLE timeline (
      alert INTEGER NOT NULL,
      position INTEGER NOT NULL,
      version INTEGER,
      type TEXT NOT NULL,
      occurred_at INTEGER NOT NULL,
      recorded_at INTEGER NOT NULL,
      actor TEXT NOT NULL,
      cause INTEGER,
      sentence TEXT NOT NULL,
      PRIMARY KEY (alert, position)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE facts (
      alert INTEGER NOT NULL,
      position INTEGER NOT NULL,
      at INTEGER NOT NULL,
      type TEXT NOT NULL,
      number INTEGER,
      word TEXT,
      PRIMARY KEY (alert, position)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE anomaly_counts (
      quarter INTEGER NOT NULL,
      alert INTEGER NOT NULL,
      count INTEGER NOT NULL,
      PRIMARY KEY (quarter, alert)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE daily_anomalies (
      detection_date TEXT NOT NULL,
      event_type TEXT NOT NULL,
      metric_name TEXT NOT NULL,
      expected_value REAL,
      actual_value REAL,
      deviation_percentage REAL,
      severity TEXT NOT NULL,
      detection_method TEXT,
      alert_sent INTEGER NOT NULL,
      created_at TEXT NOT NULL,
      tenant TEXT NOT NULL,
      dimensions TEXT NOT NULL,
      anomalies INTEGER NOT NULL,
      alert INTEGER NOT NULL,
      PRIMARY KEY (alert, detection_date)
    ) STRICT, WITHOUT ROWID;

    CREATE VIEW weekly_summary AS
      SELECT date(detection_date, 'weekday 0', '-6 days') AS week, event_type,
        count(*) AS anomaly_count, avg(deviation_percentage) AS avg_deviation,
        max(CASE WHEN severity = 'critical' THEN 1 ELSE 0 END) AS has_critical
      FROM daily_anomalies GROUP BY 1, 2;

    CREATE TABLE notifications (
      position INTEGER PRIMARY KEY,
      key TEXT NOT NULL UNIQUE,
      subject TEXT NOT NULL,
      alert INTEGER,
      purpose TEXT NOT NULL,
      receiver TEXT NOT NULL,
      channel TEXT NOT NULL,
      destination TEXT NOT NULL,
      step INTEGER,
      round INTEGER,
      members TEXT,
      requested_at INTEGER NOT NULL,
      state TEXT NOT NULL,
      attempts INTEGER NOT NULL,
      last_status INTEGER,
      message TEXT,
      outcome_unknown INTEGER NOT NULL,
      next_at INTEGER,
      latency_us INTEGER,
      finished_at INTEGER,
      held INTEGER NOT NULL
    ) STRICT;

    CREATE TABLE attempts (
      notification INTEGER NOT NULL,
      position INTEGER NOT NULL,
      at INTEGER NOT NULL,
      attempt INTEGER NOT NULL,
      outcome TEXT NOT NULL,
      status INTEGER,
      latency_us INTEGER,
      worker TEXT NOT NULL,
      message TEXT,
      outcome_unknown INTEGER NOT NULL,
      PRIMARY KEY (notification, position)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE notification_members (
      alert INTEGER NOT NULL,
      notification INTEGER NOT NULL,
      PRIMARY KEY (alert, notification)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE silences (
      number INTEGER PRIMARY KEY,
      version INTEGER NOT NULL,
      matchers TEXT NOT NULL,
      starts_at INTEGER NOT NULL,
      ends_at INTEGER NOT NULL,
      comment TEXT,
      created_by TEXT NOT NULL,
      created_at INTEGER NOT NULL,
      expired_at INTEGER,
      expired_by TEXT,
      early INTEGER NOT NULL
    ) STRICT;

    CREATE TABLE configurations (
      number INTEGER PRIMARY KEY,
      at INTEGER NOT NULL,
      digest TEXT NOT NULL,
      settings TEXT NOT NULL
    ) STRICT;

    CREATE TABLE problems (
      position INTEGER PRIMARY KEY,
      message TEXT NOT NULL
    ) STRICT;
    """

  /// Apart from the tables, because building from the start is faster without them: they are made at the end.
  static let indexes = """
    CREATE INDEX alerts_by_time ON alerts (opened_at);
    CREATE INDEX alerts_by_state ON alerts (state, severity, opened_at);
    CREATE INDEX alerts_open_by_time ON alerts (opened_at) WHERE state <> 'resolved';
    CREATE INDEX alerts_by_type ON alerts (event_type, opened_at);
    CREATE INDEX alerts_by_key ON alerts (dedup_key);
    CREATE INDEX alerts_by_end ON alerts (resolved_at) WHERE resolved_at IS NOT NULL;
    CREATE INDEX facts_by_time ON facts (at);
    CREATE INDEX daily_anomalies_by_date ON daily_anomalies (detection_date);
    CREATE INDEX notifications_by_alert ON notifications (alert) WHERE alert IS NOT NULL;
    CREATE INDEX notifications_by_end ON notifications (finished_at) WHERE finished_at IS NOT NULL;
    CREATE INDEX notifications_pending ON notifications (state) WHERE state = 'pending';
    """

  static let indexNames = [
    "alerts_by_time", "alerts_by_state", "alerts_open_by_time", "alerts_by_type", "alerts_by_key", "alerts_by_end",
    "facts_by_time",
    "daily_anomalies_by_date", "notifications_by_alert", "notifications_by_end", "notifications_pending",
  ]

  /// What a dump compares, each with the order of its rows. `progress` and the full-text index are left out: the first names
  /// how far it got, the second follows from `alerts.search`.
  static let dumped: [(table: String, order: String)] = [
    ("alerts", "number"), ("timeline", "alert, position"), ("facts", "alert, position"),
    ("anomaly_counts", "quarter, alert"), ("daily_anomalies", "alert, detection_date"),
    ("weekly_summary", "week, event_type"), ("notifications", "position"),
    ("attempts", "notification, position"), ("notification_members", "alert, notification"), ("silences", "number"),
    ("configurations", "number"),
    ("problems", "position"),
  ]
}
