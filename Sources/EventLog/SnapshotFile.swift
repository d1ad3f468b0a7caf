import Crypto
import Foundation

/// A state that was reached at some position of the log, kept beside it so that a start need not replay everything.
///
/// Never trusted further than it can be checked: it must be whole, of the same form, and of this log. Whatever is in doubt counts as no
/// snapshot, and costs a longer start, nothing else.
package struct SnapshotFile: Sendable {
  package struct Snapshot: Sendable, Equatable {
    /// The log's head when the state was taken.
    package var position: Int64
    package var state: [UInt8]
  }

  /// Why there is no snapshot to be used.
  package struct Doubt: Error, Sendable, Equatable, CustomStringConvertible {
    package var description: String
    package init(description: String) { self.description = description }
  }

  package let path: String
  /// Raised whenever the state's own form changes: an older snapshot is thrown away then.
  package let form: UInt32

  /// "TocsnapN": what a snapshot begins with. Then the form, the position, the chain's hash there, the state, and SHA-256 of all that.
  private static let mark = Array("Tocsnap1".utf8)
  private static let headerSize = 8 + 4 + 8 + 32

  /// - Parameter logPath: the snapshot stands beside it.
  package init(logPath: String, form: UInt32) {
    path = logPath + ".snapshot"
    self.form = form
  }

  /// Writes a snapshot whole, synced, or leaves the one before. May run on any thread: give it the position and hash of the moment when the state
  /// was taken.
  package func write(_ state: [UInt8], position: Int64, hash: [UInt8]) throws(EventLogError) {
    var header = SnapshotFile.mark
    withUnsafeBytes(of: form.littleEndian) { header.append(contentsOf: $0) }
    withUnsafeBytes(of: position.littleEndian) { header.append(contentsOf: $0) }
    header += hash
    var digest = SHA256()
    digest.update(data: header)
    digest.update(data: state)
    let sum = Data(digest.finalize())
    // One after the other: the state may have some hundred megabytes, and is not to be in memory twice.
    try WholeFile.write(
      to: path, mend: "check free space and the folder's owner; until it can be written, starts take longer"
    ) { file in
      try file.write(contentsOf: header)
      try state.withUnsafeBytes { try SnapshotFile.write($0, to: file) }
      try file.write(contentsOf: sum)
    }
  }

  private static func write(_ bytes: UnsafeRawBufferPointer, to file: FileHandle) throws {
    for start in stride(from: 0, to: bytes.count, by: 1 << 20) {
      try file.write(contentsOf: Data(bytes[start..<min(start + (1 << 20), bytes.count)]))
    }
  }

  /// The newest snapshot, if it is one of this log.
  ///
  /// - Throws: ``Doubt``: there is none, or it is not to be trusted. Replay everything then.
  package func read(for log: some EventLog) throws(Doubt) -> Snapshot {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw Doubt(description: "there is no snapshot at \(path)")
    }
    let bytes = [UInt8](data)
    let size = SnapshotFile.headerSize
    guard bytes.count >= size + 32, Array(bytes.prefix(8)) == SnapshotFile.mark else {
      throw Doubt(description: "\(path) is no snapshot")
    }
    guard Array(SHA256.hash(data: bytes.dropLast(32))) == Array(bytes.suffix(32)) else {
      throw Doubt(description: "the snapshot \(path) is damaged")
    }
    let (found, position) = bytes.withUnsafeBytes { b in
      (
        UInt32(littleEndian: b.loadUnaligned(fromByteOffset: 8, as: UInt32.self)),
        Int64(littleEndian: b.loadUnaligned(fromByteOffset: 12, as: Int64.self))
      )
    }
    guard found == form else {
      throw Doubt(description: "the snapshot \(path) has form \(found), and this Tocsin reads form \(form)")
    }
    let hash = (try? log.hash(at: position)) ?? nil
    guard position <= log.head, hash == Array(bytes[20..<52]) else {
      throw Doubt(description: "the snapshot \(path) is not of this log: it is at position \(position) of another")
    }
    return Snapshot(position: position, state: Array(bytes[size..<bytes.count - 32]))
  }
}
