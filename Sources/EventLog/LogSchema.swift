import GRDB

/// The tables of the log's file. Described for readers in docs/event-log.md.
package enum LogSchema {
  /// Kept in `PRAGMA user_version`.
  static let version = 1
  /// `PRAGMA application_id`: "Tocs" for the log, "Toca" for an archive of it.
  static let applicationID = 0x546F_6373
  static let archiveID = 0x546F_6361
  /// Pages in the write-ahead log, of 4096 bytes, after which they go into the file itself.
  static let checkpointPages = 4000
  /// Of SQLite's own cache of pages: what a large commit changes. Older rows are read seldom, and stand in the machine's memory anyway.
  private static let cacheKiB = 16_384
  /// Of a connection that writes, beside `journal_mode = WAL`. FULL: a commit is on the disk when it returns. See the promise about `stored`.
  package static let pragmas = """
    PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = \(checkpointPages); PRAGMA cache_size = -\(cacheKiB);
    PRAGMA journal_size_limit = 67108864
    """

  static let events = """
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
    """

  static let commits = """
    CREATE TABLE commits (
      last_position INTEGER PRIMARY KEY,
      first_position INTEGER NOT NULL,
      recorded_at INTEGER NOT NULL,
      intake_hash BLOB,
      hash BLOB NOT NULL
    ) STRICT;
    CREATE TABLE intake (
      last_position INTEGER PRIMARY KEY,
      seen INTEGER NOT NULL,
      hashes BLOB NOT NULL
    ) STRICT;
    CREATE TABLE archives (
      number INTEGER PRIMARY KEY,
      file TEXT NOT NULL UNIQUE,
      first_position INTEGER NOT NULL,
      last_position INTEGER NOT NULL,
      event_count INTEGER NOT NULL,
      hash BLOB NOT NULL,
      is_moved INTEGER NOT NULL
    ) STRICT;
    """

  /// By name, so that archiving can lift those of `events` inside its transaction, and so that `log verify` can miss one.
  static let triggers = [
    (
      "events_never_change",
      """
      CREATE TRIGGER events_never_change BEFORE UPDATE ON events
      BEGIN SELECT RAISE(ABORT, 'the event log is append-only: an event is never changed'); END
      """
    ),
    (
      eventsNeverGo,
      """
      CREATE TRIGGER events_never_go BEFORE DELETE ON events
      BEGIN SELECT RAISE(ABORT, 'the event log is append-only: an event is never deleted; see tocsin log archive'); END
      """
    ),
    (
      "commits_never_change",
      """
      CREATE TRIGGER commits_never_change BEFORE UPDATE ON commits
      BEGIN SELECT RAISE(ABORT, 'the event log is append-only: a commit is never changed'); END
      """
    ),
    (
      "commits_never_go",
      """
      CREATE TRIGGER commits_never_go BEFORE DELETE ON commits
      BEGIN SELECT RAISE(ABORT, 'the event log is append-only: a commit is never deleted'); END
      """
    ),
  ]
  static let eventsNeverGo = "events_never_go"

  /// Names of triggers that an archive has too.
  static let archiveTriggers = Set(["events_never_change", eventsNeverGo])

  /// Checks that the file is a log. False if it is empty, and so may become one. Changes nothing.
  static func isLog(_ db: Database, path: String, id wanted: Int = applicationID) throws -> Bool {
    let id = try Int.fetchOne(db, sql: "PRAGMA application_id") ?? 0
    let found = try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
    if id == 0, try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_schema") == 0 { return false }
    guard id == wanted else {
      let what =
        id == archiveID ? "an archive of a Tocsin log" : id == applicationID ? "a Tocsin log" : "another program's file"
      throw EventLogError(
        .unreadable, "\(path) is \(what), not \(wanted == archiveID ? "an archive of a Tocsin log" : "a Tocsin log")",
        mend: wanted == archiveID
          ? "put the archive that belongs there back in its place" : "point `log:` in tocsin.yaml at a file of its own")
    }
    guard found == version else {
      throw EventLogError(
        .unreadable, "\(path) has log format \(found), and this Tocsin reads format \(version)",
        mend: found > version ? "use the Tocsin that wrote it, or a newer one" : "see docs/event-log.md on upgrading")
    }
    return true
  }

  /// Makes the tables in an empty file, all at once.
  static func create(_ db: Database) throws {
    try db.inTransaction(.immediate) {
      try db.execute(sql: events + commits + triggers.map { $0.1 }.joined(separator: ";\n"))
      try db.execute(sql: "PRAGMA application_id = \(applicationID); PRAGMA user_version = \(version)")
      return .commit
    }
  }

  static func createArchive(_ db: Database) throws {
    let triggers = triggers.filter { archiveTriggers.contains($0.0) }.map { $0.1 }
    try db.execute(sql: events + triggers.joined(separator: ";\n"))
    try db.execute(sql: "PRAGMA application_id = \(archiveID); PRAGMA user_version = \(version)")
  }
}
