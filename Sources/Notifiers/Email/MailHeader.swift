import Alerts

/// The header fields of a mail: names and values, folded and encoded so that any server passes them on unchanged.
struct MailHeader {
  /// A line may hold 998 characters and should hold 78 (RFC 5322, section 2.1.1).
  static let lineLength = 78
  /// An encoded word may hold 75 characters (RFC 2047, section 2).
  static let encodedWordLength = 75

  private(set) var text = ""

  /// A field whose value is ASCII and structured already; folded at its spaces.
  mutating func add(_ name: String, _ value: String) {
    // A line end in a value would begin a field of the sender's choice.
    let words = value.split(whereSeparator: { $0.isWhitespace || $0.isNewline })
    var line = "\(name):"
    for word in words {
      if line.utf8.count + 1 + word.utf8.count > MailHeader.lineLength, line.utf8.count > name.utf8.count + 1 {
        text += line + "\r\n"
        line = ""
      }
      line += " \(word)"
    }
    text += line + "\r\n"
  }

  /// A field of free text, which may be in any script.
  mutating func addText(_ name: String, _ value: String) {
    add(name, MailHeader.encodedText(value, firstLineUses: name.utf8.count + 2))
  }

  /// Encoded words (RFC 2047, "B") if the text is not plain ASCII, or if one of its words is too long for a line.
  static func encodedText(_ text: String, firstLineUses used: Int = 0) -> String {
    let isPlain = text.utf8.allSatisfy { (0x20...0x7E).contains($0) } && !text.contains("=?")
    if isPlain, text.split(separator: " ").allSatisfy({ $0.utf8.count < 60 }) { return text }
    // Each word must hold whole characters, and "=?UTF-8?B?" with "?=" takes 12.
    let room = (encodedWordLength - 12) / 4 * 3
    var words: [String] = []
    var piece: [UInt8] = []
    var limit = max(min(room, (lineLength - used - 12) / 4 * 3), 9)
    for scalar in text.unicodeScalars {
      let bytes = Array(String(scalar.properties.isWhitespace ? " " : scalar).utf8)
      if piece.count + bytes.count > limit {
        words.append(encodedWord(piece))
        piece = []
        limit = room
      }
      piece += bytes
    }
    if !piece.isEmpty { words.append(encodedWord(piece)) }
    return words.joined(separator: " ")
  }

  private static func encodedWord(_ bytes: [UInt8]) -> String { "=?UTF-8?B?\(Base64.encode(bytes))?=" }

  /// `Fri, 20 Nov 2026 06:02:11 +0000` (RFC 5322, section 3.3).
  static func date(_ t: Timestamp) -> String {
    let (days, rest) = t.utcDay
    let (year, month, day) = Timestamp.civil(days: days)
    // 1970-01-01 was a Thursday.
    let weekday = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"][Int(((days % 7) + 7) % 7)]
    let names = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    let s = rest / 1_000_000
    func two(_ n: Int64) -> String { n < 10 ? "0\(n)" : "\(n)" }
    return
      "\(weekday), \(two(day)) \(names[Int(month) - 1]) \(year) \(two(s / 3600)):\(two(s / 60 % 60)):\(two(s % 60)) +0000"
  }
}

/// Base64 (RFC 4648, section 4).
enum Base64 {
  private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  static func encode(_ bytes: [UInt8]) -> String {
    var out: [UInt8] = []
    out.reserveCapacity((bytes.count + 2) / 3 * 4)
    var i = 0
    while i < bytes.count {
      let b0 = bytes[i]
      let b1 = i + 1 < bytes.count ? bytes[i + 1] : 0
      let b2 = i + 2 < bytes.count ? bytes[i + 2] : 0
      out.append(alphabet[Int(b0 >> 2)])
      out.append(alphabet[Int((b0 & 3) << 4 | b1 >> 4)])
      out.append(i + 1 < bytes.count ? alphabet[Int((b1 & 15) << 2 | b2 >> 6)] : UInt8(ascii: "="))
      out.append(i + 2 < bytes.count ? alphabet[Int(b2 & 63)] : UInt8(ascii: "="))
      i += 3
    }
    return String(decoding: out, as: UTF8.self)
  }

  /// For a mail's part: lines of 76 characters.
  static func lines(_ bytes: [UInt8]) -> [UInt8] {
    let text = Array(encode(bytes).utf8)
    var out: [UInt8] = []
    out.reserveCapacity(text.count + text.count / 38)
    var i = 0
    while i < text.count {
      out += text[i..<min(i + 76, text.count)]
      out += Array("\r\n".utf8)
      i += 76
    }
    return out
  }
}
