import Alerts

/// A digest as HTML: for mail clients, which know tables and inline styles only, or for the console, with charts as inline SVG.
///
/// No colour is needed to read it, none is set behind the text, and the accents keep their contrast on white and on black: so it survives mail clients'
/// own dark modes. One column, at most 600 pixels wide, reads on a phone.
enum DigestHTML {
  enum Form { case email, page }

  /// A whole document.
  static func document(_ page: DigestPage) -> String {
    """
    <!DOCTYPE html>
    <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark"><meta name="supported-color-schemes" content="light dark">
    <title>\(escape(page.subject))</title></head>
    <body style="margin:0;padding:12px">\(body(page, .email))</body></html>

    """
  }

  /// What stands within a page of the console.
  static func fragment(_ page: DigestPage) -> String { body(page, .page) }

  private static let font = "font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif"

  private static func body(_ page: DigestPage, _ form: Form) -> String {
    var html =
      "<div style=\"max-width:600px;margin:0 auto;\(font);font-size:15px;line-height:1.45\">"
      + "<h1 style=\"font-size:22px;margin:0 0 2px\">\(escape(page.title))</h1>"
      + "<p style=\"margin:0 0 14px;opacity:.75\">\(escape(page.subtitle))</p>"
      + "<p style=\"font-size:17px;margin:0 0 8px\">\(escape(page.lead))</p>"
    for section in page.sections {
      html +=
        "<h2 style=\"font-size:18px;margin:26px 0 8px;padding-top:10px;border-top:1px solid #8886\">\(escape(section.heading))</h2>\n"
      for block in section.blocks { html += render(block, page, form) + "\n" }
    }
    if let url = page.consoleURL, form == .email {
      html += "<p style=\"margin:26px 0 0\"><a href=\"\(escape(url))\">Open the console</a></p>"
    }
    return html + "</div>"
  }

  private static func render(_ block: DigestPage.Block, _ page: DigestPage, _ form: Form) -> String {
    switch block {
    case .text(let text): return "<p style=\"margin:8px 0\">\(escape(text))</p>"
    case .facts(let facts):
      return table(
        facts.map { f in
          let value =
            f.isBad ? "<b style=\"color:\(color(.critical))\">\(escape(f.value))</b>" : "<b>\(escape(f.value))</b>"
          return "<tr><td style=\"padding:3px 10px 3px 0\">\(escape(f.name))</td>"
            + "<td style=\"padding:3px 10px 3px 0;text-align:right;white-space:nowrap\">\(value)</td>"
            + "<td style=\"padding:3px 0;opacity:.75;font-size:13px\">\(escape(f.note))</td></tr>"
        })
    case .bars(let title, let bars):
      return "<h3 style=\"font-size:14px;margin:14px 0 4px\">\(escape(title))</h3>"
        + (form == .page ? DigestSVG.chart(title, bars) : table(rows(bars)))
    case .alerts(let alerts): return alerts.map { alert($0, page) }.joined(separator: "\n")
    case .checks(let checks):
      return checks.map { c in
        "<p style=\"margin:8px 0\"><b>\(escape(DigestPage.name(c)))</b><br>\(escape(DigestPage.summary(c)))"
          + (c.remedy.map { "<br><i>\(escape($0))</i>" } ?? "") + "</p>"
      }
      .joined(separator: "\n")
    }
  }

  private static func alert(_ a: DigestFigures.Line, _ page: DigestPage) -> String {
    let id = page.link(a.id).map { "<a href=\"\(escape($0))\">\(a.id)</a>" } ?? "\(a.id)"
    return "<p style=\"margin:8px 0;padding-left:10px;border-left:4px solid \(color(a.severity))\">"
      + "<b>\(a.severity.name)</b> \(id) \(escape(a.headline))<br>"
      + "<span style=\"opacity:.75;font-size:13px\">\(escape(page.detail(a)))</span></p>"
  }

  private static func table(_ rows: [String]) -> String {
    "<table role=\"presentation\" cellspacing=\"0\" cellpadding=\"0\" style=\"border-collapse:collapse;width:100%;font-size:14px\">"
      + rows.joined(separator: "\n") + "</table>"
  }

