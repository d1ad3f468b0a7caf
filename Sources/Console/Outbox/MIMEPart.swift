import Foundation

/// A mail, or a part of one, read far enough to show it: headers with encoded words, multiparts, quoted-printable and base64.
/// Sources: RFC 5322, RFC 2045 to 2047. Whatever can't be read is shown as it stands, never an error.
struct MIMEPart {
  /// Parts within parts.
  static let depthLimit = 8
  static let partLimit = 100

  let headers: [(name: String, value: String)]
  let body: [UInt8]
  let parts: [MIMEPart]

  init(_ bytes: [UInt8]) { self.init(bytes[...], depth: 0) }

  private init(_ bytes: ArraySlice<UInt8>, depth: Int) {
    let (head, rest) = MIMEPart.split(bytes)
    headers = MIMEPart.headers(head)
    let type = headers.first { $0.name.lowercased() == "content-type" }?.value ?? "text/plain"
    let encoding = headers.first { $0.name.lowercased() == "content-transfer-encoding" }?.value.lowercased() ?? ""
    if type.lowercased().hasPrefix("multipart/"), let boundary = MIMEPart.parameter("boundary", of: type),
      depth < MIMEPart.depthLimit
    {
      body = []
      parts = MIMEPart.pieces(rest, boundary: boundary).prefix(MIMEPart.partLimit).map {
        MIMEPart($0, depth: depth + 1)
      }
    } else {
      parts = []
      body = MIMEPart.decode(rest, encoding.trimmingCharacters(in: .whitespaces))
    }
  }

  var type: String {
    let type = raw("Content-Type") ?? "text/plain"
    return type.prefix { $0 != ";" }.trimmingCharacters(in: .whitespaces).lowercased()
  }

  /// A header's text, its encoded words decoded.
  func header(_ name: String) -> String? { raw(name).map(EncodedWords.decode) }

  private func raw(_ name: String) -> String? {
    headers.first { $0.name.lowercased() == name.lowercased() }?.value
  }

  /// The first part of a type, this one included.
  func first(_ type: String) -> MIMEPart? {
    if self.type == type, parts.isEmpty { return self }
    for part in parts { if let found = part.first(type) { return found } }
    return nil
  }

  var text: String { String(decoding: body, as: UTF8.self) }

  /// The HTML with the pictures that the mail brings along put into it: a page in a closed frame can fetch nothing.
  func htmlWithPictures() -> String? {
    guard var html = first("text/html")?.text else { return nil }
    for (id, part) in pictures() {
      let data = "data:\(part.type);base64,\(Data(part.body).base64EncodedString())"
      html = html.replacing("cid:\(id)", with: data)
    }
    return html
  }

  private func pictures() -> [(String, MIMEPart)] {
    var found: [(String, MIMEPart)] = []
    if type.hasPrefix("image/"), let id = raw("Content-ID") {
      found.append((id.trimmingCharacters(in: CharacterSet(charactersIn: "<> \t")), self))
    }
    for part in parts { found += part.pictures() }
    return found
  }

  // MARK: - Reading

  private static func split(_ b: ArraySlice<UInt8>) -> (ArraySlice<UInt8>, ArraySlice<UInt8>) {
    var i = b.startIndex
    while i < b.endIndex {
      let end = b[i...].firstIndex(of: 10) ?? b.endIndex
      let line = b[i..<end]
      if line.isEmpty || (line.count == 1 && line.first == 13) {
        return (b[b.startIndex..<i], end < b.endIndex ? b[(end + 1)...] : [])
      }
      i = end + 1
    }
    return (b, [])
  }

  private static func headers(_ b: ArraySlice<UInt8>) -> [(name: String, value: String)] {
    var headers: [(name: String, value: String)] = []
    let text = String(decoding: b, as: UTF8.self).replacing("\r\n", with: "\n")
    for line in text.split(separator: "\n") {
      if line.first == " " || line.first == "\t" {
        if !headers.isEmpty { headers[headers.count - 1].value += " " + line.trimmingCharacters(in: .whitespaces) }
      } else if let colon = line.firstIndex(of: ":") {
        headers.append(
          (String(line[..<colon]), line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)))
      }
    }
    return headers
  }

  private static func parameter(_ name: String, of value: String) -> String? {
    for piece in value.split(separator: ";").dropFirst() {
      let parts = piece.split(separator: "=", maxSplits: 1)
      guard parts.count == 2, parts[0].trimmingCharacters(in: .whitespaces).lowercased() == name else { continue }
      return parts[1].trimmingCharacters(in: CharacterSet(charactersIn: " \t\""))
    }
    return nil
  }

  private static func pieces(_ b: ArraySlice<UInt8>, boundary: String) -> [ArraySlice<UInt8>] {
    let mark = Array("--\(boundary)".utf8)
    var pieces: [ArraySlice<UInt8>] = []
    var start: Int?
    var i = b.startIndex
    while i < b.endIndex {
      let end = b[i...].firstIndex(of: 10) ?? b.endIndex
      if b[i..<end].starts(with: mark) {
        if let start {
          var last = i
          if last > start, b[last - 1] == 10 { last -= 1 }
          if last > start, b[last - 1] == 13 { last -= 1 }
          pieces.append(b[start..<last])
        }
        start = min(end + 1, b.endIndex)
        if b[i..<end].dropFirst(mark.count).starts(with: Array("--".utf8)) { return pieces }
      }
      i = end + 1
    }
    if let start { pieces.append(b[start...]) }
    return pieces
  }

  private static func decode(_ b: ArraySlice<UInt8>, _ encoding: String) -> [UInt8] {
    switch encoding {
    case "base64":
      return Data(base64Encoded: Data(b), options: .ignoreUnknownCharacters).map { [UInt8]($0) } ?? Array(b)
    case "quoted-printable": return EncodedWords.quotedPrintable(b, underscoreIsSpace: false)
    default: return Array(b)
    }
  }
}
