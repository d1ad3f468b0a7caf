import Alerts
import Crypto

/// The chain that ties each commit to all before it: a byte changed anywhere shows, and where.
///
/// SHA-256 over the hash before, the hash of the intake, and every row's members, each with its length before it, so that no two different
/// commits write the same bytes.
package struct CommitHash {
  package static let byteCount = 32
  package static let start = [UInt8](repeating: 0, count: byteCount)

  private var hasher = SHA256()
  private var row = RowBytes()

  /// - Parameter intakeHash: ``intake(_:)`` of what the commit took in.
  package init(after previous: [UInt8], intakeHash: [UInt8]) {
    hasher.update(data: previous)
    hasher.update(data: [UInt8(intakeHash.count)])
    hasher.update(data: intakeHash)
  }

  package mutating func add(_ e: StoredEvent) {
    row.set(e)
    add(row)
  }

  /// As ``add(_:)``, of a row that is laid out already.
  mutating func add(_ row: RowBytes) { row.bytes.withUnsafeBytes { hasher.update(bufferPointer: $0) } }

  package func finish() -> [UInt8] { Array(hasher.finalize()) }

  /// Empty where nothing was taken in.
  package static func intake(_ bytes: [UInt8]) -> [UInt8] { bytes.isEmpty ? [] : Array(SHA256.hash(data: bytes)) }

  package static func next(after previous: [UInt8], events: [StoredEvent], intakeHash: [UInt8]) -> [UInt8] {
    var hash = CommitHash(after: previous, intakeHash: intakeHash)
    for e in events { hash.add(e) }
    return hash.finish()
  }
}

/// A row laid out for hashing, and where its texts stand in it, so that binding them needs no second copy. Reused from row to row.
struct RowBytes {
  private(set) var bytes: [UInt8] = []
  private(set) var subject = 0..<0
  private(set) var type = 0..<0
  private(set) var actor = 0..<0
  private(set) var data = 0..<0

  init() { bytes.reserveCapacity(2048) }

  mutating func set(_ e: StoredEvent) {
    bytes.removeAll(keepingCapacity: true)
    put(e.position)
    var start = open()
    bytes.append(e.subject.kind.rawValue)
    bytes.append(UInt8(ascii: "-"))
    JSON.write(e.subject.number, to: &bytes)
    subject = close(start)
    put(Int64(e.version))
    start = open()
    bytes.append(contentsOf: e.type.rawValue.utf8)
    type = close(start)
    put(e.occurredAt.microseconds)
    put(e.recordedAt.microseconds)
    start = open()
    bytes.append(contentsOf: e.actor.utf8)
    actor = close(start)
    put(e.cause ?? -1)
    start = open()
    bytes.append(contentsOf: e.data)
    data = close(start)
  }

  private mutating func put(_ value: Int64) {
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }

  /// Leaves room for a length.
  private mutating func open() -> Int {
    put(0)
    return bytes.count
  }

  private mutating func close(_ start: Int) -> Range<Int> {
    let length = Int64(bytes.count - start).littleEndian
    bytes.withUnsafeMutableBytes { $0.storeBytes(of: length, toByteOffset: start - 8, as: Int64.self) }
    return start..<bytes.count
  }
}
