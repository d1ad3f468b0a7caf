import Alerts
import Detectors

/// `connections: {warehouse: {kind: sqlite, path: data/warehouse.sqlite}}`. What a kind needs, the kind judges.
enum ConnectionSection {
  static func read(_ field: Field?) -> [Connection] {
    (field?.section()?.fields ?? []).compactMap { name, field -> Connection? in
      guard let section = field.section() else { return nil }
      guard let kind = section.need("kind", "sqlite, postgres, csv, prometheus, command, …")?.text("a kind") else {
        return nil
      }
      return Connection(name: name, kind: kind, options: section.rest(), place: section.place)
    }
  }
}
