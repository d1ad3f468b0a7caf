import Alerts

/// Slack's Block Kit: how an alert, a summary or a digest looks there. Pure.
struct SlackMessage {
  // Limits. Source: https://docs.slack.dev/reference/block-kit/blocks and /reference/methods/chat.postMessage
  static let headerLimit = 150
  static let sectionLimit = 3000
  static let buttonValueLimit = 2000
  static let urlLimit = 3000
  /// The fallback text: 40,000 are truncated, 4,000 are recommended.
  static let textLimit = 4000
  /// All blocks' text together: beyond about 13,200 Slack answers `msg_blocks_too_long`, undocumented (slackapi/bolt-js#2509).
  static let totalLimit = 12_000
  static let blockLimit = 50
  static let cutNote = "\n… (cut here: the whole of it is in Tocsin)"

  var text: String
  var blocks: [JSON]

  init(_ job: Job, templates: TemplateSet) {
    let facts = MessageFacts(job)
    if job.purpose == .digest, let content = job.content {
      self = SlackMessage(digest: content, facts, templates)
      return
    }
    let mark = facts.mark
    text = Cut.text(
      SlackText.escape("\(mark) \(templates.render(facts, .line))"), to: SlackMessage.textLimit, note: "…")
    blocks = [
      SlackMessage.header("\(mark) \(facts.label): \(facts.headline)"),
      SlackMessage.section(
        Cut.text(templates.render(facts, .slack), to: SlackMessage.sectionLimit, note: SlackMessage.cutNote)),
    ]
    let buttons = SlackMessage.buttons(job, facts)
    if !buttons.isEmpty { blocks.append(SlackMessage.actions(buttons)) }
    blocks.append([
      "type": "context", "elements": [["type": "mrkdwn", "text": .string(SlackText.escape("Tocsin · \(facts.id)"))]],
    ])
  }

  /// As it was ordered, unless the user's own template makes another of it.
  private init(digest content: JSON, _ facts: MessageFacts, _ templates: TemplateSet) {
    let subject = templates.render(digest: content, .subject) ?? facts.headline
    text = Cut.text(SlackText.escape(subject), to: SlackMessage.textLimit)
    if !templates.isOwn("digest.slack"), let given = content["slack"]?.array, !given.isEmpty,
      given.count <= SlackMessage.blockLimit
    {
      blocks = given
      return
    }
    blocks = [SlackMessage.header(subject)]
    let body =
      templates.render(digest: content, .slack)
      ?? SlackText.escape(content["text"]?.string ?? content["markdown"]?.string ?? "")
    for piece in Cut.pieces(
      body, of: SlackMessage.sectionLimit, atMost: SlackMessage.totalLimit / SlackMessage.sectionLimit,
      note: SlackMessage.cutNote)
    {
      blocks.append(SlackMessage.section(piece))
    }
    if let link = facts.link { blocks.append(SlackMessage.actions([SlackMessage.link("Open in Tocsin", link)])) }
  }

  /// The words of blocks, in Slack's markup; nil for what is none.
  static func words(_ blocks: JSON) -> String? {
    guard let blocks = blocks.array else { return nil }
    let pieces = blocks.flatMap { block in
      [block["text"]?["text"]?.string].compactMap {
        $0.map { block["type"]?.string == "header" ? SlackText.escape($0) : $0 }
      }
        + (block["elements"]?.array ?? []).compactMap { $0["text"]?.string }
    }
    return pieces.joined(separator: "\n\n")
  }

  /// What a reply in the thread says: the news alone, since the message that it hangs from has the rest.
  static func news(_ job: Job, templates: TemplateSet) -> String {
    Cut.text(templates.render(MessageFacts(job), .reply), to: sectionLimit, note: cutNote)
  }

  private static func header(_ text: String) -> JSON {
    [
      "type": "header",
      "text": ["type": "plain_text", "text": .string(Cut.text(text, to: headerLimit)), "emoji": true],
    ]
  }

  private static func section(_ text: String) -> JSON {
    ["type": "section", "text": ["type": "mrkdwn", "text": .string(text.isEmpty ? " " : text)]]
  }

  private static func actions(_ elements: [JSON]) -> JSON { ["type": "actions", "elements": .array(elements)] }

  private static func buttons(_ job: Job, _ facts: MessageFacts) -> [JSON] {
    var buttons: [JSON] = []
    if let alert = job.alert {
      // The version tells the service what the person saw; a stale click is refused with the reason.
      let value: JSON = ["alert": .string(alert.id.description), "version": .int(alert.version)]
      func button(_ text: String, _ action: String, _ style: String?) -> JSON {
        .compact([
          "type": "button", "text": ["type": "plain_text", "text": .string(text)], "action_id": .string(action),
          "value": .string(value.text), "style": .text(style),
        ])
      }
      if alert.state == .open, job.purpose != .resolved {
        buttons.append(button("Acknowledge", "acknowledge", "primary"))
      }
      if alert.state != .resolved, job.purpose != .resolved { buttons.append(button("Resolve", "resolve", nil)) }
    }
    if let url = facts.link { buttons.append(link("Open", url)) }
    return buttons.filter { !$0.isNull }
  }

  private static func link(_ text: String, _ url: String) -> JSON {
    guard url.utf16.count <= urlLimit else { return .null }
    return [
      "type": "button", "text": ["type": "plain_text", "text": .string(text)], "action_id": "open", "url": .string(url),
    ]
  }
}
