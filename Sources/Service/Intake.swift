import Alerts

/// Recognises anomalies that came before, by (source, id).
///
/// Two tables of ``capacity`` hashes each: the one that is being filled, and the one that was full before it. When the newer one is full, the older
/// one is forgotten. So the newest ``capacity`` anomalies are always known, and never more than twice as many. A repeat that is older than that
/// is not recognised: it counts as a repeat of its alert if that is still open, and opens a new life if it is not.
struct Intake {
  /// Three million: two weeks of two and a half anomalies a second. Both tables full take 128 MiB; they begin small, and grow with use.
  static let standardCapacity = 3_000_000

  let capacity: Int
  private var newer: HashTable
  private var older: HashTable

  init(capacity: Int = Intake.standardCapacity) {
    self.capacity = max(1, capacity)
    newer = HashTable()
    older = HashTable()
  }

  /// How many are known.
  var count: Int { newer.count + older.count }
  /// Bytes that the tables take.
  var memory: Int { newer.memory + older.memory }

  /// False if it was known.
  mutating func insert(_ hash: StableHash) -> Bool {
    guard older.count == 0 || !older.contains(hash), newer.insert(hash) else { return false }
    if newer.count == capacity {
      older = newer
      newer = HashTable()
    }
    return true
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

  static func write(_ hash: StableHash, to out: inout [UInt8]) {
    withUnsafeBytes(of: (hash.high.littleEndian, hash.low.littleEndian)) { out.append(contentsOf: $0) }
  }
}

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

  init() { slots = [StableHash](repeating: HashTable.free, count: 1024) }

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

  /// Where it is, or where it would be.
  private static func slot(of hash: StableHash, in slots: UnsafeBufferPointer<StableHash>) -> Int {
    let mask = slots.count - 1
    var slot = Int(truncatingIfNeeded: hash.low) & mask
    while slots[slot] != free, slots[slot] != hash { slot = (slot + 1) & mask }
    return slot
  }

  private mutating func grow() {
    var larger = [StableHash](repeating: HashTable.free, count: slots.count * 2)
    larger.withUnsafeMutableBufferPointer { larger in
      for hash in slots where hash != HashTable.free {
        larger[HashTable.slot(of: hash, in: UnsafeBufferPointer(larger))] = hash
      }
    }
    slots = larger
  }
}
