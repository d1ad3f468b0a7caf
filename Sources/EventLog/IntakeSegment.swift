package import Alerts
import Foundation

/// Hashes of anomalies that were taken in some time ago: sorted, in a file that never changes, behind a filter in memory that answers nearly every
/// question without it.
///
/// The filter is a Bloom filter in blocks of a cache line: ``bitsPerHash`` bits for each hash, ``probes`` of them set. One question in five hundred
/// about a hash that is not there goes on to the file, and then to one or two places of it: the hashes are evenly spread, so that where one
/// stands can be told from its value.
/// Source: Felix Putze, Peter Sanders and Johannes Singler, "Cache-, Hash- and Space-Efficient Bloom Filters", 2007.
///
/// A segment is an index: what it says stands in the log's table `intake` too, and a segment that is missing, damaged or of another log is made
/// again from there.
package final class IntakeSegment: Sendable {
  /// The anomalies that the log has taken in are counted from 1: this holds those after `from`, up to `to`.
  package let from: Int64
  package let to: Int64
  /// The end of the commit that took in the last of them, and the chain's hash there.
  package let position: Int64
  package let chain: [UInt8]
  package let path: String
  private let count: Int
  private let filter: [UInt64]
  private let descriptor: Int32

  private static let mark = Array("Tocsint1".utf8)
  /// The mark, from, to, position, count, the chain's hash, the filter's sum.
  private static let headerSize = 8 + 4 * 8 + CommitHash.byteCount + 8
  private static let wordsPerBlock = 8
  static let bitsPerHash = 16
  private static let probes = 7

  /// Bytes in memory.
  package var memory: Int { filter.count * 8 }

  deinit { close(descriptor) }

  // MARK: - Asking

  package func contains(_ hash: StableHash) -> Bool { mayContain(hash) && isStored(hash) }

  private func mayContain(_ hash: StableHash) -> Bool {
    filter.withUnsafeBufferPointer { filter in
      let block = IntakeSegment.block(hash, of: filter.count / IntakeSegment.wordsPerBlock)
      var bits = hash.low
      for _ in 0..<IntakeSegment.probes {
        let bit = Int(bits & 511)
        if filter[block + bit >> 6] & 1 << UInt64(bit & 63) == 0 { return false }
        bits >>= 9
      }
      return true
    }
  }

  private static func block(_ hash: StableHash, of blocks: Int) -> Int {
    Int(truncatingIfNeeded: (hash.high >> 32).multipliedFullWidth(by: UInt64(blocks) << 32).high) * wordsPerBlock
  }

  private static func filter(of hashes: [StableHash]) -> [UInt64] {
    let blocks = max(1, hashes.count * bitsPerHash / 512 + 1)
    var filter = [UInt64](repeating: 0, count: blocks * wordsPerBlock)
    filter.withUnsafeMutableBufferPointer { filter in
      for hash in hashes {
        let block = block(hash, of: blocks)
        var bits = hash.low
        for _ in 0..<probes {
          let bit = Int(bits & 511)
          filter[block + bit >> 6] |= 1 << UInt64(bit & 63)
          bits >>= 9
        }
      }
    }
    return filter
  }

  /// So many hashes are read at once: 4 KiB.
  private static let window = 256

  /// Looks where it must stand by its value, and from there towards it.
  private func isStored(_ hash: StableHash) -> Bool {
    guard count > 0 else { return false }
    var low = 0
    var high = count
    let start = headerAndFilterSize
    var buffer = [UInt8](repeating: 0, count: IntakeSegment.window * 16)
    var guess = Int(truncatingIfNeeded: hash.high.multipliedFullWidth(by: UInt64(count)).high)
    while low < high {
      let first = min(max(guess - IntakeSegment.window / 2, low), max(low, high - IntakeSegment.window))
      let n = min(IntakeSegment.window, high - first)
      let read = buffer.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, n * 16, off_t(start + first * 16)) }
      guard read == n * 16 else { return false }
      func at(_ i: Int) -> StableHash { buffer.withUnsafeBytes { IntakeSegment.hash($0, i * 16) } }
      if IntakeSegment.isLess(hash, at(0)) {
        high = first
        guess = first - IntakeSegment.window / 2
      } else if IntakeSegment.isLess(at(n - 1), hash) {
        low = first + n
        guess = low + IntakeSegment.window / 2
      } else {
        for i in 0..<n where at(i) == hash { return true }
        return false
      }
    }
    return false
  }

  private static func isLess(_ a: StableHash, _ b: StableHash) -> Bool {
    a.high != b.high ? a.high < b.high : a.low < b.low
  }

  private static func hash(_ b: UnsafeRawBufferPointer, _ i: Int) -> StableHash {
    StableHash(
      high: UInt64(littleEndian: b.loadUnaligned(fromByteOffset: i, as: UInt64.self)),
      low: UInt64(littleEndian: b.loadUnaligned(fromByteOffset: i + 8, as: UInt64.self)))
  }

  private var headerAndFilterSize: Int { IntakeSegment.headerSize + filter.count * 8 }

  // MARK: - The file

  /// Sorts and writes a segment whole and synced, or leaves nothing. May run on any thread.
  package static func write(
    _ hashes: [StableHash], from: Int64, to: Int64, position: Int64, chain: [UInt8], in folder: String
  ) throws(EventLogError) -> IntakeSegment {
    let hashes = hashes.sorted(by: isLess)
    let filter = filter(of: hashes)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(headerSize + filter.count * 8 + hashes.count * 16)
    func put(_ value: UInt64) { withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) } }
    bytes += mark
    for value in [from, to, position, Int64(hashes.count)] { put(UInt64(bitPattern: value)) }
    bytes += chain
    put(sum(filter))
    for word in filter { put(word) }
    for hash in hashes {
      put(hash.high)
      put(hash.low)
    }
    let path = (folder as NSString).appendingPathComponent("\(from)-\(to).hashes")
    let partial = path + ".partial"
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      try Data(bytes).write(to: URL(fileURLWithPath: partial))
      try LogBackup.sync(partial)
      try LogBackup.rename(partial, path)
    } catch {
      try? FileManager.default.removeItem(atPath: partial)
      throw (error as? EventLogError)
        ?? EventLogError(
          .unwritable, "\(path) can't be written: \(error.localizedDescription)",
          mend: "check free space and the folder's owner; what it should hold stays in memory meanwhile")
    }
    guard let segment = IntakeSegment(path: path) else {
      throw EventLogError(.unwritable, "\(path) does not hold what was written to it", mend: "check the disk")
    }
    return segment
  }

  /// Opens a segment; nil if the file is none, or is damaged where that can be seen at once.
  package init?(path: String) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    var header = [UInt8](repeating: 0, count: IntakeSegment.headerSize)
    var status = stat()
    guard fstat(descriptor, &status) == 0,
      header.withUnsafeMutableBytes({ pread(descriptor, $0.baseAddress, $0.count, 0) }) == header.count,
      Array(header.prefix(8)) == IntakeSegment.mark
    else {
      close(descriptor)
      return nil
    }
    let numbers = header.withUnsafeBytes { b in
      (0..<4).map { Int64(littleEndian: b.loadUnaligned(fromByteOffset: 8 + $0 * 8, as: Int64.self)) }
    }
    let sum = header.withUnsafeBytes {
      UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: IntakeSegment.headerSize - 8, as: UInt64.self))
    }
    let (count, size) = (numbers[3], Int64(status.st_size))
    let words = (size - Int64(IntakeSegment.headerSize) - count * 16) / 8
    guard count >= 0, count < 1 << 32, words >= Int64(IntakeSegment.wordsPerBlock), words < 1 << 32,
      words % Int64(IntakeSegment.wordsPerBlock) == 0,
      size == Int64(IntakeSegment.headerSize) + words * 8 + count * 16, numbers[0] >= 0, numbers[1] > numbers[0]
    else {
      close(descriptor)
      return nil
    }
    var filter = [UInt64](repeating: 0, count: Int(words))
    let read = filter.withUnsafeMutableBytes {
      pread(descriptor, $0.baseAddress, $0.count, off_t(IntakeSegment.headerSize))
    }
    guard read == Int(words) * 8, IntakeSegment.sum(filter) == sum else {
      close(descriptor)
      return nil
    }
    self.descriptor = descriptor
    self.path = path
    self.filter = filter
    self.count = Int(count)
    from = numbers[0]
    to = numbers[1]
    position = numbers[2]
    chain = Array(header[40..<40 + CommitHash.byteCount])
  }

  /// Shows rot, not ill will: whoever can write here can write the log.
  private static func sum(_ words: [UInt64]) -> UInt64 {
    var sum: UInt64 = 0x9e37_79b9_7f4a_7c15
    for word in words { sum = (sum ^ word) &* 0xff51_afd7_ed55_8ccd ^ sum >> 29 }
    return sum
  }
}
