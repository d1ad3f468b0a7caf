import Alerts
import Testing

@testable import Lifecycle

/// Looks at every stored property of a value, however deep: so that none that is added later is forgotten by a snapshot.
enum StoredProperties {
  /// Two states are the same in everything that a snapshot carries, and carry everything that they have.
  static func expectSame(_ a: Engine, _ b: Engine, sourceLocation: SourceLocation) {
    let (left, right) = (lines(a), lines(b))
    if left == right { return }
    let i = zip(left, right).enumerated().first { $0.element.0 != $0.element.1 }?.offset ?? min(left.count, right.count)
    Issue.record(
      "a snapshot does not give back: \(left.dropFirst(i).first ?? "nothing") ≠ \(right.dropFirst(i).first ?? "nothing")",
      sourceLocation: sourceLocation)
  }

  /// Each property that is carried, in one line. Sets and dictionaries in a fixed order.
  static func lines(_ value: Any, _ path: String = "") -> [String] {
    let mirror = Mirror(reflecting: value)
    if let packed = value as? any Packed { return lines(packed, mirror, path) }
    switch mirror.displayStyle {
    case .dictionary:
      return mirror.children.map { child in
        let pair = Array(Mirror(reflecting: child.value).children)
        return lines(pair[1].value, "\(path)[\(pair[0].value)]")
      }.sorted { $0.first ?? "" < $1.first ?? "" }.flatMap { $0 }
    case .set: return [path + " " + mirror.children.map { "\($0.value)" }.sorted().joined(separator: ",")]
    case .collection, .tuple:
      if mirror.children.isEmpty { return [path + " empty"] }
      return mirror.children.enumerated().flatMap { lines($1.value, "\(path)[\($0)]") }
    case .optional: return mirror.children.first.map { lines($0.value, path) } ?? [path + " nil"]
    case .class: return mirror.children.flatMap { lines($0.value, path) }
    default:
      if value is AlertTable { return tableLines(value, path) }
      if value is LifecycleSettings { return [path + " " + ((value as? LifecycleSettings)?.json.text ?? "")] }
      return [path + " \(value)"]
    }
  }

  private static func tableLines(_ value: Any, _ path: String) -> [String] {
    guard let table = value as? AlertTable else { return [] }
    return table.ids.sorted().flatMap { id in table[id].map { lines($0, "\(path)[\(id)]") } ?? [] }
  }

  private static func lines(_ value: any Packed, _ mirror: Mirror, _ path: String) -> [String] {
    let carried = type(of: value).carried
    return mirror.children.flatMap { child -> [String] in
      guard let name = child.label, carried.contains(name) else { return [] }
      return lines(child.value, "\(path).\(name)")
    }
  }

  /// Every type below a value that says what of it is carried, with the names that it has.
  static func types(below value: Any, into found: inout [String: (type: any Packed.Type, names: Set<String>)]) {
    let mirror = Mirror(reflecting: value)
    if let packed = value as? any Packed {
      found["\(type(of: packed))"] = (type(of: packed), Set(mirror.children.compactMap(\.label)))
    }
    if let table = value as? AlertTable { for id in table.ids { types(below: table[id] as Any, into: &found) } }
    for child in mirror.children { types(below: child.value, into: &found) }
  }
}
