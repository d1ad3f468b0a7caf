/// How bad it is. `critical` > `high` > `medium` > `low`.
package enum Severity: UInt8, CaseIterable, Comparable, Sendable {
  case low = 1
  case medium, high, critical

  package static func < (a: Severity, b: Severity) -> Bool { a.rawValue < b.rawValue }

  package var name: String {
    switch self {
    case .low: "low"
    case .medium: "medium"
    case .high: "high"
    case .critical: "critical"
    }
  }

  /// Reads the four names, and what other tools write: `error` = high, `warning` = medium, `info` = low. In any case of letters.
  package init?(name: some StringProtocol) {
    switch name.lowercased() {
    case "critical": self = .critical
    case "high", "error": self = .high
    case "medium", "warning": self = .medium
    case "low", "info": self = .low
    default: return nil
    }
  }
}

extension Severity: CustomStringConvertible {
  package var description: String { name }
}
