import EventLog
import Alerts
import HTTPTypes
import Hummingbird

/// The pages' addresses.
struct PageRoutes: Sendable {
  let dependencies: ConsoleDependencies
  init(_ dependencies: ConsoleDependencies) { self.dependencies = dependencies }

  func add(to router: Router<ConsoleContext>) {
    let site = Site(dependencies)
    let alerts = AlertsPage(site: site)
    let alert = AlertPage(site: site)
    let digest = DigestPage(site: site)
    let outbox = OutboxPage(site: site)
    let silences = SilencesPage(site: site)
    let status = StatusPage(site: site)
    router.get("/") { try alerts.show($0, $1) }
    router.get("/alerts") { _, _ in Response.redirect(to: "/") }
    router.get("/alerts/:id") { try alert.show($0, $1) }
    router.post("/alerts/:id") { try await AlertActions.post($0, $1, site: site) }
    router.get("/digest") { try await digest.show($0, $1) }
    router.get("/digest/:form") { try await digest.content($0, $1) }
    router.get("/outbox") { try outbox.list($0, $1) }
    router.get("/outbox/:file") { try outbox.show($0, $1) }
    router.get("/outbox/:file/html") { try outbox.html($0, $1) }
    router.get("/silences") { try await silences.show($0, $1) }
    router.post("/silences") { try await silences.add($0, $1) }
    router.post("/silences/:id/expire") { try await silences.expire($0, $1) }
    let onCall = OnCallPage(site: site)
    router.get("/oncall") { try onCall.show($0, $1) }
    router.get("/oncall/:file") { try onCall.feed($0, $1) }
    router.get("/status") { try await status.show($0, $1) }
    router.get("/live") { request, _ in try LiveRoute.respond(request, dependencies) }
    router.get("/events/:position") { try EventPage.show($0, $1, dependencies) }
    let session = SessionRoutes(site: site)
    router.get("/sign-in") { session.page($0, $1) }
    router.post("/sign-in") { try await session.signIn($0, $1) }
    router.post("/sign-out") { try await session.signOut($0, $1) }
  }
}

/// A cause's address: the place in its alert's history, or the row itself.
enum EventPage {
  static func show(
    _ request: Request, _ context: ConsoleContext, _ dependencies: ConsoleDependencies
  ) throws -> Response {
    guard let position = Int64(context.parameters.get("position") ?? ""), position > 0,
      let event = try dependencies.log.events(after: position - 1, limit: 1).first, event.position == position
    else { throw Problem(.notFound, "there is no such event in the log") }
    if event.subject.kind == .alert { return .redirect(to: "/alerts/\(event.subject)#e\(position)") }
    guard context.identity.tenants == nil else { throw Problem(.notFound, "there is no such event in the log") }
    return Response(
      status: .ok, headers: [.contentType: "application/json"],
      body: .init(byteBuffer: ByteBuffer(string: event.cloudEvent.pretty + "\n")))
  }
}

/// Signing in with a token, for browsers.
struct SessionRoutes: Sendable {
  let site: Site
  static let seconds = 12 * 3600

  func page(_ request: Request, _ context: ConsoleContext, refused: String? = nil) -> Response {
    if site.dependencies.settings.users.isEmpty { return .redirect(to: "/") }
    let content = Templates.shared.render("sign-in", ["token": context.formToken])
    return site.page(
      .init(title: "Sign in", content: content, refused: refused, status: refused == nil ? .ok : .unauthorized), context
    )
  }

  func signIn(_ request: Request, _ context: ConsoleContext) async throws -> Response {
    let form = try await Form(request, context)
    let policy = AccessPolicy(site.dependencies.settings)
    guard let secret = form["secret"], let user = policy.user(token: secret) else {
      // Guessing costs a second a try on each connection.
      try await Task.sleep(for: .seconds(1))
      return page(request, context, refused: "That token is not known here.")
    }
    var response = Response.redirect(to: "/")
    let isSecure = site.dependencies.settings.publicURL?.hasPrefix("https://") ?? false
    response.setCookie(
      Cookie(
        name: AccessPolicy.sessionCookie, value: AccessPolicy.session(user), maxAge: SessionRoutes.seconds, path: "/",
        secure: isSecure, httpOnly: true, sameSite: .lax))
    return response
  }

  func signOut(_ request: Request, _ context: ConsoleContext) async throws -> Response {
    _ = try await Form(request, context)
    var response = Response.redirect(to: "/sign-in")
    response.setCookie(
      Cookie(name: AccessPolicy.sessionCookie, value: "", maxAge: 0, path: "/", httpOnly: true, sameSite: .lax))
    return response
  }
}
