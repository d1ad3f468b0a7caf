package import Alerts
import Mustache

/// Slack's mrkdwn: it takes these three for its own, and no others.
/// Source: https://docs.slack.dev/messaging/formatting-message-text#escaping
struct SlackText: MustacheContentType {
  static func escape(_ text: String) -> String {
    text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
  }
  func escapeText(_ text: String) -> String { SlackText.escape(text) }
}

/// The templates in force: the built-in ones, and the user's own in place of some.
package struct TemplateSet: Sendable {
  package enum Format: String, Sendable, CaseIterable { case subject, line, text, html, slack }

  /// The longest template of a user's own, in bytes.
  package static let sizeLimit = 256 * 1024

  private let templates: [String: MustacheTemplate]
  /// What was wrong with a user's own template; the built-in one stands in for it.
  package let faults: [Fault]

  /// `own` holds template texts by name, such as `alert.slack`; `faults` is what was wrong before they could be read.
  package init(own: [String: String] = [:], faults before: [Fault] = []) {
    MustacheContentTypes.register(SlackText(), named: "SLACK")
    var templates: [String: MustacheTemplate] = [:]
    var faults = before
    for (name, text) in BuiltInTemplates.all { templates[name] = try? TemplateSet.parse(text, name: name) }
    for (name, text) in own.sorted(by: { $0.key < $1.key }) {
      func fault(_ message: String, mend: String) {
        faults.append(Fault(nil, key: "templates/\(name).mustache", message, mend: mend))
      }
      guard templates[name] != nil else {
        fault(
          "no message uses a template of this name",
          mend: "name it one of: \(BuiltInTemplates.all.keys.sorted().joined(separator: ", "))")
        continue
      }
      guard text.utf8.count <= TemplateSet.sizeLimit else {
        fault("it is longer than \(TemplateSet.sizeLimit) bytes, so the built-in one is used", mend: "shorten it")
        continue
      }
      // Partials and inheritance could call each other without end; these templates stand alone.
      guard !["{{>", "{{<", "{{$"].contains(where: { text.replacing(" ", with: "").contains($0) }) else {
        fault("it uses a partial ({{> …}} or {{< …}}), so the built-in one is used", mend: "write the text out")
        continue
      }
      do { templates[name] = try TemplateSet.parse(text, name: name) } catch {
        fault("it can't be read, so the built-in one is used: \(error)", mend: "mend the tag, then run: tocsin render")
      }
    }
    self.templates = templates
    self.faults = faults
  }

  private static func parse(_ text: String, name: String) throws -> MustacheTemplate {
    let type: String
    switch name.split(separator: ".").last {
    case "html": type = "HTML"
    case "slack": type = "SLACK"
    default: type = "TEXT"
    }
    return try MustacheTemplate(string: "{{% CONTENT_TYPE:\(type)}}\n\(text)")
  }

  package static var names: [String] { BuiltInTemplates.all.keys.sorted() }
  package static func builtIn(_ name: String) -> String? { BuiltInTemplates.all[name] }

  /// A digest in a mail: what was rendered when it was ordered, in the user's own frame if there is one.
  package func render(digest content: JSON, _ format: Format) -> String? {
    var values: [String: Any] = [:]
    for member in content.members ?? [] { if let text = member.value.string { values[member.name] = text } }
    guard values[format.rawValue] != nil, let template = templates["digest.\(format.rawValue)"] else { return nil }
    let text = template.render(values)
    return format == .subject ? text.split(whereSeparator: \.isNewline).joined(separator: " ").trimming() : text
  }

  /// `extra` adds values that are not facts of the alert, such as the HTML of a picture.
  package func render(_ facts: MessageFacts, _ format: Format, extra: [String: String] = [:]) -> String {
    let kind = facts.purpose == .summary ? "summary" : "alert"
    guard let template = templates["\(kind).\(format.rawValue)"] else { return facts.headline }
    var values = facts.values
    for (name, value) in extra { values[name] = value }
    let text = template.render(values)
    switch format {
    case .subject, .line: return text.split(whereSeparator: \.isNewline).joined(separator: " ").trimming()
    case .slack: return text.trimming()
    case .text, .html: return text
    }
  }
}
