/// Words and numbers for people.
enum Sentence {
  /// `1,850`, `245`, `0.0342`, `12.3`: at most four digits that matter, thousands apart.
  static func number(_ value: Double) -> String {
    guard value.isFinite else { return "not a number" }
    let magnitude = value.magnitude
    let sign = value < 0 ? "-" : ""
    if magnitude >= 1e15 { return "\(value)" }
    if magnitude >= 1000 || magnitude == magnitude.rounded() {
      return sign + grouped(String(Int64(magnitude.rounded())))
    }
    if magnitude < 1e-6 { return "\(value)" }
    var decimals = 0
    var scale = 1.0
    while magnitude * scale < 100, decimals < 8 {
      scale *= 10
      decimals += 1
    }
    let digits = String(Int64((magnitude * scale).rounded()))
    let padded = String(repeating: "0", count: max(0, decimals + 1 - digits.count)) + digits
    var fraction = String(padded.suffix(decimals))
    while fraction.hasSuffix("0") { fraction.removeLast() }
    return sign + padded.dropLast(decimals) + (fraction.isEmpty ? "" : ".\(fraction)")
  }

  private static func grouped(_ digits: String) -> String {
    var out = ""
    for (i, c) in digits.enumerated() {
      if i > 0, (digits.count - i) % 3 == 0 { out.append(",") }
      out.append(c)
    }
    return out
  }

  /// `87%`, `3.4%`, `12x`: a change's size.
  static func percent(_ fraction: Double) -> String {
    let p = fraction.magnitude * 100
    if p >= 1000 { return "\(number((fraction.magnitude + 1).rounded()))-fold" }
    return p >= 10 ? "\(Int(p.rounded()))%" : "\(number((p * 10).rounded() / 10))%"
  }

  /// `fell 87% below` or `rose 40% above`.
  static func moved(_ change: Double) -> String {
    if change.magnitude >= 10 { return "rose \(number((change + 1).rounded()))-fold over" }
    return change < 0 ? "fell \(percent(change)) below" : "rose \(percent(change)) above"
  }
}
