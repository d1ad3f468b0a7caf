/// Why a text is not JSON, and where.
package struct JSONError: Error, CustomStringConvertible, Equatable {
  package var offset: Int
  package var message: String
  package var description: String { "not valid JSON at byte \(offset): \(message)" }
}

extension JSON {
  /// How deep values may nest. Deeper text is refused, so that no sender can exhaust the stack.
  package static let depthLimit = 64

  package init(parsing text: String) throws(JSONError) {
    try self.init(parsing: Array(text.utf8))
  }

  package init(parsing bytes: [UInt8]) throws(JSONError) {
    let result: Result<JSON, JSONError> = bytes.withUnsafeBufferPointer { b in
      do throws(JSONError) { return .success(try JSON(parsing: b)) } catch { return .failure(error) }
    }
    self = try result.get()
  }

  /// Reads exactly one value (RFC 8259); white space may surround it. Strings must be valid UTF-8.
  package init(parsing bytes: UnsafeBufferPointer<UInt8>) throws(JSONError) {
    var parser = JSONParser(b: bytes)
    self = try parser.value(depth: 0)
    parser.skipSpace()
    guard parser.i == bytes.count else { throw parser.fail("text after the end of the value") }
  }
}

extension JSON {
  /// As ``init(parsing:)-(UnsafeBufferPointer<UInt8>)``, but members of the outermost object with these names are left as they stand, as
  /// ``JSON/raw(_:)``: for texts that were valid when they were stored.
  package init(parsing bytes: UnsafeBufferPointer<UInt8>, leaving names: [StaticString]) throws(JSONError) {
    var scanner = JSONScanner(bytes)
    var members: [Member] = []
    while let m = scanner.next() {
      let name = m.name.contains(UInt8(ascii: "\\")) ? nil : String(decoding: m.name, as: UTF8.self)
      guard let name else {
        try self.init(parsing: bytes)
        return
      }
      if names.contains(where: { m.is($0) }) {
        members.append(Member(name, .raw(Array(m.value.bytes))))
      } else {
        members.append(Member(name, try JSON(parsing: m.value.bytes)))
      }
    }
    if scanner.isLost {
      // It says what is wrong, and where.
      try self.init(parsing: bytes)
    } else {
      self = .object(members)
    }
  }
}

struct JSONParser {
  let b: UnsafeBufferPointer<UInt8>
  var i = 0

  func fail(_ message: String) -> JSONError { JSONError(offset: i, message: message) }

  mutating func skipSpace() {
    while i < b.count, b[i] == 0x20 || b[i] == 0x0A || b[i] == 0x0D || b[i] == 0x09 { i += 1 }
  }

  mutating func value(depth: Int) throws(JSONError) -> JSON {
    guard depth <= JSON.depthLimit else { throw fail("nested deeper than \(JSON.depthLimit) levels") }
    skipSpace()
    guard i < b.count else { throw fail("the text ends where a value should be") }
    switch b[i] {
    case UInt8(ascii: "{"): return try object(depth: depth)
    case UInt8(ascii: "["): return try array(depth: depth)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
    default: throw fail("unexpected character")
    }
  }

  private mutating func word(_ word: StaticString, _ value: JSON) throws(JSONError) -> JSON {
    let n = word.utf8CodeUnitCount
    guard i + n <= b.count else { throw fail("unexpected end") }
    for k in 0..<n where b[i + k] != word.utf8Start[k] { throw fail("unexpected character; \(word) was begun") }
    i += n
    return value
  }

  private mutating func object(depth: Int) throws(JSONError) -> JSON {
    i += 1
    var members: [JSON.Member] = []
    skipSpace()
    if i < b.count, b[i] == UInt8(ascii: "}") {
      i += 1
      return .object(members)
    }
    members.reserveCapacity(8)
    while true {
      skipSpace()
      guard i < b.count, b[i] == UInt8(ascii: "\"") else { throw fail("a member's name in double quotes is missing") }
      let name = try string()
      skipSpace()
      guard i < b.count, b[i] == UInt8(ascii: ":") else { throw fail("':' is missing after \"\(name)\"") }
      i += 1
      members.append(JSON.Member(name, try value(depth: depth + 1)))
      skipSpace()
      guard i < b.count else { throw fail("the object is not closed") }
      i += 1
      if b[i - 1] == UInt8(ascii: "}") { return .object(members) }
      guard b[i - 1] == UInt8(ascii: ",") else {
        i -= 1
        throw fail("',' or '}' is missing")
      }
    }
  }

  private mutating func array(depth: Int) throws(JSONError) -> JSON {
    i += 1
    var items: [JSON] = []
    skipSpace()
    if i < b.count, b[i] == UInt8(ascii: "]") {
      i += 1
      return .array(items)
    }
    while true {
      items.append(try value(depth: depth + 1))
      skipSpace()
      guard i < b.count else { throw fail("the array is not closed") }
      i += 1
      if b[i - 1] == UInt8(ascii: "]") { return .array(items) }
      guard b[i - 1] == UInt8(ascii: ",") else {
        i -= 1
        throw fail("',' or ']' is missing")
      }
    }
  }

