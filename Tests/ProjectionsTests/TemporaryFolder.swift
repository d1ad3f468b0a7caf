import Foundation
import GRDB
import Logging
import Projections

/// A folder that is gone when the test is over.
final class TemporaryFolder {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "tocsin-projections-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }
  deinit { try? FileManager.default.removeItem(atPath: path) }

  var file: String { path + "/projections.sqlite" }

  /// A query's rows as texts, as anybody with `sqlite3` reads them.
  func rows(_ sql: String) throws -> [[String]] {
    try DatabaseQueue(path: file).read { db in
      try Row.fetchAll(db, sql: sql).map { row in row.databaseValues.map { String.fromDatabaseValue($0) ?? "\($0)" } }
    }
  }

  func store() throws -> ProjectionStore { try ProjectionStore(path: file, logger: quiet) }
}

let quiet: Logger = {
  var logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
  logger.logLevel = .critical
  return logger
}()

extension ProjectionStore {
  func dumped() throws -> [String] {
    var lines: [String] = []
    try dump { lines.append($0) }
    return lines
  }
}
