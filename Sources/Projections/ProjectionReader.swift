package import Alerts
import Foundation
import GRDB
import Synchronization

/// Reads the projections' file beside its writer, from any thread or process. Never writes, and never waits for the writer.
///
/// The file may not be there yet, and may be thrown away and made anew at any time: each question finds the present one. Until
/// the tables have caught up they tell of an earlier moment; ``standing(head:)`` says of which.
package final class ProjectionReader: Sendable {
  package let path: String
  private let connection = Mutex<Connection?>(nil)

  private struct Connection {
    var pool: DatabasePool
    var file: FileIdentity?
  }

  /// Nothing is opened yet; every question throws ``ProjectionError`` `missing` until there is a file.
  package init(path: String) { self.path = path }

  /// Runs a question on one consistent view of the tables.
  ///
  /// - Throws: ``ProjectionError``.
  func read<T>(_ body: (Database) throws -> T) throws(ProjectionError) -> T {
    do {
      return try pool().read(body)
    } catch let error as DatabaseError where ProjectionFile.isDamage(error) {
      connection.withLock { $0 = nil }
      throw ProjectionError(
        .unreadable, "the projections \(path) can't be read (\(error.message ?? error.resultCode.description))",
        mend: "the service makes them anew by itself; without one, run `tocsin projections rebuild`")
    } catch {
      throw ProjectionFile.explain(error, path)
    }
  }

  private func pool() throws -> DatabasePool {
    try connection.withLock { connection in
      let file = FileIdentity(path)
      guard let file else {
        connection = nil
        throw ProjectionError(
          .missing, "there are no projections at \(path) yet",
          mend: "start the service once, or run `tocsin projections rebuild`")
      }
      if let known = connection, known.file == file { return known.pool }
      var configuration = GRDB.Configuration()
      configuration.readonly = true
      configuration.label = "projections reader"
      configuration.maximumReaderCount = 4
      configuration.busyMode = .timeout(5)
      let pool = try DatabasePool(path: path, configuration: configuration)
      let version = try pool.read { db in try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0 }
      guard version == ProjectionSchema.version else {
        throw ProjectionError(
          .unreadable, "the projections \(path) have schema \(version), this Tocsin reads \(ProjectionSchema.version)",
          mend: "the service makes them anew by itself; without one, run `tocsin projections rebuild`")
      }
      connection = Connection(pool: pool, file: file)
      return pool
    }
  }

  // MARK: - Where they stand

  /// The position that the tables have reached.
  package func position() throws(ProjectionError) -> Int64 {
    try read { db in try Int64.fetchOne(db, sql: "SELECT position FROM progress") ?? 0 }
  }

  /// Where the tables stand against a log whose head is `head`.
  package func standing(head: Int64) throws(ProjectionError) -> ProjectionStanding {
    try read { db in
      var rows: [(String, Int)] = []
      for table in ["alerts", "timeline", "daily_anomalies", "notifications", "silences", "problems"] {
        rows.append((table, try Int.fetchOne(db, sql: "SELECT count(*) FROM \(table)") ?? 0))
      }
      let progress = try Row.fetchOne(db, sql: "SELECT position, building FROM progress")
      let problems = try Row.fetchAll(db, sql: "SELECT position, message FROM problems ORDER BY position DESC LIMIT 20")
      return ProjectionStanding(
        path: path, position: progress?["position"] ?? 0, head: head, isBuilding: progress?["building"] ?? false,
        rows: rows.map { .init(table: $0.0, count: $0.1) },
        problems: problems.map { .init(position: $0["position"], message: $0["message"]) })
    }
  }
}

/// Where the projections stand.
package struct ProjectionStanding: Sendable, Equatable {
  package struct Rows: Sendable, Equatable {
    package var table: String
    package var count: Int
  }
  /// An event that could not be taken in.
  package struct Problem: Sendable, Equatable {
    package var position: Int64
    package var message: String
  }
  package var path: String
  package var position: Int64
  package var head: Int64
  /// Whether they are being built from the start; lists may be slow and searches incomplete meanwhile.
  package var isBuilding: Bool
  package var rows: [Rows]
  /// The newest 20.
  package var problems: [Problem]

  package var lag: Int64 { max(0, head - position) }

  package var json: JSON {
    [
      "file": .string(path), "position": .int(position), "head": .int(head), "lag": .int(lag),
      "building": .bool(isBuilding), "rows": .object(rows.map { JSON.Member($0.table, .int($0.count)) }),
      "problems": .array(problems.map { ["position": .int($0.position), "message": .string($0.message)] }),
    ]
  }
}
