import Foundation
import Alerts
import HTTPTypes
import Hummingbird

/// Messages that were written as files, as their receivers would see them.
struct OutboxPage: Sendable {
  let site: Site
  static let pageSize = 50

  private func folder(_ context: ConsoleContext) throws -> OutboxFolder {
    guard let directory = site.dependencies.settings.outbox else {
      throw Problem(
        .notFound, "no outbox is configured: messages go to their receivers alone",
        mend: "channels.outbox.directory names one")
    }
    // Its files say nothing of tenants.
    guard context.identity.tenants == nil else {
      throw Problem(.forbidden, "the outbox is for those who see every tenant")
    }
    return OutboxFolder(directory: directory)
  }

  func list(_ request: Request, _ context: ConsoleContext) throws -> Response {
    let folder = try folder(context)
    let names = folder.names()
    let from = Form(query: request)["before"].flatMap { before in names.firstIndex { $0 < before } } ?? 0
    let shown = names[min(from, names.count)...].prefix(OutboxPage.pageSize)
    let words = site.words
    let messages = shown.compactMap { folder.read($0) }.map { message in
      view([
        "href": "/outbox/\(Form.encode(message.name))", "channel": message.channel, "title": message.title,
        "to": message.to, "at": message.at?.rfc3339 ?? "", "local": message.at.map(words.moment) ?? "",
      ])
    }
    let last = from + shown.count
    let content = Templates.shared.render(
      "outbox",
      view([
        "lead": "What was written into \(folder.directory) instead of being sent, as its receivers would see it.",
        "any": !messages.isEmpty, "messages": messages, "emptyText": "Nothing has been written yet.",
        "shown": names.isEmpty ? "" : "\(from + 1) to \(last) of \(names.count)",
        "nextPage": last < names.count ? shown.last.map { "/outbox?before=\(Form.encode($0))" } : nil,
      ]))
    return site.page(.init(title: "Outbox", section: "Outbox", content: content, isLive: from == 0), context)
  }

  private func message(_ context: ConsoleContext) throws -> OutboxMessage {
    let name = (context.parameters.get("file") ?? "").removingPercentEncoding ?? ""
    guard let message = try folder(context).read(name) else {
      throw Problem(.notFound, "there is no such message in the outbox")
    }
    return message
  }

  func show(_ request: Request, _ context: ConsoleContext) throws -> Response {
    let message = try message(context)
    var envelope: [(String, String)] = []
    var cards: [[String: Any]] = []
    var html: String?
    var text: String?
    switch message.content {
    case .mail(let mail):
      for name in ["From", "To", "Date", "Message-ID", "References"] {
        if let value = mail.header(name) { envelope.append((name, value)) }
      }
      if mail.first("text/html") != nil { html = "/outbox/\(Form.encode(message.name))/html" }
      text = mail.first("text/plain")?.text
    case .json(let json):
      for name in ["receiver", "destination", "purpose", "subject", "key", "at"] {
        if let value = json[name]?.string { envelope.append((name.capitalized, value)) }
      }
      for request in json["requests"]?.array ?? [] {
        if let card = OutboxPage.card(request, channel: message.channel) { cards.append(card) }
      }
    case .unreadable(let why): envelope.append(("Problem", why))
    }
    let raw: String
    if case .json(let json) = message.content {
      raw = json.pretty
    } else {
      raw = String(decoding: message.bytes.prefix(256 * 1024), as: UTF8.self)
    }
    let content = Templates.shared.render(
      "message",
      view([
        "channel": message.channel, "title": message.title,
        "envelope": envelope.map { view(["name": $0.0, "value": $0.1]) }, "html": html, "cards": cards, "text": text,
        "raw": raw,
      ]))
    return site.page(.init(title: message.title, section: "Outbox", content: content), context)
  }

  private static func card(_ request: JSON, channel: String) -> [String: Any]? {
    guard let body = request["body"] else { return nil }
    let action = request["action"]?.string ?? ""
    switch channel {
    case "slack": return view(["kind": "slack", "label": "Slack: \(action)", "body": Preview.slack(body)])
    case "pagerduty":
      return view(["kind": "pagerduty", "label": "PagerDuty: \(action)", "body": Preview.pagerduty(body)])
    default:
      return view([
        "kind": "json", "label": action, "body": "<pre>\(PageText.escape(body.string ?? body.pretty))</pre>",
      ])
    }
  }

  /// The mail's own page, for a closed frame.
  func html(_ request: Request, _ context: ConsoleContext) throws -> Response {
    guard case .mail(let mail) = try message(context).content, let html = mail.htmlWithPictures() else {
      throw Problem(.notFound, "this message has no HTML part")
    }
    return DigestPage.framed(html)
  }
}
