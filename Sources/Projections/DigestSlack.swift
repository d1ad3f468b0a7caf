import Alerts

/// A digest for Slack: text in its own markup, and the same as blocks.
enum DigestSlack {
  /// Slack refuses a message with more. Source: Slack's Block Kit reference, "blocks".
  static let blockLimit = 50
  /// Characters in a section's text. Same source, "section".
  static let textLimit = 3000
  static let headerLimit = 150

  static func text(_ page: DigestPage) -> String {
    ([
      "*\(escape(page.title))*\n\(escape(page.subtitle))", escape(page.lead),
    ] + page.sections.map { "*\(escape($0.heading))*\n" + body($0, page) }).joined(separator: "\n\n")
  }

  static func blocks(_ page: DigestPage) -> JSON {
    var blocks: [JSON] = [
      ["type": "header", "text": ["type": "plain_text", "text": .string(String(page.title.prefix(headerLimit)))]],
      ["type": "context", "elements": [["type": "mrkdwn", "text": .string(escape(page.subtitle))]]],
      section(escape(page.lead)),
    ]
    for s in page.sections {
      blocks.append(["type": "divider"])
      blocks.append(section("*\(escape(s.heading))*\n" + body(s, page)))
    }
    if let url = page.consoleURL { blocks.append(section("<\(url)|Open the console>")) }
    return .array(Array(blocks.prefix(blockLimit)))
  }

  private static func section(_ text: String) -> JSON {
    let short = text.count <= textLimit ? text : cut(text)
    return ["type": "section", "text": ["type": "mrkdwn", "text": .string(short)]]
  }

  /// Cuts at the end of a line, and says so.
  private static func cut(_ text: String) -> String {
    let mark = "\n_… the rest is in the console._"
    var kept = text.prefix(textLimit - mark.count)
    if let end = kept.lastIndex(of: "\n") { kept = kept[..<end] }
    return kept + mark
  }

  private static func body(_ s: DigestPage.Section, _ page: DigestPage) -> String {
    s.blocks.map { render($0, page) }.joined(separator: "\n")
  }

  private static func render(_ block: DigestPage.Block, _ page: DigestPage) -> String {
    switch block {
    case .text(let text): return escape(text)
    case .facts(let facts):
      return facts.map {
        "• \(escape($0.name)): *\(escape($0.value))*\($0.note.isEmpty ? "" : "  (\(escape($0.note)))")"
      }
      .joined(separator: "\n")
    case .bars(let title, let bars):
      // A code block keeps the columns.
      let label = min(18, bars.map(\.label.count).max() ?? 0)
      let most = bars.map(\.total).max() ?? 0
      let lines = bars.map {
        String($0.label.prefix(18)).padded(label) + " " + Format.number(Double($0.total)).padded(4, right: true) + " "
          + DigestText.blocks($0.total, of: most, width: 14)
      }
      return "_\(escape(title))_\n```\(escape(lines.joined(separator: "\n")))```"
    case .alerts(let alerts):
      return alerts.map { a in
        let id = page.link(a.id).map { "<\($0)|\(a.id)>" } ?? "\(a.id)"
        return "• *\(a.severity.name)* \(id) \(escape(a.headline))\n   \(escape(page.detail(a)))"
      }
      .joined(separator: "\n")
    case .checks(let checks):
      return checks.map { c in
        "• \(escape(DigestPage.name(c))): \(escape(DigestPage.summary(c)))"
          + (c.remedy.map { "\n   _\(escape($0))_" } ?? "")
      }
      .joined(separator: "\n")
    }
  }

  /// Source: Slack's "Formatting text": these three and no others.
  static func escape(_ text: String) -> String {
    var out = ""
    for c in text.unicodeScalars {
      switch c {
      case "&": out += "&amp;"
      case "<": out += "&lt;"
      case ">": out += "&gt;"
      default: out.unicodeScalars.append(c)
      }
    }
    return out
  }
}