  /// Bars of table cells, which every mail client draws.
  private static func rows(_ bars: [DigestPage.Bar]) -> [String] {
    let most = max(1, bars.map(\.total).max() ?? 1)
    return bars.map { bar in
      var cells = ""
      for part in bar.parts where part.count > 0 {
        let percent = max(1, part.count * 100 / most)
        cells +=
          "<td title=\"\(escape(part.severity?.name ?? bar.label)): \(part.count)\" style=\"background:\(color(part.severity));width:\(percent)%;height:12px;font-size:0;line-height:0\">&nbsp;</td>"
      }
      let rest = 100 - min(100, bar.total * 100 / most)
      if rest > 0 { cells += "<td style=\"width:\(rest)%;font-size:0\">&nbsp;</td>" }
      return "<tr><td style=\"padding:2px 8px 2px 0;white-space:nowrap\">\(escape(bar.label))</td>"
        + "<td style=\"padding:2px 8px 2px 0;text-align:right\">\(Format.number(Double(bar.total)))</td>"
        + "<td style=\"width:55%;padding:2px 0\"><table role=\"presentation\" cellspacing=\"0\" cellpadding=\"0\" style=\"width:100%;border-collapse:collapse\"><tr>\(cells)</tr></table></td>"
        + "<td style=\"padding:2px 0 2px 8px;opacity:.75;font-size:12px;white-space:nowrap\">\(escape(bar.note))</td></tr>"
    }
  }

  /// At least 3 : 1 against white and against #121212 (WCAG 2.2, 1.4.11), and apart in greyscale.
  static func color(_ severity: Severity?) -> String {
    switch severity {
    case .critical: "#d32f2f"
    case .high: "#e8590c"
    case .medium: "#b7860b"
    case .low: "#5c8fb8"
    case nil: "#4d8a7c"
    }
  }

  /// Scalar by scalar: a quotation mark with an accent on it is one character to Swift, and still a quotation mark to a browser.
  static func escape(_ text: String) -> String {
    var out = ""
    out.reserveCapacity(text.utf8.count)
    for c in text.unicodeScalars {
      switch c {
      case "&": out += "&amp;"
      case "<": out += "&lt;"
      case ">": out += "&gt;"
      case "\"": out += "&quot;"
      case "'": out += "&#39;"
      case "\0": out += "\u{FFFD}"
      default: out.unicodeScalars.append(c)
      }
    }
    return out
  }
}

/// Bar charts as inline SVG. They take the colour of the text around them, and so any theme.
enum DigestSVG {
  private static let width = 600
  private static let row = 22

  static func chart(_ title: String, _ bars: [DigestPage.Bar]) -> String {
    let most = max(1, bars.map(\.total).max() ?? 1)
    let labelWidth = 130
    let valueWidth = 120
    let span = width - labelWidth - valueWidth
    var svg =
      "<svg viewBox=\"0 0 \(width) \(bars.count * row)\" width=\"100%\" role=\"img\" aria-label=\"\(DigestHTML.escape(title))\" font-size=\"13\" fill=\"currentColor\" style=\"max-width:600px\">"
    for (i, bar) in bars.enumerated() {
      let y = i * row
      svg += "<text x=\"0\" y=\"\(y + 15)\">\(DigestHTML.escape(String(bar.label.prefix(18))))</text>"
      var x = Double(labelWidth)
      for part in bar.parts where part.count > 0 {
        let w = max(1.5, Double(part.count) / Double(most) * Double(span))
        svg +=
          "<rect x=\"\(tenths(x))\" y=\"\(y + 4)\" width=\"\(tenths(w))\" height=\"14\" rx=\"2\" fill=\"\(DigestHTML.color(part.severity))\"><title>\(part.severity.map { "\($0.name): " } ?? "")\(part.count)</title></rect>"
        x += w
      }
      let note = bar.note.isEmpty ? "" : " <tspan opacity=\".7\">(\(DigestHTML.escape(bar.note)))</tspan>"
      svg += "<text x=\"\(tenths(x + 6))\" y=\"\(y + 15)\">\(Format.number(Double(bar.total)))\(note)</text>"
    }
    return svg + "</svg>"
  }

  private static func tenths(_ x: Double) -> String { Format.number((x * 10).rounded() / 10) }
}
