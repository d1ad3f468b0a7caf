import Alerts

/// Recognises anomalies that came before, by (source, id).
///
/// Keeps the newest ``capacity`` of them, 16 bytes each and half as much again for the table. A repeat older than that many other anomalies is not
/// recognised: it counts as a repeat of its alert if that is still open, and opens a new life if it is not.
struct Intake {
  /// Four million: more than a month of one anomaly a second, in 100 MB at most.
  static let standardCapacity = 4_000_000

  let capacity: Int
  private var known: Set<StableHash> = []
  private var order: [StableHash] = []
  private var oldest = 0

  init(capacity: Int = Intake.standardCapacity) { self.capacity = capacity }

  var count: Int { known.count }

  /// False if it was known.
  mutating func insert(_ hash: StableHash) -> Bool {
    guard known.insert(hash).inserted else { return false }
    if order.count < capacity {
      order.append(hash)
    } else {
      known.remove(order[oldest])
      order[oldest] = hash
      oldest = (oldest + 1) % capacity
    }
    return true
  }

  /// Takes up what commits remember, newest first, until full. Returns false when it is.
  mutating func recall(_ bytes: UnsafeRawBufferPointer) -> Bool {
    var i = bytes.count / 16 * 16
    while i >= 16, order.count < capacity {
      i -= 16
      let hash = StableHash(
        high: UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: i, as: UInt64.self)),
        low: UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: i + 8, as: UInt64.self)))
      if known.insert(hash).inserted { order.append(hash) }
    }
    return order.count < capacity
  }

  /// After ``recall(_:)``: the newest came first, and the oldest is to go first.
  mutating func finishRecall() { order.reverse() }

  static func write(_ hash: StableHash, to out: inout [UInt8]) {
    withUnsafeBytes(of: hash.high.littleEndian) { out.append(contentsOf: $0) }
    withUnsafeBytes(of: hash.low.littleEndian) { out.append(contentsOf: $0) }
  }
}
