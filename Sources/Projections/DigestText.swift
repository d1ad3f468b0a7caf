import Alerts

/// A digest as plain text of at most 80 columns.
enum DigestText {
  static let width = 80
  private static let barWidth = 32

  static func render(_ page: DigestPage) -> String {
    var lines = [
      page.title, page.subtitle, String(repeating: "=", count: min(width, max(page.title.count, page.subtitle.count))),
    ]
    lines += [""] + wrap(page.lead)
    for section in page.sections {
      lines += ["", section.heading, String(repeating: "-", count: section.heading.count)]
      for (i, block) in section.blocks.enumerated() {
        let isJoined = if i == 0 { true } else { isText(section.blocks[i - 1]) }
        if !isJoined { lines.append("") }
        lines += render(block, page)
      }
    }
    if let url = page.consoleURL { lines += ["", url] }
    return lines.map { $0.trimmingEnd() }.joined(separator: "\n") + "\n"
  }

  private static func isText(_ block: DigestPage.Block) -> Bool {
    if case .text = block { true } else { false }
  }

  private static func render(_ block: DigestPage.Block, _ page: DigestPage) -> [String] {
    switch block {
    case .text(let text): return wrap(text)
    case .facts(let facts):
      let name = facts.map(\.name.count).max() ?? 0
      let value = facts.map(\.value.count).max() ?? 0
      return facts.flatMap { f in
        wrap(
          f.name.padded(name) + "  " + f.value.padded(value, right: true) + "  " + f.note, indent: name + value + 4)
      }
    case .bars(let title, let bars): return [title] + chart(bars)
    case .alerts(let alerts):
      return alerts.flatMap { a in
        wrap("\(a.severity.name.padded(8))  \(a.id)  \(a.headline)", indent: 10)
          + wrap("          " + page.detail(a), indent: 10)
          + (page.link(a.id).map { ["          " + $0] } ?? [])
      }
    case .checks(let checks):
      return checks.flatMap { c in
        wrap("\(DigestPage.name(c)): \(DigestPage.summary(c))", indent: 4)
          + (c.remedy.map { wrap("    -> \($0)", indent: 7) } ?? [])
      }
    }
  }

  private static func chart(_ bars: [DigestPage.Bar]) -> [String] {
    let label = min(30, bars.map(\.label.count).max() ?? 0)
    let most = bars.map(\.total).max() ?? 0
    let digits = Format.number(Double(most)).count
    return bars.map { bar in
      let text =
        "  " + String(bar.label.prefix(30)).padded(label) + "  "
        + Format.number(Double(bar.total)).padded(digits, right: true) + "  "
        + blocks(bar.total, of: most)
      return bar.note.isEmpty ? text : text.padded(label + digits + 6 + barWidth) + "  \(bar.note)"
    }
  }

  /// A bar in eighths of a character.
  static func blocks(_ n: Int, of most: Int, width: Int = barWidth) -> String {
    guard most > 0, n > 0 else { return "" }
    let eighths = max(1, Int((Double(n) / Double(most) * Double(width * 8)).rounded()))
    let parts = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"]
    return String(repeating: "█", count: eighths / 8) + parts[eighths % 8]
  }

  /// Breaks at spaces; a word that is longer than a line stands alone.
  static func wrap(_ text: String, indent: Int = 0) -> [String] {
    var lines: [String] = []
    var line = ""
    let lead = String(text.prefix { $0 == " " })
    for (i, word) in text.dropFirst(lead.count).split(separator: " ", omittingEmptySubsequences: false).enumerated() {
      if i == 0 {
        line = lead + word
      } else if line.count + 1 + word.count <= width {
        line += " " + word
      } else if word.isEmpty {
        continue
      } else {
        lines.append(line)
        line = String(repeating: " ", count: indent) + word
      }
    }
    lines.append(line)
    return lines
  }
}

extension String {
  func padded(_ width: Int, right: Bool = false) -> String {
    let n = count
    guard n < width else { return self }
    let space = String(repeating: " ", count: width - n)
    return right ? space + self : self + space
  }
  fileprivate func trimmingEnd() -> String {
    var s = Substring(self)
    while s.last == " " { s.removeLast() }
    return String(s)
  }
}
