package import Alerts
import Mustache

/// The templates in force: the built-in ones, and the user's own in place of some.
package struct TemplateSet: Sendable {
  package enum Format: String, Sendable, CaseIterable { case subject, line, text, html, slack, reply }

  /// The longest template of a user's own, in bytes.
  package static let sizeLimit = 256 * 1024

  private let templates: [String: MustacheTemplate]
  /// Names of those that are the user's own.
  private let owned: Set<String>
  /// What was wrong with a user's own template; the built-in one stands in for it.
  package let faults: [Fault]

  /// `own` holds template texts by name, such as `alert.slack`; `faults` is what was wrong before they could be read.
  package init(own: [String: String] = [:], faults before: [Fault] = []) {
    MustacheContentTypes.register(SlackText(), named: "SLACK")
    MustacheContentTypes.register(HTMLText(), named: "PAGE")
    var templates: [String: MustacheTemplate] = [:]
    var owned: Set<String> = []
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
      do {
        templates[name] = try TemplateSet.parse(text, name: name)
        owned.insert(name)
      } catch {
        fault("it can't be read, so the built-in one is used: \(error)", mend: "mend the tag, then run: tocsin render")
      }
    }
    self.templates = templates
    self.owned = owned
    self.faults = faults
  }

  private static func parse(_ text: String, name: String) throws -> MustacheTemplate {
    let type: String
    switch name.split(separator: ".").last {
    case "html": type = "PAGE"
    case "slack", "reply": type = "SLACK"
    default: type = "TEXT"
    }
    return try MustacheTemplate(string: "{{% CONTENT_TYPE:\(type)}}\n\(text)")
  }

  package static var names: [String] { BuiltInTemplates.all.keys.sorted() }
  package static func builtIn(_ name: String) -> String? { BuiltInTemplates.all[name] }

  /// Whether this template is the user's own.
  package func isOwn(_ name: String) -> Bool { owned.contains(name) }

  /// The plain text of any message.
  package func text(_ job: Job, _ facts: MessageFacts) -> String {
    if job.purpose == .digest, let content = job.content {
      return render(digest: content, .text) ?? content["markdown"]?.string ?? facts.headline
    }
    return render(facts, .text)
  }

  /// A digest: what was rendered when it was ordered, in the user's own frame if there is one. `figures` holds its numbers, under their names in JSON.
  package func render(digest content: JSON, _ format: Format) -> String? {
    var values: [String: Any] = [:]
    for member in content.members ?? [] {
      values[member.name] = member.name == "slack" ? SlackMessage.words(member.value) : TemplateSet.value(member.value)
    }
    guard values[format.rawValue] != nil, let template = templates["digest.\(format.rawValue)"] else { return nil }
    let text = template.render(values)
    return format == .subject ? text.split(whereSeparator: \.isNewline).joined(separator: " ").trimming() : text
  }

  /// As templates read it; nil for null.
  private static func value(_ json: JSON) -> Any? {
    if let members = json.members {
      var values: [String: Any] = [:]
      for member in members { values[member.name] = value(member.value) }
      return values
    }
    if let items = json.array { return items.compactMap(value) }
    if let text = json.string { return text }
    if let bool = json.bool { return bool }
    return json.double.map { Alerts.Format.number($0) }
  }

  /// `extra` adds values that are not facts of the alert, such as the HTML of a picture.
  package func render(_ facts: MessageFacts, _ format: Format, extra: [String: String] = [:]) -> String {
    let kind =
      switch facts.purpose {
      case .summary: "summary"
      case .notice: "notice"
      case .digest: "digest"
      default: "alert"
      }
    let name = "\(kind).\(format.rawValue)"
    guard let template = templates[name] else { return facts.headline }
    let text: String
    if kind == "alert", !owned.contains(name), let plain = PlainText.alert(facts, format) {
      text = plain
    } else {
      var values = facts.values
      for (name, value) in extra { values[name] = value }
      text = template.render(TemplateValues(values: values))
    }
    switch format {
    case .subject, .line: return text.split(whereSeparator: \.isNewline).joined(separator: " ").trimming()
    case .slack, .reply: return text.trimming()
    case .text, .html: return text
    }
  }
}
