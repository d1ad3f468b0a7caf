import Alerts
import CMemory
import Glibc

/// A set of hashes in one flat piece of memory: 16 bytes a slot, at most three quarters of them full.
///
/// Open addressing with linear probing; the hashes are mixed already, so their own low bits choose the slot. The all-zero hash marks a free slot,
/// and is kept beside the table.
/// Source: Donald Knuth, "The Art of Computer Programming", volume 3, section 6.4, algorithm L.
struct HashTable: Sendable {
  private var slots: HashSlots
  private var used = 0
  private var hasZero = false
  private static let free = StableHash(high: 0, low: 0)

  init() { slots = HashSlots(count: 1024) }

  var count: Int { used + (hasZero ? 1 : 0) }
  var memory: Int { slots.count * MemoryLayout<StableHash>.stride }

  func contains(_ hash: StableHash) -> Bool {
    if hash == HashTable.free { return hasZero }
    return slots.base[slots.find(hash)] == hash
  }

  /// False if it was there.
  mutating func insert(_ hash: StableHash) -> Bool {
    if hash == HashTable.free {
      defer { hasZero = true }
      return !hasZero
    }
    let slot = slots.find(hash)
    guard slots.base[slot] != hash else { return false }
    if !isKnownUniquelyReferenced(&slots) { slots = slots.copy() }
    slots.base[slot] = hash
    used += 1
    if used * 4 > slots.count * 3 { slots = slots.larger() }
    return true
  }

  /// This one will be asked for soon: until then the processor fetches where it would stand.
  func expect(_ hash: StableHash) {
    tocsin_prefetch(slots.base + (Int(truncatingIfNeeded: hash.low) & (slots.count - 1)))
  }

  /// In no order.
  var all: [StableHash] {
    var all = UnsafeBufferPointer(start: slots.base, count: slots.count).filter { $0 != HashTable.free }
    if hasZero { all.append(HashTable.free) }
    return all
  }
}

/// The memory of a ``HashTable``, as the system gives it: all zero, which is all free, so that nothing has to be written before it is used.
///
/// Unchecked: written only by the one table that holds it.
private final class HashSlots: @unchecked Sendable {
  let base: UnsafeMutablePointer<StableHash>
  /// A power of two.
  let count: Int
  private var bytes: Int { count * MemoryLayout<StableHash>.stride }

  init(count: Int) {
    self.count = count
    let bytes = count * MemoryLayout<StableHash>.stride
    let memory = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    guard let memory, memory != UnsafeMutableRawPointer(bitPattern: -1) else {
      fatalError("no memory is left for what was taken in: \(bytes) bytes")
    }
    // In pages of two megabytes, where the system has them: each look goes elsewhere, and would wait for the page's address besides the memory itself.
    if bytes >= 4 << 20 { madvise(memory, bytes, MADV_HUGEPAGE) }
    base = memory.bindMemory(to: StableHash.self, capacity: count)
  }

  deinit { munmap(base, bytes) }

  /// Where it is, or where it would be.
  func find(_ hash: StableHash) -> Int {
    let mask = count - 1
    var slot = Int(truncatingIfNeeded: hash.low) & mask
    while !isFree(base[slot]), base[slot] != hash { slot = (slot + 1) & mask }
    return slot
  }

  @inline(__always)
  private func isFree(_ hash: StableHash) -> Bool { hash.high == 0 && hash.low == 0 }

  func larger() -> HashSlots {
    let larger = HashSlots(count: count * 2)
    for i in 0..<count where !isFree(base[i]) { larger.base[larger.find(base[i])] = base[i] }
    return larger
  }

  func copy() -> HashSlots {
    let copy = HashSlots(count: count)
    copy.base.update(from: base, count: count)
    return copy
  }
}
