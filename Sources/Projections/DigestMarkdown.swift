import Alerts

/// A digest as Markdown (CommonMark, with GitHub's tables).
enum DigestMarkdown {
  static func render(_ page: DigestPage) -> String {
    var parts = ["# \(escape(page.title))", escape(page.subtitle), escape(page.lead)]
    for section in page.sections {
      parts.append("## \(escape(section.heading))")
      for block in section.blocks { parts.append(render(block, page)) }
    }
    if let url = page.consoleURL { parts.append("[Open the console](\(url))") }
    return parts.joined(separator: "\n\n") + "\n"
  }

  private static func render(_ block: DigestPage.Block, _ page: DigestPage) -> String {
    switch block {
    case .text(let text): return escape(text)
    case .facts(let facts):
      return
        (["| | | |", "|---|--:|---|"]
        + facts.map { "| \(cell($0.name)) | \($0.isBad ? "**\($0.value)**" : cell($0.value)) | \(cell($0.note)) |" })
        .joined(separator: "\n")
    case .bars(let title, let bars):
      let most = bars.map(\.total).max() ?? 0
      return
        (["| \(cell(title)) | | | |", "|---|--:|---|---|"]
        + bars.map {
          "| \(cell($0.label)) | \(Format.number(Double($0.total))) | \(DigestText.blocks($0.total, of: most, width: 16)) | \(cell($0.note)) |"
        })
        .joined(separator: "\n")
    case .alerts(let alerts):
      return alerts.map { a in
        let id = page.link(a.id).map { "[\(a.id)](\($0))" } ?? "\(a.id)"
        return "- **\(a.severity.name)** \(id): \(escape(a.headline))  \n  \(escape(page.detail(a)))"
      }
      .joined(separator: "\n")
    case .checks(let checks):
      return checks.map { c in
        "- \(escape(DigestPage.name(c))): \(escape(DigestPage.summary(c)))"
          + (c.remedy.map { "  \n  *\(escape($0))*" } ?? "")
      }
      .joined(separator: "\n")
    }
  }

  /// Backslashes before what Markdown would take as its own. A metric such as `total_views` keeps its underscore: within a word it means nothing.
  static func escape(_ text: String) -> String {
    var out = ""
    for c in text.unicodeScalars {
      switch c {
      case "\\", "`", "*", "[", "]", "<", ">", "#", "|": out += "\\\(c)"
      case "\r": break
      case "\n": out += " "
      default: out.unicodeScalars.append(c)
      }
    }
    return out
  }
  private static func cell(_ text: String) -> String { escape(text) }
}
