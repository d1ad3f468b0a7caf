import Alerts
import Bus
import Hummingbird
import Projections

/// Silences: what is in force, and a new one, with a look at what it would hit before it holds.
struct SilencesPage: Sendable {
  let site: Site
  /// Alerts named in a preview.
  static let previewLimit = 20

  struct Wanted {
    var matchers: [Matcher]
    var length: Interval
  }

  static func wanted(_ form: Form) throws -> Wanted {
    var matchers: [Matcher] = []
    for line in (form["matchers"] ?? "").split(whereSeparator: \.isNewline) where !line.trimming().isEmpty {
      guard let matcher = Matcher(line.trimming()) else {
        throw Problem(.badRequest, "\"\(line.prefix(80))\" is no matcher such as device=mobile or device=~\"mob.*\"")
      }
      matchers.append(matcher)
    }
    guard !matchers.isEmpty else {
      throw Problem(.badRequest, "a silence needs at least one matcher, such as device=mobile")
    }
    guard let text = form["for"], let length = Interval(text), length > .zero, length <= Command.longest else {
      throw Problem(.badRequest, "a silence lasts for a time such as 2h, and at most \(Command.longest)")
    }
    return Wanted(matchers: matchers, length: length)
  }

  func show(
    _ request: Request, _ context: ConsoleContext, form given: Form? = nil, refused: String? = nil
  ) async throws -> Response {
    let form = given ?? Form(query: request)
    let now = site.dependencies.now()
    let words = site.words
    let silences = try site.reader.silences(includingExpired: form["expired"] != nil, at: now, limit: 200).filter {
      SilenceScope.sees($0.matchers, context.identity)
    }
    let windows = await site.dependencies.windows()
    var problem: String?
    var hits: Hits?
    if form["preview"] != nil, given == nil {
      do { hits = try preview(SilencesPage.wanted(form), context) } catch let error as Problem {
        problem = Site.sentence(error.message)
      }
    }
    let may = context.identity.role >= .responder
    let you = form["by"] ?? context.identity.name ?? AlertPage.responder(request) ?? ""
    let content = Templates.shared.render(
      "silences",
      view([
        "any": !silences.isEmpty, "showExpired": form["expired"] != nil, "may": may, "token": context.formToken,
        "askName": context.identity.name == nil, "you": you,
        "silences": silences.map { silence in
          let state = silence.state(at: now)
          return view([
            "id": silence.id.description, "state": state.rawValue, "matchers": silence.matchers.map(\.description),
            "until": "\(words.moment(silence.endsAt))\(state == .active ? ", \(words.until(silence.endsAt))" : "")",
            "starts": state == .pending ? words.moment(silence.startsAt) : nil, "by": silence.createdBy,
            "comment": silence.comment, "canExpire": may && state != .expired, "known": !you.isEmpty,
          ])
        }, "matchers": form["matchers"] ?? "", "for": form["for"] ?? "2h", "comment": form["comment"] ?? "",
        "anyWindows": !windows.isEmpty && context.identity.tenants == nil,
        "windows": windows.map { window in
          view([
            "name": window.name, "rhythm": window.rhythm, "matchers": window.matchers.map(\.description),
            "next": window.next.map { words.moment($0.start) } ?? "never",
            "hits": (try? SilencesPage.count(window.matchers, site.reader)) ?? "",
          ])
        },
        "problem": problem, "preview": hits != nil, "seen": hits?.text ?? "", "hits": hits.map { $0.text } ?? "",
        "previewText": hits.map { "This silence would hold back \($0.text) now:" } ?? "",
        "previewRows": hits?.rows ?? [],
      ]))
    return site.page(
      .init(title: "Silences", section: "Silences", content: content, isLive: true, refused: refused), context)
  }

  /// What a silence would hit.
  private struct Hits {
    var text: String
    var rows: [[String: Any]]
  }

  /// What a window would hit now.
  private static func count(_ matchers: [Matcher], _ reader: ProjectionReader) throws -> String {
    var query = AlertQuery()
    query.states = [.open, .acknowledged]
    query.matchers = matchers
    query.limit = AlertQuery.limitLimit
    let page = try reader.alerts(query)
    return page.alerts.count == 1 ? "1 alert" : "\(page.next == nil ? "" : "more than ")\(page.alerts.count) alerts"
  }

  private func preview(_ wanted: Wanted, _ context: ConsoleContext) throws -> Hits {
    var query = AlertQuery()
    query.states = [.open, .acknowledged]
    query.tenants = context.identity.tenants
    query.matchers = wanted.matchers
    query.order = .severity
    query.limit = AlertQuery.limitLimit
    let page = try site.reader.alerts(query)
    let count = page.alerts.count
    let many = page.next == nil ? "" : "more than "
    return Hits(
      text: count == 1 ? "1 alert" : "\(many)\(count) alerts",
      rows: page.alerts.prefix(SilencesPage.previewLimit).map {
        view(["id": $0.id.description, "severity": $0.severity.name, "headline": $0.headline])
      })
  }

  func add(_ request: Request, _ context: ConsoleContext) async throws -> Response {
    try AlertActions.mustRespond(context)
    let form = try await Form(request, context)
    do {
      let wanted = try SilencesPage.wanted(form)
      let by = try AlertActions.by(form, context)
      let ends = site.dependencies.now() + wanted.length
      let reply = try await site.dependencies.commands.send(
        Command(
          .silence(
            matchers: SilenceScope.limited(wanted.matchers, context.identity), startsAt: nil, endsAt: ends),
          by: by, note: form["comment"], confirmed: form["seen"] != nil))
      _ = try reply.result.get()
      return .redirect(to: "/silences")
    } catch {
      return try await show(
        request, context, form: form, refused: "Not done: \(Site.sentence(ErrorPages.problem(error).message))")
    }
  }

  func expire(_ request: Request, _ context: ConsoleContext) async throws -> Response {
    try AlertActions.mustRespond(context)
    let form = try await Form(request, context)
    guard let id = Subject(context.parameters.get("id") ?? ""), id.kind == .silence,
      try context.identity.tenants == nil
        || site.reader.silence(id).map({ SilenceScope.sees($0.matchers, context.identity) }) == true
    else { throw Problem(.notFound, "there is no such silence") }
    let reply = try await site.dependencies.commands.send(
      Command(.expireSilence(id), by: try AlertActions.by(form, context)))
    _ = try reply.result.get()
    return .redirect(to: "/silences")
  }
}