  private mutating func number() throws(JSONError) -> JSON {
    let start = i
    var isWhole = true
    if b[i] == UInt8(ascii: "-") { i += 1 }
    guard i < b.count, b[i] &- 48 < 10 else { throw fail("digits are missing") }
    if b[i] == UInt8(ascii: "0"), i + 1 < b.count, b[i + 1] &- 48 < 10 { throw fail("a number can't start with 0") }
    var whole: Int64 = 0
    var overflow = false
    while i < b.count, b[i] &- 48 < 10 {
      let (product, o1) = whole.multipliedReportingOverflow(by: 10)
      let (sum, o2) = product.addingReportingOverflow(Int64(b[i] &- 48))
      whole = sum
      overflow = overflow || o1 || o2
      i += 1
    }
    if i < b.count, b[i] == UInt8(ascii: ".") {
      isWhole = false
      i += 1
      guard i < b.count, b[i] &- 48 < 10 else { throw fail("digits are missing after the point") }
      while i < b.count, b[i] &- 48 < 10 { i += 1 }
    }
    if i < b.count, b[i] | 0x20 == UInt8(ascii: "e") {
      isWhole = false
      i += 1
      if i < b.count, b[i] == UInt8(ascii: "+") || b[i] == UInt8(ascii: "-") { i += 1 }
      guard i < b.count, b[i] &- 48 < 10 else { throw fail("digits are missing in the exponent") }
      while i < b.count, b[i] &- 48 < 10 { i += 1 }
    }
    if isWhole, !overflow, !(whole == 0 && b[start] == UInt8(ascii: "-")) {
      return .int(b[start] == UInt8(ascii: "-") ? -whole : whole)
    }
    let text = String(decoding: UnsafeBufferPointer(rebasing: b[start..<i]), as: UTF8.self)
    guard let value = Double(text), value.isFinite else {
      i = start
      throw fail("\(text.prefix(40)) is beyond what a number can hold")
    }
    return .number(value)
  }

  private mutating func string() throws(JSONError) -> String {
    i += 1
    let start = i
    var all: UInt8 = 0
    while i < b.count {
      let c = b[i]
      all |= c
      if c == UInt8(ascii: "\"") {
        let slice = UnsafeBufferPointer(rebasing: b[start..<i])
        // What is ASCII is valid, and need not be looked through again: the library's own look is not made for bytes, and takes longer than all else here.
        let text =
          all < 0x80 ? String(decoding: slice, as: UTF8.self) : String(validating: slice, as: UTF8.self)
        guard let text else {
          i = start
          throw fail("the string is not valid UTF-8")
        }
        i += 1
        return text
      }
      if c == UInt8(ascii: "\\") { return try escapedString(from: start) }
      guard c >= 0x20 else { throw fail("a control character stands unescaped in a string") }
      i += 1
    }
    throw fail("the string is not closed")
  }

  private mutating func escapedString(from start: Int) throws(JSONError) -> String {
    var out = Array(b[start..<i])
    while i < b.count {
      let c = b[i]
      if c == UInt8(ascii: "\"") {
        guard let text = String(validating: out, as: UTF8.self) else {
          i = start
          throw fail("the string is not valid UTF-8")
        }
        i += 1
        return text
      }
      guard c >= 0x20 else { throw fail("a control character stands unescaped in a string") }
      i += 1
      guard c == UInt8(ascii: "\\") else {
        out.append(c)
        continue
      }
      guard i < b.count else { break }
      let e = b[i]
      i += 1
      switch e {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): out.append(e)
      case UInt8(ascii: "b"): out.append(0x08)
      case UInt8(ascii: "f"): out.append(0x0C)
      case UInt8(ascii: "n"): out.append(0x0A)
      case UInt8(ascii: "r"): out.append(0x0D)
      case UInt8(ascii: "t"): out.append(0x09)
      case UInt8(ascii: "u"):
        var code = try hex4()
        if (0xD800..<0xDC00).contains(code) {
          guard i + 1 < b.count, b[i] == UInt8(ascii: "\\"), b[i + 1] == UInt8(ascii: "u") else {
            throw fail("half of a surrogate pair")
          }
          i += 2
          let low = try hex4()
          guard (0xDC00..<0xE000).contains(low) else { throw fail("half of a surrogate pair") }
          code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
        }
        guard let scalar = UnicodeScalar(code) else { throw fail("half of a surrogate pair") }
        out.append(contentsOf: UTF8.encode(scalar).map { Array($0) } ?? [])
      default:
        i -= 1
        throw fail("unknown escape")
      }
    }
    throw fail("the string is not closed")
  }

  private mutating func hex4() throws(JSONError) -> UInt32 {
    guard i + 4 <= b.count else { throw fail("four hexadecimal digits are missing") }
    var v: UInt32 = 0
    for _ in 0..<4 {
      let c = b[i]
      switch c {
      case 48...57: v = v << 4 | UInt32(c - 48)
      case 65...70: v = v << 4 | UInt32(c - 55)
      case 97...102: v = v << 4 | UInt32(c - 87)
      default: throw fail("four hexadecimal digits are missing")
      }
      i += 1
    }
    return v
  }
}
