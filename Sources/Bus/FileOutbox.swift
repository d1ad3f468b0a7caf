import Foundation
import GRDB
import Glibc
import Synchronization

/// An outbox in an SQLite file of its own, one per producer. Every append is synced to disk before it returns. A lock beside the file keeps
/// a second process out: two would use the same sequences for different anomalies.
///
/// Each message's anomalies stand in one blob, each after its length (4 bytes, little-endian).
package final class FileOutbox: ProducerOutbox {
  private let queue: DatabaseQueue
  private let lock: FileLock
  private let level: Mutex<OutboxLevel>
  private let limit: Int
  package let place: String

  /// The file of a producer: its name with all but letters, digits, `-`, `_` and `.` as %XX.
  package static func path(directory: String, producer: String) -> String {
    var name = ""
    for byte in producer.utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
        name.unicodeScalars.append(UnicodeScalar(byte))
      default: name += "%" + String(format: "%02X", byte)
      }
    }
    return directory + "/" + (name.isEmpty ? "%" : name) + ".outbox"
  }

  /// Makes the directory and the file where they are missing. Throws `.refused` while another process has it.
  package init(directory: String, producer: String, bytes limit: Int = OutboxLevel.bytesLimit) throws(BusError) {
    place = FileOutbox.path(directory: directory, producer: producer)
    self.limit = limit
    do {
      try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    } catch {
      throw BusError(.refused, "the outbox's directory \(directory) can't be made: \(error.localizedDescription)")
    }
    lock = try FileLock(place + ".lock", of: "the outbox of \(producer)")
    do {
      var configuration = GRDB.Configuration()
      configuration.label = "outbox"
      configuration.prepareDatabase { db in
        try db.execute(sql: "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA auto_vacuum = INCREMENTAL")
      }
      queue = try DatabaseQueue(path: place, configuration: configuration)
      level = Mutex(
        try queue.write { db in
          try db.execute(
            sql: """
              CREATE TABLE IF NOT EXISTS message (
                sequence INTEGER PRIMARY KEY AUTOINCREMENT, count INTEGER NOT NULL, events BLOB NOT NULL) STRICT
              """)
          var level = OutboxLevel()
          let row = try Row.fetchOne(
            db, sql: "SELECT count(*), coalesce(sum(count), 0), coalesce(sum(length(events)), 0) FROM message")
          if let row {
            level.messages = row[0]
            level.anomalies = row[1]
            level.bytes = row[2] - 4 * level.anomalies
          }
          return level
        })
    } catch {
      throw FileOutbox.failure(error, place, "can't be opened")
    }
  }

  package var waiting: OutboxLevel { level.withLock { $0 } }

  package func append(_ messages: [[[UInt8]]]) throws(BusError) -> UInt64 {
    do {
      try waiting.check(messages, limit: limit, place: place)
      let first = try queue.write { db in
        let insert = try db.cachedStatement(sql: "INSERT INTO message (count, events) VALUES (?, ?)")
        var first: Int64?
        for events in messages {
          try insert.execute(arguments: [events.count, FileOutbox.pack(events)])
          first = first ?? db.lastInsertedRowID
        }
        return UInt64(first ?? 0)
      }
      level.withLock { for events in messages { $0.add(events) } }
      return first
    } catch let error as BusError {
      throw error
    } catch {
      throw FileOutbox.failure(error, place, "can't be written, and the anomalies were not taken")
    }
  }

  package func load(after sequence: UInt64, messages: Int, bytes: Int) throws(BusError) -> [OutboxMessage] {
    do {
      return try queue.read { db in
        var found: [OutboxMessage] = []
        var size = 0
        let rows = try Row.fetchCursor(
          db, sql: "SELECT sequence, events FROM message WHERE sequence > ? ORDER BY sequence LIMIT ?",
          arguments: [Int64(sequence), messages])
        while let row = try rows.next() {
          let packed: Data = row[1]
          size += packed.count
          if size > bytes, !found.isEmpty { break }
          found.append(OutboxMessage(sequence: UInt64(row[0] as Int64), events: FileOutbox.unpack(packed)))
        }
        return found
      }
    } catch {
      throw FileOutbox.failure(error, place, "can't be read")
    }
  }

  package func remove(_ sequences: [UInt64]) throws(BusError) {
    do {
      let gone = try queue.write { db in
        let delete = try db.cachedStatement(
          sql: "DELETE FROM message WHERE sequence = ? RETURNING count, length(events)")
        var gone = OutboxLevel()
        for sequence in sequences {
          if let row = try Row.fetchOne(delete, arguments: [Int64(sequence)]) {
            let count: Int = row[0]
            gone.messages += 1
            gone.anomalies += count
            gone.bytes += (row[1] as Int) - 4 * count
          }
        }
        return gone
      }
      level.withLock {
        $0.messages -= gone.messages
        $0.anomalies -= gone.anomalies
        $0.bytes -= gone.bytes
      }
    } catch {
      throw FileOutbox.failure(error, place, "can't be written")
    }
  }

  package func close() {
    try? queue.close()
    lock.release()
  }

  // MARK: -

  private static func failure(_ error: any Error, _ place: String, _ what: String) -> BusError {
    var why = "\(error)"
    if let error = error as? DatabaseError {
      why = error.message ?? "\(error.resultCode)"
      if error.resultCode == .SQLITE_NOTADB || error.resultCode == .SQLITE_CORRUPT {
        why += ". Move the file away to begin a new one; what was in it and not yet stored must be published again"
      }
    }
    return BusError(.refused, "the outbox \(place) \(what): \(why)")
  }

  static func pack(_ events: [[UInt8]]) -> Data {
    var data = Data(capacity: events.reduce(0) { $0 + $1.count + 4 })
    for event in events {
      withUnsafeBytes(of: UInt32(event.count).littleEndian) { data.append(contentsOf: $0) }
      data.append(contentsOf: event)
    }
    return data
  }

  /// Stops at a length that can't be: a damaged blob gives the anomalies before the damage.
  static func unpack(_ data: Data) -> [[UInt8]] {
    data.withUnsafeBytes { bytes in
      var events: [[UInt8]] = []
      var i = 0
      while i + 4 <= bytes.count {
        let count = Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: i, as: UInt32.self)))
        i += 4
        guard i + count <= bytes.count else { break }
        events.append([UInt8](bytes[i..<i + count]))
        i += count
      }
      return events
    }
  }
}

/// A lock that ends with its process, however that ends (flock(2)).
final class FileLock: Sendable {
  private let held: Mutex<Int32>

  init(_ path: String, of what: String) throws(BusError) {
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      throw BusError(.refused, "\(what): the lock \(path) can't be made: \(String(cString: strerror(errno)))")
    }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      let code = errno
      close(descriptor)
      throw BusError(
        code == EWOULDBLOCK ? .inUse : .refused,
        code == EWOULDBLOCK
          ? "\(what) is in use by another process (\(path)). One process per producer: stop the other, or choose another name"
          : "\(what): the lock \(path) can't be taken: \(String(cString: strerror(code)))")
    }
    held = Mutex(descriptor)
  }

  deinit { release() }

  func release() {
    held.withLock { descriptor in
      if descriptor >= 0 { close(descriptor) }
      descriptor = -1
    }
  }
}
