/// A part of a long piece of work, and who hears how far it has come: from 0 to 1 of the whole.
package struct WorkShare: Sendable {
  private let from: Double
  private let to: Double
  private let hear: @Sendable (Double) -> Void

  package init(from: Double = 0, to: Double = 1, _ hear: @escaping @Sendable (Double) -> Void) {
    self.from = from
    self.to = to
    self.hear = hear
  }

  package static let silent = WorkShare { _ in }

  /// The part number `i` of `n` that are alike.
  package func part(_ i: Int, of n: Int) -> WorkShare {
    let step = (to - from) / Double(max(1, n))
    return WorkShare(from: from + step * Double(i), to: from + step * Double(i + 1), hear)
  }

  func begin() { hear(from) }
  func end() { hear(to) }
}
