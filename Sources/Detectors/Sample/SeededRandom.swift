import Foundation

/// Random numbers that are the same everywhere for a seed. SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014).
package struct SeededRandom: RandomNumberGenerator, Sendable {
  private var state: UInt64
  package init(seed: UInt64) { state = seed }

  package mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// From 0 up to, not including, 1.
  package mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// Mean 0, deviation 1. Box and Muller, 1958.
  package mutating func gaussian() -> Double {
    let u = max(uniform(), 0x1p-53)
    return (-2 * log(u)).squareRoot() * cos(2 * .pi * uniform())
  }

  /// How many of many rare things happen. Normal for a large mean; a table would not differ.
  package mutating func poisson(_ mean: Double) -> Double {
    guard mean > 0 else { return 0 }
    if mean > 30 { return max(0, (mean + mean.squareRoot() * gaussian()).rounded()) }
    let limit = exp(-mean)
    var product = uniform()
    var n = 0.0
    while product > limit {
      n += 1
      product *= uniform()
    }
    return n
  }
}
