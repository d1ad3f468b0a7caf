import Alerts

/// Builds the one statement that a table is read with. What comes from the configuration is either an identifier, checked and quoted, or an
/// expression, checked to be one; what comes from the run (times) is bound, never written into the text.
package enum SQLText {
  /// A dotted name such as `DATAMART.LISTINGS`: letters, digits, `_` and `$`, or anything without quotes and control characters between double quotes.
  package static func identifierParts(_ name: String) throws(SourceError) -> [String] {
    var parts: [String] = []
    for part in name.split(separator: ".", omittingEmptySubsequences: false) {
      var text = part
      if text.count > 2, text.first == "\"", text.last == "\"" { text = text.dropFirst().dropLast() }
      guard isIdentifier(text, quoted: text.count != part.count) else {
        throw SourceError(
          .settings,
          "\"\(name)\" is not a name of a table or column: use letters, digits and _, or put it in double quotes")
      }
      parts.append(String(text))
    }
    return parts
  }

  static func isIdentifier(_ text: some StringProtocol, quoted: Bool = false) -> Bool {
    guard let first = text.unicodeScalars.first, text.utf8.count <= 128 else { return false }
    if quoted { return !text.unicodeScalars.contains { $0.value < 32 || $0 == "\"" } }
    guard first.properties.isAlphabetic || first == "_" else { return false }
    return text.unicodeScalars.allSatisfy {
      $0.properties.isAlphabetic || ("0"..."9").contains($0) || $0 == "_" || $0 == "$"
    }
  }

  package static func quote(_ part: String) -> String {
    "\"" + part.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
  }

  /// An expression or condition may not end the statement, hide the rest in a comment, or leave a quote or bracket open.
  package static func checkExpression(_ text: String, _ what: String) throws(SourceError) {
    func bad(_ why: String) -> SourceError {
      SourceError(.settings, "the \(what) \"\(text.prefix(80))\" is not an SQL expression: \(why)")
    }
    var depth = 0
    var quote: Character?
    var previous: Character = " "
    for c in text {
      if let q = quote {
        if c == q { quote = nil }
      } else {
        switch c {
        case "'", "\"", "`": quote = c
        case "(": depth += 1
        case ")":
          depth -= 1
          if depth < 0 { throw bad("a ) without its (") }
        case ";": throw bad("it holds a ;")
        case "-" where previous == "-": throw bad("it holds a comment")
        case "*" where previous == "/": throw bad("it holds a comment")
        case _ where c.unicodeScalars.contains { $0.value < 32 && $0 != "\n" && $0 != "\t" }:
          throw bad("it holds a control character")
        default: break
        }
      }
      previous = c
    }
    if quote != nil { throw bad("a quote is left open") }
    if depth != 0 { throw bad("a ( is left open") }
    if text.trimmed.isEmpty { throw bad("it is empty") }
  }

  /// The metric as an aggregate. An expression that already aggregates (`sum(a) / count(*)`) is taken as it is.
  static func aggregate(
    _ metric: DataSource.Metric, cast: String = "", quote: (String) -> String = SQLText.quote
  ) throws(SourceError) -> String {
    guard let aggregate = Aggregate(name: metric.aggregate) else {
      throw SourceError(
        .settings, "\"\(metric.aggregate ?? "")\" is not an aggregate: give sum, avg, min, max, count, missing or none")
    }
    let expression: String
    if isIdentifier(metric.column) {
      expression = quote(metric.column)
    } else if metric.column.trimmed == "*" {
      expression = "*"
    } else {
      try checkExpression(metric.column, "metric")
      if metric.aggregate == nil, aggregates(metric.column) { return "(\(metric.column))\(cast)" }
      expression = "(\(metric.column))"
    }
    return switch aggregate {
    case .none: "avg(\(expression))\(cast)"
    case .missing: "avg(CASE WHEN \(expression) IS NULL THEN 1.0 ELSE 0.0 END)\(cast)"
    default: "\(aggregate.rawValue)(\(expression))\(cast)"
    }
  }

  static func aggregates(_ expression: String) -> Bool {
    let lower = expression.lowercased()
    return ["sum(", "count(", "avg(", "min(", "max(", "total(", "median(", "uniq(", "countif(", "sumif("].contains {
      lower.contains($0)
    }
  }
}
