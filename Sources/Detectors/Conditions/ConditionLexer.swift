struct ConditionToken {
  enum Kind: Equatable {
    case number(Double)
    case text
    case word
    case symbol
  }
  var kind: Kind
  var text: String
  /// From 1.
  var column: Int
}

enum ConditionLexer {
  static func tokens(_ text: String) throws(ConditionError) -> [ConditionToken] {
    let c = Array(text)
    var tokens: [ConditionToken] = []
    var i = 0
    while i < c.count {
      let start = i
      if c[i].isWhitespace {
        i += 1
      } else if c[i].isASCII, c[i].isNumber || (c[i] == "." && i + 1 < c.count && c[i + 1].isNumber) {
        while i < c.count, c[i].isASCII, c[i].isNumber || c[i] == "." || c[i] == "_" { i += 1 }
        if i < c.count, c[i] == "e" || c[i] == "E" {
          i += 1
          if i < c.count, c[i] == "-" || c[i] == "+" { i += 1 }
          while i < c.count, c[i].isASCII, c[i].isNumber { i += 1 }
        }
        let digits = String(c[start..<i].filter { $0 != "_" })
        guard var number = Double(digits), number.isFinite else {
          throw ConditionError(column: start + 1, message: "\"\(String(c[start..<i]))\" is not a number")
        }
        if i < c.count, c[i] == "%" {
          number /= 100
          i += 1
        }
        tokens.append(ConditionToken(kind: .number(number), text: String(c[start..<i]), column: start + 1))
      } else if c[i].isLetter || c[i] == "_" {
        while i < c.count, c[i].isLetter || c[i].isNumber || c[i] == "_" || c[i] == "." { i += 1 }
        tokens.append(ConditionToken(kind: .word, text: String(c[start..<i]), column: start + 1))
      } else if c[i] == "\"" || c[i] == "'" {
        let quote = c[i]
        var value = ""
        i += 1
        while i < c.count, c[i] != quote {
          if c[i] == "\\", i + 1 < c.count { i += 1 }
          value.append(c[i])
          i += 1
        }
        guard i < c.count else {
          throw ConditionError(column: start + 1, message: "a text without its closing \(quote)")
        }
        i += 1
        tokens.append(ConditionToken(kind: .text, text: value, column: start + 1))
      } else {
        let two = i + 1 < c.count ? String(c[i...i + 1]) : ""
        if ["<=", ">=", "==", "!=", "<>", "&&", "||"].contains(two) {
          i += 2
        } else if "<>=+-*/()[],!".contains(c[i]) {
          i += 1
        } else {
          throw ConditionError(column: i + 1, message: "unexpected \"\(c[i])\"")
        }
        tokens.append(ConditionToken(kind: .symbol, text: String(c[start..<i]), column: start + 1))
      }
    }
    return tokens
  }
}
