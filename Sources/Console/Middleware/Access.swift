import HTTPTypes
import Hummingbird

/// Lets in who is known, and says to the others how to become it. A few paths are for everybody: health, the style, signing in,
/// and the front doors that prove themselves by a signature.
struct Access: RouterMiddleware {
  typealias Context = ConsoleContext
  let policy: AccessPolicy
  init(_ policy: AccessPolicy) { self.policy = policy }

  static func isPublic(_ path: String) -> Bool {
    path == "/healthz" || path == "/readyz" || path == "/-/healthy" || path == "/-/ready" || path == "/sign-in"
      || path == "/favicon.ico" || path.hasPrefix("/assets/") || path == "/slack/actions"
      || path == "/api/v1/webhooks/pagerduty" || path == "/v2/enqueue" || path.hasPrefix("/links/")
  }

  func handle(
    _ request: Request, context: ConsoleContext,
    next: (Request, ConsoleContext) async throws -> Response
  ) async throws -> Response {
    var context = context
    let token = FormToken.of(request)
    context.formToken = token.value
    if let identity = policy.identity(request) {
      context.identity = identity
    } else if let identity = policy.feedIdentity(request) {
      context.identity = identity
    } else if !Access.isPublic(request.uri.path) {
      if Site.isForPrograms(request) {
        throw Problem(.unauthorized, "sign in with a bearer token", headers: [.wwwAuthenticate: "Bearer"])
      }
      return .redirect(to: "/sign-in")
    }
    var response = try await next(request, context)
    if token.isNew, response.headers[.contentType]?.hasPrefix("text/html") == true {
      response.setCookie(
        Cookie(
          name: FormToken.cookie, value: token.value, path: "/",
          secure: request.headers[HTTPField.Name("X-Forwarded-Proto") ?? .from] == "https", httpOnly: true,
          sameSite: .lax))
    }
    return response
  }
}

/// A form carries the same value as a cookie that other sites can't read or send: what is posted comes from our own page.
struct FormToken {
  static let cookie = "tocsin_form"
  var value: String
  var isNew: Bool

  static func of(_ request: Request) -> FormToken {
    if let value = request.cookies[cookie]?.value, value.utf8.count == 32 {
      return FormToken(value: value, isNew: false)
    }
    var random = SystemRandomNumberGenerator()
    let value = (0..<32).map { _ in String(Int.random(in: 0..<16, using: &random), radix: 16) }.joined()
    return FormToken(value: value, isNew: true)
  }
}
