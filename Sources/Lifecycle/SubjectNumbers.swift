import Alerts

/// The highest number of each kind of subject.
struct SubjectNumbers: Sendable, Equatable {
  /// By the kind's letter.
  var highest = [Int64](repeating: 0, count: 26)

  private static func place(_ kind: Subject.Kind) -> Int { Int(kind.rawValue) - 65 }

  /// Nil if there was none yet.
  subscript(_ kind: Subject.Kind) -> Int64? {
    let number = highest[SubjectNumbers.place(kind)]
    return number == 0 ? nil : number
  }

  mutating func note(_ subject: Subject) {
    let place = SubjectNumbers.place(subject.kind)
    if highest[place] < subject.number { highest[place] = subject.number }
  }
}
