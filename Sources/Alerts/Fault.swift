/// Where in a file something stands. Lines and columns count from 1.
package struct Place: Sendable, Hashable {
  package var file: String
  package var line: Int
  package var column: Int
  package init(file: String, line: Int, column: Int) {
    self.file = file
    self.line = line
    self.column = column
  }
}

extension Place: CustomStringConvertible {
  package var description: String { "\(file):\(line):\(column)" }
}

/// Something wrong with a configuration: what, where, and what to do about it.
package struct Fault: Error, Sendable, Equatable {
  package var place: Place?
  /// The key's path: `policies.critical.steps[1].after`.
  package var key: String
  /// What is wrong, and why.
  package var message: String
  /// What to do next.
  package var mend: String?
  package init(_ place: Place?, key: String, _ message: String, mend: String? = nil) {
    self.place = place
    self.key = key
    self.message = message
    self.mend = mend
  }
}

extension Fault: CustomStringConvertible {
  package var description: String {
    var text = place.map { "\($0): " } ?? ""
    if !key.isEmpty { text += "\(key): " }
    text += message
    if let mend { text += "\n    \(mend)" }
    return text
  }
}
