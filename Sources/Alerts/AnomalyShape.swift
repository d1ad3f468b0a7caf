/// What the last anomaly's text looked like. Anomalies of one detector differ from the one before in a few values: where everything between those is the same, byte
/// for byte, only the values are looked at, and the rest means what it meant.
struct AnomalyShape {
  typealias Span = TextCursor.Span

  /// A value that may differ. What is valid in its place is what was valid there in the text that the shape was taken from.
  struct Gap {
    enum Kind { case id, time, start, end, text, number }
    var span: Span
    var kind: Kind
  }
  /// A span of the kept text, and what says where it stands in another: the gap that it is, or the last one before it.
  struct Place {
    fileprivate var span: Span
    fileprivate var gap: Int
    fileprivate var isGap: Bool
  }

  /// Values of one anomaly, at the most: where each stands is looked for among them all, which a hostile text of a hundred thousand would make a matter of seconds.
  static let gapLimit = 64

  private var gaps: [Gap] = []
  private var text: [UInt8] = []
  /// Where the gaps' values stand in the text at hand.
  private var found: [Span] = []
  private var isKept = false
  private var misses = 0

  /// Of the text at hand, while it fits.
  private(set) var time: Timestamp?
  private(set) var window: (start: Timestamp?, end: Timestamp?) = (nil, nil)

  /// Before a text is read in full.
  mutating func begin() {
    gaps.removeAll(keepingCapacity: true)
    isKept = false
  }

  mutating func gap(_ span: Span, _ kind: Gap.Kind) { gaps.append(Gap(span: span, kind: kind)) }

  /// Whether it is worth keeping the shape of a text that was read in full: not each time where texts keep differing, and never where it has too many values.
  var isWorthIt: Bool { gaps.count <= AnomalyShape.gapLimit && (misses <= 8 || misses & 63 == 0) }

  /// The text that was read in full is what others are held against, unless it has two windows, of which each would have to be judged.
  mutating func keep(_ b: UnsafeBufferPointer<UInt8>) {
    guard gaps.count(where: { $0.kind == .start }) <= 1 else { return }
    text.removeAll(keepingCapacity: true)
    text.append(contentsOf: b)
    found = gaps.map(\.span)
    isKept = true
  }

  /// Whether the text differs in nothing but valid values. Says no where in doubt: then it is read in full.
  mutating func fits(_ cursor: inout TextCursor) -> Bool {
    time = nil
    window = (nil, nil)
    guard isKept, compare(&cursor) else {
      misses &+= 1
      return false
    }
    misses = 0
    return true
  }

  private mutating func compare(_ cursor: inout TextCursor) -> Bool {
    var before: Int32 = 0
    for i in gaps.indices {
      let gap = gaps[i]
      guard isSame(&cursor, before, gap.span.start) else { return false }
      guard let span = gap.kind == .number ? cursor.number() : cursor.textInside() else { return false }
      switch gap.kind {
      case .number, .text: break
      case .id: if span.count == 0 { return false }
      case .time, .start, .end:
        guard let t = Timestamp.parse(cursor.slice(span)) else { return false }
        if gap.kind == .time { time = t } else if gap.kind == .start { window.start = t } else { window.end = t }
      }
      found[i] = span
      before = gap.span.end
    }
    return isSame(&cursor, before, Int32(truncatingIfNeeded: text.count)) && cursor.isAtEnd
  }

  private func isSame(_ cursor: inout TextCursor, _ start: Int32, _ end: Int32) -> Bool {
    text.withUnsafeBufferPointer { b in
      guard let base = b.baseAddress else { return false }
      return cursor.takeSame(as: base + Int(start), count: Int(end - start))
    }
  }

  // MARK: - Places

  /// For a span of the text that was read in full.
  func place(_ span: Span) -> Place {
    let gap = gaps.lastIndex { $0.span.start <= span.start } ?? -1
    let isGap = gap >= 0 && gaps[gap].span.start == span.start && gaps[gap].span.end == span.end
    return Place(span: span, gap: gap, isGap: isGap)
  }

  /// Where it stands in the text that fits.
  @inline(__always)
  func span(_ place: Place) -> Span {
    if place.isGap { return found[place.gap] }
    guard place.gap >= 0, !place.span.isAbsent else { return place.span }
    let shift = found[place.gap].end - gaps[place.gap].span.end
    return Span(start: place.span.start + shift, end: place.span.end + shift)
  }
}
