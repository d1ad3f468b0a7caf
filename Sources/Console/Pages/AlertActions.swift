import Alerts
import Bus
import Hummingbird

/// What a form on an alert's page asks for, as a command.
enum AlertActions {
  static func command(_ form: Form, alert: AlertID, by: String) throws -> Command {
    let note = form["note"]
    let version = form["version"].flatMap { Int($0) }
    func command(_ action: Command.Action) -> Command {
      Command(action, alert: alert, by: by, note: note, version: version)
    }
    switch form["action"] {
    case "acknowledge": return command(.acknowledge)
    case "unacknowledge": return command(.unacknowledge)
    case "resolve": return command(.resolve)
    case "escalate": return command(.escalate)
    case "unsnooze": return command(.unsnooze)
    case "snooze":
      guard let text = form["for"], let interval = Interval(text), interval > .zero, interval <= Command.longest else {
        throw Problem(.badRequest, "a snooze needs a length of time such as 2h", code: "invalid")
      }
      return command(.snooze(interval))
    case "assign":
      guard let to = form["to"] else { throw Problem(.badRequest, "say who it is assigned to", code: "invalid") }
      return command(.assign(to: to))
    case "comment":
      guard let note else { throw Problem(.badRequest, "write the comment into the note first", code: "invalid") }
      // What somebody says is welcome whatever has happened since.
      return Command(.comment(note), alert: alert, by: by)
    case "true_positive": return Command(.label(.true_positive), alert: alert, by: by, note: note)
    case "false_positive": return Command(.label(.false_positive), alert: alert, by: by, note: note)
    default: throw Problem(.badRequest, "the form names no action", code: "invalid")
    }
  }

  /// The responder's name: the signed-in user's, or what the form says.
  static func by(_ form: Form, _ context: ConsoleContext) throws -> String {
    if let name = context.identity.name { return name }
    guard let by = form["by"] else {
      throw Problem(.badRequest, "say your name, so that others see who did it", code: "invalid")
    }
    guard by.utf8.count <= 200 else { throw Problem(.badRequest, "that name is too long", code: "invalid") }
    return by
  }

  static func mustRespond(_ context: ConsoleContext) throws {
    guard context.identity.role >= .responder else {
      throw Problem(.forbidden, "a viewer reads; responders act", code: "forbidden")
    }
  }

  /// Carries out a form from an alert's page, and leads back there.
  static func post(_ request: Request, _ context: ConsoleContext, site: Site) async throws -> Response {
    try mustRespond(context)
    let form = try await Form(request, context)
    let alert = try AlertPage.find(context, site.reader)
    do {
      let by = try by(form, context)
      let reply = try await site.dependencies.commands.send(command(form, alert: alert.id, by: by))
      _ = try reply.result.get()
      var word = form["action"] ?? ""
      if word.hasSuffix("_positive") { word = "label" }
      var response = Response.redirect(to: "/alerts/\(alert.id)?done=\(word)")
      if context.identity.name == nil {
        response.setCookie(
          Cookie(
            name: AlertPage.nameCookie, value: Form.encode(by), maxAge: 365 * 86_400, path: "/", httpOnly: true,
            sameSite: .lax))
      }
      return response
    } catch {
      let problem = ErrorPages.problem(error)
      let page = AlertPage(site: site)
      return try page.show(
        request, context, refused: "Not done: \(Site.sentence(problem.message))", form: form, status: problem.status)
    }
  }
}
