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
  mutating func add(_ row: borrowing RowBytes) { row.bytes.withUnsafeBytes { hasher.update(bufferPointer: $0) } }

  package func finish() -> [UInt8] { Array(hasher.finalize()) }

  /// Empty where nothing was taken in.
  package static func intake(_ bytes: [UInt8]) -> [UInt8] { bytes.isEmpty ? [] : Array(SHA256.hash(data: bytes)) }

  package static func next(after previous: [UInt8], _ commit: Commit) -> [UInt8] {
    var hash = CommitHash(after: previous, intakeHash: intake(commit.intake))
    commit.eachRow { hash.add($0) }
    return hash.finish()
  }
}
