package import Alerts

/// Everything that is wrong with a configuration, found in one reading.
package struct ConfigurationFaults: Error, Sendable, CustomStringConvertible {
  /// In the order of their places: file, line, column.
  package var faults: [Fault]

  package init(_ faults: [Fault]) {
    self.faults = faults.sorted { a, b in
      guard let p = a.place, let q = b.place else { return a.place == nil && b.place != nil }
      return (p.file, p.line, p.column) < (q.file, q.line, q.column)
    }
  }

  /// One fault under another, with a count at the end.
  package var description: String {
    let count = faults.count == 1 ? "1 fault" : "\(faults.count) faults"
    return faults.map(\.description).joined(separator: "\n") + "\n\(count) in the configuration"
  }
}
