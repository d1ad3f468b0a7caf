import CMemory

/// Walks over JSON text that is expected to be plain, without making anything of it.
///
/// Every step either moves on or says that what stands here is wrong or out of the ordinary; whoever gets that answer reads the text with
/// ``JSON`` instead, which knows all cases and names what is wrong.
struct TextCursor {
  /// Where a text, a number or any value stands: for a text, between its quotes.
  struct Span {
    var start: Int32
    var end: Int32
    static let none = Span(start: 0, end: -1)
    var isAbsent: Bool { end < start }
    var count: Int { Int(end) - Int(start) }
  }

  let b: UnsafePointer<UInt8>
  let count: Int
  private(set) var i = 0

  init(_ buffer: UnsafeBufferPointer<UInt8>, at base: UnsafePointer<UInt8>) {
    b = base
    count = buffer.count
  }

  var isAtEnd: Bool { i == count }

  mutating func skipSpace() {
    while i < count, b[i] == 0x20 || b[i] == 0x0A || b[i] == 0x0D || b[i] == 0x09 { i += 1 }
  }

  /// The next character that is no space, without moving beyond it; 0 at the end.
  @inline(__always)
  mutating func peek() -> UInt8 {
    if i < count, b[i] > 0x20 { return b[i] }
    skipSpace()
    return i < count ? b[i] : 0
  }

  /// Moves beyond this character, if it comes next.
  @inline(__always)
  mutating func take(_ c: UInt8) -> Bool {
    guard peek() == c else { return false }
    i += 1
    return true
  }

  /// A text without escapes, of valid UTF-8 and no more than the limit.
  mutating func text() -> Span? {
    guard take(UInt8(ascii: "\"")), let span = textInside() else { return nil }
    i += 1
    return span
  }

  /// Moves beyond these bytes, if they come next.
  @inline(__always)
  mutating func takeSame(as bytes: UnsafePointer<UInt8>, count n: Int) -> Bool {
    guard i + n <= count, tocsin_is_same(b + i, bytes, n) != 0 else { return false }
    i += n
    return true
  }

  /// The same from behind its first quote to its last.
  mutating func textInside() -> Span? {
    let start = i
    var isASCII = true
    while true {
      let special = nextSpecial()
      guard i < count else { return nil }
      if special == UInt8(ascii: "\"") { break }
      guard special >= 0x80 else { return nil }
      isASCII = false
      i += 1
    }
    let span = Span(start: Int32(truncatingIfNeeded: start), end: Int32(truncatingIfNeeded: i))
    guard span.count <= Anomaly.stringLimit, isASCII || isValid(span) else { return nil }
    return span
  }

  /// Moves to the next byte that is a quote, a backslash, a control character or not ASCII, and returns it.
  @inline(__always)
  private mutating func nextSpecial() -> UInt8 {
    while i + 16 <= count {
      let plain = Int(tocsin_plain_bytes(b + i))
      i += plain
      if plain < 16 { return b[i] }
    }
    while i < count {
      let c = b[i]
      if c < 0x20 || c >= 0x80 || c == UInt8(ascii: "\"") || c == UInt8(ascii: "\\") { return c }
      i += 1
    }
    return 0
  }

  private func isValid(_ s: Span) -> Bool {
    String(validating: UnsafeBufferPointer(start: b + Int(s.start), count: s.count), as: UTF8.self) != nil
  }

  /// A number without an exponent and of no more than 30 digits: those are finite.
  mutating func number() -> Span? {
    _ = peek()
    let start = i
    if i < count, b[i] == UInt8(ascii: "-") { i += 1 }
    guard i < count, b[i] &- 48 < 10 else { return nil }
    if b[i] == 48, i + 1 < count, b[i + 1] &- 48 < 10 { return nil }
    while i < count, b[i] &- 48 < 10 { i += 1 }
    if i < count, b[i] == UInt8(ascii: ".") {
      i += 1
      guard i < count, b[i] &- 48 < 10 else { return nil }
      while i < count, b[i] &- 48 < 10 { i += 1 }
    }
    guard i - start <= 30, i == count || b[i] | 0x20 != UInt8(ascii: "e") else { return nil }
    return Span(start: Int32(truncatingIfNeeded: start), end: Int32(truncatingIfNeeded: i))
  }

  mutating func null() -> Bool { word("null") }

  private mutating func word(_ word: StaticString) -> Bool {
    let n = word.utf8CodeUnitCount
    guard i + n <= count else { return false }
    for k in 0..<n where b[i + k] != word.utf8Start[k] { return false }
    i += n
    return true
  }

  /// Any value, checked like every other.
  mutating func value(depth: Int) -> Span? {
    guard depth <= JSON.depthLimit else { return nil }
    let c = peek()
    let start = i
    switch c {
    case UInt8(ascii: "\""): guard text() != nil else { return nil }
    case UInt8(ascii: "{"):
      i += 1
      if !take(UInt8(ascii: "}")) {
        repeat {
          guard text() != nil, take(UInt8(ascii: ":")), value(depth: depth + 1) != nil else { return nil }
        } while take(UInt8(ascii: ","))
        guard take(UInt8(ascii: "}")) else { return nil }
      }
    case UInt8(ascii: "["):
      i += 1
      if !take(UInt8(ascii: "]")) {
        repeat { guard value(depth: depth + 1) != nil else { return nil } } while take(UInt8(ascii: ","))
        guard take(UInt8(ascii: "]")) else { return nil }
      }
    case UInt8(ascii: "t"): guard word("true") else { return nil }
    case UInt8(ascii: "f"): guard word("false") else { return nil }
    case UInt8(ascii: "n"): guard word("null") else { return nil }
    default: guard number() != nil else { return nil }
    }
    return Span(start: Int32(truncatingIfNeeded: start), end: Int32(truncatingIfNeeded: i))
  }

  // MARK: - What stands at a span

  func slice(_ s: Span) -> UnsafeBufferPointer<UInt8> {
    UnsafeBufferPointer(start: b + Int(s.start), count: max(0, s.count))
  }

  @inline(__always)
  func matches(_ s: Span, _ word: StaticString) -> Bool {
    guard s.count == word.utf8CodeUnitCount else { return false }
    let p = b + Int(s.start)
    for k in 0..<s.count where p[k] != word.utf8Start[k] { return false }
    return true
  }

  func string(_ s: Span) -> String { String(decoding: slice(s), as: UTF8.self) }
}
