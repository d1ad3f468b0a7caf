import Glibc

/// Walks the members of JSON objects without making a tree of them: for texts that were valid when they were stored, and of which little is needed.
///
/// What it does not understand it says so of, by nil; then ``JSON/init(parsing:)-(UnsafeBufferPointer<UInt8>)`` reads the text, or says what is
/// wrong with it. Never reads beyond the text, whatever stands in it.
package struct JSONScanner {
  /// A value's own bytes.
  package struct Value {
    package let bytes: UnsafeBufferPointer<UInt8>

    package init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    package var isNull: Bool { bytes.first == UInt8(ascii: "n") }
    package var isString: Bool { bytes.first == UInt8(ascii: "\"") }
    package var isObject: Bool { bytes.first == UInt8(ascii: "{") }

    /// What stands between the quotes; nil if it is no string, or if it has escapes.
    package var plain: UnsafeBufferPointer<UInt8>? {
      guard bytes.count >= 2, isString else { return nil }
      let inner = UnsafeBufferPointer(rebasing: bytes[1..<bytes.count - 1])
      guard let start = inner.baseAddress, memchr(start, Int32(UInt8(ascii: "\\")), inner.count) == nil else {
        return inner.isEmpty ? inner : nil
      }
      return inner
    }

    package var string: String? {
      if let plain { return String(decoding: plain, as: UTF8.self) }
      return (try? JSON(parsing: bytes))?.string
    }

    /// A whole number; nil for any other.
    package var int: Int64? {
      var i = 0
      let isNegative = bytes.first == UInt8(ascii: "-")
      if isNegative { i = 1 }
      guard i < bytes.count, bytes.count <= 19 else { return nil }
      var value: Int64 = 0
      while i < bytes.count {
        let digit = bytes[i] &- 48
        guard digit < 10 else { return nil }
        value = value * 10 + Int64(digit)
        i += 1
      }
      return isNegative ? -value : value
    }

    package func `is`(_ text: StaticString) -> Bool { JSONScanner.same(bytes, text) }
  }

  package struct Member {
    /// Between its quotes, as written.
    package let name: UnsafeBufferPointer<UInt8>
    package let value: Value
    package func `is`(_ text: StaticString) -> Bool { JSONScanner.same(name, text) }
  }

  private let b: UnsafeBufferPointer<UInt8>
  private var i = 0
  /// It met something that it does not understand: nothing that it said before is to be trusted.
  package private(set) var isLost = false

  /// - Parameter object: the text of one JSON object.
  package init(_ object: UnsafeBufferPointer<UInt8>) {
    b = object
    skipSpace()
    if i < b.count, b[i] == UInt8(ascii: "{") { i += 1 } else { isLost = true }
  }

  static func same(_ b: UnsafeBufferPointer<UInt8>, _ text: StaticString) -> Bool {
    guard b.count == text.utf8CodeUnitCount else { return false }
    for k in 0..<b.count where b[k] != text.utf8Start[k] { return false }
    return true
  }

  private mutating func skipSpace() {
    while i < b.count, b[i] <= 0x20 { i += 1 }
  }

  private mutating func lose<T>() -> T? {
    isLost = true
    return nil
  }

  /// The next member, or nil behind the last.
  package mutating func next() -> Member? {
    guard let name = nextName(), let value = value() else { return nil }
    return Member(name: name.bytes, value: value)
  }

  package struct Name {
    /// Between its quotes, as written.
    package let bytes: UnsafeBufferPointer<UInt8>
    package func `is`(_ text: StaticString) -> Bool { JSONScanner.same(bytes, text) }
  }

  /// The next member's name, or nil behind the last. ``value()`` or ``enter()`` must follow.
  package mutating func nextName() -> Name? {
    guard !isLost else { return nil }
    skipSpace()
    if i < b.count, b[i] == UInt8(ascii: ",") {
      i += 1
      skipSpace()
    }
    guard i < b.count else { return lose() }
    if b[i] == UInt8(ascii: "}") {
      i += 1
      return nil
    }
    guard b[i] == UInt8(ascii: "\"") else { return lose() }
    let start = i + 1
    guard skipString() else { return lose() }
    let name = UnsafeBufferPointer(rebasing: b[start..<i - 1])
    skipSpace()
    guard i < b.count, b[i] == UInt8(ascii: ":") else { return lose() }
    i += 1
    skipSpace()
    return Name(bytes: name)
  }

  /// The value behind a name.
  package mutating func value() -> Value? {
    let start = i
    guard skipValue() else { return lose() }
    return Value(UnsafeBufferPointer(rebasing: b[start..<i]))
  }

  /// Goes into the object behind a name: its members come next, and behind its last those of the outer one again. False if there is none.
  package mutating func enter() -> Bool {
    guard i < b.count, b[i] == UInt8(ascii: "{") else { return false }
    i += 1
    return true
  }

  /// From an opening quote to behind the closing one.
  private mutating func skipString() -> Bool {
    guard let base = b.baseAddress else { return false }
    let start = i + 1
    i = start
    while i < b.count, let found = memchr(base + i, Int32(UInt8(ascii: "\"")), b.count - i) {
      let quote = base.distance(to: found.assumingMemoryBound(to: UInt8.self))
      i = quote + 1
      // Escaped, if an odd number of backslashes stands before it.
      var k = quote
      while k > start, base[k - 1] == UInt8(ascii: "\\") { k -= 1 }
      if (quote - k) % 2 == 0 { return true }
    }
    return false
  }

  private mutating func skipValue() -> Bool {
    guard i < b.count else { return false }
    switch b[i] {
    case UInt8(ascii: "\""): return skipString()
    case UInt8(ascii: "{"), UInt8(ascii: "["):
      var depth = 0
      while i < b.count {
        switch b[i] {
        case UInt8(ascii: "\""):
          if !skipString() { return false }
          continue
        case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
        case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
        default: break
        }
        i += 1
        if depth == 0 { return true }
      }
      return false
    default:
      let start = i
      while i < b.count, b[i] != UInt8(ascii: ","), b[i] != UInt8(ascii: "}"), b[i] != UInt8(ascii: "]"), b[i] > 0x20 {
        i += 1
      }
      return i > start
    }
  }
}
