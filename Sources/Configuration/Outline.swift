package import Alerts

/// JSON as indented text for people, in the form of YAML.
package enum Outline {
  package static func text(_ json: JSON) -> String {
    var out = ""
    write(json, indent: 0, to: &out)
    return out
  }

  private static func write(_ json: JSON, indent: Int, to out: inout String) {
    let margin = String(repeating: " ", count: indent)
    switch json {
    case .object(let members):
      for member in members {
        out += "\(margin)\(scalar(.string(member.name))):"
        value(member.value, indent: indent + 2, to: &out)
      }
    case .array(let items):
      for item in items {
        if case .object(let members) = item, let first = members.first {
          out += "\(margin)- \(scalar(.string(first.name))):"
          value(first.value, indent: indent + 4, to: &out)
          write(.object(Array(members.dropFirst())), indent: indent + 2, to: &out)
        } else {
          out += "\(margin)-"
          value(item, indent: indent + 2, to: &out)
        }
      }
    default: out += "\(margin)\(scalar(json))\n"
    }
  }

  private static func value(_ json: JSON, indent: Int, to out: inout String) {
    switch json {
    case .object(let members) where members.isEmpty: out += " {}\n"
    case .array(let items) where items.isEmpty: out += " []\n"
    case .array(let items) where items.allSatisfy({ $0.array == nil && $0.members == nil }):
      out += " [\(items.map(scalar).joined(separator: ", "))]\n"
    case .object, .array:
      out += "\n"
      write(json, indent: indent, to: &out)
    default: out += " \(scalar(json))\n"
    }
  }

  /// Plain where YAML reads the same back, in JSON's quotes otherwise.
  private static func scalar(_ json: JSON) -> String {
    guard case .string(let s) = json else { return json.text }
    let plain = s.unicodeScalars.allSatisfy {
      $0.properties.isAlphabetic || ("0"..."9").contains($0) || "_-./@ ".unicodeScalars.contains($0)
    }
    let reserved = ["true", "false", "yes", "no", "on", "off", "null", ""]
    if plain, let first = s.unicodeScalars.first, first.properties.isAlphabetic || first == "/", !s.hasSuffix(" "),
      !reserved.contains(s.lowercased())
    {
      return s
    }
    return json.text
  }
}
