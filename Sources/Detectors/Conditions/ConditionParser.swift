/// Why a condition can't be read, and where in it. Columns count from 1.
package struct ConditionError: Error, Sendable, Equatable, CustomStringConvertible {
  package var column: Int
  package var message: String
  package var description: String { "column \(column): \(message)" }
}

extension Condition {
  /// How deep parentheses, `not` and `-` may nest, so that no file can exhaust the stack.
  package static let depthLimit = 64

  /// Reads a condition. Names in the text must be among `known`, if given.
  ///
  ///     condition = conjunction { "or" conjunction }        also "||"
  ///     conjunction = negation { "and" negation }           also "&&"
  ///     negation = "not" negation | comparison              also "!"
  ///     comparison = sum [ ("<" | "<=" | ">" | ">=" | "==" | "=" | "!=" | "<>") sum | ["not"] "in" "(" sum { "," sum } ")" ]
  ///     sum = product { ("+" | "-") product }
  ///     product = unary { ("*" | "/") unary }
  ///     unary = "-" unary | number ["%"] | text | "true" | "false" | name | function "(" sum { "," sum } ")" | "(" condition ")"
  ///
  /// What could never hold, such as a number among `numbers` compared with words, is refused too: a rule that is silent for ever looks like one that has nothing to say.
  package init(_ text: String, known: Set<String>? = nil, numbers: Set<String> = []) throws(ConditionError) {
    var parser = ConditionParser(
      tokens: try ConditionLexer.tokens(text), end: text.count + 1, known: known, numbers: numbers)
    self.text = text
    self.node = try parser.whole()
  }
}

private struct ConditionParser {
  let tokens: [ConditionToken]
  let end: Int
  let known: Set<String>?
  let numbers: Set<String>
  var i = 0
  var depth = 0

  var column: Int { i < tokens.count ? tokens[i].column : end }
  func fail(_ message: String) -> ConditionError { ConditionError(column: column, message: message) }
  var here: String { i < tokens.count ? "\"\(tokens[i].text)\"" : "the end" }

  mutating func take(_ symbols: String...) -> String? {
    guard i < tokens.count, tokens[i].kind == .symbol || tokens[i].kind == .word,
      symbols.contains(tokens[i].text.lowercased())
    else { return nil }
    i += 1
    return tokens[i - 1].text.lowercased()
  }

  mutating func whole() throws(ConditionError) -> Condition.Node {
    guard !tokens.isEmpty else { throw fail("the condition is empty") }
    let node = try disjunction()
    guard i == tokens.count else { throw fail("expected and, or, or the end, found \(here)") }
    guard Self.isTruth(node) else {
      throw ConditionError(
        column: 1, message: "this is a value, not a condition: compare it, as in \"deviation > 0.5\"")
    }
    return node
  }

  /// A name may turn out to be true or false only when it is evaluated; everything else is known here.
  static func isTruth(_ node: Condition.Node) -> Bool {
    switch node {
    case .compare, .and, .or, .not, .truth, .oneOf: true
    default: false
    }
  }

  mutating func disjunction() throws(ConditionError) -> Condition.Node {
    let start = column
    var node = try conjunction()
    while true {
      guard take("or", "||") != nil else { return node }
      let right = column
      node = .or(try truth(node, start), try truth(try conjunction(), right))
    }
  }

  mutating func conjunction() throws(ConditionError) -> Condition.Node {
    let start = column
    var node = try negation()
    while true {
      guard take("and", "&&") != nil else { return node }
      let right = column
      node = .and(try truth(node, start), try truth(try negation(), right))
    }
  }

  func truth(_ node: Condition.Node, _ column: Int) throws(ConditionError) -> Condition.Node {
    guard Self.isTruth(node) else {
      throw ConditionError(column: column, message: "and, or and not join comparisons, not values")
    }
    return node
  }

  /// A value that arithmetic or an order can be asked of.
  func value(_ node: Condition.Node, _ column: Int) throws(ConditionError) -> Condition.Node {
    guard !Self.isTruth(node) else {
      throw ConditionError(column: column, message: "this is true or false, not a value")
    }
    return node
  }

  /// Words can't be weighed against a number.
  func comparable(_ a: Condition.Node, _ b: Condition.Node, _ column: Int) throws(ConditionError) {
    guard case .text(let text) = b, Double(text) == nil, isNumber(a) else { return }
    throw ConditionError(column: column, message: "\"\(text)\" is a text, and what it is compared with is a number")
  }

  func isNumber(_ node: Condition.Node) -> Bool {
    switch node {
    case .number, .arithmetic, .negative, .call: true
    case .name(let name): numbers.contains(name)
    default: false
    }
  }

