import EventLog
import Alerts
import HTTPTypes
import Hummingbird
import Projections

/// The frame around every page.
struct Site: Sendable {
  let dependencies: ConsoleDependencies
  init(_ dependencies: ConsoleDependencies) { self.dependencies = dependencies }

  var words: Words { Words(zone: dependencies.zone, now: dependencies.now()) }
  var reader: ProjectionReader { dependencies.reader }

  struct Page {
    var title: String
    /// The navigation's entry that the page belongs to.
    var section: String?
    var content: String
    /// Follows the log and renews its regions.
    var isLive = false
    /// Without the navigation: for people who come by a link and need not sign in.
    var isBare = false
    /// What was done, for a page that follows a form.
    var done: String?
    /// Why something was refused.
    var refused: String?
    var status: HTTPResponse.Status = .ok
  }

  func page(_ page: Page, _ context: ConsoleContext) -> Response {
    let settings = dependencies.settings
    var position: Int64 = 0
    var behind: String?
    if page.isLive {
      position = (try? dependencies.log.head()) ?? 0
      if let reached = try? reader.position(), position - reached > 1000 {
        behind =
          "The tables are \(Format.number(Double(position - reached))) events behind the log and catching up: what you see is older."
      }
    }
    let nav: [(String, String)] = [
      ("Alerts", "/"), ("On call", "/oncall"), ("Digest", "/digest"), ("Silences", "/silences"), ("Outbox", "/outbox"),
      ("Status", "/status"),
    ]
    let html = Templates.shared.render(
      "layout",
      view([
        "title": page.title, "icon": Asset.icon.path, "style": Asset.style.path, "script": Asset.script.path,
        "live": page.isLive ? String(position) : nil,
        "nav": nav.filter { !page.isBare && ($0.0 != "Outbox" || settings.outbox != nil) }.map {
          view(["name": $0.0, "href": $0.1, "current": $0.0 == page.section])
        }, "user": context.identity.name, "token": context.formToken,
        "openAccess": !page.isBare && settings.users.isEmpty && context.identity == .open, "behind": behind,
        "done": page.done,
        "refused": page.refused, "content": page.content, "version": dependencies.version,
        "zone": dependencies.zone.name,
      ]))
    return Site.html(html, page.status)
  }

  static func html(_ text: String, _ status: HTTPResponse.Status = .ok) -> Response {
    Response(
      status: status, headers: [.contentType: "text/html; charset=utf-8"], body: .init(byteBuffer: .init(string: text)))
  }

  func errorPage(_ problem: Problem, _ request: Request, _ context: ConsoleContext) -> Response {
    let content = Templates.shared.render(
      "error",
      view([
        "status": Int(problem.status.code), "reason": problem.status.reasonPhrase,
        "message": Site.sentence(problem.message),
        "mend": problem.mend.map(Site.sentence), "back": "/",
      ]))
    return page(Page(title: problem.status.reasonPhrase, content: content, status: problem.status), context)
  }

  static func sentence(_ text: String) -> String {
    let text = text.prefix(1).uppercased() + text.dropFirst()
    return text.hasSuffix(".") || text.hasSuffix("?") ? text : text + "."
  }

  /// Whether the asker is a program: it gets problems as JSON, and no redirection to a page.
  static func isForPrograms(_ request: Request) -> Bool {
    let path = request.uri.path
    if path.hasPrefix("/api/") || path.hasPrefix("/v1/") || path.hasPrefix("/v2/") || path.hasPrefix("/slack/")
      || path == "/metrics"
      || path == "/live" || path.hasPrefix("/-/") || path == "/healthz" || path == "/readyz"
    {
      return true
    }
    let accept = request.headers[.accept] ?? ""
    return !accept.contains("text/html") && accept.contains("json")
  }
}
