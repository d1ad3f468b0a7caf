/// Cutting what is too long for a wire where a reader would cut it, and saying so.
enum Cut {
  /// At most `limit` UTF-16 units (what most providers count), ending in `note` if anything was cut. Cuts at a line's end or between words
  /// where one is near.
  static func text(_ text: String, to limit: Int, note: String = "…") -> String {
    guard text.utf16.count > limit else { return text }
    let room = max(limit - note.utf16.count, 0)
    var used = 0
    var end = text.startIndex
    var lastSpace: String.Index?
    var lastLine: String.Index?
    for i in text.indices {
      let width = text[i].utf16.count
      if used + width > room { break }
      if text[i].isNewline { lastLine = i } else if text[i].isWhitespace { lastSpace = i }
      used += width
      end = text.index(after: i)
    }
    // Giving up a fifth of the room for a clean edge is worth it; more is not.
    func isNear(_ i: String.Index) -> Bool { text[i..<end].utf16.count * 5 <= room }
    if let line = lastLine, isNear(line) { end = line } else if let space = lastSpace, isNear(space) { end = space }
    return text[..<end].trimmingEnd() + String(note.prefix(limit))
  }

  /// Pieces of at most `limit` UTF-16 units each, cut at line ends; at most `pieces` of them, the last saying that it was cut.
  static func pieces(_ whole: String, of limit: Int, atMost pieces: Int, note: String) -> [String] {
    var out: [String] = []
    var current = ""
    for line in whole.split(separator: "\n", omittingEmptySubsequences: false) {
      let line = text(String(line), to: limit)
      if !current.isEmpty, current.utf16.count + 1 + line.utf16.count > limit {
        if out.count == pieces - 1 {
          out.append(text(current, to: limit - note.utf16.count) + note)
          return out
        }
        out.append(current)
        current = line
      } else {
        current = current.isEmpty ? line : "\(current)\n\(line)"
      }
    }
    if !current.isEmpty { out.append(current) }
    return out
  }
}

extension StringProtocol {
  fileprivate func trimmingEnd() -> String {
    var s = Substring(self)
    while let c = s.last, c.isWhitespace { s.removeLast() }
    return String(s)
  }
}
