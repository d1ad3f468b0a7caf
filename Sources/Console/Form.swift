import Alerts
import Foundation
import Hummingbird

/// A posted form, or a query: names and values in order, a name as often as it was sent.
struct Form: Sendable {
  /// Pairs in one form: more is an attack.
  static let pairLimit = 256
  /// A form's body, in bytes: room for the longest comment.
  static let sizeLimit = 64 * 1024

  private(set) var pairs: [(name: String, value: String)] = []

  init(_ text: some StringProtocol) {
    for pair in text.split(separator: "&").prefix(Form.pairLimit) {
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      pairs.append((Form.decode(parts[0]), parts.count > 1 ? Form.decode(parts[1]) : ""))
    }
  }

  init(query request: Request) { self.init(request.uri.query ?? "") }

  /// Reads the body; the form's token must be the cookie's.
  init(_ request: Request, _ context: ConsoleContext) async throws {
    let buffer = try await request.body.collect(upTo: Form.sizeLimit)
    self.init(String(buffer: buffer))
    let cookie = request.cookies[FormToken.cookie]?.value ?? ""
    guard let token = self["token"], !token.isEmpty, AccessPolicy.equal(token, cookie) else {
      throw Problem(
        .forbidden, "this form is too old, or cookies are switched off",
        mend: "go back, reload the page, and send it again")
    }
  }

  /// The first value, trimmed; nil where it is absent or empty.
  subscript(_ name: String) -> String? {
    guard let value = pairs.first(where: { $0.name == name })?.value.trimming(), !value.isEmpty else { return nil }
    return value
  }

  func all(_ name: String) -> [String] { pairs.filter { $0.name == name && !$0.value.isEmpty }.map(\.value) }

  private static func decode(_ text: some StringProtocol) -> String {
    let spaced = String(text).replacingOccurrences(of: "+", with: " ")
    return spaced.removingPercentEncoding ?? spaced
  }

  static func encode(_ text: String) -> String {
    let safe = CharacterSet(charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
    return text.addingPercentEncoding(withAllowedCharacters: safe) ?? ""
  }
}
