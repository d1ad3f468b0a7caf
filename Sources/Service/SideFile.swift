import GRDB

/// A small SQLite file of the service's own, beside the log: what is worth keeping, and no part of the log.
enum SideFile {
  /// Opens or makes it, in WAL mode and synced with each transaction, with the tables of `schema`.
  ///
  /// - Parameters:
  ///   - path: nil keeps it in memory.
  ///   - label: for SQLite's own messages.
  ///   - schema: statements that may be run each time it is opened.
  static func open(_ path: String?, label: String, schema: String) throws -> DatabaseQueue {
    var configuration = Configuration()
    configuration.busyMode = .timeout(10)
    configuration.label = label
    configuration.prepareDatabase { db in
      try db.execute(sql: "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")
    }
    let queue =
      try path.map { try DatabaseQueue(path: $0, configuration: configuration) }
      ?? DatabaseQueue(configuration: configuration)
    try queue.write { try $0.execute(sql: schema) }
    return queue
  }
}
