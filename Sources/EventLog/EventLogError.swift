import GRDB

/// What went wrong with the log, and what to do next.
package struct EventLogError: Error, Sendable, CustomStringConvertible {
  package enum Kind: Sendable {
    /// Another service has it open.
    case locked
    /// The disk is full, the file system read-only, or the file locked: the same again later may work.
    case unwritable
    /// It is not a log, or not one that this version can read.
    case unreadable
    /// What stands in it contradicts itself.
    case corrupt
    /// Version or position is not the next one: a programmer's error, or two writers.
    case conflict
  }
  package var kind: Kind
  package var message: String
  package var mend: String?
  /// The event that is to blame, where it is one alone: those around it can be read.
  package var position: Int64?
  package init(_ kind: Kind, _ message: String, mend: String? = nil, at position: Int64? = nil) {
    self.kind = kind
    self.message = message
    self.mend = mend
    self.position = position
  }
  package var description: String { mend.map { "\(message)\n  \($0)" } ?? message }
}

extension EventLogError {
  /// Any error from SQLite about the file at `path`, as a person needs it.
  static func explain(_ error: any Error, _ path: String) -> EventLogError {
    if let known = error as? EventLogError { return known }
    guard let e = error as? DatabaseError else {
      return EventLogError(
        .unreadable, "the log \(path) can't be used: \(error)", mend: "check the path in `log:` of tocsin.yaml")
    }
    let detail = "SQLite \(e.extendedResultCode.rawValue)\(e.message.map { ": \($0)" } ?? "")"
    switch e.resultCode.primaryResultCode {
    case .SQLITE_FULL:
      return EventLogError(
        .unwritable, "the disk that holds the log \(path) is full (\(detail))",
        mend: "free some space; nothing that was answered is lost, and the service goes on by itself")
    case .SQLITE_READONLY, .SQLITE_IOERR, .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_AUTH:
      return EventLogError(
        .unwritable, "the log \(path) can't be written (\(detail))",
        mend: "check the disk, the folder's owner and whether it is mounted read-only")
    case .SQLITE_BUSY, .SQLITE_LOCKED:
      return EventLogError(
        .unwritable, "the log \(path) is locked by another program (\(detail))",
        mend: "end what holds it (an open sqlite3 shell with a transaction?); the service goes on by itself")
    case .SQLITE_CONSTRAINT:
      return EventLogError(
        .conflict, "the log \(path) refused an event (\(detail))",
        mend: "another program has written to the log: stop it, then start the service again")
    case .SQLITE_NOTADB:
      return EventLogError(
        .unreadable, "\(path) is not an SQLite file, so it is no Tocsin log",
        mend: "point `log:` in tocsin.yaml at a file of its own, or restore the log from a backup")
    case .SQLITE_CORRUPT:
      return EventLogError(
        .corrupt, "the log \(path) is damaged (\(detail))",
        mend: "restore it from a backup made with `tocsin log backup`")
    default:
      return EventLogError(
        .unreadable, "the log \(path) can't be used (\(detail))",
        mend: "run `tocsin log verify`; if the file is sound, this is an error in Tocsin: report it")
    }
  }
}
