/// One of the five fields of a cron schedule, read into a bit for each value.
struct CronField {
  struct Text {
    var text: Substring
    /// From 1.
    var column: Int
  }

  let name: String
  let range: ClosedRange<Int>
  let names: [String]

  static let minute = CronField(name: "minute", range: 0...59, names: [])
  static let hour = CronField(name: "hour", range: 0...23, names: [])
  static let day = CronField(name: "day of month", range: 1...31, names: [])
  static let month = CronField(
    name: "month", range: 1...12,
    names: ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"])
  static let weekday = CronField(
    name: "day of week", range: 0...7, names: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"])

  static func split(_ text: String) -> [Text] {
    var fields: [Text] = []
    var start: String.Index?
    for i in text.indices + [text.endIndex] {
      let gap = i == text.endIndex || text[i].isWhitespace
      if gap, let s = start {
        fields.append(Text(text: text[s..<i], column: text.distance(from: text.startIndex, to: s) + 1))
        start = nil
      } else if !gap, start == nil {
        start = i
      }
    }
    return fields
  }

  func bits(_ field: Text) throws(CronError) -> UInt64 {
    var bits: UInt64 = 0
    var column = field.column
    for part in field.text.split(separator: ",", omittingEmptySubsequences: false) {
      bits |= try self.bits(part: part, column: column)
      column += part.count + 1
    }
    return bits
  }

  private func bits(part: Substring, column: Int) throws(CronError) -> UInt64 {
    let halves = part.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    var step = 1
    if halves.count == 2 {
      guard let s = Int(halves[1]), s > 0, s <= 10_000 else {
        throw CronError(column: column, message: "a step must be a number from 1, not \"\(halves[1])\"")
      }
      step = s
    }
    let low: Int
    let high: Int
    if halves[0] == "*" || halves[0] == "?" {
      low = range.lowerBound
      high = name == "day of week" ? 6 : range.upperBound
    } else {
      let ends = halves[0].split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
      low = try value(ends[0], column: column)
      if ends.count == 2 {
        high = try value(ends[1], column: column)
      } else {
        high = halves.count == 2 ? range.upperBound : low
      }
      guard low <= high else {
        throw CronError(column: column, message: "the range \(halves[0]) runs backwards: write two, with a comma")
      }
    }
    var bits: UInt64 = 0
    for v in stride(from: low, through: high, by: step) { bits |= 1 << UInt64(v) }
    return bits
  }

  private func value(_ text: Substring, column: Int) throws(CronError) -> Int {
    if let n = Int(text), range.contains(n) { return n }
    if let n = names.firstIndex(of: text.lowercased()) { return n + (name == "month" ? 1 : 0) }
    let example = names.isEmpty ? "" : " or a name such as \(names[1].uppercased())"
    throw CronError(
      column: column,
      message: "\"\(text)\" is not a \(name): give \(range.lowerBound) to \(range.upperBound)\(example)")
  }
}
