/// 128 bits that name a text: the same on every machine, in every run and for ever, since they are stored.
///
/// SipHash-2-4 with 128 bits of output and a fixed key. Two of ten million texts have the same hash with a chance of 1.5 in 10²⁵.
/// Source: Jean-Philippe Aumasson and Daniel J. Bernstein, "SipHash: a fast short-input PRF", 2012, and their reference code.
package struct StableHash: Hashable, Sendable {
  package var high: UInt64
  package var low: UInt64

  package init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  package init(_ text: String) {
    var text = text
    self = text.withUTF8 { StableHash(UnsafeRawBufferPointer($0)) }
  }

  /// Of the pair (source, id): what makes an anomaly a repeat.
  package init(source: String, id: String) {
    self.init("\(source.utf8.count):\(source)\(id)")
  }

  package init(_ bytes: UnsafeRawBufferPointer) {
    let k0: UInt64 = 0x746f_6373_696e_2031
    let k1: UInt64 = 0x6b65_7965_6420_6865
    var v0 = 0x736f_6d65_7073_6575 ^ k0
    var v1 = 0x646f_7261_6e64_6f6d ^ k1 ^ 0xee
    var v2 = 0x6c79_6765_6e65_7261 ^ k0
    var v3 = 0x7465_6462_7974_6573 ^ k1
    func rotate(_ x: UInt64, _ n: UInt64) -> UInt64 { x << n | x >> (64 - n) }
    func round() {
      v0 &+= v1
      v1 = rotate(v1, 13) ^ v0
      v0 = rotate(v0, 32)
      v2 &+= v3
      v3 = rotate(v3, 16) ^ v2
      v0 &+= v3
      v3 = rotate(v3, 21) ^ v0
      v2 &+= v1
      v1 = rotate(v1, 17) ^ v2
      v2 = rotate(v2, 32)
    }
    let whole = bytes.count & ~7
    var i = 0
    while i < whole {
      let m = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: i, as: UInt64.self))
      v3 ^= m
      round()
      round()
      v0 ^= m
      i += 8
    }
    var tail = UInt64(truncatingIfNeeded: bytes.count) << 56
    for k in whole..<bytes.count { tail |= UInt64(bytes[k]) << UInt64(8 * (k - whole)) }
    v3 ^= tail
    round()
    round()
    v0 ^= tail
    v2 ^= 0xee
    for _ in 0..<4 { round() }
    low = v0 ^ v1 ^ v2 ^ v3
    v1 ^= 0xdd
    for _ in 0..<4 { round() }
    high = v0 ^ v1 ^ v2 ^ v3
  }

  package static func == (a: StableHash, b: StableHash) -> Bool { a.high == b.high && a.low == b.low }
  /// Already well mixed: one word of it is enough for a table.
  package func hash(into hasher: inout Hasher) { hasher.combine(low) }
  /// In place of the standard library's SipHash, which costs more than the look into the table.
  package func _rawHashValue(seed: Int) -> Int { TableHash.of(low, seed) }
}

/// Where a number goes in a hash table: multiplied by an odd number that is drawn for each process, so that nobody outside can choose numbers
/// that all go to one place.
/// Source: Martin Dietzfelbinger and others, "A reliable randomized algorithm for the closest-pair problem", 1997, multiply-shift.
package enum TableHash {
  private static let multiplier = UInt64.random(in: .min ... .max) | 1

  /// Of two numbers, such as an alert's and a day's.
  package static func of(_ a: Int64, _ b: Int64, _ seed: Int) -> Int {
    of(UInt64(bitPattern: a) &* 0x9E37_79B9_7F4A_7C15 ^ UInt64(bitPattern: b), seed)
  }

  @inline(__always)
  static func of(_ number: UInt64, _ seed: Int) -> Int {
    let product = (number ^ UInt64(truncatingIfNeeded: seed)).multipliedFullWidth(by: multiplier)
    return Int(truncatingIfNeeded: product.high ^ product.low)
  }
}
