import Alerts
import Crypto

/// The chain that ties each commit to all before it: a byte changed anywhere shows, and where.
///
/// SHA-256 over the hash before, the intake, and every row's members, each with its length before it, so that no two different
/// commits write the same bytes.
package enum CommitHash {
  package static let byteCount = 32
  package static let start = [UInt8](repeating: 0, count: byteCount)

  package static func next(after previous: [UInt8], events: [StoredEvent], intake: [UInt8]) -> [UInt8] {
    var hasher = SHA256()
    hasher.update(data: previous)
    var scratch: [UInt8] = []
    scratch.reserveCapacity(2048)
    put(intake, &scratch)
    for e in events {
      put(e.position, &scratch)
      put(Array(e.subject.description.utf8), &scratch)
      put(Int64(e.version), &scratch)
      put(Array(e.type.rawValue.utf8), &scratch)
      put(e.occurredAt.microseconds, &scratch)
      put(e.recordedAt.microseconds, &scratch)
      put(Array(e.actor.utf8), &scratch)
      put(e.cause ?? -1, &scratch)
      put(e.data, &scratch)
      hasher.update(data: scratch)
      scratch.removeAll(keepingCapacity: true)
    }
    hasher.update(data: scratch)
    return Array(hasher.finalize())
  }

  private static func put(_ value: Int64, _ out: inout [UInt8]) {
    withUnsafeBytes(of: value.littleEndian) { out.append(contentsOf: $0) }
  }
  private static func put(_ bytes: [UInt8], _ out: inout [UInt8]) {
    put(Int64(bytes.count), &out)
    out.append(contentsOf: bytes)
  }
}
