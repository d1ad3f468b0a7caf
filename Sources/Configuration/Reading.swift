import Alerts

/// One reading of a configuration: what was found wrong so far, and what must still be checked when everything is known.
/// Lives on one task, for the length of one call.
final class Reading {
  /// What may be named in one place and defined in another.
  enum Named: String {
    case receiver, policy, connection, schedule, person
  }
  struct Reference {
    var named: Named
    var name: String
    var place: Place
    var key: String
  }

  var faults: [Fault] = []
  var references: [Reference] = []
  /// Every place that tells receivers.
  var told: [Told] = []
  private let environment: [String: String]
  private let file: (String) -> String?

  /// `file` gives the text of a file, or nil if it can't be read.
  init(environment: [String: String], file: @escaping (String) -> String?) {
    self.environment = environment
    self.file = file
  }

  /// Checks every name that was used against those that are defined.
  func settle(_ defined: [Named: [String]]) {
    for reference in references {
      let names = defined[reference.named] ?? []
      if names.contains(reference.name) { continue }
      let plural =
        reference.named == .policy ? "policies" : reference.named == .person ? "people" : "\(reference.named)s"
      var mend = "define it under \(plural):"
      if let near = Suggestion.nearest(to: reference.name, among: names) {
        mend = "did you mean \"\(near)\"?"
      } else if !names.isEmpty {
        mend += ", or use one of \(names.prefix(8).joined(separator: ", "))"
      }
      faults.append(
        Fault(reference.place, key: reference.key, "there is no \(reference.named) \"\(reference.name)\"", mend: mend))
    }
  }

  struct ExpansionProblem: Error {
    var message: String
    var mend: String
  }

  /// Replaces `${NAME}`, `${NAME:-otherwise}` and `${file:/path}`; `$${` stands for `${` itself.
  func expand(_ text: String) -> Result<String, ExpansionProblem> {
    guard text.contains("${") else { return .success(text) }
    var out = ""
    var rest = Substring(text)
    while let dollar = rest.firstIndex(of: "$") {
      out += rest[..<dollar]
      rest = rest[dollar...]
      if rest.hasPrefix("$${") {
        out += "${"
        rest = rest.dropFirst(3)
      } else if rest.hasPrefix("${") {
        guard let end = rest.firstIndex(of: "}") else {
          return .failure(
            .init(message: "\"${\" has no closing \"}\"", mend: "write $${ for the characters themselves"))
        }
        let name = rest[rest.index(rest.startIndex, offsetBy: 2)..<end]
        switch value(name) {
        case .success(let value): out += value
        case .failure(let problem): return .failure(problem)
        }
        rest = rest[rest.index(after: end)...]
      } else {
        out += "$"
        rest = rest.dropFirst()
      }
    }
    return .success(out + rest)
  }

  private func value(_ expression: Substring) -> Result<String, ExpansionProblem> {
    if expression.hasPrefix("file:") {
      let path = String(expression.dropFirst(5))
      guard var text = file(path) else {
        return .failure(
          .init(message: "the file \(path) can't be read", mend: "create it, or give this user the right to read it"))
      }
      while text.last?.isNewline == true { text.removeLast() }
      return .success(text)
    }
    let parts = expression.split(separator: ":-", maxSplits: 1, omittingEmptySubsequences: false)
    let name = String(parts[0])
    if let value = environment[name], !value.isEmpty || parts.count == 1 { return .success(value) }
    if parts.count == 2 { return .success(String(parts[1])) }
    return .failure(
      .init(
        message: "the environment has no variable \(name)",
        mend: "set \(name), or write ${\(name):-…} with what to use without it"))
  }
}
