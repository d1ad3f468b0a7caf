/// Why a remembered state is not used. Whoever meets it makes the state anew from the past.
package enum StateError: Error, Sendable, Equatable {
  /// It ends too early, or has more than it should.
  case length
  /// The bytes are not those that were written.
  case checksum
  /// Another version of the format, or another check.
  case version
  /// A number that no series could have led to.
  case impossible
}

/// Numbers as bytes: eight each, little-endian, doubles bit for bit, so that what is read back goes on exactly where it was.
struct StateWriter {
  private(set) var bytes: [UInt8] = []

  mutating func put(_ bits: UInt64) {
    withUnsafeBytes(of: bits.littleEndian) { bytes.append(contentsOf: $0) }
  }
  mutating func put(_ d: Double) { put(d.bitPattern) }
  mutating func put(_ n: Int) { put(UInt64(bitPattern: Int64(n))) }
  mutating func put(_ values: [Double]) {
    put(values.count)
    bytes.reserveCapacity(bytes.count + 8 * values.count)
    for v in values { put(v) }
  }

  /// Ends with a checksum of all before it.
  mutating func seal() { put(StateWriter.checksum(bytes[...])) }

  /// FNV-1a over eight bytes at a time. Against torn and flipped bytes, not against malice.
  static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt64 {
    bytes.withUnsafeBytes { raw in
      var hash: UInt64 = 0xCBF2_9CE4_8422_2325
      var i = 0
      while i + 8 <= raw.count {
        hash =
          (hash ^ UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: i, as: UInt64.self))) &* 0x0000_0100_0000_01B3
        hash ^= hash >> 29
        i += 8
      }
      while i < raw.count {
        hash = (hash ^ UInt64(raw[i])) &* 0x0000_0100_0000_01B3
        i += 1
      }
      return hash
    }
  }
}

/// Reads what ``StateWriter`` wrote, and believes nothing: not its length, not its counts.
struct StateReader {
  private let bytes: [UInt8]
  private var at = 0
  private let end: Int

  /// Throws where the checksum at the end does not fit.
  init(_ bytes: [UInt8]) throws(StateError) {
    guard bytes.count >= 8, bytes.count % 8 == 0 else { throw StateError.length }
    end = bytes.count - 8
    self.bytes = bytes
    at = end
    let sum = try bits(upTo: bytes.count)
    guard sum == StateWriter.checksum(bytes[..<end]) else { throw StateError.checksum }
    at = 0
  }

  private mutating func bits(upTo limit: Int) throws(StateError) -> UInt64 {
    guard at + 8 <= limit else { throw StateError.length }
    defer { at += 8 }
    return bytes.withUnsafeBytes { UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: at, as: UInt64.self)) }
  }

  mutating func bits() throws(StateError) -> UInt64 { try bits(upTo: end) }

  mutating func double() throws(StateError) -> Double { Double(bitPattern: try bits()) }

  mutating func int(in range: ClosedRange<Int>) throws(StateError) -> Int {
    guard let n = Int(exactly: Int64(bitPattern: try bits())), range.contains(n) else { throw StateError.impossible }
    return n
  }

  /// As many as are said before them, at most `most`.
  mutating func doubles(most: Int) throws(StateError) -> [Double] { try doubles(try int(in: 0...most)) }

  mutating func doubles(_ n: Int) throws(StateError) -> [Double] {
    guard at + 8 * n <= end else { throw StateError.length }
    let from = at
    at += 8 * n
    return bytes.withUnsafeBytes { raw in
      (0..<n).map {
        Double(bitPattern: UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: from + 8 * $0, as: UInt64.self)))
      }
    }
  }

  /// Everything must have been read.
  func finish() throws(StateError) {
    guard at == end else { throw StateError.length }
  }
}
