import Alerts
import CMemory
import Glibc

/// A set of hashes in one flat piece of memory: 16 bytes a slot, at most three quarters of them full.
///
/// Open addressing with linear probing; the hashes are mixed already, so their own low bits choose the slot. The all-zero hash marks a free slot,
/// and is kept beside the table.
/// Source: Donald Knuth, "The Art of Computer Programming", volume 3, section 6.4, algorithm L.
struct HashTable {
  private var slots: [StableHash]
  private var used = 0
  private var hasZero = false
  private static let free = StableHash(high: 0, low: 0)

  init() { slots = HashTable.empty(1024) }

  var count: Int { used + (hasZero ? 1 : 0) }
  var memory: Int { slots.capacity * MemoryLayout<StableHash>.stride }

  func contains(_ hash: StableHash) -> Bool {
    if hash == HashTable.free { return hasZero }
    return slots.withUnsafeBufferPointer { slots in
      slots[HashTable.slot(of: hash, in: slots)] == hash
    }
  }

  /// False if it was there.
  mutating func insert(_ hash: StableHash) -> Bool {
    if hash == HashTable.free {
      defer { hasZero = true }
      return !hasZero
    }
    let isNew = slots.withUnsafeMutableBufferPointer { slots in
      let slot = HashTable.slot(of: hash, in: UnsafeBufferPointer(slots))
      guard slots[slot] != hash else { return false }
      slots[slot] = hash
      return true
    }
    guard isNew else { return false }
    used += 1
    if used * 4 > slots.count * 3 { grow() }
    return true
  }

  /// This one will be asked for soon: until then the processor fetches where it would stand.
  func expect(_ hash: StableHash) {
    slots.withUnsafeBufferPointer { slots in
      guard let base = slots.baseAddress else { return }
      tocsin_prefetch(base + (Int(truncatingIfNeeded: hash.low) & (slots.count - 1)))
    }
  }

  /// In no order.
  var all: [StableHash] {
    var all = slots.filter { $0 != HashTable.free }
    if hasZero { all.append(HashTable.free) }
    return all
  }

  /// Where it is, or where it would be.
  private static func slot(of hash: StableHash, in slots: UnsafeBufferPointer<StableHash>) -> Int {
    let mask = slots.count - 1
    var slot = Int(truncatingIfNeeded: hash.low) & mask
    while slots[slot] != free, slots[slot] != hash { slot = (slot + 1) & mask }
    return slot
  }

  /// A large one in pages of two megabytes, where the system has them: each look goes elsewhere, and would wait for the page's address besides the memory itself.
  private static func empty(_ count: Int) -> [StableHash] {
    Array(unsafeUninitializedCapacity: count) { slots, filled in
      let bytes = UnsafeMutableRawBufferPointer(slots)
      if bytes.count >= 4 << 20, let base = bytes.baseAddress {
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        let start = base.alignedUp(toMultipleOf: page)
        madvise(start, (base + bytes.count - start) / page * page, MADV_HUGEPAGE)
      }
      slots.initialize(repeating: HashTable.free)
      filled = count
    }
  }

  private mutating func grow() {
    var larger = HashTable.empty(slots.count * 2)
    larger.withUnsafeMutableBufferPointer { larger in
      for hash in slots where hash != HashTable.free {
        larger[HashTable.slot(of: hash, in: UnsafeBufferPointer(larger))] = hash
      }
    }
    slots = larger
  }
}
