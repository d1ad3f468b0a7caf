import Alerts

/// An axis: round numbers that span the data, and how they are written.
struct ChartScale: Equatable {
  var ticks: [Double]
  var low: Double
  var high: Double

  /// About `count` steps of 1, 2 or 5 times a power of ten. Source: Heckbert, "Nice Numbers for Graph Labels", Graphics Gems, 1990.
  init(covering values: [Double], count: Int = 4) {
    let least = values.min() ?? 0
    let most = values.max() ?? 1
    // A flat line lies in the middle, whatever its height.
    let span = most - least > most.magnitude * 1e-9 ? most - least : max(most.magnitude, 1)
    let rough = span / Double(max(count, 1))
    var step = 1.0
    while step > rough { step /= 10 }
    while step * 10 <= rough { step *= 10 }
    step *= rough / step > 5 ? 10 : rough / step > 2 ? 5 : rough / step > 1 ? 2 : 1
    let first = ((least - span * 0.05) / step).rounded(.down)
    let last = ((most + span * 0.05) / step).rounded(.up)
    ticks = stride(from: first, through: last, by: 1).map { $0 * step }
    // A metric that is never below nought has no axis below it.
    if least >= 0 { ticks.removeAll { $0 < 0 } }
    low = ticks.first ?? 0
    high = max(ticks.last ?? 1, low + step)
  }

  /// `1.2k`, `3M`: what fits beside an axis.
  static func label(_ value: Double) -> String {
    let magnitude = value.magnitude
    for (limit, letter) in [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e4, "k")] where magnitude >= limit {
      let unit = letter == "k" ? 1000 : limit
      return "\(Format.number((value / unit * 100).rounded() / 100))\(letter)"
    }
    return Format.number(magnitude < 1e-12 ? 0 : value)
  }

  /// A day for spans of days, a time for less.
  static func label(_ time: Timestamp, span: Interval) -> String {
    let text = time.rfc3339
    return span >= .days(2) ? String(text.prefix(10)) : "\(text.dropFirst(5).prefix(5)) \(text.dropFirst(11).prefix(5))"
  }
}
