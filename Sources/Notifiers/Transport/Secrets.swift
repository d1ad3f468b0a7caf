import Alerts

/// Keeps what must not be shown out of messages that others wrote: a provider may echo a token, libcurl an address.
enum Secrets {
  /// Shorter ones would cut common words to pieces, and are no secrets worth the name.
  static let shortest = 4

  static func cut(_ secrets: [String], from text: String) -> String {
    var text = text
    for secret in secrets.sorted(by: { $0.utf8.count > $1.utf8.count }) where secret.utf8.count >= shortest {
      text = text.replacing(secret, with: "•••")
    }
    return text
  }

  /// The first line of a provider's answer, without secrets and short enough for a log: at most 300 characters.
  static func excerpt(_ text: String, without secrets: [String]) -> String {
    let line = text.split(whereSeparator: \.isNewline).first.map { $0.trimming() } ?? ""
    return String(cut(secrets, from: line).prefix(300))
  }
}
