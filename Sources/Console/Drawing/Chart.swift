import Alerts

/// The metric's recent past as a picture: the value's line, the usual band, and the anomaly marked. SVG, drawn here, in the page's own colours.
///
/// Reads the `series` that a detector attaches, in any of these forms: `{"times": […], "values": […], "lower": […], "upper": […], "expected": […]}`,
/// `{"start": "…", "step": "1d", "values": […]}`, or `[{"time": …, "value": …, "lower": …, "upper": …}, …]`. Times are RFC 3339; null is a gap.
struct Chart {
  struct Point {
    var time: Timestamp
    var value: Double?
    var lower: Double?
    var upper: Double?
    var expected: Double?
  }
  /// More points than this are thinned: the page is 720 units wide.
  static let pointLimit = 1440

  let points: [Point]
  private let unit: String

  init?(_ anomaly: Anomaly) {
    guard let series = anomaly.more.first(where: { $0.name == "series" })?.value else { return nil }
    var points = Chart.read(series)
    points.sort { $0.time < $1.time }
    let known = points.filter { $0.value?.isFinite == true }
    guard known.count >= 2, let first = points.first, let last = points.last, first.time < last.time else { return nil }
    if points.count > Chart.pointLimit {
      let step = (points.count + Chart.pointLimit - 1) / Chart.pointLimit
      points = points.enumerated().filter { $0.offset % step == 0 || $0.offset == points.count - 1 }.map(\.element)
    }
    self.points = points
    unit = anomaly.metric
  }

  private static func read(_ series: JSON) -> [Point] {
    if let list = series.array ?? series["points"]?.array {
      return list.prefix(100_000).compactMap { item in
        if let pair = item.array, pair.count >= 2, let time = time(pair[0]) {
          return Point(time: time, value: pair[1].double)
        }
        guard let time = time(item["time"] ?? item["t"]) else { return nil }
        return Point(
          time: time, value: (item["value"] ?? item["v"])?.double, lower: item["lower"]?.double,
          upper: item["upper"]?.double, expected: item["expected"]?.double)
      }
    }
    guard let values = series["values"]?.array else { return [] }
    let times = (series["times"] ?? series["timestamps"])?.array
    let start = time(series["start"])
    let step =
      series["step"]?.string.flatMap { Interval($0) }
      ?? (series["step"] ?? series["step_seconds"])?.double.flatMap {
        $0 > 0 && $0 < 1e9 ? Interval(microseconds: Int64($0 * 1e6)) : nil
      }
    var points: [Point] = []
    for (i, value) in values.prefix(100_000).enumerated() {
      var at: Timestamp?
      if let times { at = i < times.count ? time(times[i]) : nil }
      if at == nil, let start, let step { at = start + step * Int64(i) }
      guard let at else { continue }
      points.append(
        Point(
          time: at, value: value.double, lower: series["lower"]?[i]?.double, upper: series["upper"]?[i]?.double,
          expected: series["expected"]?[i]?.double))
    }
    return points
  }

  /// RFC 3339, or seconds since 1970.
  private static func time(_ json: JSON?) -> Timestamp? {
    if let t = json?.timestamp { return t }
    guard let s = json?.double, s > 0, s < 1e11 else { return nil }
    return Timestamp(microseconds: Int64(s * 1e6))
  }

  private static let width = 720.0
  private static let height = 220.0
  private static let left = 8.0
  private static let right = 712.0
  private static let top = 14.0
  private static let bottom = 192.0

