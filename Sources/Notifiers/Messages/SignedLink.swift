package import Alerts
import Crypto
import Foundation

/// A link in a message by which its reader may do one thing to one alert, without signing in: acknowledge it.
///
/// Mail scanners open every link, so that opening one only shows a page; its button does the deed. A link names what it is for, holds for one
/// life of one alert, and runs out.
package struct SignedLink: Sendable, Equatable {
  package enum Deed: String, Sendable { case acknowledge }
  package enum Refusal: Error, Sendable, Equatable {
    /// Not signed by this key, or changed on the way.
    case invalid
    case expired
  }

  package var deed: Deed
  package var alert: AlertID
  /// The alert's version that the message showed; a stale one is refused by the service.
  package var version: Int
  /// Who was told: a receiver, or an address. Stands in the log as the actor, with the way that it came by.
  package var recipient: String
  /// In whole seconds.
  package var expires: Timestamp

  /// How long a link holds, unless configured otherwise.
  package static let lifetime = Interval.days(7)
  /// A token longer than this is not even looked at.
  package static let tokenLimit = 2048
  /// A key shorter than this could be guessed.
  package static let keyLength = 32

  package init(_ deed: Deed, _ alert: AlertID, version: Int, recipient: String, expires: Timestamp) {
    self.deed = deed
    self.alert = alert
    self.version = version
    self.recipient = recipient
    self.expires = Timestamp(seconds: expires.microseconds / 1_000_000)
  }

  /// The text for an address: what it says, a dot, and an HMAC-SHA256 of that; both in base64url (RFC 4648, section 5).
  package func token(key: [UInt8]) -> String {
    let claim: JSON = [
      "for": .string(deed.rawValue), "alert": .string(alert.description), "version": .int(version),
      "to": .string(recipient), "until": .int(expires.microseconds / 1_000_000),
    ]
    let said = SignedLink.base64url(claim.bytes)
    return "\(said).\(SignedLink.base64url(SignedLink.mac(said, key: key)))"
  }

  /// Reads a token that this key signed and that has not run out. The comparison takes the same time wherever it differs.
  package static func verify(_ token: String, key: [UInt8], now: Timestamp) -> Result<SignedLink, Refusal> {
    let parts = token.split(separator: ".", omittingEmptySubsequences: false)
    guard token.utf8.count <= tokenLimit, parts.count == 2, let given = bytes(base64url: parts[1]),
      HMAC<SHA256>.isValidAuthenticationCode(
        given, authenticating: purpose + Array(parts[0].utf8), using: SymmetricKey(data: key)),
      let claim = bytes(base64url: parts[0]).flatMap({ try? JSON(parsing: $0) }),
      let deed = claim["for"]?.string.flatMap({ Deed(rawValue: $0) }),
      let alert = claim["alert"]?.string.flatMap({ AlertID($0) }), let version = claim["version"]?.int,
      let recipient = claim["to"]?.string, let until = claim["until"]?.int
    else { return .failure(.invalid) }
    let expires = Timestamp(seconds: until)
    guard now < expires else { return .failure(.expired) }
    return .success(SignedLink(deed, alert, version: Int(version), recipient: recipient, expires: expires))
  }

  /// Keeps a signature of ours for something else, under the same key, from passing for a link.
  private static let purpose = Array("tocsin signed link 1\n".utf8)

  private static func mac(_ said: String, key: [UInt8]) -> [UInt8] {
    Array(HMAC<SHA256>.authenticationCode(for: purpose + Array(said.utf8), using: SymmetricKey(data: key)))
  }

  private static func base64url(_ bytes: [UInt8]) -> String {
    Base64.encode(bytes).replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
  }

  private static func bytes(base64url text: Substring) -> [UInt8]? {
    var text = text.replacing("-", with: "+").replacing("_", with: "/")
    while text.count % 4 != 0 { text += "=" }
    return Data(base64Encoded: String(text)).map { Array($0) }
  }
}

/// Makes the links of messages: the key, and where the console takes them.
package struct LinkMaker: Sendable, Equatable {
  private let key: [UInt8]
  private let lifetime: Interval

  /// Nil for a secret that is too short to keep anybody out.
  package init?(secret: String, lifetime: Interval = SignedLink.lifetime) {
    guard secret.utf8.count >= SignedLink.keyLength else { return nil }
    key = Array(secret.utf8)
    self.lifetime = lifetime
  }

  /// `https://tocsin.example.org/links/…`; nil where there is nothing to acknowledge, or no console to do it in.
  package func acknowledge(_ job: Job, recipient: String) -> String? {
    guard let alert = job.alert, alert.state == .open, job.purpose != .resolved, let console = job.consoleURL else {
      return nil
    }
    let link = SignedLink(
      .acknowledge, alert.id, version: alert.version, recipient: recipient, expires: job.requestedAt + lifetime)
    return "\(MessageFacts.base(console))/links/\(link.token(key: key))"
  }
}
