import Crypto
import Foundation
import Hummingbird

/// Who may come in, under which names, and how a session is proved.
struct AccessPolicy: Sendable {
  static let sessionCookie = "tocsin_session"

  let users: [ConsoleUser]
  /// Names under which this server may be asked for. Nil: any, since a token protects it.
  let hosts: Set<String>?
  private let publicHost: String?

  init(_ settings: ConsoleSettings) {
    users = settings.users
    publicHost = settings.publicURL.flatMap { URL(string: $0)?.host?.lowercased() }
    if settings.users.isEmpty, !settings.insecure {
      var hosts: Set<String> = ["localhost", "127.0.0.1", "::1", settings.host.lowercased()]
      if let publicHost { hosts.insert(publicHost) }
      hosts.formUnion(settings.hosts.map { $0.lowercased() })
      self.hosts = hosts
    } else {
      hosts = nil
    }
  }

  var isOpen: Bool { users.isEmpty }

  /// Who a request comes from; nil: nobody that is known.
  func identity(_ request: Request) -> Identity? {
    if isOpen { return .open }
    if let header = request.headers[.authorization] {
      guard header.lowercased().hasPrefix("bearer ") else { return nil }
      return user(token: header.dropFirst(7).trimmingCharacters(in: .whitespaces)).map(AccessPolicy.identity)
    }
    guard let session = request.cookies[AccessPolicy.sessionCookie]?.value else { return nil }
    return users.first { AccessPolicy.equal(AccessPolicy.session($0), session) }.map(AccessPolicy.identity)
  }

  func user(token: String) -> ConsoleUser? { users.first { AccessPolicy.equal($0.token, token) } }

  /// What the session cookie holds: proves that the token was known, without being it. A new token ends the session.
  static func session(_ user: ConsoleUser) -> String {
    let code = HMAC<SHA256>.authenticationCode(
      for: Data("tocsin session v1 \(user.name)".utf8), using: SymmetricKey(data: Data(user.token.utf8)))
    return Data(code).map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
  }

  /// What the address of a calendar's feed carries, since calendar programs can't sign in: it opens these feeds and nothing else.
  static func feedKey(_ user: ConsoleUser) -> String {
    let code = HMAC<SHA256>.authenticationCode(
      for: Data("tocsin calendar feed v1 \(user.name)".utf8), using: SymmetricKey(data: Data(user.token.utf8)))
    return Data(code.prefix(16)).map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
  }

  /// Who subscribes to a calendar.
  func feedIdentity(_ request: Request) -> Identity? {
    guard OnCallPage.isFeed(request.uri.path), [.get, .head].contains(request.method),
      let key = Form(query: request)["key"]
    else { return nil }
    return users.first { AccessPolicy.equal(AccessPolicy.feedKey($0), key) }.map(AccessPolicy.identity)
  }

  private static func identity(_ user: ConsoleUser) -> Identity {
    Identity(name: user.name, role: user.role, tenants: user.tenants)
  }

  /// Compares in a time that tells nothing but the lengths.
  static func equal(_ a: String, _ b: String) -> Bool {
    let a = Array(a.utf8)
    let b = Array(b.utf8)
    guard a.count == b.count else { return false }
    var difference: UInt8 = 0
    for i in a.indices { difference |= a[i] ^ b[i] }
    return difference == 0
  }
}