  mutating func negation() throws(ConditionError) -> Condition.Node {
    guard take("not", "!") != nil else { return try comparison() }
    try descend()
    defer { depth -= 1 }
    let at = column
    return .not(try truth(try negation(), at))
  }

  mutating func comparison() throws(ConditionError) -> Condition.Node {
    let leftColumn = column
    let left = try sum()
    if let op = take("<", "<=", ">", ">=", "==", "=", "!=", "<>") {
      let spelled = op == "=" ? "==" : op == "<>" ? "!=" : op
      guard let comparison = Condition.Comparison(rawValue: spelled) else { throw fail("unknown comparison") }
      let rightColumn = column
      let right = try sum()
      if take("<", "<=", ">", ">=", "==", "=", "!=", "<>") != nil {
        i -= 1
        throw fail("comparisons don't chain: write \"a < b and b < c\"")
      }
      try comparable(left, right, rightColumn)
      try comparable(right, left, leftColumn)
      if comparison != .equal, comparison != .unequal {
        return .compare(comparison, try value(left, leftColumn), try value(right, rightColumn))
      }
      return .compare(comparison, left, right)
    }
    let start = i
    let negated = take("not") != nil
    guard take("in") != nil else {
      i = start
      return left
    }
    guard take("(", "[") != nil else { throw fail("expected ( after in, found \(here)") }
    var items: [Condition.Node] = []
    repeat {
      let itemColumn = column
      items.append(try sum())
      try comparable(left, items[items.count - 1], itemColumn)
    } while take(",") != nil
    guard take(")", "]") != nil else { throw fail("expected ) or a comma, found \(here)") }
    return negated ? .not(.oneOf(left, items)) : .oneOf(left, items)
  }

  mutating func sum() throws(ConditionError) -> Condition.Node {
    let start = column
    var node = try product()
    while let op = take("+", "-") {
      let right = column
      node = .arithmetic(op == "+" ? .plus : .minus, try value(node, start), try value(try product(), right))
    }
    return node
  }

  mutating func product() throws(ConditionError) -> Condition.Node {
    let start = column
    var node = try unary()
    while let op = take("*", "/") {
      let right = column
      node = .arithmetic(op == "*" ? .times : .over, try value(node, start), try value(try unary(), right))
    }
    return node
  }

  mutating func descend() throws(ConditionError) {
    depth += 1
    guard depth <= Condition.depthLimit else { throw fail("nested deeper than \(Condition.depthLimit) levels") }
  }

  mutating func unary() throws(ConditionError) -> Condition.Node {
    if take("-") != nil {
      try descend()
      defer { depth -= 1 }
      return .negative(try unary())
    }
    if take("(") != nil {
      try descend()
      defer { depth -= 1 }
      let node = try disjunction()
      guard take(")") != nil else { throw fail("expected ), found \(here)") }
      return node
    }
    guard i < tokens.count else { throw fail("the condition ends where a value should be") }
    let token = tokens[i]
    switch token.kind {
    case .number(let n):
      i += 1
      return .number(n)
    case .text:
      i += 1
      return .text(token.text)
    case .symbol: throw fail("expected a value, found \(here)")
    case .word:
      i += 1
      switch token.text.lowercased() {
      case "true": return .truth(true)
      case "false": return .truth(false)
      case "and", "or", "not", "in":
        i -= 1
        throw fail("expected a value, found \(here)")
      default: break
      }
      if take("(") != nil { return try call(token) }
      if let known, !known.contains(token.text) {
        let near = Nearest.name(to: token.text, in: known)
        throw ConditionError(
          column: token.column,
          message: "\"\(token.text)\" is not known here"
            + (near.map { "; did you mean \($0)?" } ?? "")
            + " A text stands in quotes. Known: \(known.sorted().joined(separator: ", "))")
      }
      return .name(token.text)
    }
  }

  mutating func call(_ token: ConditionToken) throws(ConditionError) -> Condition.Node {
    guard let function = Condition.Function(rawValue: token.text.lowercased()) else {
      throw ConditionError(
        column: token.column, message: "\"\(token.text)\" is not a function: there are abs, min and max")
    }
    try descend()
    defer { depth -= 1 }
    var arguments = [try sum()]
    while take(",") != nil { arguments.append(try sum()) }
    guard take(")") != nil else { throw fail("expected ), found \(here)") }
    guard function != .abs || arguments.count == 1 else {
      throw ConditionError(column: token.column, message: "abs takes one value")
    }
    return .call(function, arguments)
  }
}
