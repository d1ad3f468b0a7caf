import Alerts

/// Messages for programs, drawn as their receivers' tools would show them. All text is escaped here: the result is put into a page as it is.
enum Preview {
  /// Slack's Block Kit.
  static func slack(_ message: JSON) -> String {
    var html = ""
    let blocks = message["blocks"]?.array ?? []
    if blocks.isEmpty { html += "<p>\(markdown(message["text"]?.string ?? ""))</p>" }
    for block in blocks.prefix(50) { html += self.block(block) }
    for attachment in (message["attachments"]?.array ?? []).prefix(20) {
      for block in (attachment["blocks"]?.array ?? []).prefix(50) { html += self.block(block) }
    }
    return html
  }

  private static func block(_ block: JSON) -> String {
    switch block["type"]?.string {
    case "header": return "<h3>\(PageText.escape(block["text"]?["text"]?.string ?? ""))</h3>"
    case "divider": return "<hr>"
    case "section":
      var html = block["text"].map { "<p>\(text($0))</p>" } ?? ""
      if let fields = block["fields"]?.array {
        html += "<div class=\"fields\">\(fields.prefix(10).map { "<p>\(text($0))</p>" }.joined())</div>"
      }
      return html
    case "context":
      let elements = (block["elements"]?.array ?? []).prefix(10).map(text)
      return "<p class=\"context\">\(elements.joined(separator: " "))</p>"
    case "actions":
      let buttons = (block["elements"]?.array ?? []).prefix(25).map { element in
        let style = element["style"]?.string == "primary" ? " primary" : ""
        return "<span class=\"fake-button\(style)\">\(PageText.escape(element["text"]?["text"]?.string ?? ""))</span>"
      }
      return "<div>\(buttons.joined())</div>"
    case "image": return "<p class=\"context\">[picture: \(PageText.escape(block["alt_text"]?.string ?? ""))]</p>"
    default: return ""
    }
  }

  private static func text(_ object: JSON) -> String {
    let text = object["text"]?.string ?? object.string ?? ""
    return object["type"]?.string == "plain_text" ? PageText.escape(text) : markdown(text)
  }

  /// Slack's marks: `*bold*`, `_italic_`, `` `code` ``, `<https://…|words>`.
  static func markdown(_ text: String) -> String {
    var html = ""
    var rest = Substring(text)
    var open: [(mark: Character, tag: String)] = []
    let tags: [Character: String] = ["*": "b", "_": "i", "~": "s", "`": "code"]
    while let c = rest.first {
      if c == "<", let end = rest.firstIndex(of: ">") {
        let inside = rest[rest.index(after: rest.startIndex)..<end]
        let parts = inside.split(separator: "|", maxSplits: 1)
        html += "<u>\(unescaped(parts.last.map(String.init) ?? ""))</u>"
        rest = rest[rest.index(after: end)...]
        continue
      }
      if let tag = tags[c] {
        if open.last?.mark == c {
          html += "</\(tag)>"
          open.removeLast()
          rest.removeFirst()
          continue
        }
        let next = rest.dropFirst()
        if let closing = next.firstIndex(of: c), closing > next.startIndex, next.first?.isWhitespace == false,
          !next[..<closing].contains(where: \.isNewline), !open.contains(where: { $0.mark == c })
        {
          html += "<\(tag)>"
          open.append((c, tag))
          rest.removeFirst()
          continue
        }
      }
      let plain = rest.prefix { $0 == c || ($0 != "<" && tags[$0] == nil) }
      html += unescaped(String(plain))
      rest = rest[plain.endIndex...]
    }
    for (_, tag) in open.reversed() { html += "</\(tag)>" }
    return html
  }

  /// Slack's text has `&`, `<` and `>` escaped already.
  private static func unescaped(_ text: String) -> String {
    let plain = text.replacing("&lt;", with: "<").replacing("&gt;", with: ">").replacing("&amp;", with: "&")
    return PageText.escape(plain)
  }

  /// A PagerDuty event as the incident that it makes.
  static func pagerduty(_ event: JSON) -> String {
    func escape(_ json: JSON?) -> String { PageText.escape(json.map { $0.string ?? $0.text } ?? "") }
    let payload = event["payload"]
    var html = "<p class=\"context\">\(escape(event["event_action"])) · \(escape(event["dedup_key"]))</p>"
    if let summary = payload?["summary"] { html += "<h3>\(escape(summary))</h3>" }
    var rows: [(String, JSON)] = []
    for name in ["severity", "source", "component", "class", "group", "timestamp"] {
      if let value = payload?[name] { rows.append((name, value)) }
    }
    for member in payload?["custom_details"]?.members ?? [] { rows.append((member.name, member.value)) }
    if !rows.isEmpty {
      html += "<dl class=\"facts\">"
      for (name, value) in rows.prefix(40) { html += "<dt>\(PageText.escape(name))</dt><dd>\(escape(value))</dd>" }
      html += "</dl>"
    }
    for link in (event["links"]?.array ?? []).prefix(10) {
      html += "<span class=\"fake-button\">\(escape(link["text"]))</span>"
    }
    return html
  }
}
