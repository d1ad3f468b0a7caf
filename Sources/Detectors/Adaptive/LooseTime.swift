import Alerts

/// Reads times as exports of all kinds write them, for files whose numbers are only scored: what is misread there costs an interval, and no window.
///
/// Beside what ``TimeReading`` takes: `2026/01/31 10:00`, `31.01.2026`, `1/31/2026 10:00:05 PM`, `20260131T100000Z`, `20260131`, and a zone's name at the end.
struct LooseTime {
  private let reading = TimeReading(zone: .utc)
  /// `31/1/2026` rather than `1/31/2026`, where slashes stand.
  let dayFirst: Bool

  /// Seconds since 1970.
  func read(_ text: some StringProtocol) -> Double? {
    let text = String(text).trimmingQuotes
    if let compact = LooseTime.compact(text), let t = reading.read(compact) { return LooseTime.seconds(t) }
    if let t = reading.read(text) { return LooseTime.seconds(t) }
    var words = text.split { $0 == " " || $0 == "T" }.map(String.init)
    guard !words.isEmpty, words.count <= 5 else { return nil }
    guard let date = date(words.removeFirst()) else { return nil }
    let clock = words.first { $0.contains(":") }
    guard let clock else { return reading.read(date).map { LooseTime.seconds($0) } }
    let half = words.first { ["am", "pm"].contains($0.lowercased()) }?.lowercased()
    guard let t = reading.read("\(date)T\(LooseTime.padded(clock))") else { return nil }
    var seconds = LooseTime.seconds(t)
    let hour = Int(clock.prefix { $0 != ":" }) ?? 0
    if half == "pm", hour < 12 { seconds += 43_200 }
    if half == "am", hour == 12 { seconds -= 43_200 }
    return seconds
  }

  private static func seconds(_ t: Timestamp) -> Double { Double(t.microseconds) / 1e6 }

  /// `9:05` is `09:05`.
  private static func padded(_ clock: String) -> String { clock.prefix { $0 != ":" }.count == 1 ? "0" + clock : clock }

  /// Any order of year, month and day, as ISO 8601 has it.
  private func date(_ text: String) -> String? {
    let parts = text.split { $0 == "/" || $0 == "." || $0 == "-" }.map(String.init)
    guard parts.count == 3, parts.allSatisfy({ Int($0) != nil }) else { return nil }
    func two(_ s: String) -> String { s.count == 1 ? "0" + s : s }
    if parts[0].count == 4 { return "\(parts[0])-\(two(parts[1]))-\(two(parts[2]))" }
    guard parts[2].count == 4 else { return nil }
    let (first, second) = (two(parts[0]), two(parts[1]))
    // Dots are a day first wherever they are written.
    return dayFirst || text.contains(".") ? "\(parts[2])-\(second)-\(first)" : "\(parts[2])-\(first)-\(second)"
  }

  /// `20260131`, `20260131T100000Z`
  private static func compact(_ text: String) -> String? {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    guard digits.count == 8, let year = Int(digits.prefix(4)), (1900...2100).contains(year) else { return nil }
    let d = Array(digits)
    let date = "\(String(d[0..<4]))-\(String(d[4..<6]))-\(String(d[6..<8]))"
    let rest = text.dropFirst(8)
    guard !rest.isEmpty else { return date }
    let clock = Array(rest.dropFirst().prefix { $0.isASCII && $0.isNumber })
    guard rest.first == "T" || rest.first == " ", clock.count >= 4 else { return nil }
    let tail = rest.dropFirst(1 + clock.count)
    let seconds = clock.count >= 6 ? ":" + String(clock[4..<6]) : ""
    return "\(date)T\(String(clock[0..<2])):\(String(clock[2..<4]))\(seconds)\(tail)"
  }

  /// Whether a column of such texts has the day first: one that can be no month.
  static func dayFirst(_ texts: [Substring]) -> Bool {
    texts.contains { text in
      let parts = text.trimmed.prefix { $0 != " " && $0 != "T" }.split(separator: "/")
      return parts.count == 3 && (Int(parts[0]) ?? 0) > 12 && parts[0].count <= 2
    }
  }
}
