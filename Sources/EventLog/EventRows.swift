import Alerts
import GRDB
import GRDBSQLite
import Glibc

/// Reads rows of `events` without a box for each value.
struct EventRows {
  private static let columns = "position, alert, version, type, occurred_at, recorded_at, actor, cause, data"
  private let statement: GRDB.Statement
  private let db: Database
  /// Rows whose positions lie in `range`, in order, as they lie in SQLite's memory.
  static func scan(
    _ db: Database, in range: ClosedRange<Int64>, broken: (EventLogError) throws -> Void = { throw $0 },
    _ body: (EventView) throws -> Bool
  ) throws {
    let rows = EventRows(
      db,
      try db.makeStatement(sql: "SELECT \(columns) FROM events WHERE position BETWEEN ? AND ? ORDER BY position"))
    sqlite3_bind_int64(rows.statement.sqliteStatement, 1, range.lowerBound)
    sqlite3_bind_int64(rows.statement.sqliteStatement, 2, range.upperBound)
    try rows.run(broken, body)
  }

  /// As ``scan(_:in:broken:_:)``, each row in memory of its own.
  static func each(
    _ db: Database, in range: ClosedRange<Int64>, broken: (EventLogError) throws -> Void = { throw $0 },
    _ body: (StoredEvent) throws -> Bool
  ) throws {
    var actor = ""
    try scan(db, in: range, broken: broken) { try body(StoredEvent($0, actor: &actor)) }
  }

  static func one(_ db: Database, at position: Int64) throws -> StoredEvent? {
    var found: StoredEvent?
    try each(db, in: position...position) { e in
      found = e
      return false
    }
    return found
  }

  static func life(_ db: Database, of subject: Subject) throws -> [StoredEvent] {
    let rows = EventRows(
      db, try db.makeStatement(sql: "SELECT \(columns) FROM events WHERE alert = ? ORDER BY version"))
    rows.statement.arguments = [subject.description]
    var life: [StoredEvent] = []
    var actor = ""
    try rows.run({ throw $0 }) { e in
      life.append(StoredEvent(e, actor: &actor))
      return true
    }
    return life
  }

  private init(_ db: Database, _ statement: GRDB.Statement) {
    self.db = db
    self.statement = statement
  }

  private func run(_ broken: (EventLogError) throws -> Void, _ body: (EventView) throws -> Bool) throws {
    let s = statement.sqliteStatement
    defer {
      sqlite3_reset(s)
      sqlite3_clear_bindings(s)
    }
    while true {
      switch sqlite3_step(s) {
      case SQLITE_ROW:
        if let view = EventRows.view(s) {
          if try !body(view) { return }
        } else {
          try broken(EventRows.unknown(s))
        }
      case SQLITE_DONE: return
      default: throw db.lastError("SELECT … FROM events")
      }
    }
  }

  /// Nil if the row is of a type, or about a subject, that this Tocsin does not know.
  private static func view(_ s: OpaquePointer) -> EventView? {
    guard let subject = subject(bytes(s, 1)), let type = EventTypeTable.find(bytes(s, 3)) else { return nil }
    return EventView(
      position: sqlite3_column_int64(s, 0), subject: subject, version: Int(sqlite3_column_int64(s, 2)), type: type,
      occurredAt: Timestamp(microseconds: sqlite3_column_int64(s, 4)),
      recordedAt: Timestamp(microseconds: sqlite3_column_int64(s, 5)), actor: bytes(s, 6),
      cause: sqlite3_column_type(s, 7) == SQLITE_NULL ? nil : sqlite3_column_int64(s, 7), data: bytes(s, 8))
  }

  private static func unknown(_ s: OpaquePointer) -> EventLogError {
    let position = sqlite3_column_int64(s, 0)
    let alert = String(decoding: bytes(s, 1), as: UTF8.self)
    let type = String(decoding: bytes(s, 3), as: UTF8.self)
    return EventLogError(
      .unreadable, "event \(position) is of the unknown type \"\(type)\" about \"\(alert)\"",
      mend: "a newer Tocsin may have written it: use that one; if not, restore the log from a backup", at: position)
  }

  /// A text where it lies: as a blob, since SQLite copies a text to put a zero behind it.
  private static func bytes(_ s: OpaquePointer, _ column: Int32) -> UnsafeBufferPointer<UInt8> {
    UnsafeBufferPointer(
      start: sqlite3_column_blob(s, column)?.assumingMemoryBound(to: UInt8.self),
      count: Int(sqlite3_column_bytes(s, column)))
  }

