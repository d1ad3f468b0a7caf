/// A JSON value as it was written: members keep their order, so that what a detector sent can be shown as it sent it.
///
/// Our own, and not Foundation's, because it stands in the hot path: see docs/decisions/0001-own-json.md.
package enum JSON: Sendable, Equatable {
  case null
  case bool(Bool)
  case int(Int64)
  case number(Double)
  case string(String)
  case array([JSON])
  case object([Member])
  /// Text that is known to be one valid JSON value, copied as it stands when written. Reading never gives this case.
  case raw([UInt8])

  package struct Member: Sendable, Equatable {
    package var name: String
    package var value: JSON
    package init(_ name: String, _ value: JSON) {
      self.name = name
      self.value = value
    }
  }
}

extension JSON {
  package subscript(_ name: String) -> JSON? {
    guard case .object(let members) = self else { return nil }
    for member in members where member.name == name { return member.value }
    return nil
  }
  package subscript(_ index: Int) -> JSON? {
    guard case .array(let items) = self, items.indices.contains(index) else { return nil }
    return items[index]
  }
  package var string: String? { if case .string(let s) = self { s } else { nil } }
  package var bool: Bool? { if case .bool(let b) = self { b } else { nil } }
  package var array: [JSON]? { if case .array(let a) = self { a } else { nil } }
  package var members: [Member]? { if case .object(let m) = self { m } else { nil } }
  package var isNull: Bool { if case .null = self { true } else { false } }
  package var int: Int64? {
    switch self {
    case .int(let i): i
    case .number(let d): Int64(exactly: d)
    default: nil
    }
  }
  package var double: Double? {
    switch self {
    case .int(let i): Double(i)
    case .number(let d): d
    default: nil
    }
  }
  package var timestamp: Timestamp? { string.flatMap { Timestamp(rfc3339: $0) } }
  /// An instant that the log wrote: microseconds since 1970.
  package var micros: Timestamp? { int.map { Timestamp(microseconds: $0) } }
  /// The members whose values are texts, in order.
  package var texts: [(name: String, value: String)] {
    (members ?? []).compactMap { m in m.value.string.map { (m.name, $0) } }
  }
}

extension JSON: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
  ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral, ExpressibleByNilLiteral
{
  package init(stringLiteral value: String) { self = .string(value) }
  package init(integerLiteral value: Int64) { self = .int(value) }
  package init(floatLiteral value: Double) { self = .number(value) }
  package init(booleanLiteral value: Bool) { self = .bool(value) }
  package init(arrayLiteral elements: JSON...) { self = .array(elements) }
  package init(dictionaryLiteral elements: (String, JSON)...) { self = .object(elements.map { Member($0.0, $0.1) }) }
  package init(nilLiteral: ()) { self = .null }
}

extension JSON {
  package static func text(_ value: String?) -> JSON { value.map { .string($0) } ?? .null }
  package static func int(_ value: Int) -> JSON { .int(Int64(value)) }
  package static func micros(_ value: Timestamp?) -> JSON { value.map { .int($0.microseconds) } ?? .null }
  package static func number(_ value: Double?) -> JSON { value.map { .number($0) } ?? .null }

  /// An object of those members that are not null: most optional facts are absent, and absent is shorter than null.
  package static func compact(_ members: KeyValuePairs<String, JSON>) -> JSON {
    .object(members.compactMap { $0.value.isNull ? nil : Member($0.key, $0.value) })
  }
}

// MARK: - Writing

extension JSON {
  /// Compact UTF-8 text. A number that JSON can't hold (NaN, an infinity) is written as null.
  package var bytes: [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(256)
    write(to: &out)
    return out
  }

  package var text: String { String(decoding: bytes, as: UTF8.self) }

  /// Indented by two, for people.
  package var pretty: String {
    var out: [UInt8] = []
    writePretty(to: &out, depth: 0)
    return String(decoding: out, as: UTF8.self)
  }

