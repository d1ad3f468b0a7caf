import GRDB

/// The tables of the log's file.
enum LogSchema {
  /// Kept in `PRAGMA user_version`.
  static let version = 1
  /// `PRAGMA application_id`: "Tocs".
  static let applicationID = 0x546F_6373

  static let tables = """
    CREATE TABLE events (
      position INTEGER PRIMARY KEY,
      alert TEXT NOT NULL,
      version INTEGER NOT NULL,
      type TEXT NOT NULL,
      occurred_at INTEGER NOT NULL,
      recorded_at INTEGER NOT NULL,
      actor TEXT NOT NULL,
      cause INTEGER,
      data TEXT NOT NULL,
      UNIQUE (alert, version)
    ) STRICT;
    CREATE TABLE commits (
      last_position INTEGER PRIMARY KEY,
      first_position INTEGER NOT NULL,
      recorded_at INTEGER NOT NULL,
      intake BLOB,
      hash BLOB NOT NULL
    ) STRICT;
    """

  static let triggers = """
    CREATE TRIGGER events_never_change BEFORE UPDATE ON events
      BEGIN SELECT RAISE(ABORT, 'the event log is append-only: an event is never changed'); END;
    CREATE TRIGGER events_never_go BEFORE DELETE ON events
      BEGIN SELECT RAISE(ABORT, 'the event log is append-only: an event is never deleted; see tocsin log archive'); END;
    CREATE TRIGGER commits_never_change BEFORE UPDATE ON commits
      BEGIN SELECT RAISE(ABORT, 'the event log is append-only: a commit is never changed'); END;
    CREATE TRIGGER commits_never_go BEFORE DELETE ON commits
      BEGIN SELECT RAISE(ABORT, 'the event log is append-only: a commit is never deleted; see tocsin log archive'); END;
    """

  /// Makes the tables in an empty file, or checks that these are they.
  static func prepare(_ db: Database, path: String) throws {
    let tableCount = try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_schema") ?? 0
    let id = try Int.fetchOne(db, sql: "PRAGMA application_id") ?? 0
    let found = try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
    if tableCount == 0 {
      try db.inTransaction(.immediate) {
        try db.execute(sql: tables + triggers)
        try db.execute(sql: "PRAGMA application_id = \(applicationID); PRAGMA user_version = \(version)")
        return .commit
      }
      return
    }
    guard id == applicationID else {
      throw EventLogError(
        .unreadable, "\(path) is an SQLite file of another program, not a Tocsin log",
        mend: "point `log:` in tocsin.yaml at a file of its own")
    }
    guard found == version else {
      throw EventLogError(
        .unreadable, "\(path) has log format \(found); this Tocsin reads format \(version)",
        mend: found > version ? "use the Tocsin that wrote it, or a newer one" : "see docs/event-log.md on upgrading")
    }
  }
}
