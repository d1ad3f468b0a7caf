/// Numbers drawn from a seed: the same seed, the same run.
///
/// Source: Sebastiano Vigna, SplitMix64, 2015, public domain.
package struct Draw: Sendable {
  private var state: UInt64

  package init(seed: UInt64) { state = seed }

  package mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
    return z ^ z >> 31
  }
  /// 0 up to `n`, `n` above 0.
  package mutating func below(_ n: Int) -> Int { Int(next() % UInt64(n)) }
  /// From 0 up to, and without, 1.
  package mutating func fraction() -> Double { Double(next() >> 11) / Double(1 << 53) }
  /// Once in `n` times.
  package mutating func once(in n: Int) -> Bool { below(n) == 0 }
  package mutating func pick<T>(_ items: [T]) -> T { items[below(items.count)] }
}
