import Alerts
import Detectors

/// A mapping that is being read: each key is asked for by name, and what nobody asked for is an unknown key.
final class Section {
  let place: Place
  let path: String
  let reading: Reading
  private let entries: [Tree.Entry]
  private var known: Set<String> = []

  init(_ entries: [Tree.Entry], place: Place, path: String, reading: Reading) {
    self.entries = entries
    self.place = place
    self.path = path
    self.reading = reading
  }

  /// The value under a key; nil where it is absent or says nothing.
  func take(_ key: String) -> Field? {
    known.insert(key)
    guard let entry = entries.first(where: { $0.key == key }) else { return nil }
    if case .null = entry.value.value { return nil }
    return field(entry)
  }

  /// The value under a key that must be there; without it a fault says what it is for.
  func need(_ key: String, _ what: String) -> Field? {
    if let field = take(key) { return field }
    if entries.contains(where: { $0.key == key && $0.value.isBroken }) { return nil }
    fault("\"\(key)\" is missing", mend: "add \(key): \(what)")
    return nil
  }

  func has(_ key: String) -> Bool { entries.contains { $0.key == key && !$0.value.isNull } }

  /// Every entry, for mappings whose keys are names.
  var fields: [(name: String, field: Field)] {
    known.formUnion(entries.map(\.key))
    return entries.map { ($0.key, field($0)) }
  }

  /// What has not been asked for yet, as it stands: for parts whose owner judges them.
  func rest() -> [String: Option] {
    var options: [String: Option] = [:]
    for entry in entries where known.insert(entry.key).inserted {
      options[entry.key] = Option(entry.value.json, place: entry.value.place)
    }
    return options
  }

  func fault(_ message: String, mend: String? = nil) {
    reading.faults.append(Fault(place, key: path, message, mend: mend))
  }

  /// Reports the keys that nobody asked for. Called last.
  func finish() {
    for entry in entries where !known.contains(entry.key) {
      var mend = "remove it"
      if let near = Suggestion.nearest(to: entry.key, among: known.sorted()) {
        mend = "did you mean \"\(near)\"?"
      } else if !known.isEmpty {
        mend = "known here: \(known.sorted().joined(separator: ", "))"
      }
      reading.faults.append(
        Fault(entry.place, key: child(entry.key), "unknown key \"\(entry.key)\"", mend: mend))
    }
  }

  private func child(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }
  private func field(_ entry: Tree.Entry) -> Field {
    Field(tree: entry.value, keyPlace: entry.place, path: child(entry.key), reading: reading)
  }
}

extension Tree {
  var isNull: Bool { if case .null = value { true } else { false } }
  var isBroken: Bool { if case .broken = value { true } else { false } }
}
