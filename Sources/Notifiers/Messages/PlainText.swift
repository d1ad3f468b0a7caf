/// The built-in texts of an alert without the template engine, which takes a tenth of a millisecond for them: as long as everything else that is done between a
/// commit and its message. A test holds each equal to its template.
enum PlainText {
  /// Nil where there is no such shortcut.
  static func alert(_ facts: MessageFacts, _ format: TemplateSet.Format) -> String? {
    switch format {
    case .text: text(facts)
    case .subject: "[\(facts.label)] \(facts.headline) · \(facts.id)"
    case .line: "\(facts.label) \(facts.headline) · \(facts.id)"
    case .html, .slack, .reply: nil
    }
  }

  private static func text(_ f: MessageFacts) -> String {
    var text = "\(f.label): \(f.headline)\n\n\(f.lead)\n\n"
    for row in f.rows { text += "\(row.name): \(row.value)\n" }
    if let runbook = f.runbook { text += "\nRunbook: \(runbook)\n" }
    if let link = f.link { text += "\nOpen in Tocsin: \(link)\n" }
    if let link = f.acknowledgeLink { text += "Acknowledge: \(link)\n" }
    if let how = f.how { text += "Or acknowledge from a shell: \(how)\n" }
    return text
  }
}
