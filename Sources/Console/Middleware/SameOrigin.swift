import Foundation
import HTTPTypes
import Hummingbird

/// Refuses what another site's page sends in the name of whoever looks at it.
///
/// Two ways: a request that changes something and says that it comes from elsewhere, and, where no token protects the console, one under a name
/// that isn't ours (an outside name that was made to point at this machine).
struct SameOrigin: RouterMiddleware {
  typealias Context = ConsoleContext
  let policy: AccessPolicy
  init(_ policy: AccessPolicy) { self.policy = policy }

  func handle(
    _ request: Request, context: ConsoleContext,
    next: (Request, ConsoleContext) async throws -> Response
  ) async throws -> Response {
    let authority = request.head.authority ?? ""
    if let hosts = policy.hosts, !hosts.contains(SameOrigin.host(authority)) {
      throw Problem(
        .misdirectedRequest, "this console does not answer under the name \(SameOrigin.host(authority).prefix(80))",
        mend: "open it under the name that it listens on, or set console.public_url")
    }
    if ![.get, .head, .options].contains(request.method) {
      let site = HTTPField.Name("Sec-Fetch-Site").flatMap { request.headers[$0] }
      if let site, site != "same-origin", site != "none" { throw SameOrigin.refused }
      if let origin = request.headers[.origin], site == nil {
        guard let url = URL(string: origin), let host = url.host else { throw SameOrigin.refused }
        let named = url.port.map { "\(host):\($0)" } ?? host
        if named.lowercased() != authority.lowercased() { throw SameOrigin.refused }
      }
    }
    return try await next(request, context)
  }

  private static let refused = Problem(
    .forbidden, "this request comes from another site", mend: "use the console's own page, or a program")

  static func host(_ authority: String) -> String {
    if authority.hasPrefix("[") { return String(authority.dropFirst().prefix { $0 != "]" }).lowercased() }
    return String(authority.prefix { $0 != ":" }).lowercased()
  }
}
