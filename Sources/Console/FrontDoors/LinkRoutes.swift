import Alerts
import Bus
import HTTPTypes
import Hummingbird
import Projections

/// Links in mails by which their reader acknowledges an alert without signing in.
///
/// Opening one changes nothing, since mail scanners open every link: it shows a page whose button does the deed. The token proves
/// who was told; no cookie and no script is needed, so that it works in a mail program's own browser.
struct LinkRoutes: Sendable {
  let site: Site

  func add(to router: Router<ConsoleContext>) {
    router.get("/links/:token") { try await show($0, $1) }
    router.post("/links/:token") { try await act($0, $1) }
  }

  private struct Meant {
    var alert: AlertSummary
    var version: Int
    var by: String
    var sentTo: String
  }

  private func read(_ context: ConsoleContext) throws -> Meant {
    let token = context.parameters.get("token") ?? ""
    switch site.dependencies.link(token) {
    case .off, .invalid:
      throw Problem(
        .notFound, "this link is not one of ours, or it was cut on its way",
        mend: "copy the whole link from the message, or sign in to the console")
    case .expired:
      throw Problem(
        .gone, "this link has run out", mend: "use a newer message about the alert, or sign in to the console")
    case .acknowledge(let id, let version, let by, let sentTo):
      guard let alert = try site.reader.alert(id) else {
        throw Problem(.notFound, "there is no alert \(id) any more")
      }
      return Meant(alert: alert, version: version, by: by, sentTo: sentTo)
    }
  }

  private func show(_ request: Request, _ context: ConsoleContext) async throws -> Response {
    page(try read(context), context)
  }

  private func act(_ request: Request, _ context: ConsoleContext) async throws -> Response {
    let meant = try read(context)
    let command = Command(
      .acknowledge, alert: meant.alert.id, by: meant.by, note: "by the link in the message to \(meant.sentTo)",
      version: meant.version)
    let reply: Reply
    do { reply = try await site.dependencies.commands.send(command) } catch {
      throw Problem(
        .serviceUnavailable, "the service does not answer, so nothing was acknowledged", mend: "try again in a minute",
        code: "unavailable")
    }
    switch reply.result {
    case .success: return page(meant, context, done: "Acknowledged by \(meant.by). The escalation stops here.")
    case .failure(let error):
      return page(
        meant, context, refused: "Not acknowledged: \(error.message).",
        status: error.code == .unavailable
          ? .serviceUnavailable : .conflict)
    }
  }

  private func page(
    _ meant: Meant, _ context: ConsoleContext, done: String? = nil, refused: String? = nil,
    status: HTTPResponse.Status = .ok
  ) -> Response {
    let alert = meant.alert
    let words = site.words
    let state: String
    switch alert.state {
    case .open: state = "Open since \(words.moment(alert.openedAt)), \(words.age(alert.openedAt)) ago."
    case .acknowledged:
      state =
        "Acknowledged by \(alert.acknowledgedBy ?? "somebody")"
        + (alert.acknowledgedAt.map { " at \(words.moment($0))." } ?? ".")
    case .resolved: state = "It is over: \(alert.stateForPeople)."
    }
    let content = Templates.shared.render(
      "link",
      view([
        "id": alert.id.description, "severity": alert.severity.name, "headline": alert.headline,
        "what": "\(alert.anomaly.eventType), \(alert.anomaly.metric)"
          + alert.anomaly.dimensions.map { ", \($0.name) \($0.value)" }.joined(),
        "state": state, "by": meant.by.hasPrefix("link/") ? meant.sentTo : meant.by,
        "can": alert.state == .open && done == nil, "again": refused != nil,
        "next": alert.state == .open && done == nil
          ? alert.nextEscalationAt.map { "Without an answer the next people are told \(words.until($0))." } : nil,
      ]))
    return site.page(
      .init(
        title: "\(alert.id) \(alert.headline)", content: content, isBare: true, done: done, refused: refused,
        status: status), context)
  }
}
