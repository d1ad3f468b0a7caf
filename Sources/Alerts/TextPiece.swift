/// A piece of a larger text, without a copy of it: one anomaly of the message that it came in. Holds the whole: whoever keeps many must count what they hold.
package struct TextPiece: Sendable {
  private let whole: [UInt8]
  private let range: Range<Int>

  package init(_ whole: [UInt8], _ range: Range<Int>) {
    self.whole = whole
    self.range = range.clamped(to: whole.indices)
  }

  package init(_ text: [UInt8]) { self.init(text, text.indices) }

  /// The piece by itself.
  package var copy: [UInt8] { range == whole.indices ? whole : Array(whole[range]) }

  package var count: Int { range.count }

  package func withText<Result>(_ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
    whole.withUnsafeBufferPointer { body(UnsafeBufferPointer(rebasing: $0[range])) }
  }
}
