import GRDB

extension ProjectionStore {
  /// The first row that this file and the one at `path` don't share, with its table; nil if all rows are the same. SQLite compares them.
  package func difference(from path: String) throws -> String? {
    try queue.inDatabase { db in
      try db.execute(sql: "ATTACH DATABASE ? AS other", arguments: [path])
      defer { try? db.execute(sql: "DETACH DATABASE other") }
      for (table, _) in ProjectionSchema.dumped {
        for (a, b) in [("main", "other"), ("other", "main")] {
          let row = try Row.fetchOne(db, sql: "SELECT * FROM \(a).\(table) EXCEPT SELECT * FROM \(b).\(table) LIMIT 1")
          if let row { return "\(table) of \(a == "main" ? "this" : "the other") file has \(row)" }
        }
      }
      return nil
    }
  }
}
