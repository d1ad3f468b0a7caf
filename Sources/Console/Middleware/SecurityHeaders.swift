import HTTPTypes
import Hummingbird

/// No script, style, picture or frame from anywhere but here; no page inside another's frame.
struct SecurityHeaders: RouterMiddleware {
  typealias Context = ConsoleContext

  static let policy = [
    "default-src 'none'", "style-src 'self'", "script-src 'self'", "img-src 'self' data:", "connect-src 'self'",
    "frame-src 'self'", "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'",
  ].joined(separator: "; ")

  func handle(
    _ request: Request, context: ConsoleContext,
    next: (Request, ConsoleContext) async throws -> Response
  ) async throws -> Response {
    var response = try await next(request, context)
    func set(_ name: String, _ value: String) {
      if let name = HTTPField.Name(name), response.headers[name] == nil { response.headers[name] = value }
    }
    set("Content-Security-Policy", SecurityHeaders.policy)
    set("X-Content-Type-Options", "nosniff")
    set("X-Frame-Options", "DENY")
    set("Referrer-Policy", "same-origin")
    set("Cross-Origin-Opener-Policy", "same-origin")
    set("Cross-Origin-Resource-Policy", "same-origin")
    set("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
    set("Cache-Control", "no-store")
    return response
  }
}
