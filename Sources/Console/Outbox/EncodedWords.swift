import Foundation

/// `=?utf-8?Q?…?=` and `=?utf-8?B?…?=`. Source: RFC 2047.
enum EncodedWords {
  static func decode(_ text: String) -> String {
    var out: [UInt8] = []
    var rest = Substring(text)
    var wasWord = false
    while let start = rest.range(of: "=?") {
      let between = rest[..<start.lowerBound]
      let after = rest[start.upperBound...]
      let parts = after.split(separator: "?", maxSplits: 3, omittingEmptySubsequences: false)
      guard parts.count == 4, parts[3].first == "=", ["utf-8", "us-ascii"].contains(parts[0].lowercased()) else {
        out += Array(rest[..<start.upperBound].utf8)
        rest = after
        wasWord = false
        continue
      }
      // White space between two encoded words is no text.
      if !(wasWord && between.allSatisfy(\.isWhitespace)) { out += Array(between.utf8) }
      if parts[1].lowercased() == "b" {
        out += Data(base64Encoded: String(parts[2])).map { [UInt8]($0) } ?? Array(parts[2].utf8)
      } else {
        out += quotedPrintable(Array(parts[2].utf8)[...], underscoreIsSpace: true)
      }
      rest = parts[3].dropFirst()
      wasWord = true
    }
    return String(decoding: out + Array(rest.utf8), as: UTF8.self)
  }

  static func quotedPrintable(_ b: ArraySlice<UInt8>, underscoreIsSpace: Bool) -> [UInt8] {
    func digit(_ c: UInt8) -> UInt8? {
      switch c {
      case 48...57: c - 48
      case 65...70: c - 55
      case 97...102: c - 87
      default: nil
      }
    }
    var out: [UInt8] = []
    out.reserveCapacity(b.count)
    var i = b.startIndex
    while i < b.endIndex {
      let c = b[i]
      if c == UInt8(ascii: "=") {
        if i + 2 < b.endIndex, let high = digit(b[i + 1]), let low = digit(b[i + 2]) {
          out.append(high << 4 | low)
          i += 3
          continue
        }
        // A soft line break.
        if i + 1 < b.endIndex, b[i + 1] == 10 {
          i += 2
          continue
        }
        if i + 2 < b.endIndex, b[i + 1] == 13, b[i + 2] == 10 {
          i += 3
          continue
        }
      }
      out.append(c == UInt8(ascii: "_") && underscoreIsSpace ? 32 : c)
      i += 1
    }
    return out
  }
}
