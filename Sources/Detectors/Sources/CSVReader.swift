/// Splits CSV (RFC 4180) into rows: quoted fields with doubled quotes and line breaks, CRLF, a byte-order mark, `,` `;` or tab. Never fails:
/// whatever bytes come make some rows.
struct CSVReader {
  private let bytes: [UInt8]
  private let separator: UInt8
  private var i = 0
  /// The line that the last row began on, from 1.
  private(set) var line = 0
  private var nextLine = 1

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { i = 3 }
    let first = bytes[i...].prefix { $0 != 10 }
    let candidates: [UInt8] = [44, 59, 9]
    separator = candidates.max { a, b in first.count { $0 == a } < first.count { $0 == b } } ?? 44
    if !first.contains(separator) { nextLine = 1 }
  }

  /// The next row that is not blank, or nil at the end.
  mutating func next() -> [Substring]? {
    while i < bytes.count {
      line = nextLine
      let row = fields()
      if row.count > 1 || row[0].contains(where: { !$0.isWhitespace }) { return row }
    }
    return nil
  }

  private mutating func fields() -> [Substring] {
    var row: [Substring] = []
    while true {
      row.append(field())
      guard i < bytes.count, bytes[i] == separator else { break }
      i += 1
    }
    if i < bytes.count, bytes[i] == 13 { i += 1 }
    if i < bytes.count, bytes[i] == 10 {
      i += 1
      nextLine += 1
    }
    return row
  }

  private mutating func field() -> Substring {
    guard i < bytes.count, bytes[i] == 34 else {
      let start = i
      while i < bytes.count, bytes[i] != separator, bytes[i] != 10, !(bytes[i] == 13 && ends(i + 1)) { i += 1 }
      return Substring(decoding: bytes[start..<i], as: UTF8.self)
    }
    i += 1
    var text: [UInt8] = []
    while i < bytes.count {
      if bytes[i] == 34 {
        i += 1
        guard i < bytes.count, bytes[i] == 34 else { break }
      } else if bytes[i] == 10 {
        nextLine += 1
      }
      text.append(bytes[i])
      i += 1
    }
    // Whatever stands between the closing quote and the separator belongs to the field, as spreadsheets read it.
    while i < bytes.count, bytes[i] != separator, bytes[i] != 10, !(bytes[i] == 13 && ends(i + 1)) {
      text.append(bytes[i])
      i += 1
    }
    return Substring(decoding: text, as: UTF8.self)
  }

  private func ends(_ i: Int) -> Bool { i >= bytes.count || bytes[i] == 10 }
}
