package import Alerts
import CCairo

/// A picture of a metric's recent past: the curve, the range that was expected, and the anomaly marked.
///
/// Drawn for a phone first: 800 pixels that a mail shows in 360 points, so that type of 26 pixels is still 12 points there. Nothing depends on
/// colour: the curve is the darkest line, the range a light area, the anomaly a ring. It brings its own light background, for dark mode.
package struct Chart: Sendable {
  package static let width = 800
  package static let height = 440

  package var title: String
  package var series: ChartSeries

  package init(title: String, series: ChartSeries) {
    self.title = title
    self.series = series
  }

  /// Nil where the alert's detector sent no past.
  package init?(_ alert: AlertSummary) {
    guard let series = ChartSeries(alert.anomaly) else { return nil }
    let dimensions = alert.anomaly.dimensions.map { "\($0.name)=\($0.value)" }.joined(separator: ", ")
    title = dimensions.isEmpty ? alert.anomaly.metric : "\(alert.anomaly.metric) (\(dimensions))"
    self.series = series
  }

  /// What the picture shows, for those who don't see it.
  package var alternative: String {
    guard let last = series.points.last(where: { $0.value != nil }), let value = last.value else { return title }
    var text = "\(title): the last of \(series.points.count) values is \(Format.number(value))"
    if let lower = last.lower, let upper = last.upper {
      text += ", expected \(Format.number(lower)) to \(Format.number(upper))"
    } else if let expected = last.expected {
      text += ", expected \(Format.number(expected))"
    }
    return text
  }

  // The plot within the picture, in pixels.
  private static let left = 112.0
  private static let right = 772.0
  private static let top = 76.0
  private static let bottom = 376.0
  private static let typeSize = 24.0

  /// Nil if cairo has no memory for it.
  package func png() -> [UInt8]? {
    guard let surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, Int32(Chart.width), Int32(Chart.height)),
      let cr = cairo_create(surface)
    else { return nil }
    defer {
      cairo_destroy(cr)
      cairo_surface_destroy(surface)
    }
    draw(cr)
    guard cairo_status(cr) == CAIRO_STATUS_SUCCESS else { return nil }
    let sink = Sink()
    let status = cairo_surface_write_to_png_stream(
      surface,
      { context, bytes, count in
        guard let context, let bytes else { return CAIRO_STATUS_WRITE_ERROR }
        let sink = Unmanaged<Sink>.fromOpaque(context).takeUnretainedValue()
        sink.bytes.append(contentsOf: UnsafeBufferPointer(start: bytes, count: Int(count)))
        return CAIRO_STATUS_SUCCESS
      }, Unmanaged.passUnretained(sink).toOpaque())
    return status == CAIRO_STATUS_SUCCESS ? withExtendedLifetime(sink) { sink.bytes } : nil
  }

  private final class Sink { var bytes: [UInt8] = [] }

  private func draw(_ cr: OpaquePointer) {
    let points = series.points
    guard let first = points.first?.time, let last = points.last?.time else { return }
    let span = last - first
    let scale = ChartScale(covering: points.flatMap { [$0.value, $0.lower, $0.upper, $0.expected].compactMap { $0 } })
    func x(_ t: Timestamp) -> Double {
      let share = span.microseconds > 0 ? (t - first).seconds / span.seconds : 0.5
      return Chart.left + share * (Chart.right - Chart.left)
    }
    func y(_ v: Double) -> Double {
      Chart.bottom - (v - scale.low) / (scale.high - scale.low) * (Chart.bottom - Chart.top)
    }

    grey(cr, 1)
    cairo_paint(cr)
    cairo_select_font_face(cr, "sans-serif", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_BOLD)
    cairo_set_font_size(cr, Chart.typeSize)
    grey(cr, 0.1)
    write(cr, fitted(cr, title, width: Chart.right - 20), x: 20, y: 40)
    cairo_select_font_face(cr, "sans-serif", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_NORMAL)

    cairo_set_line_width(cr, 1)
    for tick in scale.ticks {
      grey(cr, 0.85)
      cairo_move_to(cr, Chart.left, y(tick).rounded() + 0.5)
      cairo_line_to(cr, Chart.right, y(tick).rounded() + 0.5)
      cairo_stroke(cr)
      grey(cr, 0.25)
      let label = ChartScale.label(tick)
      write(cr, label, x: Chart.left - 12 - width(cr, label), y: y(tick) + Chart.typeSize / 3)
    }
    let ends = [ChartScale.label(first, span: span), ChartScale.label(last, span: span)]
    write(cr, ends[0], x: Chart.left, y: Chart.bottom + 40)
    write(cr, ends[1], x: Chart.right - width(cr, ends[1]), y: Chart.bottom + 40)

    band(cr, points, x, y)
    line(cr, points.map { p in p.expected.map { (x(p.time), y($0)) } }, width: 2, dashed: true) { grey(cr, 0.45) }
    line(cr, points.map { p in p.value.map { (x(p.time), y($0)) } }, width: 4, dashed: false) {
      cairo_set_source_rgb(cr, 0.03, 0.19, 0.42)
    }
    mark(cr, points, x, y)
  }

  private func band(
    _ cr: OpaquePointer, _ points: [ChartSeries.Point], _ x: (Timestamp) -> Double, _ y: (Double) -> Double
  ) {
    var run: [(x: Double, lower: Double, upper: Double)] = []
    func fill() {
      defer { run = [] }
      guard run.count > 1 else { return }
      // Text leaves its end as the current point, which the area would begin at.
      cairo_new_path(cr)
      for p in run { cairo_line_to(cr, p.x, p.upper) }
      for p in run.reversed() { cairo_line_to(cr, p.x, p.lower) }
      cairo_close_path(cr)
      cairo_set_source_rgb(cr, 0.82, 0.87, 0.93)
      cairo_fill(cr)
    }
    for p in points {
      if let lower = p.lower, let upper = p.upper { run.append((x(p.time), y(lower), y(upper))) } else { fill() }
    }
    fill()
  }

  private func line(
    _ cr: OpaquePointer, _ places: [(Double, Double)?], width: Double, dashed: Bool, _ colour: () -> Void
  ) {
    cairo_set_line_width(cr, width)
    cairo_set_line_join(cr, CAIRO_LINE_JOIN_ROUND)
    let dashes = [8.0, 8.0]
    cairo_set_dash(cr, dashes, dashed ? 2 : 0, 0)
    colour()
    var isDown = false
    cairo_new_path(cr)
    for place in places {
      // A gap in the data is a gap in the line.
      guard let place else {
        isDown = false
        continue
      }
      if isDown { cairo_line_to(cr, place.0, place.1) } else { cairo_move_to(cr, place.0, place.1) }
      isDown = true
    }
    cairo_stroke(cr)
    cairo_set_dash(cr, dashes, 0, 0)
  }

  /// A ring around the last value, which is the anomaly, and dots on others outside the range.
  private func mark(
    _ cr: OpaquePointer, _ points: [ChartSeries.Point], _ x: (Timestamp) -> Double, _ y: (Double) -> Double
  ) {
    guard let last = points.last(where: { $0.value != nil }), let value = last.value else { return }
    cairo_set_source_rgb(cr, 0.55, 0, 0)
    for p in points where p.isOutside && p != last {
      guard let v = p.value else { continue }
      cairo_new_path(cr)
      cairo_arc(cr, x(p.time), y(v), 5, 0, 2 * .pi)
      cairo_fill(cr)
    }
    let place = (x: x(last.time), y: y(value))
    cairo_set_line_width(cr, 5)
    cairo_new_path(cr)
    cairo_arc(cr, place.x, place.y, 13, 0, 2 * .pi)
    cairo_stroke(cr)
    cairo_arc(cr, place.x, place.y, 5, 0, 2 * .pi)
    cairo_fill(cr)
    cairo_select_font_face(cr, "sans-serif", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_BOLD)
    let label = Format.number(value)
    let room = width(cr, label) + 24
    let high = place.y < Chart.top + 40
    write(cr, label, x: max(place.x - room, Chart.left + 4), y: high ? place.y + 40 : place.y - 20)
  }

  // MARK: Type

  private func grey(_ cr: OpaquePointer, _ light: Double) { cairo_set_source_rgb(cr, light, light, light) }

  private func write(_ cr: OpaquePointer, _ text: String, x: Double, y: Double) {
    cairo_move_to(cr, x, y)
    cairo_show_text(cr, text)
  }

  private func width(_ cr: OpaquePointer, _ text: String) -> Double {
    var extents = cairo_text_extents_t()
    cairo_text_extents(cr, text, &extents)
    return extents.x_advance
  }

  private func fitted(_ cr: OpaquePointer, _ text: String, width room: Double) -> String {
    // Control characters have no shape, and cairo stops at a NUL.
    var text = String(text.unicodeScalars.prefix(200).filter { $0.value >= 0x20 }.map(Character.init))
    guard width(cr, text) > room else { return text }
    while !text.isEmpty, width(cr, text + "…") > room { text.removeLast() }
    return text + "…"
  }
}
