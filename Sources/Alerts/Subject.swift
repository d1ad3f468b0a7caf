/// What a row of the event log is about. Short ids that people see and that stay the same for ever.
///
/// Most rows are about an alert (`A-1042`). What must be as durable as an alert has its own letter in the same column:
/// a silence (`S-7`), a group that is told as one message (`G-3`), a digest that was sent (`D-12`), a configuration that the service took up (`C-2`).
package struct Subject: Hashable, Comparable, Sendable {
  package enum Kind: UInt8, Sendable, CaseIterable {
    case alert = 65  // A
    case configuration = 67  // C
    case digest = 68  // D
    case group = 71  // G
    case silence = 83  // S
  }
  package var kind: Kind
  package var number: Int64

  package init(_ kind: Kind, _ number: Int64) {
    self.kind = kind
    self.number = number
  }

  /// `A-1042`. Nil for anything else.
  package init?(_ text: some StringProtocol) {
    guard let letter = text.utf8.first, let kind = Kind(rawValue: letter & 0xDF), text.dropFirst().first == "-",
      let number = Int64(text.dropFirst(2)), number > 0
    else { return nil }
    self.init(kind, number)
  }

  /// See ``TableHash``.
  package func _rawHashValue(seed: Int) -> Int {
    TableHash.of(UInt64(bitPattern: number) << 8 | UInt64(kind.rawValue), seed)
  }

  package static func < (a: Subject, b: Subject) -> Bool {
    (a.kind.rawValue, a.number) < (b.kind.rawValue, b.number)
  }
}

extension Subject: CustomStringConvertible {
  package var description: String { "\(Character(UnicodeScalar(kind.rawValue)))-\(number)" }
}

/// The id of an alert: one life of a dedup key. `A-1042`.
package struct AlertID: Hashable, Comparable, Sendable {
  package var number: Int64
  package init(_ number: Int64) { self.number = number }
  /// Reads `A-1042`, `a-1042` and `1042`.
  package init?(_ text: some StringProtocol) {
    if let number = Int64(text), number > 0 {
      self.number = number
    } else if let subject = Subject(text), subject.kind == .alert {
      self.number = subject.number
    } else {
      return nil
    }
  }
  package static func < (a: AlertID, b: AlertID) -> Bool { a.number < b.number }
  /// See ``TableHash``.
  package func _rawHashValue(seed: Int) -> Int { TableHash.of(UInt64(bitPattern: number), seed) }
  package var subject: Subject { Subject(.alert, number) }
}

extension AlertID: CustomStringConvertible {
  package var description: String { "A-\(number)" }
}
