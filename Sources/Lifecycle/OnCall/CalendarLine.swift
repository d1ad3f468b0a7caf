/// A line of an iCalendar file, unfolded: `NAME;PARAMETER=VALUE:VALUE`.
struct CalendarLine {
  var number: Int
  var name: String
  var parameters: [String: String]
  var value: String

  /// The value with its escapes undone.
  var text: String {
    var out = ""
    var isEscaped = false
    for c in value {
      if isEscaped {
        out.append(c == "n" || c == "N" ? "\n" : c)
        isEscaped = false
      } else if c == "\\" {
        isEscaped = true
      } else {
        out.append(c)
      }
    }
    return out
  }

  static func lines(_ text: String) -> [CalendarLine] {
    var unfolded: [(Int, String)] = []
    for (i, raw) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
      if raw.first == " " || raw.first == "\t", !unfolded.isEmpty {
        unfolded[unfolded.count - 1].1 += raw.dropFirst()
      } else if !raw.isEmpty {
        unfolded.append((i + 1, String(raw)))
      }
    }
    return unfolded.map { CalendarLine(number: $0, $1) }
  }

  private init(number: Int, _ line: String) {
    self.number = number
    // The colon that ends the name and its parameters is the first outside quotes.
    var head = ""
    var inQuotes = false
    var rest = Substring(line)
    while let c = rest.first, inQuotes || c != ":" {
      if c == "\"" { inQuotes.toggle() }
      head.append(c)
      rest = rest.dropFirst()
    }
    value = String(rest.dropFirst())
    var parts: [String] = [""]
    inQuotes = false
    for c in head {
      if c == "\"" { inQuotes.toggle() }
      if c == ";", !inQuotes { parts.append("") } else { parts[parts.count - 1].append(c) }
    }
    name = parts[0].uppercased()
    parameters = [:]
    for part in parts.dropFirst() {
      let pair = part.split(separator: "=", maxSplits: 1)
      if pair.count == 2 {
        parameters[pair[0].uppercased()] = pair[1].filter { $0 != "\"" }
      }
    }
  }
}
