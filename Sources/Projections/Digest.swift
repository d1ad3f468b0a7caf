package import Alerts

/// A digest, ready to be shown or sent.
package struct Digest: Sendable, Equatable {
  package let figures: DigestFigures
  package let page: DigestPage

  /// - Parameter consoleURL: where people can open alerts; nil leaves the links out.
  package init(_ figures: DigestFigures, consoleURL: String? = nil) {
    self.figures = figures
    page = DigestPage(figures, consoleURL: consoleURL)
  }

  package var subject: String { page.subject }
  /// Plain text, at most 80 columns but for words that are longer.
  package var text: String { DigestText.render(page) }
  /// A whole document for mail clients.
  package var html: String { DigestHTML.document(page) }
  /// What stands within a page of the console, with charts as SVG.
  package var htmlFragment: String { DigestHTML.fragment(page) }
  package var markdown: String { DigestMarkdown.render(page) }
  package var json: JSON { figures.json }
  /// Slack's own markup.
  package var slackText: String { DigestSlack.text(page) }
  /// Slack's Block Kit, an array of blocks.
  package var slackBlocks: JSON { DigestSlack.blocks(page) }

  /// `digest/weekly/2026-11-16/director-bi`, with the tenant behind it where it tells of one only. A digest is sent once, for ever, under it. Its date is the
  /// one on which the period is over, a day after the last.
  package static func key(_ period: DigestPeriod, receiver: String, tenant: String?) -> String {
    "digest/\(period.kind.rawValue)/\(period.overDate)/\(receiver)" + (tenant.map { "/\($0)" } ?? "")
  }

  /// What the `digest` command carries: the words as they are, so that a late try sends the same.
  package func order(receiver: String) -> DigestOrder {
    DigestOrder(
      key: Digest.key(figures.period, receiver: receiver, tenant: figures.tenant), receiver: receiver,
      content: [
        "subject": .string(subject), "text": .string(text), "html": .string(html), "markdown": .string(markdown),
        "slack": slackBlocks, "period": .string(figures.period.kind.rawValue),
        "figures": figures.json, "title": .string(figures.period.title), "ending": .string(figures.period.endingDate),
      ])
  }
}
