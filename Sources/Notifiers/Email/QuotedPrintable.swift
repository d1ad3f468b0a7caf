/// Quoted-printable (RFC 2045, section 6.7): text that stays readable and passes through every mail server.
enum QuotedPrintable {
  /// The longest line, without its end.
  static let lineLimit = 76
  private static let hex = Array("0123456789ABCDEF".utf8)

  /// Line ends of any kind become CRLF; lines longer than 76 are broken softly.
  static func encode(_ text: String) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(text.utf8.count + text.utf8.count / 8)
    var column = 0
    func emit(_ bytes: [UInt8]) {
      // One column stays free for the "=" of a soft break.
      if column + bytes.count > lineLimit - 1 {
        out.append(contentsOf: "=\r\n".utf8)
        column = 0
      }
      out.append(contentsOf: bytes)
      column += bytes.count
    }
    let bytes = Array(text.utf8)
    var i = 0
    while i < bytes.count {
      let c = bytes[i]
      switch c {
      case 0x0D, 0x0A:
        if c == 0x0D, i + 1 < bytes.count, bytes[i + 1] == 0x0A { i += 1 }
        out.append(contentsOf: "\r\n".utf8)
        column = 0
      case 0x20, 0x09:
        // White space at a line's end would be lost on the way.
        let atEnd = i + 1 == bytes.count || bytes[i + 1] == 0x0D || bytes[i + 1] == 0x0A
        emit(atEnd ? escaped(c) : [c])
      case 0x21...0x3C, 0x3E...0x7E:
        emit([c])
      default:
        emit(escaped(c))
      }
      i += 1
    }
    return out
  }

  private static func escaped(_ c: UInt8) -> [UInt8] { [UInt8(ascii: "="), hex[Int(c >> 4)], hex[Int(c & 15)]] }
}
