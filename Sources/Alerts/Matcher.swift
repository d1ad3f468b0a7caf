/// One condition on a label, as Alertmanager writes them: `name`, `value`, and whether it is a pattern and whether it must hold.
///
/// A pattern is anchored at both ends. A label that is absent counts as empty.
package struct Matcher: Sendable, Equatable {
  package let name: String
  package let value: String
  package let isRegex: Bool
  package let isEqual: Bool
  /// Compiled once. Nil where the text is no pattern; such a matcher never holds, and reading one is refused before.
  private let pattern: Pattern?

  package init(name: String, value: String, isRegex: Bool = false, isEqual: Bool = true) {
    self.name = name
    self.value = value
    self.isRegex = isRegex
    self.isEqual = isEqual
    pattern = isRegex ? Pattern(value) : nil
  }

  package static func == (a: Matcher, b: Matcher) -> Bool {
    a.name == b.name && a.value == b.value && a.isRegex == b.isRegex && a.isEqual == b.isEqual
  }

  package func matches(_ label: (String) -> String?) -> Bool {
    let actual = label(name) ?? ""
    if isRegex { return pattern.map { $0.matches(actual) == isEqual } ?? false }
    return (actual == value) == isEqual
  }

  package var json: JSON {
    ["name": .string(name), "value": .string(value), "isRegex": .bool(isRegex), "isEqual": .bool(isEqual)]
  }

  package init?(json: JSON) {
    guard let name = json["name"]?.string, let value = json["value"]?.string else { return nil }
    self.init(
      name: name, value: value, isRegex: json["isRegex"]?.bool ?? false, isEqual: json["isEqual"]?.bool ?? true)
    if isRegex, pattern == nil { return nil }
  }
}

extension Matcher: CustomStringConvertible {
  /// `device=~"mob.*"`
  package var description: String {
    "\(name)\(isEqual ? (isRegex ? "=~" : "=") : (isRegex ? "!~" : "!="))\(JSON.string(value).text)"
  }

  /// Reads `device=mobile`, `device=~"mob.*"`, `device!=x`, `device!~x`; the quotes are optional.
  package init?(_ text: some StringProtocol) {
    let text = String(text)
    guard let at = text.firstIndex(where: { $0 == "=" || $0 == "!" }) else { return nil }
    let name = text[..<at].trimming()
    var rest = text[at...]
    let isEqual = rest.first == "="
    rest = rest.dropFirst()
    var isRegex = false
    if rest.first == "~" {
      isRegex = true
      rest = rest.dropFirst()
    } else if !isEqual {
      guard rest.first == "=" else { return nil }
      rest = rest.dropFirst()
    }
    var value = rest.trimming()
    if value.hasPrefix("\"") {
      guard let parsed = try? JSON(parsing: value).string else { return nil }
      value = parsed
    }
    guard !name.isEmpty else { return nil }
    if isRegex, Pattern(value) == nil { return nil }
    self.init(name: name, value: value, isRegex: isRegex, isEqual: isEqual)
  }
}

extension StringProtocol {
  package func trimming() -> String {
    var s = Substring(self)
    while let c = s.first, c.isWhitespace { s.removeFirst() }
    while let c = s.last, c.isWhitespace { s.removeLast() }
    return String(s)
  }
}