  func svg(_ words: Words) -> String {
    let values = points.flatMap { [$0.value, $0.lower, $0.upper, $0.expected].compactMap { $0 } }.filter(\.isFinite)
    var low = values.min() ?? 0
    var high = values.max() ?? 1
    // A scale that begins at nothing says how large a change is; one far from nothing would be a flat line.
    if low > 0, low < high * 0.6 { low = 0 }
    if high - low < 1e-12 * max(1, high.magnitude) {
      high += 1
      low -= 1
    }
    let start = points[0].time
    let span = max(1, Double((points[points.count - 1].time - start).microseconds))
    func x(_ t: Timestamp) -> Double {
      Chart.left + Double((t - start).microseconds) / span * (Chart.right - Chart.left)
    }
    func y(_ v: Double) -> Double { Chart.bottom - (v - low) / (high - low) * (Chart.bottom - Chart.top) }
    func at(_ p: Point, _ v: Double) -> String { "\(short(x(p.time))),\(short(y(v)))" }

    var svg =
      "<svg class=\"chart\" viewBox=\"0 0 \(Int(Chart.width)) \(Int(Chart.height))\" role=\"img\" aria-labelledby=\"chart-t\">"
    svg += "<title id=\"chart-t\">\(PageText.escape(sentence(words)))</title>"
    for fraction in [0.0, 0.5, 1.0] {
      let v = low + (high - low) * fraction
      svg +=
        "<line class=\"grid\" x1=\"\(Chart.left)\" x2=\"\(Chart.right)\" y1=\"\(short(y(v)))\" y2=\"\(short(y(v)))\"/>"
      svg +=
        "<text class=\"tick\" x=\"\(Chart.left)\" y=\"\(short(y(v) - 3))\">\(PageText.escape(Format.number(v)))</text>"
    }
    let band = points.filter { $0.lower != nil && $0.upper != nil }
    if band.count >= 2 {
      let upper = band.map { at($0, $0.upper ?? 0) }
      let lower = band.reversed().map { at($0, $0.lower ?? 0) }
      svg += "<polygon class=\"band\" points=\"\((upper + lower).joined(separator: " "))\"/>"
    }
    svg += line(points.map { ($0, $0.expected) }, "expected", at)
    svg += line(points.map { ($0, $0.value) }, "value", at)
    if let last = points.last(where: { $0.value?.isFinite == true }), let value = last.value {
      let beyond = x(last.time) > Chart.width * 0.8
      svg += "<circle class=\"mark\" cx=\"\(short(x(last.time)))\" cy=\"\(short(y(value)))\" r=\"5\"/>"
      svg +=
        "<text class=\"mark-text\" text-anchor=\"\(beyond ? "end" : "start")\" x=\"\(short(x(last.time) + (beyond ? -9 : 9)))\" y=\"\(short(max(12, y(value) - 7)))\">\(PageText.escape(Format.number(value)))</text>"
    }
    let end = points[points.count - 1].time
    svg += "<text class=\"tick\" x=\"\(Chart.left)\" y=\"212\">\(PageText.escape(words.moment(start)))</text>"
    svg +=
      "<text class=\"tick\" text-anchor=\"end\" x=\"\(Chart.right)\" y=\"212\">\(PageText.escape(words.moment(end)))</text>"
    return svg + "</svg>"
  }

  /// Where a value is missing the line has a gap.
  private func line(
    _ values: [(Point, Double?)], _ name: String, _ at: (Point, Double) -> String
  ) -> String {
    var path = ""
    var isDrawing = false
    for (point, value) in values {
      guard let value, value.isFinite else {
        isDrawing = false
        continue
      }
      path += "\(isDrawing ? "L" : "M")\(at(point, value))"
      isDrawing = true
    }
    return path.isEmpty ? "" : "<path class=\"line-\(name)\" d=\"\(path)\"/>"
  }

  private func sentence(_ words: Words) -> String {
    let known = points.compactMap(\.value)
    let low = Format.number(known.min() ?? 0)
    let high = Format.number(known.max() ?? 0)
    return "\(unit) from \(words.moment(points[0].time)) to \(words.moment(points[points.count - 1].time)): "
      + "between \(low) and \(high), last \(Format.number(known.last ?? 0))"
  }

  private func short(_ v: Double) -> String {
    let scaled = (v * 10).rounded() / 10
    return scaled == scaled.rounded() ? String(Int(scaled)) : String(scaled)
  }
}
