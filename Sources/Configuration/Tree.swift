import Alerts

/// A YAML document as plain values that know where they stand, with `${…}` already replaced.
struct Tree {
  struct Scalar {
    /// What counts.
    var text: String
    /// What stands in the file: the only form that a fault may quote, for ``text`` may hold a secret.
    var written: String
    /// In quotes or a block: always a text, never a number or a truth value.
    var quoted: Bool
  }
  struct Entry {
    var key: String
    var place: Place
    var value: Tree
  }
  enum Value {
    case null
    case scalar(Scalar)
    case list([Tree])
    case map([Entry])
    /// Could not be read, and a fault says why already: whoever asks gets nothing, and no second fault.
    case broken
  }
  var value: Value
  var place: Place

  /// For faults: "must be a text, not a list".
  var kind: String {
    switch value {
    case .null: "nothing"
    case .scalar: "a text"
    case .list: "a list"
    case .map: "a mapping"
    case .broken: "unreadable"
    }
  }

  /// The value as JSON, for settings whose owner judges them. Plain scalars become numbers and truth values by YAML 1.2's core schema.
  var json: JSON {
    switch value {
    case .null, .broken: .null
    case .scalar(let s): s.json
    case .list(let items): .array(items.map(\.json))
    case .map(let entries): .object(entries.map { JSON.Member($0.key, $0.value.json) })
    }
  }
}

extension Tree.Scalar {
  var json: JSON {
    if quoted { return .string(text) }
    switch text {
    case "true", "True", "TRUE": return .bool(true)
    case "false", "False", "FALSE": return .bool(false)
    default: break
    }
    if let i = Int64(text) { return .int(i) }
    if let first = text.utf8.first, (48...57).contains(first) || first == 45 || first == 43 || first == 46,
      let d = Double(text), d.isFinite
    {
      return .number(d)
    }
    return .string(text)
  }
}
