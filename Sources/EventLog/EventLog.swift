package import Alerts

/// The durable log, as its one writer sees it. SQLite keeps it on disk; an in-memory twin passes the same tests.
///
/// Not safe for use from several threads at once: the service's thread owns it.
package protocol EventLog: AnyObject {
  /// The last committed position; 0 when empty.
  var head: Int64 { get }
  /// Ties every commit up to ``head``: see ``CommitHash``.
  var headHash: [UInt8] { get }

  /// Appends a commit, whole or not at all. When it returns, the commit is synced to disk.
  ///
  /// - Throws: ``EventLogError``. After any error nothing of the commit counts, and the same commit may be tried again.
  func append(_ commit: Commit) throws(EventLogError)

  /// Reads events in order, from `position` + 1 on, archived ones in their places. The closure returns false to stop.
  ///
  /// - Throws: ``EventLogError/Kind/corrupt`` where a position is missing, and what the closure throws.
  func replay(after position: Int64, _ body: (StoredEvent) throws -> Bool) throws

  /// As ``replay(after:_:)``, each event where it lies: a view is valid only until the closure returns.
  func scan(after position: Int64, _ body: (EventView) throws -> Bool) throws

  /// The event at `position`, or nil.
  func event(at position: Int64) throws -> StoredEvent?

  /// The events of one subject, oldest first.
  func life(of subject: Subject) throws -> [StoredEvent]

  /// Hashes of the anomalies that commits took in, newest commit first, until the closure returns false.
  func intake(_ body: (UnsafeRawBufferPointer) -> Bool) throws

  /// The hash of the chain after the commit that ends at `position`; nil if no commit ends there.
  func hash(at position: Int64) throws -> [UInt8]?
}

extension EventLog {
  package func scan(after position: Int64, _ body: (EventView) throws -> Bool) throws {
    try replay(after: position) { try $0.withView(body) }
  }
}

/// How much of what was taken in is remembered on disk.
package enum IntakeLimit {
  /// Fifty million anomalies: 16 bytes each in the log, and 18 in segments beside it (see ``IntakeShelf``), 1.7 GB in all. Older ones are forgotten,
  /// a few rows with every commit.
  package static let standard: Int64 = 50_000_000
  /// The most old rows that one commit takes out. A commit adds one, so the limit is kept without ever costing a long commit.
  static let rowsPerCommit = 16
}
