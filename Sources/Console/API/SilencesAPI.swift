import Alerts
import Bus
import Hummingbird
import Projections

/// Silences, for programs.
struct SilencesAPI: Sendable {
  let dependencies: ConsoleDependencies

  func list(_ request: Request, _ context: ConsoleContext) throws -> Response {
    let form = Form(query: request)
    let now = dependencies.now()
    let limit = try APIRoutes.limit(form, 1000, most: 1000)
    let silences = try dependencies.reader.silences(
      includingExpired: form["expired"] == "true" || form["expired"] == "1", at: now, limit: limit
    ).filter { SilenceScope.sees($0.matchers, context.identity) }
    return APIRoutes.json(["silences": .array(silences.map { $0.json(at: now) })])
  }

  private func find(_ context: ConsoleContext) throws -> SilenceRow {
    let text = context.parameters.get("id") ?? ""
    guard let id = Subject(text), let silence = try dependencies.reader.silence(id),
      SilenceScope.sees(silence.matchers, context.identity)
    else { throw Problem(.notFound, "there is no silence \(text.prefix(40))", code: "invalid") }
    return silence
  }

  func one(_ request: Request, _ context: ConsoleContext) throws -> Response {
    APIRoutes.json(try find(context).json(at: dependencies.now()))
  }

  func add(_ request: Request, _ context: ConsoleContext) async throws -> Response {
    try AlertActions.mustRespond(context)
    guard let members = try await APIRoutes.body(request).members else {
      throw Problem(.badRequest, "the body must be a JSON object", code: "invalid")
    }
    let reply = try await send("silence", members, context)
    return APIRoutes.json(reply, .created)
  }

  func expire(_ request: Request, _ context: ConsoleContext) async throws -> Response {
    try AlertActions.mustRespond(context)
    let silence = try find(context)
    var members = try await APIRoutes.body(request).members ?? []
    if let by = Form(query: request)["by"] { members.append(.init("by", .string(by))) }
    members.append(.init("silence", .string(silence.id.description)))
    return APIRoutes.json(try await send("expire_silence", members, context))
  }

  private func send(_ name: String, _ members: [JSON.Member], _ context: ConsoleContext) async throws -> JSON {
    var json = [JSON.Member("command", .string(name))] + members.filter { $0.name != "command" }
    if let user = context.identity.name { json = json.filter { $0.name != "by" } + [.init("by", .string(user))] }
    var command = try Command(json: .object(json), now: dependencies.now())
    if case .silence(let matchers, let starts, let ends) = command.action {
      command.action = .silence(
        matchers: SilenceScope.limited(matchers, context.identity), startsAt: starts, endsAt: ends)
    }
    return try await dependencies.commands.send(command).result.get()
  }
}
