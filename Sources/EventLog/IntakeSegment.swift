package import Alerts
import Foundation
import Synchronization

/// Hashes of anomalies that were taken in some time ago: sorted, in a file that never changes, behind a filter in memory that answers nearly every
/// question without it.
///
/// The filter is a Bloom filter in blocks of a cache line: ``bitsPerHash`` bits for each hash, ``probes`` of them set. One question in five hundred
/// about a hash that is not there goes on to the file, and then to one or two places of it: the hashes are evenly spread, so that where one
/// stands can be told from its value.
/// Source: Felix Putze, Peter Sanders and Johannes Singler, "Cache-, Hash- and Space-Efficient Bloom Filters", 2007.
///
/// A segment is an index: what it says stands in the log's table `intake` too, and a segment that is missing, damaged or of another log is made
/// again from there. The hashes stand in blocks, each with a sum that is checked whenever the block is read: a bit that rots on the disk makes no
/// repeat new and no new anomaly a repeat.
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
  /// One for each block.
  private let sums: [UInt64]
  private let descriptor: Int32
  private let rotten = Atomic(false)

  private static let mark = Array("Tocsint2".utf8)
  /// The mark, from, to, position, count, the chain's hash, the sum of these numbers, of the filter and of the blocks' sums. Behind it the filter, the
  /// blocks' sums, and the hashes.
  private static let headerSize = 8 + 4 * 8 + CommitHash.byteCount + 8
  private static let wordsPerBlock = 8
  static let bitsPerHash = 16
  private static let probes = 7

  /// Bytes in memory.
  package var memory: Int { (filter.count + sums.count) * 8 }
  /// Whether a block was read that is not what was written. It is to be made again.
  package var isRotten: Bool { rotten.load(ordering: .relaxed) }

  deinit { close(descriptor) }

  // MARK: - Asking

  package enum Answer: Sendable {
    case present, absent
    /// What stands where it should be is not what was written: the log must be asked.
    case unreadable
  }

  /// The first bit that ``look(for:)`` asks for: 0 if the hash is not here.
  func firstBit(for hash: StableHash) -> UInt64 {
    filter.withUnsafeBufferPointer { filter in
      let bit = Int(hash.low & 511)
      return filter[IntakeSegment.block(hash, of: filter.count / IntakeSegment.wordsPerBlock) + bit >> 6]
        >> UInt64(bit & 63) & 1
    }
  }

  package func look(for hash: StableHash) -> Answer { mayContain(hash) ? stored(hash) : .absent }

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

  private static func filterWords(_ count: Int) -> Int { (count * bitsPerHash / 512 + 1) * wordsPerBlock }

  private static func filter(of hashes: [StableHash]) -> [UInt64] {
    let blocks = filterWords(hashes.count) / wordsPerBlock
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

  /// So many hashes are a block, which is read at once: 4 KiB.
  private static let blockSize = 256

  private static func blocks(_ count: Int) -> Int { (count + blockSize - 1) / blockSize }

  /// Looks where it must stand by its value, then beside that, and at last by halves.
  private func stored(_ hash: StableHash) -> Answer {
    var (low, high) = (0, sums.count)
    var block = Int(truncatingIfNeeded: hash.high.multipliedFullWidth(by: UInt64(count)).high) / IntakeSegment.blockSize
    var tries = 0
    while low < high {
      block = min(max(block, low), high - 1)
      guard let hashes = read(block), let first = hashes.first, let last = hashes.last else { return .unreadable }
      if IntakeSegment.isLess(hash, first) {
        high = block
        block -= 1
      } else if IntakeSegment.isLess(last, hash) {
        low = block + 1
        block += 1
      } else {
        return hashes.contains(hash) ? .present : .absent
      }
      tries += 1
      if tries > 3 { block = (low + high) / 2 }
    }
    return .absent
  }

  /// Nil, and remembered, where it is not what was written.
  private func read(_ block: Int) -> [StableHash]? {
    let first = block * IntakeSegment.blockSize
    let n = min(IntakeSegment.blockSize, count - first)
    let start = IntakeSegment.headerSize + (filter.count + sums.count) * 8 + first * 16
    var hashes = [StableHash](repeating: StableHash(high: 0, low: 0), count: n)
    var buffer = [UInt8](repeating: 0, count: n * 16)
    let size = buffer.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, off_t(start)) }
    if size == n * 16 { buffer.withUnsafeBytes { b in for i in 0..<n { hashes[i] = IntakeSegment.hash(b, i * 16) } } }
    guard size == n * 16, IntakeSegment.sum(of: hashes[...]) == sums[block] else {
      rotten.store(true, ordering: .relaxed)
      return nil
    }
    return hashes
  }

  private static func isLess(_ a: StableHash, _ b: StableHash) -> Bool {
    a.high != b.high ? a.high < b.high : a.low < b.low
  }

  private static func hash(_ b: UnsafeRawBufferPointer, _ i: Int) -> StableHash {
    StableHash(
      high: UInt64(littleEndian: b.loadUnaligned(fromByteOffset: i, as: UInt64.self)),
      low: UInt64(littleEndian: b.loadUnaligned(fromByteOffset: i + 8, as: UInt64.self)))
  }

  // MARK: - The file

  /// Sorts and writes a segment whole and synced, or leaves nothing. May run on any thread.
  package static func write(
    _ hashes: [StableHash], from: Int64, to: Int64, position: Int64, chain: [UInt8], in folder: String
  ) throws(EventLogError) -> IntakeSegment {
    let hashes = hashes.sorted(by: isLess)
    let filter = filter(of: hashes)
    let sums = (0..<blocks(hashes.count)).map { block in
      sum(of: hashes[block * blockSize..<min((block + 1) * blockSize, hashes.count)])
    }
    let numbers = [from, to, position, Int64(hashes.count)].map { UInt64(bitPattern: $0) }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(headerSize + (filter.count + sums.count) * 8 + hashes.count * 16)
    func put(_ value: UInt64) { withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) } }
    bytes += mark
    for value in numbers { put(value) }
    bytes += chain
    put(sum(of: numbers, filter, sums))
    for word in filter { put(word) }
    for word in sums { put(word) }
    for hash in hashes {
      put(hash.high)
      put(hash.low)
    }
    let path = (folder as NSString).appendingPathComponent("\(from)-\(to).hashes")
    let mend = "check free space and the folder's owner; what it should hold stays in memory meanwhile"
    do { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) } catch {
      throw EventLogError(.unwritable, "\(folder) can't be made: \(error.localizedDescription)", mend: mend)
    }
    try WholeFile.write(bytes, to: path, mend: mend)
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
    guard numbers[0] >= 0, numbers[1] > numbers[0], numbers[3] >= 0, numbers[3] < 1 << 32 else {
      close(descriptor)
      return nil
    }
    let count = Int(numbers[3])
    let (filterWords, blocks) = (IntakeSegment.filterWords(count), IntakeSegment.blocks(count))
    // Before anything is made of it: a count that has rotted could ask for gigabytes.
    guard Int(status.st_size) == IntakeSegment.headerSize + (filterWords + blocks) * 8 + count * 16 else {
      close(descriptor)
      return nil
    }
    var words = [UInt64](repeating: 0, count: filterWords + blocks)
    let read = words.withUnsafeMutableBytes {
      pread(descriptor, $0.baseAddress, $0.count, off_t(IntakeSegment.headerSize))
    }
    let (filter, sums) = (Array(words[..<filterWords]), Array(words[filterWords...]))
    guard read == words.count * 8,
      IntakeSegment.sum(of: numbers.map { UInt64(bitPattern: $0) }, filter, sums) == sum
    else {
      close(descriptor)
      return nil
    }
    self.descriptor = descriptor
    self.path = path
    self.filter = filter
    self.count = count
    self.sums = sums
    from = numbers[0]
    to = numbers[1]
    position = numbers[2]
    chain = Array(header[40..<40 + CommitHash.byteCount])
  }

  /// Shows rot, not ill will: whoever can write here can write the log.
  private static func add(_ word: UInt64, to sum: inout UInt64) {
    sum = (sum ^ word) &* 0xff51_afd7_ed55_8ccd ^ sum >> 29
  }

  private static let emptySum: UInt64 = 0x9e37_79b9_7f4a_7c15

  private static func sum(of parts: [UInt64]...) -> UInt64 {
    var sum = emptySum
    for part in parts { for word in part { add(word, to: &sum) } }
    return sum
  }

  private static func sum(of hashes: ArraySlice<StableHash>) -> UInt64 {
    var sum = emptySum
    for hash in hashes {
      add(hash.high, to: &sum)
      add(hash.low, to: &sum)
    }
    return sum
  }
}