  /// `A-1042`, without a text of its own on the way.
  static func subject(_ b: UnsafeBufferPointer<UInt8>) -> Subject? {
    guard b.count >= 3, b.count <= 20, b[1] == UInt8(ascii: "-"), let kind = Subject.Kind(rawValue: b[0]) else {
      return nil
    }
    var number: Int64 = 0
    for i in 2..<b.count {
      let digit = b[i] &- 48
      guard digit < 10 else { return nil }
      number = number * 10 + Int64(digit)
    }
    return number > 0 && b[2] != 48 ? Subject(kind, number) : nil
  }
}

/// Writes rows of `events`: the hot path, by the C interface, without a box for each value.
struct EventInsert {
  private let statement: GRDB.Statement
  private let db: Database

  init(_ db: Database) throws {
    self.db = db
    statement = try db.cachedStatement(sql: "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")
  }

  func run(_ row: borrowing RowBytes) throws {
    let s = statement.sqliteStatement
    sqlite3_bind_int64(s, 1, row.position)
    sqlite3_bind_int64(s, 3, row.version)
    sqlite3_bind_int64(s, 5, row.occurredAt.microseconds)
    sqlite3_bind_int64(s, 6, row.recordedAt.microseconds)
    if let cause = row.cause { sqlite3_bind_int64(s, 8, cause) } else { sqlite3_bind_null(s, 8) }
    let (subject, type, actor, data) = (row.subject, row.type, row.actor, row.data)
    // Bound bytes live until the bindings are cleared: SQLite need not copy them.
    let code = row.bytes.withUnsafeBytes { b in
      let text = b.bindMemory(to: CChar.self)
      func bind(_ column: Int32, _ range: Range<Int>) {
        sqlite3_bind_text(s, column, text.baseAddress.map { $0 + range.lowerBound }, Int32(range.count), nil)
      }
      bind(2, subject)
      bind(4, type)
      bind(7, actor)
      bind(9, data)
      let code = sqlite3_step(s)
      sqlite3_reset(s)
      sqlite3_clear_bindings(s)
      return code
    }
    guard code == SQLITE_DONE else { throw db.lastError("INSERT INTO events") }
  }
}

/// The event type of a text, by a small hash table of plain numbers: millions of rows are looked up at every start.
enum EventTypeTable {
  private static let size = 256
  /// Of each slot: the end of the name and its length in one word (0: free), where the name stands in `names`, and the type.
  private static let table: (words: [UInt64], starts: [Int], types: [EventType], names: [UInt8]) = {
    var words = [UInt64](repeating: 0, count: size)
    var starts = [Int](repeating: 0, count: size)
    var types = [EventType](repeating: .detected, count: size)
    var names: [UInt8] = []
    for type in EventType.allCases {
      let name = Array(type.rawValue.utf8)
      let word = name.withUnsafeBufferPointer { EventTypeTable.word($0) }
      var slot = EventTypeTable.slot(word)
      while words[slot] != 0 { slot = (slot + 1) & (size - 1) }
      words[slot] = word
      starts[slot] = names.count
      types[slot] = type
      names += name
    }
    return (words, starts, types, names)
  }()

  /// The last eight bytes, mixed with the length. Never 0.
  private static func word(_ b: UnsafeBufferPointer<UInt8>) -> UInt64 {
    var word: UInt64 = 1
    for c in b.suffix(8) { word = word << 8 | UInt64(c) }
    return word ^ UInt64(b.count) << 56 | 1 << 63
  }

  private static func slot(_ word: UInt64) -> Int { Int(truncatingIfNeeded: (word &* 0x9e37_79b9_7f4a_7c15) >> 56) }

  static func find(_ b: UnsafeBufferPointer<UInt8>) -> EventType? {
    guard let base = b.baseAddress else { return nil }
    let word = word(b)
    var slot = slot(word)
    while table.words[slot] != 0 {
      if table.words[slot] == word {
        // As long as the word says, or the text would be another.
        let start = table.starts[slot]
        let isSame = table.names.withUnsafeBufferPointer { names in
          start + b.count <= names.count && memcmp(names.baseAddress.map { $0 + start } ?? base, base, b.count) == 0
        }
        if isSame, table.types[slot].rawValue.utf8.count == b.count { return table.types[slot] }
      }
      slot = (slot + 1) & (size - 1)
    }
    return nil
  }
}
