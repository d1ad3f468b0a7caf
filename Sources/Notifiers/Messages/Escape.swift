import Mustache

// Scalar by scalar: a sign with a combining accent on it is one character to Swift, and still that sign to whoever reads the message.

/// HTML text and quoted attributes.
struct HTMLText: MustacheContentType {
  static func escape(_ text: String) -> String {
    var out = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      switch scalar {
      case "<": out.append(contentsOf: "&lt;".unicodeScalars)
      case ">": out.append(contentsOf: "&gt;".unicodeScalars)
      case "&": out.append(contentsOf: "&amp;".unicodeScalars)
      case "\"": out.append(contentsOf: "&quot;".unicodeScalars)
      case "'": out.append(contentsOf: "&#39;".unicodeScalars)
      // No page may hold it, and a reader may end there.
      case "\0": out.append("\u{FFFD}")
      default: out.append(scalar)
      }
    }
    return String(out)
  }
  func escapeText(_ text: String) -> String { HTMLText.escape(text) }
}

/// Slack's mrkdwn: it takes these three for its own, and no others.
/// Source: https://docs.slack.dev/messaging/formatting-message-text#escaping
struct SlackText: MustacheContentType {
  static func escape(_ text: String) -> String {
    var out = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      switch scalar {
      case "<": out.append(contentsOf: "&lt;".unicodeScalars)
      case ">": out.append(contentsOf: "&gt;".unicodeScalars)
      case "&": out.append(contentsOf: "&amp;".unicodeScalars)
      default: out.append(scalar)
      }
    }
    return String(out)
  }
  func escapeText(_ text: String) -> String { SlackText.escape(text) }
}
