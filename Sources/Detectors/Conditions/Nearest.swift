/// The name that somebody probably meant.
enum Nearest {
  /// The candidate with the fewest edits, if they are few for its length. Levenshtein's distance, upper and lower case the same.
  static func name(to text: String, in candidates: some Sequence<String>) -> String? {
    var best: (name: String, edits: Int)?
    for candidate in candidates.sorted() {
      let edits = distance(Array(text.lowercased().utf8.prefix(64)), Array(candidate.lowercased().utf8.prefix(64)))
      if edits < best?.edits ?? .max { best = (candidate, edits) }
    }
    guard let best, best.edits <= max(1, text.count / 3) else { return nil }
    return best.name
  }

  private static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
    var row = Array(0...b.count)
    for i in 0..<a.count {
      var diagonal = row[0]
      row[0] = i + 1
      for j in 0..<b.count {
        let replaced = diagonal + (a[i] == b[j] ? 0 : 1)
        diagonal = row[j + 1]
        row[j + 1] = min(replaced, row[j] + 1, row[j + 1] + 1)
      }
    }
    return row[b.count]
  }
}
