import Foundation
import Mustache

/// The pages' templates, compiled once. They are part of the program: no file is read.
struct Templates: Sendable {
  static let sources: [String: String] = [
    "layout": layoutTemplate, "alerts": alertsTemplate, "alert": alertTemplate, "digest": digestTemplate,
    "outbox": outboxTemplate, "message": messageTemplate, "silences": silencesTemplate, "status": statusTemplate,
    "oncall": onCallTemplate, "link": linkTemplate, "error": errorTemplate, "sign-in": signInTemplate,
    "badge": badgeTemplate,
  ]

  private let library: MustacheLibrary

  init() {
    MustacheContentTypes.register(PageText(), named: "PAGE")
    var library = MustacheLibrary()
    for (name, source) in Templates.sources {
      // The names and sources are the program's own, and a test compiles each of them.
      try? library.register("{{% CONTENT_TYPE:PAGE}}" + source, named: name)
    }
    self.library = library
  }

  static let shared = Templates()

  func render(_ name: String, _ view: [String: Any]) -> String {
    library.render(view, withTemplate: name) ?? ""
  }
}

/// Escapes for HTML text and quoted attributes, scalar by scalar: a quotation mark with a combining accent on it is one
/// character to Swift, and still a quotation mark to a browser.
struct PageText: MustacheContentType {
  func escapeText(_ text: String) -> String { PageText.escape(text) }

  static func escape(_ text: String) -> String {
    var out = ""
    out.reserveCapacity(text.utf8.count)
    for scalar in text.unicodeScalars {
      switch scalar {
      case "<": out += "&lt;"
      case ">": out += "&gt;"
      case "&": out += "&amp;"
      case "\"": out += "&quot;"
      case "'": out += "&#39;"
      case "\0": out += "\u{FFFD}"
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out
  }
}

/// What a template sees. What is nil is absent.
func view(_ members: KeyValuePairs<String, Any?>) -> [String: Any] {
  var view: [String: Any] = [:]
  for (name, value) in members { if let value { view[name] = value } }
  return view
}

extension String {
  /// Nil where there is nothing to show.
  var ifAny: String? { isEmpty ? nil : self }
}
