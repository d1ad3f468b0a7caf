/// The mean of the last values. A window of more than ``WindowSlots/limit`` values is kept as that many blocks.
struct SlidingMean {
  private var slots: WindowSlots
  private var sum = 0.0

  init(_ size: Int) { slots = WindowSlots(size) }

  mutating func push(_ v: Double) -> Double {
    guard let block = slots.push(v) else {
      // Between two blocks the one that is filling counts as far as it has come.
      return slots.values.isEmpty ? slots.filling : sum / Double(slots.values.count)
    }
    if let left = block.left {
      sum += block.entered - left
      // Once a round the sum is made afresh, so that rounding cannot pile up.
      if slots.next == 0 { sum = slots.values.reduce(0, +) }
    } else {
      sum += block.entered
    }
    return sum / Double(slots.values.count)
  }

  func write(to out: inout StateWriter) {
    slots.write(to: &out)
    out.put(sum)
  }

  init(_ size: Int, from state: inout StateReader) throws(StateError) {
    slots = try WindowSlots(size, from: &state)
    sum = try state.double()
  }
}

/// The median of the last values, kept sorted: a shift of at most ``WindowSlots/limit`` numbers a point.
struct SlidingMedian {
  private var slots: WindowSlots
  private var sorted: [Double] = []

  init(_ size: Int) { slots = WindowSlots(size) }

  mutating func push(_ v: Double) -> Double {
    if let block = slots.push(v) {
      if let left = block.left { sorted.remove(at: place(left)) }
      sorted.insert(block.entered, at: place(block.entered))
    }
    let n = sorted.count
    guard n > 0 else { return slots.filling }
    return n % 2 == 1 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2
  }

  private func place(_ v: Double) -> Int {
    var low = 0
    var high = sorted.count
    while low < high {
      let middle = (low + high) / 2
      if sorted[middle] < v { low = middle + 1 } else { high = middle }
    }
    return low
  }

  func write(to out: inout StateWriter) { slots.write(to: &out) }

  init(_ size: Int, from state: inout StateReader) throws(StateError) {
    slots = try WindowSlots(size, from: &state)
    sorted = slots.values.sorted()
  }
}

/// The last values in turn. Of a long window, such as that of a series by the second, the means of short blocks are kept instead: its memory is bounded,
/// and what it is used for is slow.
struct WindowSlots {
  /// The most numbers of a window.
  static let limit = 128

  private(set) var values: [Double] = []
  /// Where the next one goes, once all are filled.
  private(set) var next = 0
  /// The mean of the block that is filling.
  private(set) var filling = 0.0
  private var filled = 0
  private let size: Int
  private let block: Int

  init(_ window: Int) {
    block = (window + Self.limit - 1) / Self.limit
    size = (window + block - 1) / block
  }

  /// The number that entered and the one that it pushed out; nil while a block is filling.
  mutating func push(_ v: Double) -> (entered: Double, left: Double?)? {
    var entered = v
    if block > 1 {
      filled += 1
      filling += (v - filling) / Double(filled)
      guard filled == block else { return nil }
      entered = filling
      filled = 0
      filling = 0
    }
    if values.count < size {
      values.append(entered)
      return (entered, nil)
    }
    let left = values[next]
    values[next] = entered
    next = next + 1 == size ? 0 : next + 1
    return (entered, left)
  }

  func write(to out: inout StateWriter) {
    out.put(values)
    out.put(next)
    out.put(filled)
    out.put(filling)
  }

  init(_ window: Int, from state: inout StateReader) throws(StateError) {
    self.init(window)
    values = try state.doubles(most: size)
    next = try state.int(in: 0...max(0, size - 1))
    filled = try state.int(in: 0...max(0, block - 1))
    filling = try state.double()
    guard values.count == size || next == 0 else { throw StateError.impossible }
  }
}
