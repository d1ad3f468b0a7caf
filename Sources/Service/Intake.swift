import Alerts
import Dispatch
import EventLog
import Logging
import Synchronization

/// Recognises anomalies that came before, by (source, id).
///
/// A table in memory is filled with what comes. When it is full it becomes a segment beside the log, which is asked from then on, and the next one is begun:
/// memory and disk are bounded by ``IntakeLimit/standard``, and all that the log remembers is recognised, also after a restart. See
/// docs/decisions/0015-intake-segments.md.
///
/// Without a disk (a log in memory, or a disk that is full) there are two tables of ``capacity`` hashes each: the one that is being filled, and the one
/// that was full before it; when the newer one is full, the older one is forgotten.
///
/// What is older than that is not recognised: it counts as a repeat of its alert if that is still open, and opens a new life if it is not.
struct Intake {
  /// Three million, where there is no disk: both tables full take 128 MiB; they begin small, and grow with use.
  static let standardCapacity = 3_000_000
  /// After a segment could not be written, so long until the next try.
  static let retryInterval = Interval.minutes(1)

  let capacity: Int
  let segmentSize: Int
  private var newer = HashTable()
  private var older = HashTable()
  private var shelf: IntakeShelf?
  /// What ``older`` holds, if it is to become a segment.
  private var sealed: Sealed?
  /// The segment while it is being written on another thread.
  private var writing: Writing?
  /// A segment that has rotted, while it is made again on another thread.
  private var mending: Writing?
  private var mendAt = Timestamp.epoch
  private var retryAt = Timestamp.epoch
  /// The disk failed for so long that some were forgotten in between: no more segments until the next start, which makes them from the log.
  private var isGapped = false

  private struct Sealed {
    var from: Int64
    var to: Int64
    var position: Int64
    var chain: [UInt8]
  }

  private final class Writing: Sendable {
    let result = Mutex<Result<IntakeSegment, EventLogError>?>(nil)
  }

  init(
    capacity: Int = Intake.standardCapacity, shelf: IntakeShelf? = nil, segmentSize: Int = IntakeShelf.segmentSize
  ) {
    self.capacity = max(1, capacity)
    self.segmentSize = segmentSize
    self.shelf = shelf
  }

  /// How many are known in memory.
  var count: Int { newer.count + older.count }
  /// Bytes that the tables and the segments' filters take.
  var memory: Int { newer.memory + older.memory + (shelf?.memory ?? 0) }
  var segmentCount: Int { shelf?.segments.count ?? 0 }

  func contains(_ hash: StableHash) -> Bool {
    newer.contains(hash) || older.contains(hash) || shelf?.contains(hash) == true
  }

  /// This one will be asked for soon.
  func expect(_ hash: StableHash) { newer.expect(hash) }

  /// False if it was known.
  mutating func insert(_ hash: StableHash) -> Bool {
    guard older.count == 0 || !older.contains(hash), shelf?.contains(hash) != true, newer.insert(hash) else {
      return false
    }
    if newer.count >= capacity {
      if sealed != nil { isGapped = true }
      sealed = nil
      older = newer
      newer = HashTable()
    }
    return true
  }

  // MARK: - The start

  /// Takes up all that the log remembers.
  mutating func load(_ log: any EventLog, logger: Logger) throws {
    if shelf != nil, let recorded = log as? any EventLog & IntakeRecord {
      try shelf?.load(recorded, segmentSize: segmentSize) { why in
        logger.warning("an index of what was taken in is thrown away, and made again", metadata: ["why": "\(why)"])
      } rest: {
        _ = newer.insert($0)
      }
    } else {
      shelf = nil
      try log.intake { recall($0) }
    }
  }

  /// Takes up what commits remember, newest first, until full. Returns false when it is.
  mutating func recall(_ bytes: UnsafeRawBufferPointer) -> Bool {
    var i = bytes.count / 16 * 16
    while i >= 16, older.count < capacity - 1 {
      i -= 16
      _ = older.insert(
        StableHash(
          high: UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: i, as: UInt64.self)),
          low: UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: i + 8, as: UInt64.self))))
    }
    return older.count < capacity - 1
  }

  // MARK: - Segments

  /// Begins a segment when the table is full, and takes up one that is written. To be called when all that is known is committed, or a segment
  /// would remember what was never stored.
  mutating func tidy(_ log: any EventLog, now: Timestamp, logger: Logger) {
    takeUpWritten(now: now, logger: logger)
    mend(now: now, logger: logger)
    guard let shelf, !isGapped, writing == nil, let recorded = log as? any IntakeRecord else { return }
    if sealed == nil, newer.count >= segmentSize {
      self.shelf?.forget(upTo: recorded.intakeForgotten)
      sealed = Sealed(from: shelf.reached, to: recorded.intakeSeen, position: log.head, chain: log.headHash)
      older = newer
      newer = HashTable()
    }
    guard let sealed, now >= retryAt || now + Intake.retryInterval < retryAt else { return }
    let writing = Writing()
    self.writing = writing
    let (table, folder) = (older, shelf.folder)
    DispatchQueue.global(qos: .utility).async {
      let result: Result<IntakeSegment, EventLogError>
      do throws(EventLogError) {
        result = .success(
          try IntakeSegment.write(
            table.all, from: sealed.from, to: sealed.to, position: sealed.position, chain: sealed.chain, in: folder))
      } catch { result = .failure(error) }
      writing.result.withLock { $0 = result }
    }
  }

  /// Makes a segment again of which a block turned out to be another than was written.
  private mutating func mend(now: Timestamp, logger: Logger) {
    if let mending {
      guard let result = mending.result.withLock({ $0 }) else { return }
      self.mending = nil
      switch result {
      case .success(let segment):
        shelf?.replace(with: segment)
        logger.info("an index of what was taken in was made again", metadata: ["file": "\(segment.path)"])
      case .failure(let error):
        mendAt = now + Intake.retryInterval
        logger.warning(
          "a damaged index of what was taken in can't be made again; the log is asked instead",
          metadata: ["why": "\(error)"])
      }
      return
    }
    guard let shelf, let segment = shelf.rotten, now >= mendAt || now + Intake.retryInterval < mendAt else { return }
    logger.warning(
      "an index of what was taken in is damaged, and made again from the log; check the disk",
      metadata: ["file": "\(segment.path)"])
    let mending = Writing()
    self.mending = mending
    DispatchQueue.global(qos: .utility).async {
      let result: Result<IntakeSegment, EventLogError>
      do throws(EventLogError) { result = .success(try shelf.remade(segment)) } catch { result = .failure(error) }
      mending.result.withLock { $0 = result }
    }
  }

  private mutating func takeUpWritten(now: Timestamp, logger: Logger) {
    guard let writing, let result = writing.result.withLock({ $0 }) else { return }
    self.writing = nil
    switch result {
    case .success(let segment):
      guard sealed?.to == segment.to else { return }
      shelf?.add(segment)
      older = HashTable()
      sealed = nil
    case .failure(let error):
      retryAt = now + Intake.retryInterval
      logger.warning(
        "what was taken in can't be moved to disk; it stays in memory, and the oldest of it is forgotten if that fills up",
        metadata: ["why": "\(error)"])
    }
  }

  static func write(_ hash: StableHash, to out: inout [UInt8]) {
    withUnsafeBytes(of: (hash.high.littleEndian, hash.low.littleEndian)) { out.append(contentsOf: $0) }
  }
}