  package func write(to out: inout [UInt8]) {
    switch self {
    case .null: out.append(contentsOf: "null".utf8)
    case .bool(let b): out.append(contentsOf: (b ? "true" : "false").utf8)
    case .int(let i): JSON.write(i, to: &out)
    case .number(let d): JSON.write(d, to: &out)
    case .string(let s): JSON.write(s, to: &out)
    case .raw(let bytes): out.append(contentsOf: bytes)
    case .array(let items):
      out.append(UInt8(ascii: "["))
      for (i, item) in items.enumerated() {
        if i > 0 { out.append(UInt8(ascii: ",")) }
        item.write(to: &out)
      }
      out.append(UInt8(ascii: "]"))
    case .object(let members):
      out.append(UInt8(ascii: "{"))
      for (i, member) in members.enumerated() {
        if i > 0 { out.append(UInt8(ascii: ",")) }
        JSON.write(member.name, to: &out)
        out.append(UInt8(ascii: ":"))
        member.value.write(to: &out)
      }
      out.append(UInt8(ascii: "}"))
    }
  }

  private func writePretty(to out: inout [UInt8], depth: Int) {
    func line(_ depth: Int) {
      out.append(UInt8(ascii: "\n"))
      out.append(contentsOf: repeatElement(UInt8(ascii: " "), count: depth * 2))
    }
    switch self {
    case .array(let items) where !items.isEmpty:
      out.append(UInt8(ascii: "["))
      for (i, item) in items.enumerated() {
        if i > 0 { out.append(UInt8(ascii: ",")) }
        line(depth + 1)
        item.writePretty(to: &out, depth: depth + 1)
      }
      line(depth)
      out.append(UInt8(ascii: "]"))
    case .object(let members) where !members.isEmpty:
      out.append(UInt8(ascii: "{"))
      for (i, member) in members.enumerated() {
        if i > 0 { out.append(UInt8(ascii: ",")) }
        line(depth + 1)
        JSON.write(member.name, to: &out)
        out.append(contentsOf: ": ".utf8)
        member.value.writePretty(to: &out, depth: depth + 1)
      }
      line(depth)
      out.append(UInt8(ascii: "}"))
    default: write(to: &out)
    }
  }

  /// Text that is JSON as it stands.
  package static func write(plain text: StaticString, to out: inout [UInt8]) {
    out.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  package static func write(_ value: Int64, to out: inout [UInt8]) {
    if value < 0 { out.append(UInt8(ascii: "-")) }
    var rest = value.magnitude
    var length = 1
    var probe = rest
    while probe >= 10 {
      probe /= 10
      length += 1
    }
    for _ in 0..<length { out.append(UInt8(ascii: "0")) }
    var i = out.count
    repeat {
      i -= 1
      out[i] += UInt8(truncatingIfNeeded: rest % 10)
      rest /= 10
    } while rest > 0
  }

  package static func write(_ value: Double, to out: inout [UInt8]) {
    guard value.isFinite else {
      out.append(contentsOf: "null".utf8)
      return
    }
    if let whole = Int64(exactly: value), whole.magnitude < 1 << 53 {
      write(whole, to: &out)
    } else {
      out.append(contentsOf: value.description.utf8)
    }
  }

  package static func write(_ value: String, to out: inout [UInt8]) {
    out.append(UInt8(ascii: "\""))
    var value = value
    value.withUTF8 { b in
      var start = 0
      for i in 0..<b.count {
        let c = b[i]
        if c >= 0x20, c != UInt8(ascii: "\""), c != UInt8(ascii: "\\") { continue }
        out.append(contentsOf: UnsafeBufferPointer(rebasing: b[start..<i]))
        start = i + 1
        switch c {
        case UInt8(ascii: "\""): out.append(contentsOf: "\\\"".utf8)
        case UInt8(ascii: "\\"): out.append(contentsOf: "\\\\".utf8)
        case 0x0A: out.append(contentsOf: "\\n".utf8)
        case 0x0D: out.append(contentsOf: "\\r".utf8)
        case 0x09: out.append(contentsOf: "\\t".utf8)
        default:
          let hex = Array("0123456789abcdef".utf8)
          out.append(contentsOf: "\\u00".utf8)
          out.append(hex[Int(c >> 4)])
          out.append(hex[Int(c & 15)])
        }
      }
      out.append(contentsOf: UnsafeBufferPointer(rebasing: b[start..<b.count]))
    }
    out.append(UInt8(ascii: "\""))
  }
}
